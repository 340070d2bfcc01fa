//! A file by its URL: what ADD fetches. No registry, no token.
//!
//! Follows redirects as pulls do: never from TLS to none, never from outside to this machine, and a name and password of the URL stay
//! with its host (CVE-2020-15157).

use std::io::{self, Read};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::Body;
use ureq::http::header::{CONTENT_LENGTH, ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use ureq::http::{Method, Response};

use crate::error::RegistryError;
use crate::http::{Access, Address, Client, Request, header};
use crate::registry::Options;

/// A body that brings less than this in [`PATIENCE`] is given up: somebody wants to keep us busy.
const LEAST_BYTES: u64 = 1 << 10;
const PATIENCE: Duration = Duration::from_secs(60);

/// Fetches files.
pub struct Downloads {
    client: Client,
    most_bytes: u64,
}

/// What a server answers.
pub enum Answer {
    /// The file still has the tag that was sent along.
    NotModified,
    File(Download),
}

/// A file that is about to come.
pub struct Download {
    /// A strong or weak entity tag, as the server wrote it.
    pub etag: Option<String>,
    /// An HTTP date.
    pub last_modified: Option<String>,
    pub size: Option<u64>,
    body: Box<dyn Read + Send>,
}

impl Downloads {
    /// Returns a client that takes no file with more than `most_bytes`.
    pub fn new(options: &Options, most_bytes: u64) -> Downloads {
        Downloads {
            client: Client::new(options),
            most_bytes,
        }
    }

    /// Asks for a file, unless it is the one that has this tag.
    pub fn open(
        &self,
        url: &str,
        etag: Option<&str>,
        cancel: &(dyn Fn() -> bool + Sync),
    ) -> Result<Answer, RegistryError> {
        let (url, authorization) = without_user(url);
        let address =
            Address::parse(&encoded(&url)).map_err(|reason| RegistryError::Malformed {
                url: url.clone(),
                reason: reason.to_owned(),
            })?;
        let access = Access {
            host: address.authority.clone(),
            repository: String::new(),
            home: address.clone(),
            is_push: false,
            mount_from: None,
        };
        let mut request = Request::new(Method::GET, address);
        if let Some(etag) = etag {
            request
                .headers
                .push((IF_NONE_MATCH.as_str(), etag.to_owned()));
        }
        let response = self.client.retry(cancel, || {
            let response = self
                .client
                .follow(&access, &request, authorization.as_deref())
                .map_err(|error| (error, None))?;
            match response.status().as_u16() {
                200 | 304 => Ok(response),
                _ => Err((self.client.refusal(&access, &request, response), None)),
            }
        })?;
        if response.status().as_u16() == 304 {
            return Ok(Answer::NotModified);
        }
        self.accept(&request.address, response).map(Answer::File)
    }

    fn accept(
        &self,
        address: &Address,
        response: Response<Body>,
    ) -> Result<Download, RegistryError> {
        let size = header(&response, CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
        if size.is_some_and(|size: u64| size > self.most_bytes) {
            return Err(RegistryError::Malformed {
                url: address.for_people(),
                reason: format!("it has more than {} bytes", self.most_bytes),
            });
        }
        Ok(Download {
            etag: header(&response, ETAG.as_str()),
            last_modified: header(&response, LAST_MODIFIED.as_str()),
            size,
            body: Box::new(Bounded {
                inner: response.into_body().into_reader(),
                wanted: size,
                done: 0,
                most: self.most_bytes,
                window: (Instant::now(), 0),
            }),
        })
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}

/// A body that is neither too long, too short nor too slow.
struct Bounded<R> {
    inner: R,
    wanted: Option<u64>,
    done: u64,
    most: u64,
    /// When it began, and what had come then.
    window: (Instant, u64),
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done += count as u64;
        if count == 0 && !buffer.is_empty() && self.wanted.is_some_and(|size| size != self.done) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self.done > self.most {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it has more than {} bytes", self.most),
            ));
        }
        let (start, before) = self.window;
        if start.elapsed() >= PATIENCE {
            if self.done - before < LEAST_BYTES {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.window = (Instant::now(), self.done);
        }
        Ok(count)
    }
}

/// Takes name and password out of a URL; what is left can be shown (CVE-2023-26054).
fn without_user(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (url.to_owned(), None);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let token = STANDARD.encode(percent_decoded(user));
            (
                format!("{scheme}://{host}{path}"),
                Some(format!("Basic {token}")),
            )
        }
        None => (url.to_owned(), None),
    }
}

/// Writes what no URL may hold as `%XX`, as browsers and Go do.
fn encoded(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Reads `%XX`; what is none stays as it is.
pub fn percent_decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| byte == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(byte));
        rest = match code {
            Some(_) => after.get(2..).unwrap_or_default(),
            None => after,
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_leave_the_url() {
        let (url, token) = without_user("https://me:p%40ss@example.com/a@b?c");
        assert_eq!(url, "https://example.com/a@b?c");
        assert_eq!(token.as_deref(), Some("Basic bWU6cEBzcw=="));
        assert_eq!(without_user("http://h/a").1, None);
    }

    #[test]
    fn names_are_written_and_read() {
        assert_eq!(encoded("http://h/a b\u{e4}\n"), "http://h/a%20b%C3%A4%0A");
        assert_eq!(percent_decoded("a%20b%zz%"), b"a b%zz%");
    }

    #[test]
    fn a_body_that_ends_early_is_an_error() {
        let mut body = Bounded {
            inner: &b"abc"[..],
            wanted: Some(4),
            done: 0,
            most: 10,
            window: (Instant::now(), 0),
        };
        let error = body.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn an_endless_body_ends() {
        let mut body = Bounded {
            inner: io::repeat(1),
            wanted: None,
            done: 0,
            most: 100_000,
            window: (Instant::now(), 0),
        };
        let error = body.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
