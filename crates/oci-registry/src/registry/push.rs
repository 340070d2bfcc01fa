//! Pushing: blobs first, then what names them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use oci_image::manifest::{Descriptor, Document, media_type};
use oci_image::store::Store;
use ureq::Body;
use ureq::http::{Method, Response};

use super::{Monitor, Registry};
use crate::error::RegistryError;
use crate::http::{Access, Address, Request, header};
use crate::reference::Reference;

/// How deep indexes may hold indexes.
const INDEX_DEPTH: usize = 3;

/// How an image is pushed.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// Repositories of the same registry that may have the blobs already.
    pub mount_from: Vec<String>,
}

impl Registry {
    /// Pushes an image, or all images of an index that the store has, under a name.
    pub fn push(
        &self,
        store: &Store,
        descriptor: &Descriptor,
        reference: &Reference,
        options: &PushOptions,
        monitor: Monitor<'_>,
    ) -> Result<(), RegistryError> {
        let push = Push {
            registry: self,
            store,
            reference,
            options,
            monitor,
        };
        push.document(descriptor, &reference.version(), INDEX_DEPTH)
    }
}

struct Push<'a> {
    registry: &'a Registry,
    store: &'a Store,
    reference: &'a Reference,
    options: &'a PushOptions,
    monitor: Monitor<'a>,
}

