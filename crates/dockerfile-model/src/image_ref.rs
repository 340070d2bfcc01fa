//! Names of images: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.
//!
//! The grammar is that of github.com/distribution/reference, as BuildKit applies it to FROM and `--from`
//! (ParseNormalizedNamed); which algorithms and lengths a digest may have is that of opencontainers/go-digest.

mod error;
mod validate;

use std::fmt;

use dockerfile_source::{TextRange, TextSize};

pub use error::{ImageRefError, ImageRefErrorKind};

/// The registry of an image without a host.
pub const DEFAULT_HOST: &str = "docker.io";

/// A valid name of an image, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRef {
    text: String,
    parts: ImageRefParts,
}

/// Where the parts of an image name stand in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRefParts {
    /// Host and port.
    pub host: Option<TextRange>,
    pub path: TextRange,
    /// Without the `:`.
    pub tag: Option<TextRange>,
    /// Without the `@`.
    pub digest: Option<TextRange>,
}

impl ImageRefParts {
    /// Splits a text without judging the parts.
    ///
    /// The text may hold variables: separators inside of `${...}` do not count, and a first component with a `$` counts
    /// as host when a `.` or `:` outside of the variable says so.
    pub fn split(text: &str) -> ImageRefParts {
        let mut first_slash = None;
        let mut marks = Vec::new();
        let mut depth = 0_usize;
        let mut previous = None;
        for (at, ch) in text.char_indices() {
            match ch {
                '{' if previous == Some('$') || depth > 0 => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                '/' if depth == 0 && first_slash.is_none() => first_slash = Some(at),
                '.' | ':' | '@' if depth == 0 => marks.push((at, ch)),
                _ => {}
            }
            previous = Some(ch);
        }
        let host_end = first_slash.filter(|slash| {
            let component = text.get(..*slash).unwrap_or("");
            let has_mark = marks
                .iter()
                .any(|(at, mark)| at < slash && matches!(mark, '.' | ':'));
            // A path has no capital letters, so a component with some is taken for a host.
            let is_capital = !component.contains('$') && component.to_lowercase() != component;
            component == "localhost" || has_mark || is_capital
        });
        let path_start = host_end.map_or(0, |end| end + 1);
        let digest_mark = marks
            .iter()
            .find(|(at, mark)| *mark == '@' && *at >= path_start)
            .map(|(at, _)| *at);
        let name_end = digest_mark.unwrap_or(text.len());
        let tag_mark = marks
            .iter()
            .find(|(at, mark)| *mark == ':' && *at >= path_start && *at < name_end)
            .map(|(at, _)| *at);
        ImageRefParts {
            host: host_end.map(|end| text_range(0, end)),
            path: text_range(path_start, tag_mark.unwrap_or(name_end)),
            tag: tag_mark.map(|mark| text_range(mark + 1, name_end)),
            digest: digest_mark.map(|mark| text_range(mark + 1, text.len())),
        }
    }
}

impl ImageRef {
    /// Returns the image that a text names.
    ///
    /// A text with a `$` is refused with `ImageRefErrorKind::HoldsVariable`; `ImageRefParts::split` takes it.
    pub fn parse(text: &str) -> Result<ImageRef, ImageRefError> {
        let parts = ImageRefParts::split(text);
        validate::validate(text, &parts)?;
        Ok(ImageRef {
            text: text.to_owned(),
            parts,
        })
    }

