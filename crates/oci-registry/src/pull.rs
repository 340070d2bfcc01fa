//! Getting images.

use std::io::Write;
use std::time::Duration;

use futures_util::StreamExt as _;
use oci_client::Reference;
use oci_client::client::Client;
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_image::Digest;
use oci_image::manifest::{DOCUMENT_LIMIT, Descriptor, Document, Index, Manifest, media_type};

use crate::error::RegistryError;
use crate::registry::Registry;

/// How often a transfer that broke off is taken up again.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

const ACCEPTED: [&str; 4] = [
    media_type::OCI_MANIFEST,
    media_type::OCI_INDEX,
    media_type::DOCKER_MANIFEST,
    media_type::DOCKER_INDEX,
];

/// What a name means, with the documents as they came.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Names the manifest of the platform.
    pub descriptor: Descriptor,
    pub manifest: Manifest,
    pub manifest_bytes: Vec<u8>,
    pub config: Vec<u8>,
}

impl Registry {
    /// Asks what an image is; `platform` is `os/architecture[/variant]`.
    pub fn resolve(&self, name: &str, platform: &str) -> Result<Resolved, RegistryError> {
        let (reference, auth) = self.reference(name)?;
        let client = self.client_for(&reference);
        self.runtime.block_on(async {
            let mut at = reference.clone();
            for _ in 0..3 {
                match document(&client, &at, &auth).await? {
                    (Document::Manifest(manifest), bytes, descriptor) => {
                        let config = small_blob(&client, &at, &manifest.config).await?;
                        return Ok(Resolved {
                            descriptor,
                            manifest: *manifest,
                            manifest_bytes: bytes,
                            config,
                        });
                    }
                    (Document::Index(index), ..) => {
                        let chosen = choose(&index, platform, reference.registry())?;
                        at = reference.clone_with_digest(chosen.digest.to_string());
                    }
                }
            }
            Err(malformed(
                &reference,
                "an index that only leads to other indexes",
            ))
        })
    }

    /// Writes a blob; what broke off is taken up where it was.
    pub fn pull_blob(
        &self,
        name: &str,
        blob: &Descriptor,
        writer: &mut dyn Write,
        progress: &dyn Fn(u64),
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<(), RegistryError> {
        let (reference, auth) = self.reference(name)?;
        let client = self.client_for(&reference);
        let mut done = 0;
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let result = self.runtime.block_on(async {
                authenticate(&client, &reference, &auth).await;
                transfer(
                    &client,
                    &reference,
                    blob,
                    &mut done,
                    writer,
                    progress,
                    is_cancelled,
                )
                .await
            });
            match result {
                Err(error) if error.is_passing() && attempt < TRIES && !is_cancelled() => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                other => return other,
            }
        }
        Ok(())
    }
}

pub(crate) async fn authenticate(client: &Client, reference: &Reference, auth: &RegistryAuth) {
    client
        .store_auth_if_needed(reference.resolve_registry(), auth)
        .await;
}

async fn document(
    client: &Client,
    reference: &Reference,
    auth: &RegistryAuth,
) -> Result<(Document, Vec<u8>, Descriptor), RegistryError> {
    let host = reference.registry();
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    let (bytes, _) = loop {
        match client.pull_manifest_raw(reference, auth, &ACCEPTED).await {
            Ok(found) => break found,
            Err(error) => {
                let error = RegistryError::from_client(host, &error);
                if attempt >= TRIES || !error.is_passing() {
                    return Err(error);
                }
                attempt += 1;
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
    };
    let digest = Digest::of(&bytes);
    if let Some(wanted) = reference.digest()
        && wanted != digest.to_string()
    {
        return Err(malformed(
            reference,
            &format!("a manifest with the digest {digest} in place of {wanted}"),
        ));
    }
    let document =
        Document::parse(&bytes, None).map_err(|error| malformed(reference, &error.to_string()))?;
    let kind = match &document {
        Document::Manifest(manifest) => manifest.media_type.clone(),
        Document::Index(index) => index.media_type.clone(),
    };
    let kind = match (kind, &document) {
        (Some(kind), _) => kind,
        (None, Document::Manifest(_)) => media_type::OCI_MANIFEST.to_owned(),
        (None, Document::Index(_)) => media_type::OCI_INDEX.to_owned(),
    };
    let descriptor = Descriptor::of(&kind, &bytes);
    Ok((document, bytes.to_vec(), descriptor))
}

fn choose<'i>(
    index: &'i Index,
    platform: &str,
    host: &str,
) -> Result<&'i Descriptor, RegistryError> {
    let named = |descriptor: &Descriptor| {
        descriptor.platform.as_ref().map(|own| {
            let variant = own
                .variant
                .as_deref()
                .map(|variant| format!("/{variant}"))
                .unwrap_or_default();
            format!("{}/{}{variant}", own.os, own.architecture)
        })
    };
    let fits = |descriptor: &&Descriptor| {
        named(descriptor).is_some_and(|own| {
            own == platform || (own == "linux/arm64/v8" && platform == "linux/arm64")
        })
    };
    let nearly = |descriptor: &&Descriptor| {
        descriptor.platform.as_ref().is_some_and(|own| {
            platform
                .split('/')
                .take(2)
                .eq([own.os.as_str(), own.architecture.as_str()])
        })
    };
    index
        .manifests
        .iter()
        .find(fits)
        .or_else(|| index.manifests.iter().find(nearly))
        .ok_or_else(|| RegistryError::Platform {
            host: host.to_owned(),
            wanted: platform.to_owned(),
            found: index
                .manifests
                .iter()
                .filter_map(named)
                .collect::<Vec<_>>()
                .join(", "),
        })
}

