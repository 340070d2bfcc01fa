//! Variables outside of stages: what FROM sees.

use dockerfile_model::{Keyword, Model};

use super::environment::Variables;
use super::words::Words;
use crate::error::{BuildError, Failure};
use crate::request::Request;

/// An operating system and a processor: `os/architecture[/variant]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    pub(crate) os: String,
    pub(crate) architecture: String,
    pub(crate) variant: String,
}

impl Platform {
    /// Returns what this program runs on, in the names that images use (Go's).
    pub(crate) fn of_this_machine() -> Platform {
        let (architecture, variant) = oci_image::host::architecture();
        Platform {
            os: "linux".to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        }
    }

    /// Parses a platform; a name without a slash is an operating system or a processor (containerd `platforms.Parse`).
    pub(crate) fn parse(text: &str) -> Result<Platform, BuildError> {
        let fault = || {
            BuildError::new(Failure::Dockerfile, format!("`{text}` is no platform"))
                .help("write `os/architecture` or `os/architecture/variant`, such as `linux/arm64`")
        };
        let parts: Vec<&str> = text.split('/').collect();
        let is_name = |part: &&str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        };
        if !parts.iter().all(is_name) {
            return Err(fault());
        }
        let machine = Platform::of_this_machine();
        let (os, architecture, variant) = match parts.as_slice() {
            [os] if matches!(*os, "linux" | "windows" | "darwin" | "freebsd") => {
                (*os, machine.architecture.as_str(), "")
            }
            [architecture] => ("linux", *architecture, ""),
            [os, architecture] => (*os, *architecture, ""),
            [os, architecture, variant] => (*os, *architecture, *variant),
            _ => return Err(fault()),
        };
        let (architecture, variant) = match (architecture, variant) {
            ("x86_64" | "x86-64", _) => ("amd64", ""),
            ("aarch64", _) | ("arm64", "v8" | "8") => ("arm64", ""),
            ("armhf", _) => ("arm", "v7"),
            ("armel", _) => ("arm", "v6"),
            ("arm", "" | "7") => ("arm", "v7"),
            other => other,
        };
        Ok(Platform {
            os: os.to_ascii_lowercase(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        })
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() {
            return Ok(());
        }
        write!(f, "/{}", self.variant)
    }
}

/// Returns the predefined and the declared variables (BuildKit `defaultArgs`, `buildMetaArgs`).
pub(super) fn global_variables(
    model: &Model,
    request: &Request,
    target_platform: &Platform,
    target_stage: &str,
) -> Result<Variables, BuildError> {
    let mut variables = Variables::default();
    let machine = Platform::of_this_machine();
    for (prefix, platform) in [("BUILD", &machine), ("TARGET", target_platform)] {
        for (name, value) in [
            ("PLATFORM", platform.to_string()),
            ("OS", platform.os.clone()),
            ("OSVERSION", String::new()),
            ("ARCH", platform.architecture.clone()),
            ("VARIANT", platform.variant.clone()),
        ] {
            variables.set(
                &format!("{prefix}{name}"),
                given_or(request, &format!("{prefix}{name}"), &value),
            );
        }
    }
    variables.set(
        "TARGETSTAGE",
        if target_stage.is_empty() {
            "default"
        } else {
            target_stage
        },
    );
    let words = Words::new(model.escape, None);
    for instruction in model.global_instructions() {
        if instruction.keyword != Keyword::Arg {
            continue;
        }
        for pair in instruction.pairs() {
            let name = pair.key.text.as_str();
            if let Some(value) = given(request, name) {
                variables.set(name, value);
            } else if let Some(value) = &pair.value {
                let value = words.expand(value, &variables)?;
                variables.set(name, &value);
            }
        }
    }
    Ok(variables)
}

/// Returns the value that `--build-arg` gives to a name; the last one wins.
pub(super) fn given<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let mut matching = request.build_arguments.iter().rev();
    matching
        .find(|(given, _)| given == name)
        .map(|(_, value)| value.as_str())
}

fn given_or<'a>(request: &'a Request, name: &str, value: &'a str) -> &'a str {
    given(request, name).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_platforms() {
        for (text, read) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("arm64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
        ] {
            assert_eq!(Platform::parse(text).unwrap().to_string(), read);
        }
        for text in ["", "nosuch/thing/at/all", "linux/", "a b/c"] {
            assert!(Platform::parse(text).is_err(), "{text}");
        }
    }
}