    /// Returns the name as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn parts(&self) -> &ImageRefParts {
        &self.parts
    }

    /// Returns host and port as they were written.
    pub fn host(&self) -> Option<&str> {
        self.parts.host.map(|range| slice(&self.text, range))
    }

    /// Returns the path as it was written: `nginx`, `library/nginx`.
    pub fn path(&self) -> &str {
        slice(&self.text, self.parts.path)
    }

    pub fn tag(&self) -> Option<&str> {
        self.parts.tag.map(|range| slice(&self.text, range))
    }

    /// Returns the digest with its algorithm: `sha256:...`.
    pub fn digest(&self) -> Option<&str> {
        self.parts.digest.map(|range| slice(&self.text, range))
    }

    /// Returns the registry that the image comes from.
    pub fn canonical_host(&self) -> &str {
        match self.host() {
            None | Some("index.docker.io") => DEFAULT_HOST,
            Some(host) => host,
        }
    }

    /// Returns the path in the registry: that of `nginx` is `library/nginx`.
    pub fn canonical_path(&self) -> String {
        if self.canonical_host() == DEFAULT_HOST && !self.path().contains('/') {
            format!("library/{}", self.path())
        } else {
            self.path().to_owned()
        }
    }

    /// Returns the complete name, such as `docker.io/library/nginx:latest`.
    pub fn canonical(&self) -> String {
        let default_tag = match self.digest() {
            Some(_) => None,
            None => Some("latest"),
        };
        let name = format!("{}/{}", self.canonical_host(), self.canonical_path());
        self.with_tag_and_digest(name, self.tag().or(default_tag))
    }

    /// Returns the shortest name, such as `nginx:1.27`.
    pub fn familiar(&self) -> String {
        let name = self.familiar_name();
        self.with_tag_and_digest(name, self.tag())
    }

    /// Returns the shortest name without tag and digest, such as `nginx`.
    pub fn familiar_name(&self) -> String {
        let path = self.canonical_path();
        if self.canonical_host() != DEFAULT_HOST {
            return format!("{}/{path}", self.canonical_host());
        }
        match path.strip_prefix("library/") {
            Some(name) if !name.contains('/') => name.to_owned(),
            _ => path,
        }
    }

    /// Returns whether the image is one of the Docker official images.
    pub fn is_official(&self) -> bool {
        self.canonical_host() == DEFAULT_HOST && !self.familiar_name().contains('/')
    }

    fn with_tag_and_digest(&self, mut name: String, tag: Option<&str>) -> String {
        if let Some(tag) = tag {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = self.digest() {
            name.push('@');
            name.push_str(digest);
        }
        name
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn slice(text: &str, range: TextRange) -> &str {
    text.get(usize::from(range.start())..usize::from(range.end()))
        .unwrap_or("")
}

fn text_range(start: usize, end: usize) -> TextRange {
    TextRange::new(TextSize::new(start as u32), TextSize::new(end as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parts(text: &str) -> (Option<&str>, &str, Option<&str>, Option<&str>) {
        let parts = ImageRefParts::split(text);
        let opt_slice = |range: Option<TextRange>| range.map(|range| slice(text, range));
        (
            opt_slice(parts.host),
            slice(text, parts.path),
            opt_slice(parts.tag),
            opt_slice(parts.digest),
        )
    }

    fn fault(text: &str) -> (String, &str) {
        let error = ImageRef::parse(text).expect_err(text);
        (error.to_string(), slice(text, error.range))
    }

    #[test]
    fn finds_the_parts() {
        assert_eq!(parts("nginx"), (None, "nginx", None, None));
        assert_eq!(parts("nginx:1.27"), (None, "nginx", Some("1.27"), None));
        assert_eq!(
            parts("localhost:5000"),
            (None, "localhost", Some("5000"), None)
        );
        assert_eq!(parts("user/app"), (None, "user/app", None, None));
        assert_eq!(
            parts("localhost/app"),
            (Some("localhost"), "app", None, None)
        );
        assert_eq!(parts("Host/app"), (Some("Host"), "app", None, None));
        assert_eq!(
            parts("reg.example:5000/a/b:v1@sha256:00"),
            (
                Some("reg.example:5000"),
                "a/b",
                Some("v1"),
                Some("sha256:00")
            )
        );
        assert_eq!(parts("[::1]:5000/a"), (Some("[::1]:5000"), "a", None, None));
        assert_eq!(parts("a@sha256:00"), (None, "a", None, Some("sha256:00")));
    }

    #[test]
    fn finds_the_parts_around_variables() {
        assert_eq!(parts("nginx:$TAG"), (None, "nginx", Some("$TAG"), None));
        assert_eq!(
            parts("${REG:-a.b/c}/x:${T:-1:2}@$D"),
            (None, "${REG:-a.b/c}/x", Some("${T:-1:2}"), Some("$D"))
        );
        assert_eq!(parts("$REG:5000/x"), (Some("$REG:5000"), "x", None, None));
        assert_eq!(
            parts("${A:-${B:-c:d}}:e"),
            (None, "${A:-${B:-c:d}}", Some("e"), None)
        );
    }

    #[test]
    fn completes_and_shortens_names() {
        for (text, canonical, familiar, is_official) in [
            ("nginx", "docker.io/library/nginx:latest", "nginx", true),
            ("nginx:1", "docker.io/library/nginx:1", "nginx:1", true),
            (
                "docker.io/nginx",
                "docker.io/library/nginx:latest",
                "nginx",
                true,
            ),
            (
                "index.docker.io/library/nginx",
                "docker.io/library/nginx:latest",
                "nginx",
                true,
            ),
            ("user/app", "docker.io/user/app:latest", "user/app", false),
            (
                "library/a/b",
                "docker.io/library/a/b:latest",
                "library/a/b",
                false,
            ),
            (
                "reg.example/a/b:c",
                "reg.example/a/b:c",
                "reg.example/a/b:c",
                false,
            ),
            (
                "localhost/nginx",
                "localhost/nginx:latest",
                "localhost/nginx",
                false,
            ),
            ("Docker.io/x", "Docker.io/x:latest", "Docker.io/x", false),
        ] {
            let image = ImageRef::parse(text).expect(text);
            assert_eq!(image.canonical(), canonical);
            assert_eq!(image.familiar(), familiar);
            assert_eq!(image.is_official(), is_official, "{text}");
        }
        let pinned = ImageRef::parse(&format!("nginx@{SHA}")).expect("a digest");
        assert_eq!(pinned.canonical(), format!("docker.io/library/nginx@{SHA}"));
        let both = ImageRef::parse(&format!("nginx:1@{SHA}")).expect("tag and digest");
        assert_eq!(both.canonical(), format!("docker.io/library/nginx:1@{SHA}"));
    }

    #[test]
    fn takes_what_the_grammar_allows() {
        for text in [
            "a",
            "0",
            "a.b",
            "a_b",
            "a__b",
            "a-b",
            "a---b",
            "a/b/c/d",
            "xn--n3h.com/my-image",
            "192.168.1.1/x",
            "192.168.1.1:80/x",
            "[2001:db8::1]/x",
            "a:_",
            "a:1.2-3_4.",
            "a-b.com:0/x",
            "foo_bar.com/x",
            "HOST/x",
        ] {
            assert!(
                ImageRef::parse(text).is_ok(),
                "{text}: {:?}",
                ImageRef::parse(text)
            );
        }
        assert!(ImageRef::parse(&format!("a:{}", "t".repeat(128))).is_ok());
        assert!(ImageRef::parse(&"a".repeat(255 - "library/".len())).is_ok());
    }

    #[test]
    fn points_at_the_fault() {
        for (text, message, place) in [
            ("", "the image name is empty", ""),
            ("Nginx", "repository name must be lowercase", "N"),
            ("user/App:1", "repository name must be lowercase", "A"),
            (
                "reg.example/User/App",
                "repository name must be lowercase",
                "U",
            ),
            ("a b", "` ` cannot stand in a repository name", " "),
            ("é", "`é` cannot stand in a repository name", "é"),
            ("a//b", "a component of the repository name is empty", "//"),
            ("/a", "a component of the repository name is empty", "/"),
            ("a/", "a component of the repository name is empty", "/"),
            (
                "reg.example/",
                "the repository name is missing",
                "reg.example/",
            ),
            (":1", "the repository name is missing", ":1"),
            (
                "-a",
                "a component of the repository name starts with `-`",
                "-",
            ),
            (
                "a/b_",
                "a component of the repository name ends with `_`",
                "_",
            ),
            ("a..b", "`..` is no separator in a repository name", ".."),
            ("a_-b", "`_-` is no separator in a repository name", "_-"),
            ("a___b", "`___` is no separator in a repository name", "___"),
            ("a:", "the tag is empty", ":"),
            ("a:-b", "a tag cannot start with `-`", "-"),
            ("a:b c", "` ` cannot stand in a tag", " "),
            ("a:b:c", "`:` cannot stand in a tag", ":"),
            ("a:b/c", "the port `b` is not a number", "b"),
            ("a:1/b:c/d", "`/` cannot stand in a tag", "/"),
            ("host:/a", "the port is missing", ":"),
            ("a_b:5000/c", "`_` cannot stand in a host name", "_"),
            (
                "-a.com/b",
                "a component of the host name starts or ends with `-`",
                "-",
            ),
            ("a..com/b", "a component of the host name is empty", "."),
            (
                "https://reg.example/x",
                "an image name has no scheme such as `https://`",
                "https://",
            ),
            ("a@", "the digest is empty", "@"),
            (
                "a@sha256",
                "the digest has no `:` between algorithm and value",
                "sha256",
            ),
            (
                "a@sha256:",
                "a sha256 digest has 64 hexadecimal digits, not 0",
                "",
            ),
            (
                "a@sha256:abc",
                "a sha256 digest has 64 hexadecimal digits, not 3",
                "abc",
            ),
            (
                "a@md5:0123",
                "`md5` is not a digest algorithm that is supported (sha256, sha384, sha512)",
                "md5",
            ),
            ("a:$T", "the image name holds a variable", "$"),
            (
                "a@sha256:x@y",
                "`x` is no lower-case hexadecimal digit",
                "x",
            ),
        ] {
            assert_eq!(fault(text), (message.to_owned(), place), "{text}");
        }
        let hex = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
        assert_eq!(
            fault(&format!("a@sha256:{hex}")).0,
            "`E` is no lower-case hexadecimal digit"
        );
        let id = hex.to_lowercase();
        assert_eq!(
            fault(&id),
            (
                "64 hexadecimal digits are an image ID, not a name".to_owned(),
                id.as_str()
            )
        );
        let tag = "t".repeat(129);
        assert_eq!(
            fault(&format!("a:{tag}")),
            (
                "a tag has at most 128 characters, not 129".to_owned(),
                tag.as_str()
            )
        );
        let path = "a".repeat(256);
        assert_eq!(
            fault(&format!("reg.example/{path}")),
            (
                "a repository name has at most 255 characters, not 256".to_owned(),
                path.as_str()
            )
        );
    }

    #[test]
    fn survives_hostile_texts() {
        for text in [
            "/".repeat(100_000),
            "${".repeat(100_000),
            ":@".repeat(100_000),
            "}".repeat(1000),
        ] {
            assert!(ImageRef::parse(&text).is_err());
        }
    }
}
