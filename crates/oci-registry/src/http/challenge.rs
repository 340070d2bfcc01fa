//! `WWW-Authenticate`: what a registry wants to see.

use std::collections::BTreeMap;

/// What the registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    Basic,
    Bearer(BTreeMap<String, String>),
}

impl Challenge {
    /// Parses one header (RFC 9110, 11.6.1): a scheme with `name="value"` parameters.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let header = header.trim();
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| Self::Bearer(parameters(rest)))
    }
}

fn parameters(mut rest: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_ascii_lowercase();
        let (value, behind) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.insert(name, value.to_owned());
        rest = behind;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_send() {
        let header = r#"Bearer realm="https://auth.x/token",service="registry.x",scope="repository:a:pull,push""#;
        let Some(Challenge::Bearer(parameters)) = Challenge::parse(header) else {
            panic!("it is a bearer challenge");
        };
        assert_eq!(parameters["realm"], "https://auth.x/token");
        assert_eq!(parameters["scope"], "repository:a:pull,push");
        assert_eq!(
            Challenge::parse("basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        assert_eq!(Challenge::parse("Negotiate"), None);
        assert_eq!(
            Challenge::parse("Bearer ="),
            Some(Challenge::Bearer(BTreeMap::from([(
                String::new(),
                String::new()
            )])))
        );
    }
}
