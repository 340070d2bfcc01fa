//! One request after another, until there is an answer to give back.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use ureq::http::{Method, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Body, SendBody};

use super::Address;
use crate::credentials::Credentials;
use crate::error::RegistryError;
use crate::registry::Options;

const REDIRECT_LIMIT: usize = 5;
/// How much of an error answer is read.
const MESSAGE_LIMIT: u64 = 64 << 10;
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("dfbuild/", env!("CARGO_PKG_VERSION"));
/// Where systems keep the certificates that they trust.
const CERTIFICATE_FILES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What a request is for; a token is asked for accordingly.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The host as credentials know it.
    pub(crate) host: String,
    pub(crate) repository: String,
    /// Where the registry is: the only place that gets to see a token.
    pub(crate) home: Address,
    pub(crate) is_push: bool,
    /// Another repository that is read, for a mount.
    pub(crate) mount_from: Option<String>,
}

impl Access {
    pub(super) fn scope(&self) -> String {
        let actions = if self.is_push { "pull,push" } else { "pull" };
        let scope = format!("repository:{}:{actions}", self.repository);
        match &self.mount_from {
            Some(from) => format!("{scope} repository:{from}:pull"),
            None => scope,
        }
    }
}

/// A request that can be made more than once.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) address: Address,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Opens the body and says how long it is.
    pub(crate) body: Option<BodySource<'a>>,
}

pub(crate) type BodySource<'a> =
    &'a (dyn Fn() -> Result<(Box<dyn Read + 'a>, u64), RegistryError> + 'a);

impl Request<'_> {
    pub(crate) fn new(method: Method, address: Address) -> Self {
        Self {
            method,
            address,
            headers: Vec::new(),
            body: None,
        }
    }
}

pub(crate) struct Client {
    /// For this machine: never through a proxy.
    local: Agent,
    outside: OnceLock<Agent>,
    pub(super) credentials: Credentials,
    tokens: Mutex<BTreeMap<(String, String), String>>,
    attempts: u32,
    first_wait: Duration,
    timeout: Duration,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Self {
        let local = Agent::config_builder().proxy(None);
        Self {
            local: configure(local, options.timeout).build().new_agent(),
            outside: OnceLock::new(),
            credentials: options.credentials.clone(),
            tokens: Mutex::default(),
            attempts: options.attempts.max(1),
            first_wait: options.first_wait,
            timeout: options.timeout,
        }
    }

    /// Sends a request, again if need be, and returns the answer if its status is one of `wanted`.
    pub(crate) fn send(
        &self,
        access: &Access,
        request: &Request<'_>,
        wanted: &[u16],
        cancel: &(dyn Fn() -> bool + Sync),
    ) -> Result<Response<Body>, RegistryError> {
        self.retry(cancel, || self.send_once(access, request, wanted))
    }

    /// Runs `work` until it succeeds, fails for good, or has been tried often enough.
    pub(crate) fn retry<T>(
        &self,
        cancel: &(dyn Fn() -> bool + Sync),
        mut work: impl FnMut() -> Result<T, (RegistryError, Option<Duration>)>,
    ) -> Result<T, RegistryError> {
        let mut wait = self.first_wait;
        let mut attempt = 1;
        loop {
            if cancel() {
                return Err(RegistryError::Cancelled);
            }
            match work() {
                Ok(done) => return Ok(done),
                Err((error, _)) if !error.is_transient() || attempt >= self.attempts => {
                    return Err(error);
                }
                Err((_, asked)) => sleep(asked.unwrap_or(wait).min(LONGEST_WAIT), cancel)?,
            }
            attempt += 1;
            wait = wait.saturating_mul(2);
        }
    }

    /// Sends a request with a token if one is known, and once more when the registry asks for another.
    pub(crate) fn send_once(
        &self,
        access: &Access,
        request: &Request<'_>,
        wanted: &[u16],
    ) -> Result<Response<Body>, (RegistryError, Option<Duration>)> {
        let key = (access.host.clone(), access.scope());
        let known = self.tokens().get(&key).cloned();
        let had_token = known.is_some();
        let mut response = self
            .follow(access, request, known.as_deref())
            .map_err(plain)?;
        if response.status() == 401 && response.extensions().get::<Elsewhere>().is_none() {
            let token = self
                .authorize(access, &request.address, &response)
                .map_err(plain)?;
            if let Some(token) = token {
                self.tokens().insert(key.clone(), token.clone());
                response = self.follow(access, request, Some(&token)).map_err(plain)?;
            } else if had_token {
                self.tokens().remove(&key);
            }
        }
        let status = response.status().as_u16();
        if wanted.contains(&status) {
            return Ok(response);
        }
        let asked = response.headers().get(RETRY_AFTER);
        let asked = asked
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        Err((self.refusal(access, request, response), asked))
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), String>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and follows redirects; the token stays at the host that it is for.
    pub(crate) fn follow(
        &self,
        access: &Access,
        request: &Request<'_>,
        token: Option<&str>,
    ) -> Result<Response<Body>, RegistryError> {
        let mut address = request.address.clone();
        let may_follow = matches!(request.method, Method::GET | Method::HEAD);
        for _ in 0..=REDIRECT_LIMIT {
            let is_home = address.is_same_origin(&access.home);
            let mut response = self.call(request, &address, token.filter(|_| is_home))?;
            let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !is_redirect || !may_follow {
                if !is_home {
                    response.extensions_mut().insert(Elsewhere);
                }
                return Ok(response);
            }
            let location = header(&response, LOCATION.as_str()).unwrap_or_default();
            let refuse = |reason| RegistryError::Redirect {
                url: address.for_people(),
                target: location.chars().take(200).collect(),
                reason,
            };
            let next = address.join(&location).map_err(refuse)?;
            if address.is_secure && !next.is_secure {
                return Err(refuse("it would leave TLS"));
            }
            if next.is_loopback() && !request.address.is_loopback() {
                return Err(refuse("it leads to this machine"));
            }
            address = next;
        }
        Err(RegistryError::Redirect {
            url: request.address.for_people(),
            target: address.for_people(),
            reason: "there are too many redirects",
        })
    }

