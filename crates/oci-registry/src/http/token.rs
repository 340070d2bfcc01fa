//! Tokens: what goes into `Authorization`, and where it comes from.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::Body;
use ureq::http::header::WWW_AUTHENTICATE;
use ureq::http::{Method, Response};

use super::address::percent_encode;
use super::challenge::Challenge;
use super::{Access, Address, Client, Request};
use crate::credentials::Credential;
use crate::error::RegistryError;

const TOKEN_LIMIT: u64 = 1 << 20;

impl Client {
    /// Returns what to put into `Authorization`, or `None` when nothing would help.
    pub(super) fn authorize(
        &self,
        access: &Access,
        address: &Address,
        response: &Response<Body>,
    ) -> Result<Option<String>, RegistryError> {
        let challenges = response.headers().get_all(WWW_AUTHENTICATE);
        let challenge = challenges
            .iter()
            .find_map(|value| Challenge::parse(value.to_str().ok()?));
        let credential = self.credentials.lookup(&access.host, &access.repository)?;
        match challenge {
            Some(Challenge::Basic) => Ok(match credential {
                Some(Credential::Password { user, password }) => Some(basic(&user, &password)),
                _ => None,
            }),
            Some(Challenge::Bearer(parameters)) => {
                let realm = parameters.get("realm").map_or("", String::as_str);
                let malformed = |reason: &str| RegistryError::Malformed {
                    url: address.for_people(),
                    reason: reason.to_owned(),
                };
                let realm = Address::parse(realm)
                    .map_err(|_| malformed("its token service is not a URL"))?;
                let is_local = address.is_loopback() && realm.is_loopback();
                if !(realm.is_secure || is_local || realm.is_same_origin(address)) {
                    return Err(malformed("its token service is elsewhere and without TLS"));
                }
                let service = parameters.get("service").map_or("", String::as_str);
                self.fetch_token(access, &realm, service, credential)
                    .map(Some)
            }
            None => Ok(None),
        }
    }

    /// Asks the token service (distribution/docs/spec/auth/{token,oauth}.md); a redirect of it is not followed.
    fn fetch_token(
        &self,
        access: &Access,
        realm: &Address,
        service: &str,
        credential: Option<Credential>,
    ) -> Result<String, RegistryError> {
        let scope = access.scope();
        let form;
        let open_form;
        let (request, token) = match credential {
            Some(Credential::Identity { token }) => {
                let encode = percent_encode;
                form = format!(
                    "grant_type=refresh_token&client_id=dfbuild&service={}&scope={}&refresh_token={}",
                    encode(service),
                    encode(&scope),
                    encode(&token)
                );
                open_form = || -> Result<(Box<dyn Read>, u64), RegistryError> {
                    Ok((Box::new(form.as_bytes()), form.len() as u64))
                };
                let mut request = Request::new(Method::POST, realm.clone());
                request.headers.push((
                    "content-type",
                    "application/x-www-form-urlencoded".to_owned(),
                ));
                request.body = Some(&open_form);
                (request, None)
            }
            credential => {
                let mut address = realm.clone();
                if !service.is_empty() {
                    address = address.with_parameter("service", service);
                }
                for scope in scope.split(' ') {
                    address = address.with_parameter("scope", scope);
                }
                let token = match credential {
                    Some(Credential::Password { user, password }) => Some(basic(&user, &password)),
                    _ => None,
                };
                (Request::new(Method::GET, address), token)
            }
        };
        let mut response = self.call(&request, &request.address, token.as_deref())?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(self.refusal(access, &request, response));
        }
        let url = request.address.for_people();
        let body = response
            .body_mut()
            .with_config()
            .limit(TOKEN_LIMIT)
            .read_to_vec();
        let body = body.map_err(|source| RegistryError::Transport {
            url: url.clone(),
            source: Box::new(source),
        })?;
        let answer: Option<Value> = serde_json::from_slice(&body).ok();
        let token = ["token", "access_token"].into_iter().find_map(|name| {
            let token = answer.as_ref()?.get(name)?.as_str()?;
            let is_plain = !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
            is_plain.then(|| format!("Bearer {token}"))
        });
        token.ok_or(RegistryError::Malformed {
            url,
            reason: "it has no token".to_owned(),
        })
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
