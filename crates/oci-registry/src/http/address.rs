//! URLs, as far as this protocol needs them.

use std::fmt;
use std::net::IpAddr;

/// A URL with scheme http or https.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) is_secure: bool,
    /// Host and port, in lower case.
    pub(crate) authority: String,
    /// With the query.
    pub(crate) path: String,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it is not a URL")?;
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("it is neither http nor https"),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.is_empty() || authority.contains('@') {
            return Err("its host is not a host name");
        }
        let path = path.split_once('#').map_or(path, |(path, _)| path);
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err("it has characters that no URL has");
        }
        Ok(Self {
            is_secure,
            authority: authority.to_ascii_lowercase(),
            path,
        })
    }

    /// Returns where a `Location` leads.
    pub(crate) fn join(&self, location: &str) -> Result<Self, &'static str> {
        if location.starts_with("//") {
            let scheme = if self.is_secure { "https" } else { "http" };
            return Self::parse(&format!("{scheme}:{location}"));
        }
        let has_scheme = location.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric())
        });
        if has_scheme {
            return Self::parse(location);
        }
        let path = if location.starts_with('/') {
            location.to_owned()
        } else {
            let own = self.path.split('?').next().unwrap_or_default();
            let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{location}")
        };
        Self::parse(&format!("{}{path}", self.origin()))
    }

    /// Returns the address with another parameter.
    pub(crate) fn with_parameter(&self, name: &str, value: &str) -> Self {
        let mut joined = self.clone();
        joined
            .path
            .push(if self.path.contains('?') { '&' } else { '?' });
        joined.path.push_str(name);
        joined.path.push('=');
        joined.path.push_str(&percent_encode(value));
        joined
    }

    pub(crate) fn is_same_origin(&self, other: &Self) -> bool {
        self.is_secure == other.is_secure && self.authority == other.authority
    }

    /// Returns whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.authority)
    }

    fn origin(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    /// Returns the URL without its query, which may hold a signature.
    pub(crate) fn for_people(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{}{path}", self.origin())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

/// Returns whether a host, with or without a port, is this machine.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Writes everything but unreserved characters as `%XX` (RFC 3986, 2.3).
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for half in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                encoded.push(digit.to_ascii_uppercase());
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_joined() {
        let base = Address::parse("https://H.x:5000/v2/a/b?x=1").unwrap();
        let joined = |location: &str| base.join(location).map(|address| address.to_string());
        assert_eq!(joined("/c?d").unwrap(), "https://h.x:5000/c?d");
        assert_eq!(joined("c").unwrap(), "https://h.x:5000/v2/a/c");
        assert_eq!(joined("//other/c").unwrap(), "https://other/c");
        assert_eq!(joined("http://other").unwrap(), "http://other/");
        assert!(joined("file:///etc/passwd").is_err());
        assert!(joined("https://u:p@h/").is_err());
        assert!(joined("/a b\r\nX: y").is_err());
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "127.1.2.3",
            "[::1]:80",
            "[::1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.evil.x",
            "127.0.0.1.evil.x:80",
            "10.0.0.1",
            "[::2]:1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
