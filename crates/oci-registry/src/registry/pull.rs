//! Pulling: from a name to a manifest, from a descriptor to bytes.

use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use oci_image::Digest;
use oci_image::digest::Hasher;
use oci_image::manifest::{
    DOCUMENT_LIMIT, Descriptor, Document, Manifest, Platform, check_size, media_type,
};
use oci_image::store::Store;
use ureq::http::Method;

use super::platform::{available, choose, name};
use super::{Monitor, Registry};
use crate::error::RegistryError;
use crate::http::{Request, header};
use crate::reference::Reference;

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";
/// How deep indexes may hold indexes.
const INDEX_DEPTH: usize = 3;
const BUFFER_SIZE: usize = 128 << 10;

/// What a name stands for.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The name with the digest that the registry gave, be it of a manifest or an index.
    pub reference: Reference,
    /// The manifest of the image for the platform that was asked for.
    pub descriptor: Descriptor,
    pub manifest: Manifest,
    /// The bytes of the manifest, as they came.
    pub raw_manifest: Vec<u8>,
    /// The bytes of the image configuration, as they came.
    pub raw_config: Vec<u8>,
    /// The host that answered: that of the reference, or a mirror.
    pub host: String,
}

impl Registry {
    /// Asks what a name stands for on a platform.
    pub fn resolve(
        &self,
        reference: &Reference,
        platform: &Platform,
        monitor: Monitor<'_>,
    ) -> Result<Resolved, RegistryError> {
        let hosts = self.hosts(&reference.host);
        let mut hosts = hosts.iter().peekable();
        while let Some(host) = hosts.next() {
            let resolved = self.resolve_at(host, reference, platform, monitor);
            match resolved {
                // A mirror that cannot help is passed over.
                Err(error)
                    if hosts.peek().is_some() && !matches!(error, RegistryError::Cancelled) => {}
                resolved => return resolved,
            }
        }
        Err(RegistryError::NotFound {
            url: reference.to_string(),
        })
    }

    fn resolve_at(
        &self,
        host: &str,
        reference: &Reference,
        platform: &Platform,
        monitor: Monitor<'_>,
    ) -> Result<Resolved, RegistryError> {
        let (mut descriptor, mut raw) =
            self.manifest(host, reference, &reference.version(), None, monitor)?;
        let pinned = reference.at(descriptor.digest);
        for _ in 0..=INDEX_DEPTH {
            match Document::parse(&raw, Some(&descriptor.media_type))? {
                Document::Manifest(manifest) => {
                    check_size("the image configuration", manifest.config.size)?;
                    let mut raw_config = Vec::new();
                    self.pull_from(host, reference, &manifest.config, &mut raw_config, monitor)?;
                    return Ok(Resolved {
                        reference: pinned,
                        descriptor,
                        manifest: *manifest,
                        raw_manifest: raw,
                        raw_config,
                        host: host.to_owned(),
                    });
                }
                Document::Index(index) => {
                    let Some(chosen) = choose(&index, platform) else {
                        return Err(RegistryError::NoPlatform {
                            reference: reference.to_string(),
                            wanted: name(platform),
                            available: available(&index),
                        });
                    };
                    let version = chosen.digest.to_string();
                    let (_, bytes) =
                        self.manifest(host, reference, &version, Some(chosen), monitor)?;
                    (descriptor, raw) = (chosen.clone(), bytes);
                }
            }
        }
        Err(RegistryError::Malformed {
            url: reference.to_string(),
            reason: format!("more than {INDEX_DEPTH} indexes stand in each other"),
        })
    }