async fn small_blob(
    client: &Client,
    reference: &Reference,
    blob: &Descriptor,
) -> Result<Vec<u8>, RegistryError> {
    if blob.size > DOCUMENT_LIMIT {
        return Err(malformed(
            reference,
            &format!("a configuration of {} bytes", blob.size),
        ));
    }
    let (mut bytes, mut done) = (Vec::new(), 0);
    transfer(
        client,
        reference,
        blob,
        &mut done,
        &mut bytes,
        &|_| {},
        &|| false,
    )
    .await?;
    if Digest::of(&bytes) != blob.digest {
        return Err(malformed(
            reference,
            "a configuration that is not that of its digest",
        ));
    }
    Ok(bytes)
}

async fn transfer(
    client: &Client,
    reference: &Reference,
    blob: &Descriptor,
    done: &mut u64,
    writer: &mut dyn Write,
    progress: &dyn Fn(u64),
    is_cancelled: &dyn Fn() -> bool,
) -> Result<(), RegistryError> {
    let host = reference.registry();
    let descriptor = OciDescriptor {
        media_type: blob.media_type.clone(),
        digest: blob.digest.to_string(),
        size: i64::try_from(blob.size)
            .map_err(|_| malformed(reference, "a blob of an absurd size"))?,
        ..OciDescriptor::default()
    };
    let failed =
        |error: &oci_client::errors::OciDistributionError| RegistryError::from_client(host, error);
    let stream = if *done == 0 {
        client
            .pull_blob_stream(reference, &descriptor)
            .await
            .map_err(|error| failed(&error))?
            .stream
    } else {
        let response = client
            .pull_blob_stream_partial(reference, &descriptor, *done, None)
            .await
            .map_err(|error| failed(&error))?;
        match response {
            oci_client::client::BlobResponse::Partial(sized) => sized.stream,
            // The registry starts over; so much is known already.
            oci_client::client::BlobResponse::Full(sized) => {
                return skip_and_copy(
                    sized.stream,
                    reference,
                    blob,
                    done,
                    writer,
                    progress,
                    is_cancelled,
                )
                .await;
            }
        }
    };
    copy(
        stream,
        0,
        reference,
        blob,
        done,
        writer,
        progress,
        is_cancelled,
    )
    .await
}

type Chunks = futures_util::stream::BoxStream<'static, Result<bytes::Bytes, std::io::Error>>;

async fn skip_and_copy(
    stream: Chunks,
    reference: &Reference,
    blob: &Descriptor,
    done: &mut u64,
    writer: &mut dyn Write,
    progress: &dyn Fn(u64),
    is_cancelled: &dyn Fn() -> bool,
) -> Result<(), RegistryError> {
    let known = *done;
    copy(
        stream,
        known,
        reference,
        blob,
        done,
        writer,
        progress,
        is_cancelled,
    )
    .await
}

#[expect(clippy::too_many_arguments, reason = "one loop with all that it needs")]
async fn copy(
    mut stream: Chunks,
    mut skip: u64,
    reference: &Reference,
    blob: &Descriptor,
    done: &mut u64,
    writer: &mut dyn Write,
    progress: &dyn Fn(u64),
    is_cancelled: &dyn Fn() -> bool,
) -> Result<(), RegistryError> {
    while let Some(chunk) = stream.next().await {
        if is_cancelled() {
            return Err(RegistryError::Cancelled);
        }
        let chunk = chunk.map_err(|error| RegistryError::Unreachable {
            host: reference.registry().to_owned(),
            reason: error.to_string(),
        })?;
        let skipped = skip.min(chunk.len() as u64);
        skip -= skipped;
        let fresh = chunk.get(skipped as usize..).unwrap_or_default();
        *done += fresh.len() as u64;
        if *done > blob.size {
            return Err(malformed(reference, "more bytes than it announced"));
        }
        writer.write_all(fresh).map_err(RegistryError::Write)?;
        progress(*done);
    }
    if *done < blob.size {
        return Err(RegistryError::Unreachable {
            host: reference.registry().to_owned(),
            reason: format!("the transfer ended after {} of {} bytes", *done, blob.size),
        });
    }
    Ok(())
}

pub(crate) fn malformed(reference: &Reference, reason: &str) -> RegistryError {
    RegistryError::Malformed {
        host: reference.registry().to_owned(),
        reason: reason.to_owned(),
    }
}
