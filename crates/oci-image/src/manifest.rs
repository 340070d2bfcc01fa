//! Descriptors, manifests and indexes, in the OCI and the Docker dialect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::error::Error;
use crate::go_json::{self, null_is_default};

/// The names of document and layer formats.
pub mod media_type {
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
    pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// Returns whether the name is that of a manifest of one image.
    pub fn is_manifest(name: &str) -> bool {
        matches!(name, OCI_MANIFEST | DOCKER_MANIFEST)
    }

    /// Returns whether the name is that of a list of manifests.
    pub fn is_index(name: &str) -> bool {
        matches!(name, OCI_INDEX | DOCKER_INDEX)
    }
}

/// The size that no manifest, index or config may exceed.
///
/// The distribution specification asks registries to take manifests up to 4 MiB; CVE-2020-1702 is what happens without a
/// bound.
pub const DOCUMENT_LIMIT: u64 = 4 << 20;

/// Names some bytes: what they are, their digest and size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    pub size: u64,
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub urls: Vec<String>,
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What this program does not know.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl Descriptor {
    /// Creates a descriptor with nothing but the facts.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            data: None,
            platform: None,
            artifact_type: None,
            extra: BTreeMap::new(),
        }
    }

    /// Returns the descriptor of these bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }
}

/// What an image runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    pub architecture: String,
    pub os: String,
    #[serde(
        rename = "os.version",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub os_version: Option<String>,
    #[serde(
        rename = "os.features",
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub os_features: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// The manifest of one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    pub config: Descriptor,
    #[serde(default, deserialize_with = "null_is_default")]
    pub layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl Manifest {
    /// Creates an OCI manifest.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::OCI_MANIFEST.to_owned()),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
            extra: BTreeMap::new(),
        }
    }

    /// Returns the bytes as BuildKit writes them: indented (exporter/containerimage/writer.go).
    pub fn to_bytes(&self) -> Vec<u8> {
        go_json::indented(self)
    }
}

/// A list of manifests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl Index {
    /// Creates an OCI index.
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::OCI_INDEX.to_owned()),
            artifact_type: None,
            manifests,
            subject: None,
            annotations: BTreeMap::new(),
            extra: BTreeMap::new(),
        }
    }

    /// Returns the bytes, indented as BuildKit writes them.
    pub fn to_bytes(&self) -> Vec<u8> {
        go_json::indented(self)
    }
}

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    Manifest(Box<Manifest>),
    Index(Box<Index>),
}

impl Document {
    /// Parses a manifest or an index; `expected` is the media type that its descriptor or the registry gave, if any.
    ///
    /// A document that could be taken for both is refused: what one program checks must be what the other one runs
    /// (CVE-2021-41190).
    pub fn parse(bytes: &[u8], expected: Option<&str>) -> Result<Self, Error> {
        check_size("the manifest", bytes.len() as u64)?;
        let what = "the manifest";
        let shape: Shape =
            serde_json::from_slice(bytes).map_err(|source| Error::Json { what, source })?;
        if shape.schema_version != Some(2) {
            let reason = match shape.schema_version {
                Some(version) => format!("schema version {version} is not 2"),
                None => "there is no `schemaVersion`".to_owned(),
            };
            return Err(Error::Malformed { what, reason });
        }
        let has_manifest = shape.config.is_some() || shape.layers.is_some();
        let has_index = shape.manifests.is_some();
        if has_manifest && has_index || shape.fs_layers.is_some() {
            return Err(Error::AmbiguousDocument);
        }
        let named = shape.media_type.as_deref().filter(|name| !name.is_empty());
        if let (Some(expected), Some(actual)) = (expected, named)
            && expected != actual
        {
            return Err(Error::MediaTypeMismatch {
                expected: expected.to_owned(),
                actual: actual.to_owned(),
            });
        }
        let is_index = match named.or(expected) {
            Some(name) if media_type::is_index(name) => true,
            Some(name) if media_type::is_manifest(name) => false,
            Some(name) => {
                let reason = format!("`{name}` is not the media type of a manifest or an index");
                return Err(Error::Malformed { what, reason });
            }
            None => has_index,
        };
        if is_index && has_manifest || !is_index && has_index {
            return Err(Error::AmbiguousDocument);
        }
        let parsed = if is_index {
            serde_json::from_slice(bytes).map(|index| Self::Index(Box::new(index)))
        } else {
            serde_json::from_slice(bytes).map(|manifest| Self::Manifest(Box::new(manifest)))
        };
        parsed.map_err(|source| Error::Json { what, source })
    }
}

