//! Reads an image from an OCI layout (a folder or a tar) or from `docker save`, and checks every digest on the way.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::layer::{self, Layer, hex};

pub(crate) struct Image {
    /// `sha256:…` of the manifest; empty for `docker save`.
    pub(crate) digest: String,
    /// The bytes of the configuration.
    pub(crate) config: String,
    pub(crate) layers: Vec<Layer>,
}

/// The files of an archive by their path.
type Files = BTreeMap<String, Vec<u8>>;

impl Image {
    /// Reads the tar that `-o type=oci` or `docker save` wrote.
    pub(crate) fn from_tar(path: &Path) -> Result<Image, String> {
        let file = fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut files = Files::new();
        let mut archive = tar::Archive::new(file);
        for entry in archive.entries().map_err(|e| e.to_string())? {
            let mut entry = entry.map_err(|e| format!("the archive: {e}"))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut content = Vec::new();
            entry
                .read_to_end(&mut content)
                .map_err(|e| format!("the archive: {e}"))?;
            files.insert(name.trim_start_matches("./").to_owned(), content);
        }
        if files.contains_key("index.json") {
            return Image::from_layout(&files);
        }
        Image::from_docker(&files)
    }

    /// Reads an OCI layout on disk.
    pub(crate) fn from_folder(folder: &Path) -> Result<Image, String> {
        let mut files = Files::new();
        let mut add = |name: String| -> Result<(), String> {
            let path = folder.join(&name);
            let content = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            files.insert(name, content);
            Ok(())
        };
        add("oci-layout".to_owned())?;
        add("index.json".to_owned())?;
        let blobs = fs::read_dir(folder.join("blobs/sha256")).map_err(|e| e.to_string())?;
        for blob in blobs.flatten() {
            add(format!(
                "blobs/sha256/{}",
                blob.file_name().to_string_lossy()
            ))?;
        }
        Image::from_layout(&files)
    }

    fn from_layout(files: &Files) -> Result<Image, String> {
        let layout = json(files.get("oci-layout").ok_or("no oci-layout")?)?;
        if layout["imageLayoutVersion"] != "1.0.0" {
            return Err(format!("oci-layout says {layout}"));
        }
        let mut descriptor = json(files.get("index.json").ok_or("no index.json")?)?;
        let mut digest = String::new();
        // An index may name an index; an image of one platform is what the tests build.
        while let Some(manifests) = descriptor["manifests"].as_array() {
            let [only] = manifests.as_slice() else {
                return Err(format!("{} manifests in an index", manifests.len()));
            };
            only["digest"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut digest);
            descriptor = json(blob(files, only)?)?;
        }
        let manifest = descriptor;
        let config = String::from_utf8(blob(files, &manifest["config"])?.to_vec())
            .map_err(|_| "the configuration is not UTF-8")?;
        let mut layers = Vec::new();
        for descriptor in manifest["layers"].as_array().ok_or("no layers")? {
            let media_type = descriptor["mediaType"].as_str().unwrap_or_default();
            layers.push(layer::read_blob(blob(files, descriptor)?, media_type)?);
        }
        checked(Image {
            digest,
            config,
            layers,
        })
    }

    fn from_docker(files: &Files) -> Result<Image, String> {
        let manifest = json(files.get("manifest.json").ok_or("no manifest.json")?)?;
        let image = &manifest[0];
        let file = |name: &Value| {
            let name = name.as_str().unwrap_or_default();
            files.get(name).ok_or_else(|| format!("no {name}"))
        };
        let config = String::from_utf8(file(&image["Config"])?.clone())
            .map_err(|_| "the configuration is not UTF-8")?;
        let mut layers = Vec::new();
        for name in image["Layers"].as_array().ok_or("no layers")? {
            layers.push(layer::read(file(name)?.as_slice())?);
        }
        checked(Image {
            digest: String::new(),
            config,
            layers,
        })
    }

    /// Returns what the configuration says the layers are.
    pub(crate) fn diff_ids(&self) -> Vec<String> {
        diff_ids(&self.config)
    }
}

/// Returns the layers that a configuration names.
pub(crate) fn diff_ids(config: &str) -> Vec<String> {
    let config = json(config.as_bytes()).unwrap_or_default();
    config["rootfs"]["diff_ids"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

/// Fails when the layers are not those that the configuration names.
fn checked(image: Image) -> Result<Image, String> {
    let named = image.diff_ids();
    let real: Vec<&str> = image.layers.iter().map(|l| l.diff_id.as_str()).collect();
    if named != real {
        return Err(format!(
            "the configuration names the layers {named:?}, but they are {real:?}"
        ));
    }
    Ok(image)
}

fn blob<'a>(files: &'a Files, descriptor: &Value) -> Result<&'a [u8], String> {
    let digest = descriptor["digest"].as_str().unwrap_or_default();
    let path = format!("blobs/{}", digest.replace(':', "/"));
    let bytes = files.get(&path).ok_or_else(|| format!("no {path}"))?;
    if descriptor["size"].as_u64() != Some(bytes.len() as u64) {
        return Err(format!(
            "{path} has {} bytes, its descriptor says {}",
            bytes.len(),
            descriptor["size"]
        ));
    }
    let real = format!("sha256:{}", hex(&Sha256::digest(bytes)));
    if real != digest {
        return Err(format!("{path} has the digest {real}"));
    }
    Ok(bytes)
}

fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|e| format!("bad JSON: {e}"))
}
