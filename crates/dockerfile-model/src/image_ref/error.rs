//! Why a text is no image name.

use dockerfile_source::TextRange;
use thiserror::Error;

/// A text that is no image name, and the part of it that is at fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct ImageRefError {
    pub kind: ImageRefErrorKind,
    /// Bytes of the text, as small as the fault.
    pub range: TextRange,
}

/// What is wrong with an image name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImageRefErrorKind {
    /// Nothing can be said before the variables are expanded.
    #[error("the image name holds a variable")]
    HoldsVariable,
    #[error("the image name is empty")]
    Empty,
    #[error("an image name has no scheme such as `https://`")]
    Scheme,
    #[error("64 hexadecimal digits are an image ID, not a name")]
    ImageId,
    #[error("a component of the host name is empty")]
    EmptyHostComponent,
    #[error("a component of the host name starts or ends with `-`")]
    HostHyphen,
    #[error("`{0}` cannot stand in a host name")]
    HostCharacter(char),
    #[error("`{0}` is no IPv6 address")]
    HostAddress(String),
    #[error("the port is missing")]
    MissingPort,
    #[error("the port `{0}` is not a number")]
    InvalidPort(String),
    #[error("the repository name is missing")]
    MissingPath,
    #[error("a component of the repository name is empty")]
    EmptyPathComponent,
    #[error("repository name must be lowercase")]
    UppercasePath,
    #[error("`{0}` cannot stand in a repository name")]
    PathCharacter(char),
    #[error("a component of the repository name starts with `{0}`")]
    LeadingSeparator(char),
    #[error("a component of the repository name ends with `{0}`")]
    TrailingSeparator(char),
    #[error("`{0}` is no separator in a repository name")]
    PathSeparator(String),
    #[error("a repository name has at most 255 characters, not {0}")]
    PathTooLong(usize),
    #[error("the tag is empty")]
    EmptyTag,
    #[error("a tag cannot start with `{0}`")]
    TagStart(char),
    #[error("`{0}` cannot stand in a tag")]
    TagCharacter(char),
    #[error("a tag has at most 128 characters, not {0}")]
    TagTooLong(usize),
    #[error("the digest is empty")]
    EmptyDigest,
    #[error("the digest has no `:` between algorithm and value")]
    DigestWithoutAlgorithm,
    #[error("`{0}` is not a digest algorithm that is supported (sha256, sha384, sha512)")]
    DigestAlgorithm(String),
    #[error("`{0}` is no lower-case hexadecimal digit")]
    DigestCharacter(char),
    #[error("a {algorithm} digest has {expected} hexadecimal digits, not {found}")]
    DigestLength {
        algorithm: &'static str,
        expected: usize,
        found: usize,
    },
}