/// The fields that tell the two apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u32>,
    media_type: Option<String>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
    fs_layers: Option<serde::de::IgnoredAny>,
}

/// Refuses a document that is too large before it is read.
pub fn check_size(what: &'static str, size: u64) -> Result<(), Error> {
    if size > DOCUMENT_LIMIT {
        return Err(Error::DocumentTooLarge {
            what,
            size,
            limit: DOCUMENT_LIMIT,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn descriptor_json() -> String {
        format!(r#"{{"mediaType":"x","digest":"{DIGEST}","size":3}}"#)
    }

    #[test]
    fn reads_a_manifest_and_keeps_unknown_fields() {
        let json = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[],"newThing":{{"a":1}}}}"#,
            descriptor_json()
        );
        let Document::Manifest(manifest) = Document::parse(json.as_bytes(), None).unwrap() else {
            panic!("it has a config");
        };
        let again = serde_json::to_string(&manifest).unwrap();
        assert_eq!(again, json);
    }

    #[test]
    fn refuses_a_document_that_is_both() {
        let both = format!(
            r#"{{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}}"#,
            descriptor_json()
        );
        let parsed = Document::parse(both.as_bytes(), Some(media_type::OCI_MANIFEST));
        assert!(matches!(parsed, Err(Error::AmbiguousDocument)));
    }

    #[test]
    fn refuses_a_media_type_that_is_not_the_expected_one() {
        let json = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#,
            media_type::OCI_INDEX
        );
        assert!(Document::parse(json.as_bytes(), Some(media_type::OCI_INDEX)).is_ok());
        let parsed = Document::parse(json.as_bytes(), Some(media_type::OCI_MANIFEST));
        assert!(matches!(parsed, Err(Error::MediaTypeMismatch { .. })));
    }

    #[test]
    fn refuses_an_index_that_is_called_a_manifest() {
        let json = r#"{"schemaVersion":2,"manifests":[]}"#;
        let parsed = Document::parse(json.as_bytes(), Some(media_type::DOCKER_MANIFEST));
        assert!(matches!(parsed, Err(Error::AmbiguousDocument)));
    }

    #[test]
    fn refuses_what_is_no_manifest() {
        let huge = vec![b' '; DOCUMENT_LIMIT as usize + 1];
        let bad: [&[u8]; 8] = [
            b"",
            b"null",
            b"[]",
            b"{}",
            br#"{"schemaVersion":1,"fsLayers":[]}"#,
            br#"{"schemaVersion":2,"schemaVersion":2,"manifests":[]}"#,
            br#"{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x","size":1}]}"#,
            &huge,
        ];
        for bytes in bad {
            assert!(Document::parse(bytes, None).is_err());
        }
        let deep = "[".repeat(100_000);
        assert!(Document::parse(deep.as_bytes(), None).is_err());
    }

    #[test]
    fn writes_a_manifest_as_buildkit_does() {
        let config = Descriptor::new(media_type::OCI_CONFIG, DIGEST.parse().unwrap(), 7);
        let text = String::from_utf8(Manifest::new(config, Vec::new()).to_bytes()).unwrap();
        assert!(
            text.starts_with("{\n  \"schemaVersion\": 2,\n  \"mediaType\": "),
            "{text}"
        );
    }
}