    /// Fetches a manifest or an index, and verifies it against its descriptor or the digest in `version`.
    fn manifest(
        &self,
        host: &str,
        reference: &Reference,
        version: &str,
        expected: Option<&Descriptor>,
        monitor: Monitor<'_>,
    ) -> Result<(Descriptor, Vec<u8>), RegistryError> {
        let address = self.address(host, &reference.repository, &format!("manifests/{version}"));
        let url = address.for_people();
        let mut request = Request::new(Method::GET, address);
        request.headers.push(("accept", ACCEPT.to_owned()));
        let access = self.access(host, reference, false);
        let (kind, claimed, bytes) = self.client.retry(monitor.cancel, || {
            let mut response = self.client.send_once(&access, &request, &[200])?;
            let kind = header(&response, "content-type").unwrap_or_default();
            let claimed = header(&response, "docker-content-digest");
            let mut bytes = Vec::new();
            let mut body = response.body_mut().as_reader().take(DOCUMENT_LIMIT + 1);
            body.read_to_end(&mut bytes).map_err(|source| {
                let url = url.clone();
                (RegistryError::Transfer { url, source }, None)
            })?;
            Ok((kind, claimed, bytes))
        })?;
        check_size("the manifest", bytes.len() as u64)?;
        let actual = verified_digest(version, claimed.as_deref(), &bytes)?;
        if let Some(expected) = expected {
            if expected.size != bytes.len() as u64 {
                let error = oci_image::Error::size_mismatch(
                    &expected.digest,
                    expected.size,
                    bytes.len() as u64,
                );
                return Err(error.into());
            }
            return Ok((expected.clone(), bytes));
        }
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !(media_type::is_manifest(kind) || media_type::is_index(kind)) {
            let kind: String = kind.chars().take(100).collect();
            return Err(RegistryError::Malformed {
                url,
                reason: format!("`{kind}` is not the media type of a manifest"),
            });
        }
        let descriptor = Descriptor::new(kind, actual, bytes.len() as u64);
        Ok((descriptor, bytes))
    }

    /// Pulls a blob into `output`, from where it broke off when the connection does.
    ///
    /// Fails when the bytes are not those of the digest; what was written is then worthless.
    pub fn pull_blob(
        &self,
        resolved: &Resolved,
        descriptor: &Descriptor,
        output: &mut dyn Write,
        monitor: Monitor<'_>,
    ) -> Result<(), RegistryError> {
        self.pull_from(
            &resolved.host,
            &resolved.reference,
            descriptor,
            output,
            monitor,
        )
    }

    fn pull_from(
        &self,
        host: &str,
        reference: &Reference,
        descriptor: &Descriptor,
        output: &mut dyn Write,
        monitor: Monitor<'_>,
    ) -> Result<(), RegistryError> {
        let mut transfer = Transfer {
            descriptor,
            output,
            hasher: Hasher::new(descriptor.digest.algorithm()),
            monitor,
        };
        let access = self.access(host, reference, false);
        self.client.retry(monitor.cancel, || {
            let rest = format!("blobs/{}", descriptor.digest);
            let address = self.address(host, &reference.repository, &rest);
            let url = address.for_people();
            let mut request = Request::new(Method::GET, address);
            let start = transfer.hasher.size();
            if start == descriptor.size && start > 0 {
                return Ok(());
            }
            if start > 0 {
                request.headers.push(("range", format!("bytes={start}-")));
            }
            let mut response = self.client.send_once(&access, &request, &[200, 206])?;
            let is_part = response.status() == 206;
            if is_part && !is_range_from(header(&response, "content-range").as_deref(), start) {
                let reason = "it is another range than was asked for".to_owned();
                return Err((RegistryError::Malformed { url, reason }, None));
            }
            // A server that knows no ranges sends everything again.
            let skip = if is_part { 0 } else { start };
            let body = response.body_mut().as_reader();
            transfer
                .receive(body, skip, &url)
                .map_err(|error| (error, None))
        })?;
        let actual = transfer.hasher.finish();
        if actual != descriptor.digest {
            return Err(oci_image::Error::digest_mismatch(&descriptor.digest, &actual).into());
        }
        Ok(())
    }

