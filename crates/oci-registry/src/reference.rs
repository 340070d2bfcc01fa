//! Names of images: `host/repository:tag@digest`, as Docker reads them (distribution/reference).

use std::fmt;
use std::str::FromStr;

use oci_image::Digest;

use crate::error::RegistryError;

const DOCKER_HOST: &str = "docker.io";
/// The longest name that Docker takes (reference.go, `RepositoryNameTotalLengthMax`), and that of a tag.
const NAME_LIMIT: usize = 255;
const TAG_LIMIT: usize = 128;

/// The whole name of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// `docker.io`, or a host with its port.
    pub host: String,
    /// `library/busybox`.
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

impl Reference {
    /// Returns what to ask a registry for: the digest, or the tag, or `latest`.
    pub fn version(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// Returns the same image at a digest.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self.clone()
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        match (&self.tag, &self.digest) {
            (Some(tag), _) => write!(f, ":{tag}")?,
            (None, None) => f.write_str(":latest")?,
            (None, Some(_)) => {}
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        parse(text).map_err(|reason| RegistryError::InvalidReference {
            text: text.chars().take(300).collect(),
            reason,
        })
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let digest = digest.map(str::parse::<Digest>).transpose();
    let digest = digest.map_err(|_| "what follows `@` is not a digest")?;
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    if let Some(tag) = tag
        && !is_tag(tag)
    {
        return Err("what follows `:` is not a tag");
    }
    // The first part is a host if it looks like one (normalize.go, splitDockerDomain).
    let (host, repository) = match name.split_once('/') {
        Some((host, path))
            if host.contains(['.', ':'])
                || host == "localhost"
                || host.chars().any(|c| c.is_ascii_uppercase()) =>
        {
            (host, path)
        }
        _ => (DOCKER_HOST, name),
    };
    let host = if host == "index.docker.io" {
        DOCKER_HOST
    } else {
        host
    };
    if !is_host(host) {
        return Err("its host is not a host name");
    }
    let repository = if host == DOCKER_HOST && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    };
    if repository.len() > NAME_LIMIT {
        return Err("its name is longer than 255 characters");
    }
    if !repository.split('/').all(is_component) {
        return Err("a name is made of lower-case letters, digits and `.`, `_`, `-` between them");
    }
    Ok(Reference {
        host: host.to_owned(),
        repository,
        tag: tag.map(str::to_owned),
        digest,
    })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= TAG_LIMIT
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let is_number =
        |port: &str| port.parse::<u16>().is_ok() && port.chars().all(|c| c.is_ascii_digit());
    let is_address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .is_some_and(|name| name.parse::<std::net::Ipv6Addr>().is_ok());
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    port.is_none_or(is_number) && (is_address || name.split('.').all(is_label))
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator = |separator: &str| {
        matches!(separator, "" | "." | "_" | "__") || separator.chars().all(|c| c == '-')
    };
    component.starts_with(is_word)
        && component.ends_with(is_word)
        && component.split(is_word).all(is_separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_are_made_whole() {
        let cases = [
            ("busybox", "docker.io/library/busybox:latest"),
            ("busybox:1", "docker.io/library/busybox:1"),
            ("a/b", "docker.io/a/b:latest"),
            ("index.docker.io/a/b", "docker.io/a/b:latest"),
            ("localhost/a", "localhost/a:latest"),
            ("localhost:5000/a:b", "localhost:5000/a:b"),
            ("[::1]:5000/a", "[::1]:5000/a:latest"),
            ("ghcr.io/a/b/c__d--e.f:v1", "ghcr.io/a/b/c__d--e.f:v1"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), expected);
        }
        let pinned: Reference = format!("busybox:1@{DIGEST}").parse().unwrap();
        assert_eq!(pinned.version(), DIGEST);
        assert_eq!(
            pinned.to_string(),
            format!("docker.io/library/busybox:1@{DIGEST}")
        );
    }

    #[test]
    fn what_could_change_a_url_is_refused() {
        let long = "a".repeat(256);
        let bad = [
            "",
            ":",
            "@",
            "a:",
            "a@sha256:x",
            "Busybox",
            "a//b",
            "/a",
            "a/",
            "a/../b",
            "a/..",
            "a b",
            "a?b",
            "a#b",
            "a%2e",
            "host.x:99999/a",
            "host.x:/a",
            "user:pass@host.x/a",
            "-a.b/c",
            "a..b/c",
            "a/b:c/d",
            "a\n",
            "a:-b",
            "[::/a",
            "a._b",
            "_a",
            &long,
        ];
        for text in bad {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
    }
}
