//! Giving images away.

use std::io::Read;

use bytes::Bytes;
use futures_util::stream;
use oci_image::manifest::Descriptor;

use crate::error::RegistryError;
use crate::pull::authenticate;
use crate::registry::Registry;

/// How much of a blob is in memory at a time.
const CHUNK: usize = 1 << 20;

impl Registry {
    /// Sends a blob, unless the registry has it. `open` starts it from its beginning.
    pub fn push_blob(
        &self,
        name: &str,
        blob: &Descriptor,
        open: &mut dyn FnMut() -> std::io::Result<Box<dyn Read + Send>>,
    ) -> Result<(), RegistryError> {
        let (reference, auth) = self.reference(name)?;
        let client = self.client_for(&reference);
        let digest = blob.digest.to_string();
        self.runtime.block_on(async {
            authenticate(&client, &reference, &auth).await;
            let failed = |error: &oci_client::errors::OciDistributionError| {
                RegistryError::from_client(reference.registry(), error)
            };
            client
                .auth(&reference, &auth, oci_client::RegistryOperation::Push)
                .await
                .map_err(|error| failed(&error))?;
            if client
                .blob_exists(&reference, &digest)
                .await
                .unwrap_or(false)
            {
                return Ok(());
            }
            let reader = open().map_err(RegistryError::Read)?;
            let chunks = stream::unfold(Some(reader), |reader| async {
                let mut reader = reader?;
                let mut buffer = vec![0; CHUNK];
                let mut filled = 0;
                loop {
                    let free = buffer.get_mut(filled..).unwrap_or_default();
                    match reader.read(free) {
                        Ok(0) => break,
                        Ok(count) => filled += count,
                        Err(error) => return Some((Err(error.into()), None)),
                    }
                    if filled == buffer.len() {
                        break;
                    }
                }
                buffer.truncate(filled);
                (filled > 0).then(|| (Ok(Bytes::from(buffer)), Some(reader)))
            });
            client
                .push_blob_stream(&reference, chunks, &digest, Some(blob.size))
                .await
                .map_err(|error| failed(&error))?;
            Ok(())
        })
    }

    /// Sends a manifest or an index under a name, when all that it names is there.
    pub fn push_manifest(
        &self,
        name: &str,
        bytes: &[u8],
        media_type: &str,
    ) -> Result<(), RegistryError> {
        let (reference, auth) = self.reference(name)?;
        let client = self.client_for(&reference);
        let kind = media_type.parse().map_err(|_| RegistryError::Name {
            name: name.to_owned(),
            reason: format!("`{media_type}` is no media type"),
        })?;
        self.runtime.block_on(async {
            authenticate(&client, &reference, &auth).await;
            client
                .push_manifest_raw(&reference, bytes.to_vec(), kind)
                .await
                .map_err(|error| RegistryError::from_client(reference.registry(), &error))?;
            Ok(())
        })
    }
}
