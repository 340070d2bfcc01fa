//! Which compressed blob a layer has: one small file a form, so that processes need no lock.
//!
//! A layer is named by the digest of its uncompressed tar (diff_id). `compressed/DIFF_ID/FORM` holds the descriptor of the
//! blob that has it in that form (`gzip-6`, `zstd-3`, `pulled`); a form that is there is used again instead of made again.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Store, create_folder, list_folder, replace_file};
use crate::digest::Digest;
use crate::error::Error;
use crate::go_json;
use crate::manifest::Descriptor;

/// A blob that unpacks to a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct CompressedForm {
    /// How it was made: `gzip-6`, `zstd-3`, or `pulled` when nobody knows.
    pub form: String,
    pub descriptor: Descriptor,
}

impl Store {
    /// Notes that `descriptor` unpacks to the layer `diff_id`; the caller has verified both.
    pub fn add_compressed(
        &self,
        diff_id: &Digest,
        compressed: &CompressedForm,
    ) -> Result<(), Error> {
        let folder = self.compressed_folder(diff_id);
        if !is_plain_name(&compressed.form) {
            let reason = format!("`{}` is not the name of a form", compressed.form);
            let what = "the form of a layer";
            return Err(Error::Malformed { what, reason });
        }
        create_folder(&folder)?;
        let path = folder.join(&compressed.form);
        let bytes = go_json::compact(&compressed.descriptor);
        if fs::read(&path).is_ok_and(|present| present == bytes) {
            return Ok(());
        }
        replace_file(&self.temporary_folder(), &path, &bytes)
    }

    /// Returns the compressed blobs of a layer that the store still has, sorted by form.
    pub fn compressed(&self, diff_id: &Digest) -> Result<Vec<CompressedForm>, Error> {
        let mut forms = Vec::new();
        for path in list_folder(&self.compressed_folder(diff_id))? {
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(Error::io("read", &path)(source)),
            };
            // A table that helps, no more: what cannot be read is made again.
            let Ok(descriptor) = serde_json::from_slice::<Descriptor>(&bytes) else {
                continue;
            };
            let form = path.file_name().unwrap_or_default().to_string_lossy();
            if self.has_blob(&descriptor) {
                forms.push(CompressedForm {
                    form: form.into_owned(),
                    descriptor,
                });
            }
        }
        Ok(forms)
    }

    /// Removes the entries whose blob is gone.
    pub fn sweep_compressed(&self) -> Result<(), Error> {
        let root = self.root().join("compressed");
        for folder in list_folder(&root)? {
            for path in list_folder(&folder)? {
                let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
                let entry = serde_json::from_slice::<Descriptor>(&bytes);
                if !entry.is_ok_and(|descriptor| self.has_blob(&descriptor)) {
                    fs::remove_file(&path).map_err(Error::io("remove", &path))?;
                }
            }
            // Not empty: it is still needed.
            let _ = fs::remove_dir(&folder);
        }
        Ok(())
    }

    fn compressed_folder(&self, diff_id: &Digest) -> PathBuf {
        self.root().join("compressed").join(diff_id.hex())
    }
}

fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !name.is_empty() && name.len() < 64 && name.chars().all(is_plain)
}