    pub(super) fn call(
        &self,
        request: &Request<'_>,
        address: &Address,
        token: Option<&str>,
    ) -> Result<Response<Body>, RegistryError> {
        let url = || address.for_people();
        let mut builder = ureq::http::Request::builder()
            .method(request.method.clone())
            .uri(address.to_string());
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(token) = token {
            builder = builder.header(AUTHORIZATION, token);
        }
        let fail = |source: ureq::Error| RegistryError::Transport {
            url: url(),
            source: Box::new(source),
        };
        let agent = if address.is_loopback() {
            &self.local
        } else {
            self.outside()
        };
        let Some(open) = request.body else {
            let built = builder.body(SendBody::none());
            return agent
                .run(built.map_err(|error| fail(error.into()))?)
                .map_err(fail);
        };
        let (mut reader, size) = open()?;
        let built = builder
            .header(CONTENT_LENGTH, size)
            .body(SendBody::from_reader(&mut reader));
        agent
            .run(built.map_err(|error| fail(error.into()))?)
            .map_err(fail)
    }

    /// Says why an answer is not what was wanted.
    #[expect(clippy::unused_self, reason = "reads as one of the steps")]
    pub(crate) fn refusal(
        &self,
        access: &Access,
        request: &Request<'_>,
        mut response: Response<Body>,
    ) -> RegistryError {
        let url = request.address.for_people();
        let status = response.status().as_u16();
        match status {
            401 | 403 => RegistryError::Unauthorized {
                host: access.host.clone(),
                url,
            },
            404 => RegistryError::NotFound { url },
            _ => {
                let body = response
                    .body_mut()
                    .with_config()
                    .limit(MESSAGE_LIMIT)
                    .read_to_vec();
                RegistryError::Status {
                    url,
                    status,
                    message: message_of(&body.unwrap_or_default()),
                }
            }
        }
    }

    fn outside(&self) -> &Agent {
        self.outside.get_or_init(|| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = TlsConfig::builder()
                .provider(TlsProvider::Rustls)
                .unversioned_rustls_crypto_provider(provider)
                .root_certs(RootCerts::from(trusted_certificates()))
                .build();
            let builder = Agent::config_builder().tls_config(tls);
            configure(builder, self.timeout).build().new_agent()
        })
    }
}

/// Marks an answer that came from another host than was asked: its challenge is not ours to answer.
#[derive(Clone, Copy)]
struct Elsewhere;

type AgentBuilder = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

fn configure(builder: AgentBuilder, timeout: Duration) -> AgentBuilder {
    builder
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(USER_AGENT)
        .accept_encoding("identity")
        .timeout_connect(Some(timeout))
        .timeout_recv_response(Some(timeout))
        .timeout_per_read(Some(timeout))
        .timeout_per_write(Some(timeout))
}

/// Returns the certificates of `SSL_CERT_FILE`, or else of the system.
fn trusted_certificates() -> Vec<Certificate<'static>> {
    let named = std::env::var("SSL_CERT_FILE").ok();
    let files = named
        .iter()
        .map(String::as_str)
        .chain(CERTIFICATE_FILES.iter().copied());
    for file in files {
        let Ok(pem) = fs::read(file) else { continue };
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if !certificates.is_empty() {
            return certificates;
        }
    }
    Vec::new()
}

pub(crate) fn header(response: &Response<Body>, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

fn plain(error: RegistryError) -> (RegistryError, Option<Duration>) {
    (error, None)
}

/// Returns the first message of a registry's error answer, fit for a terminal.
fn message_of(body: &[u8]) -> String {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let message = answer
        .as_ref()
        .and_then(|answer| answer.get("errors")?.get(0)?.get("message")?.as_str())
        .unwrap_or_default();
    message
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}

fn sleep(time: Duration, cancel: &(dyn Fn() -> bool + Sync)) -> Result<(), RegistryError> {
    let end = Instant::now() + time;
    loop {
        if cancel() {
            return Err(RegistryError::Cancelled);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(Duration::from_millis(50)));
    }
}