impl Push<'_> {
    fn access(&self) -> Access {
        self.registry
            .access(&self.reference.host, self.reference, true)
    }

    fn address(&self, rest: &str) -> Address {
        self.registry
            .address(&self.reference.host, &self.reference.repository, rest)
    }

    fn send(&self, request: &Request<'_>, wanted: &[u16]) -> Result<Response<Body>, RegistryError> {
        let client = &self.registry.client;
        client.send(&self.access(), request, wanted, self.monitor.cancel)
    }

    /// Pushes a manifest or an index, after what it names.
    fn document(
        &self,
        descriptor: &Descriptor,
        version: &str,
        depth: usize,
    ) -> Result<(), RegistryError> {
        let bytes = self.store.read_document(&descriptor.digest)?;
        match Document::parse(&bytes, Some(&descriptor.media_type))? {
            Document::Manifest(manifest) => {
                let mut blobs = manifest.layers;
                blobs.push(manifest.config);
                let mut seen = BTreeSet::new();
                blobs.retain(|blob| seen.insert(blob.digest));
                self.blobs(&blobs)?;
            }
            Document::Index(index) => {
                for entry in &index.manifests {
                    let is_document = media_type::is_manifest(&entry.media_type)
                        || media_type::is_index(&entry.media_type);
                    if depth > 0 && is_document && self.store.has_blob(entry) {
                        self.document(entry, &entry.digest.to_string(), depth - 1)?;
                    }
                }
            }
        }
        let open = || -> Result<(Box<dyn Read + '_>, u64), RegistryError> {
            Ok((Box::new(bytes.as_slice()), bytes.len() as u64))
        };
        let mut request = Request::new(Method::PUT, self.address(&format!("manifests/{version}")));
        request
            .headers
            .push(("content-type", descriptor.media_type.clone()));
        request.body = Some(&open);
        self.send(&request, &[200, 201, 202]).map(|_| ())
    }

    /// Pushes blobs, several at a time.
    fn blobs(&self, blobs: &[Descriptor]) -> Result<(), RegistryError> {
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let failure = Mutex::new(None);
        let cancel = || stop.load(Ordering::Relaxed) || (self.monitor.cancel)();
        let inner = Push {
            monitor: Monitor {
                progress: self.monitor.progress,
                cancel: &cancel,
            },
            ..*self
        };
        let workers = self.registry.options.parallel.clamp(1, blobs.len().max(1));
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(blob) = blobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = inner.blob(blob) {
                            stop.store(true, Ordering::Relaxed);
                            let mut failure =
                                failure.lock().unwrap_or_else(PoisonError::into_inner);
                            failure.get_or_insert(error);
                        }
                    }
                });
            }
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn blob(&self, blob: &Descriptor) -> Result<(), RegistryError> {
        let address = self.address(&format!("blobs/{}", blob.digest));
        let head = Request::new(Method::HEAD, address);
        match self.send(&head, &[200]) {
            Ok(_) => {
                (self.monitor.progress)(&blob.digest, blob.size);
                return Ok(());
            }
            Err(RegistryError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        for from in &self.options.mount_from {
            if self.mount(blob, from) {
                (self.monitor.progress)(&blob.digest, blob.size);
                return Ok(());
            }
        }
        let is_large = blob.size > self.registry.options.chunk_threshold;
        let client = &self.registry.client;
        client.retry(self.monitor.cancel, || {
            let start = self.begin_upload().map_err(|error| (error, None))?;
            let uploaded = if is_large {
                self.chunks(blob, start).or_else(|error| match error {
                    // Some registries take a blob in one piece only.
                    RegistryError::NotFound { .. }
                    | RegistryError::Status {
                        status: 400 | 405 | 411 | 413 | 416 | 501,
                        ..
                    } => self
                        .begin_upload()
                        .and_then(|start| self.whole(blob, &start)),
                    error => Err(error),
                })
            } else {
                self.whole(blob, &start)
            };
            uploaded.map_err(|error| (error, None))
        })
    }

    /// Asks the registry to take a blob from another of its repositories, and returns whether it did.
    fn mount(&self, blob: &Descriptor, from: &str) -> bool {
        let address = self
            .address("blobs/uploads/")
            .with_parameter("mount", &blob.digest.to_string())
            .with_parameter("from", from);
        let mut request = Request::new(Method::POST, address);
        request.body = Some(&empty_body);
        let mut access = self.access();
        access.mount_from = Some(from.to_owned());
        // A 202 has begun an upload instead; the registry forgets it after a while.
        let sent = self.registry.client.send_once(&access, &request, &[201]);
        sent.is_ok()
    }

    fn begin_upload(&self) -> Result<Address, RegistryError> {
        let address = self.address("blobs/uploads/");
        let mut request = Request::new(Method::POST, address);
        request.body = Some(&empty_body);
        let response = self.send(&request, &[202])?;
        location(&request.address, &response)
    }

    /// Sends a blob in one piece.
    fn whole(&self, blob: &Descriptor, start: &Address) -> Result<(), RegistryError> {
        let sent = AtomicUsize::new(0);
        let open = || self.open(blob, 0, blob.size, &sent);
        let address = start.with_parameter("digest", &blob.digest.to_string());
        let mut request = Request::new(Method::PUT, address);
        request
            .headers
            .push(("content-type", "application/octet-stream".to_owned()));
        request.body = Some(&open);
        self.registry
            .client
            .send_once(&self.access(), &request, &[201, 202, 204])
            .map(|_| ())
            .map_err(|(error, _)| error)
    }

    /// Sends a blob in pieces; after a fault the registry is asked how far it got.
    fn chunks(&self, blob: &Descriptor, start: Address) -> Result<(), RegistryError> {
        let mut address = start;
        let mut offset = 0;
        let mut faults = 0;
        let sent = AtomicUsize::new(0);
        while offset < blob.size {
            let length = self
                .registry
                .options
                .chunk_size
                .max(1)
                .min(blob.size - offset);
            let open = || self.open(blob, offset, length, &sent);
            let mut request = Request::new(Method::PATCH, address.clone());
            let range = format!("{offset}-{}", offset + length - 1);
            request.headers.push(("content-range", range));
            request
                .headers
                .push(("content-type", "application/octet-stream".to_owned()));
            request.body = Some(&open);
            let client = &self.registry.client;
            match client.send_once(&self.access(), &request, &[202]) {
                Ok(response) => {
                    address = location(&address, &response)?;
                    offset += length;
                }
                Err((error, _))
                    if error.is_transient() && faults < self.registry.options.attempts =>
                {
                    faults += 1;
                    (address, offset) = self.progress_of(&address, blob)?;
                }
                Err((error, _)) => return Err(error),
            }
        }
        let done = address.with_parameter("digest", &blob.digest.to_string());
        let mut request = Request::new(Method::PUT, done);
        request.body = Some(&empty_body);
        self.send(&request, &[201, 204]).map(|_| ())
    }

    /// Asks how many bytes of an upload have arrived.
    fn progress_of(
        &self,
        address: &Address,
        blob: &Descriptor,
    ) -> Result<(Address, u64), RegistryError> {
        let request = Request::new(Method::GET, address.clone());
        let response = self.send(&request, &[204])?;
        let range = header(&response, "range").unwrap_or_default();
        let last = range
            .rsplit_once('-')
            .and_then(|(_, last)| last.trim().parse::<u64>().ok());
        // `0-0` means nothing or one byte; sending that byte again is refused, so it counts as nothing where it can.
        let offset = last.map_or(0, |last| if last == 0 { 0 } else { last + 1 });
        if offset > blob.size {
            return Err(RegistryError::Malformed {
                url: address.for_people(),
                reason: "it has more bytes than were sent".to_owned(),
            });
        }
        let next = location(address, &response).unwrap_or_else(|_| address.clone());
        Ok((next, offset))
    }

    /// Opens a part of a blob; what is read counts as progress, once.
    fn open<'s>(
        &'s self,
        blob: &'s Descriptor,
        offset: u64,
        length: u64,
        sent: &'s AtomicUsize,
    ) -> Result<(Box<dyn Read + 's>, u64), RegistryError> {
        let path = self.store.blob_path(&blob.digest);
        let fail = |source| RegistryError::Input {
            path: path.clone(),
            source,
        };
        let mut file = File::open(&path).map_err(fail)?;
        file.seek(SeekFrom::Start(offset)).map_err(fail)?;
        let reader = WatchedReader {
            input: file.take(length),
            position: usize::try_from(offset).unwrap_or(usize::MAX),
            sent,
            report: Box::new(|bytes| (self.monitor.progress)(&blob.digest, bytes)),
            cancel: self.monitor.cancel,
        };
        Ok((Box::new(reader), length))
    }
}