    /// Pulls everything that an image is made of into the store, several blobs at a time.
    ///
    /// Blobs that the store has are not pulled. The image gets no name: that is for the caller to publish.
    pub fn pull(
        &self,
        resolved: &Resolved,
        store: &Store,
        monitor: Monitor<'_>,
    ) -> Result<(), RegistryError> {
        store.write_blob(&resolved.raw_config)?;
        let missing: Vec<&Descriptor> = {
            let mut seen = std::collections::BTreeSet::new();
            let layers = resolved.manifest.layers.iter();
            layers
                .filter(|layer| !store.has_blob(layer) && seen.insert(layer.digest))
                .collect()
        };
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let failure = Mutex::new(None);
        let cancel = || stop.load(Ordering::Relaxed) || (monitor.cancel)();
        let inner = Monitor {
            progress: monitor.progress,
            cancel: &cancel,
        };
        thread::scope(|scope| {
            for _ in 0..self.options.parallel.clamp(1, missing.len().max(1)) {
                scope.spawn(|| {
                    while let Some(layer) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = self.pull_layer(resolved, layer, store, inner) {
                            stop.store(true, Ordering::Relaxed);
                            let mut failure =
                                failure.lock().unwrap_or_else(PoisonError::into_inner);
                            // The first one is the cause; the others were told to stop.
                            failure.get_or_insert(error);
                        }
                    }
                });
            }
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(store.write_blob(&resolved.raw_manifest).map(|_| ())?),
        }
    }

    fn pull_layer(
        &self,
        resolved: &Resolved,
        layer: &Descriptor,
        store: &Store,
        monitor: Monitor<'_>,
    ) -> Result<(), RegistryError> {
        let mut writer = store.begin_blob()?;
        self.pull_blob(resolved, layer, &mut writer, monitor)?;
        writer.commit(Some(&layer.digest))?;
        Ok(())
    }
}

/// A blob on its way, over as many connections as it takes.
struct Transfer<'a> {
    descriptor: &'a Descriptor,
    output: &'a mut dyn Write,
    hasher: Hasher,
    monitor: Monitor<'a>,
}

impl Transfer<'_> {
    /// Takes what a connection gives, but no more than the blob is long.
    fn receive(&mut self, body: impl Read, skip: u64, url: &str) -> Result<(), RegistryError> {
        let broken = |source| RegistryError::Transfer {
            url: url.to_owned(),
            source,
        };
        let size = self.descriptor.size;
        let mut body = body.take(skip + size - self.hasher.size() + 1);
        io::copy(&mut body.by_ref().take(skip), &mut io::sink()).map_err(broken)?;
        let mut buffer = vec![0; BUFFER_SIZE];
        loop {
            if (self.monitor.cancel)() {
                return Err(RegistryError::Cancelled);
            }
            let read = body.read(&mut buffer).map_err(broken)?;
            if read == 0 {
                break;
            }
            let bytes = buffer.get(..read).unwrap_or_default();
            if self.hasher.size() + read as u64 > size {
                let actual = self.hasher.size() + read as u64;
                return Err(
                    oci_image::Error::size_mismatch(&self.descriptor.digest, size, actual).into(),
                );
            }
            self.output
                .write_all(bytes)
                .map_err(|source| RegistryError::Output { source })?;
            self.hasher.update(bytes);
            (self.monitor.progress)(&self.descriptor.digest, read as u64);
        }
        if self.hasher.size() < size {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }
}

/// Returns the digest of a manifest, after comparing it with what was asked for, or else with what the registry claims.
fn verified_digest(
    version: &str,
    claimed: Option<&str>,
    bytes: &[u8],
) -> Result<Digest, RegistryError> {
    let expected = version.parse::<Digest>().ok();
    let expected = expected.or_else(|| claimed?.parse().ok());
    let Some(expected) = expected else {
        return Ok(Digest::of(bytes));
    };
    let mut hasher = Hasher::new(expected.algorithm());
    hasher.update(bytes);
    let actual = hasher.finish();
    if actual != expected {
        return Err(oci_image::Error::digest_mismatch(&expected, &actual).into());
    }
    Ok(actual)
}

/// Returns whether `Content-Range` says that the answer begins where it should.
fn is_range_from(range: Option<&str>, start: u64) -> bool {
    let first = range
        .and_then(|range| range.trim().strip_prefix("bytes "))
        .and_then(|range| range.split_once('-'))
        .and_then(|(first, _)| first.trim().parse().ok());
    first == Some(start)
}
