//! The configuration of an image, written byte for byte as BuildKit writes it.
//!
//! The fields are those of Docker's superset of the image specification (moby/docker-image-spec, specs-go/v1/image.go).
//! BuildKit sorts the keys of the outermost object, because it goes through a Go map (exporter/containerimage/writer.go,
//! `patchImageConfig`), and writes the others in the order of their struct. Like BuildKit, a field that is not in the
//! superset is dropped.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;
use crate::go_json::{self, null_is_default};
use crate::manifest::{Platform, check_size};

/// What an image is and how it is run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    #[serde(default, deserialize_with = "null_is_default")]
    pub architecture: String,
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub author: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: RunConfig,
    /// When the image was made, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// One entry an instruction; `null` when there is none.
    #[serde(
        default,
        serialize_with = "empty_is_null",
        deserialize_with = "null_is_default"
    )]
    pub history: Vec<History>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub os: String,
    #[serde(
        rename = "os.features",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub os_features: Vec<String>,
    #[serde(
        rename = "os.version",
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub os_version: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub rootfs: RootFs,
    #[serde(
        default,
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub variant: String,
}

/// How a container of the image is run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RunConfig {
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub user: String,
    #[serde(skip_serializing_if = "BTreeSet::is_empty", with = "go_json::set")]
    pub exposed_ports: BTreeSet<String>,
    /// `NAME=value`, in the order in which the names came up.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub env: Vec<String>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub entrypoint: Vec<String>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub cmd: Vec<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty", with = "go_json::set")]
    pub volumes: BTreeSet<String>,
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub working_dir: String,
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub labels: BTreeMap<String, String>,
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub stop_signal: String,
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub args_escaped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub on_build: Vec<String>,
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub shell: Vec<String>,
}

/// How a running container is asked for its health; times are in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub test: Vec<String>,
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_default")]
    pub interval: i64,
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_default")]
    pub timeout: i64,
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_default")]
    pub start_period: i64,
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_default")]
    pub start_interval: i64,
    #[serde(skip_serializing_if = "is_zero", deserialize_with = "null_is_default")]
    pub retries: i64,
}

/// How one part of the image came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub created_by: String,
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub author: String,
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub comment: String,
    /// Whether the instruction made no layer.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_is_default")]
    pub empty_layer: bool,
}

/// The layers of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RootFs {
    #[serde(rename = "type", deserialize_with = "null_is_default")]
    pub kind: String,
    /// The digests of the uncompressed layers, from the lowest; `null` when there is none.
    #[serde(serialize_with = "empty_is_null", deserialize_with = "null_is_default")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self {
            kind: "layers".to_owned(),
            diff_ids: Vec::new(),
        }
    }
}

impl ImageConfig {
    /// Parses a configuration.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let what = "the image configuration";
        check_size(what, bytes.len() as u64)?;
        serde_json::from_slice(bytes).map_err(|source| Error::Json { what, source })
    }

    /// Returns the bytes that BuildKit would write.
    pub fn to_bytes(&self) -> Vec<u8> {
        go_json::compact(self)
    }

    /// Returns what the image runs on.
    pub fn platform(&self) -> Platform {
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        Platform {
            architecture: self.architecture.clone(),
            os: self.os.clone(),
            os_version: text(&self.os_version),
            os_features: self.os_features.clone(),
            variant: text(&self.variant),
        }
    }
}

fn empty_is_null<S, T>(list: &Vec<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    S: serde::Serializer,
    T: Serialize,
{
    (!list.is_empty()).then_some(list).serialize(serializer)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_every_recorded_configuration_byte_for_byte() {
        let Some(folder) = test_support::conformance() else {
            return test_support::skipped("configurations of BuildKit", "conformance/build");
        };
        let mut count = 0;
        for case in fs::read_dir(folder.join("build")).unwrap() {
            let path = case.unwrap().path().join("expected.config.json");
            let Ok(bytes) = fs::read(&path) else { continue };
            let config = ImageConfig::parse(&bytes).unwrap();
            let written = String::from_utf8(config.to_bytes()).unwrap();
            assert_eq!(
                written,
                String::from_utf8(bytes).unwrap(),
                "{}",
                path.display()
            );
            count += 1;
        }
        assert!(
            count > 200,
            "only {count} configurations in {}",
            folder.display()
        );
    }

    #[test]
    fn writes_all_fields_in_the_order_of_go() {
        let text = concat!(
            r#"{"architecture":"arm","author":"a \u003cb\u003e","config":{"User":"u","ExposedPorts":{"53/udp":{},"#,
            r#""80/tcp":{}},"Env":["B=1","A=2"],"Entrypoint":["e"],"Cmd":["c"],"Volumes":{"/v":{}},"WorkingDir":"/w","#,
            r#""Labels":{"a":"1","b":""},"StopSignal":"9","ArgsEscaped":true,"Healthcheck":{"Test":["NONE"],"#,
            r#""Interval":1,"Timeout":2,"StartPeriod":3,"StartInterval":4,"Retries":5},"OnBuild":["RUN x"],"#,
            r#""Shell":["sh"]},"created":"2026-01-01T00:00:00Z","history":[{"created":"2026-01-01T00:00:00Z","#,
            r#""created_by":"x","author":"y","comment":"z","empty_layer":true}],"os":"linux","os.features":["f"],"#,
            r#""os.version":"1","rootfs":{"type":"layers","diff_ids":null},"variant":"v7"}"#,
        );
        let config = ImageConfig::parse(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(config.to_bytes()).unwrap(), text);
    }

    #[test]
    fn an_empty_image_has_null_lists() {
        let config = ImageConfig {
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            ..ImageConfig::default()
        };
        let expected = r#"{"architecture":"amd64","config":{},"history":null,"os":"linux","rootfs":{"type":"layers","diff_ids":null}}"#;
        assert_eq!(String::from_utf8(config.to_bytes()).unwrap(), expected);
    }

    #[test]
    fn reads_null_and_drops_what_buildkit_drops() {
        let text = r#"{"architecture":"amd64","os":"linux","container":"x","config":{"Hostname":"h","Cmd":null,
            "Labels":null,"Volumes":null,"Healthcheck":null,"ArgsEscaped":null,"Image":""},"rootfs":{"type":"layers",
            "diff_ids":null},"history":null}"#;
        let config = ImageConfig::parse(text.as_bytes()).unwrap();
        assert_eq!(config.config, RunConfig::default());
    }

    proptest! {
        #[test]
        fn any_text_survives(
            env in prop::collection::vec(".*", 0..4),
            labels in prop::collection::btree_map(".*", ".*", 0..4),
        ) {
            let mut config = ImageConfig::default();
            config.config.env = env;
            config.config.labels = labels;
            prop_assert_eq!(ImageConfig::parse(&config.to_bytes()).unwrap(), config);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ImageConfig::parse(&bytes);
        }
    }
}