/// Reports bytes that are read for the first time, and stops when it is told to.
struct WatchedReader<'a> {
    input: io::Take<File>,
    position: usize,
    /// Up to where bytes were reported.
    sent: &'a AtomicUsize,
    report: Box<dyn Fn(u64) + 'a>,
    cancel: &'a (dyn Fn() -> bool + Sync),
}

impl Read for WatchedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.cancel)() {
            return Err(io::Error::other("it was cancelled"));
        }
        let read = self.input.read(buffer)?;
        self.position += read;
        let before = self.sent.fetch_max(self.position, Ordering::Relaxed);
        if self.position > before {
            (self.report)((self.position - before) as u64);
        }
        Ok(read)
    }
}

/// Returns where an upload goes on.
fn location(base: &Address, response: &Response<Body>) -> Result<Address, RegistryError> {
    let location = header(response, "location").unwrap_or_default();
    let refuse = |reason| RegistryError::Redirect {
        url: base.for_people(),
        target: location.chars().take(200).collect(),
        reason,
    };
    if location.is_empty() {
        return Err(refuse("it names no place"));
    }
    let next = base.join(&location).map_err(refuse)?;
    if base.is_secure && !next.is_secure {
        return Err(refuse("it would leave TLS"));
    }
    if next.is_loopback() && !base.is_loopback() {
        return Err(refuse("it leads to this machine"));
    }
    Ok(next)
}

#[expect(clippy::unnecessary_wraps, reason = "opens like every other body")]
fn empty_body<'a>() -> Result<(Box<dyn Read + 'a>, u64), RegistryError> {
    Ok((Box::new(io::empty()), 0))
}
