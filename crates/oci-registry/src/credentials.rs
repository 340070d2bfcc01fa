//! Who the user is: the files and helpers of Docker and Podman.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::error::RegistryError;

/// Docker's name for its own registry in credential files.
const DOCKER_KEY: &str = concat!("https://", "index", ".docker.io/v1/");
/// No file with credentials is larger.
const FILE_LIMIT: u64 = 4 << 20;

/// A name with a password, or a token in place of both.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    Password {
        user: String,
        password: String,
    },
    /// An identity token (OAuth 2 refresh token).
    Identity {
        token: String,
    },
}

impl fmt::Debug for Credential {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "Password({user})"),
            Self::Identity { .. } => f.write_str("Identity"),
        }
    }
}

/// Where credentials are looked up.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    files: Vec<PathBuf>,
    fixed: BTreeMap<String, Credential>,
}

impl Credentials {
    /// Returns credentials for nobody.
    pub fn none() -> Self {
        Self::default()
    }

    /// Looks into the files that Docker and Podman use, in the order of Podman (containers-auth.json(5)).
    pub fn from_environment() -> Self {
        let mut files = Vec::new();
        let variable = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        if let Some(file) = variable("REGISTRY_AUTH_FILE") {
            files.push(file);
        }
        if let Some(folder) = variable("XDG_RUNTIME_DIR") {
            files.push(folder.join("containers/auth.json"));
        }
        if let Some(folder) = variable("DOCKER_CONFIG") {
            files.push(folder.join("config.json"));
        } else if let Some(home) = variable("HOME") {
            files.push(home.join(".docker/config.json"));
        }
        Self::from_files(files)
    }

    /// Looks into these files; those that are not there are passed over.
    pub fn from_files(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            fixed: BTreeMap::new(),
        }
    }

    /// Adds a credential that comes before those of the files.
    pub fn add(&mut self, host: &str, credential: Credential) {
        self.fixed.insert(host.to_owned(), credential);
    }

    /// Returns the credential for a host, and for a repository of it if there is one.
    pub fn lookup(
        &self,
        host: &str,
        repository: &str,
    ) -> Result<Option<Credential>, RegistryError> {
        if let Some(credential) = self.fixed.get(host) {
            return Ok(Some(credential.clone()));
        }
        for file in &self.files {
            let Some(config) = read_file(file)? else {
                continue;
            };
            if let Some(found) = lookup_in(&config, file, host, repository)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn read_file(path: &Path) -> Result<Option<Value>, RegistryError> {
    let fail = |reason: String| RegistryError::Credentials {
        path: path.to_path_buf(),
        reason,
    };
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > FILE_LIMIT => {
            return Err(fail("it is too large".to_owned()));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error.to_string())),
    }
    let bytes = fs::read(path).map_err(|error| fail(error.to_string()))?;
    // The text of the file stays out of the message.
    let parsed = serde_json::from_slice(&bytes);
    parsed.map(Some).map_err(|error| {
        fail(format!(
            "line {}, column {} is not JSON",
            error.line(),
            error.column()
        ))
    })
}

fn lookup_in(
    config: &Value,
    path: &Path,
    host: &str,
    repository: &str,
) -> Result<Option<Credential>, RegistryError> {
    let keys = keys_of(host, repository);
    let helpers = config.get("credHelpers");
    for key in &keys {
        let helper = helpers
            .and_then(|helpers| helpers.get(key))
            .and_then(Value::as_str);
        if let Some(helper) = helper {
            return run_helper(helper, key);
        }
    }
    let auths = config.get("auths").and_then(Value::as_object);
    for key in &keys {
        if let Some(entry) = auths.and_then(|auths| auths.get(key))
            && let Some(found) = credential_of(entry, path)?
        {
            return Ok(Some(found));
        }
    }
    match config.get("credsStore").and_then(Value::as_str) {
        Some(helper) => {
            let is_docker = host == "docker.io";
            run_helper(helper, if is_docker { DOCKER_KEY } else { host })
        }
        None => Ok(None),
    }
}

/// Returns the keys under which credentials may be, the most specific first.
fn keys_of(host: &str, repository: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut path = repository;
    while !path.is_empty() {
        keys.push(format!("{host}/{path}"));
        path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    keys.push(host.to_owned());
    keys.push(format!("https://{host}"));
    keys.push(format!("https://{host}/v1/"));
    keys.push(format!("https://{host}/v2/"));
    if host == "docker.io" {
        keys.push(DOCKER_KEY.to_owned());
        keys.push("index.docker.io".to_owned());
        keys.push("registry-1.docker.io".to_owned());
    }
    keys
}

fn credential_of(entry: &Value, path: &Path) -> Result<Option<Credential>, RegistryError> {
    let text = |name: &str| {
        let text = entry.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if let Some(token) = text("identitytoken") {
        return Ok(Some(Credential::Identity { token }));
    }
    if let Some(encoded) = text("auth") {
        let decoded = STANDARD.decode(encoded.trim()).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':'))
        else {
            return Err(RegistryError::Credentials {
                path: path.to_path_buf(),
                reason: "an `auth` is not a name and a password in base64".to_owned(),
            });
        };
        return Ok(Some(Credential::Password {
            user: user.to_owned(),
            password: password.trim_end_matches('\0').to_owned(),
        }));
    }
    Ok(match (text("username"), text("password")) {
        (Some(user), Some(password)) => Some(Credential::Password { user, password }),
        _ => None,
    })
}

/// Asks a helper program (docker/docker-credential-helpers): the server on standard input, JSON on standard output.
fn run_helper(helper: &str, server: &str) -> Result<Option<Credential>, RegistryError> {
    let fail = |reason: String| RegistryError::CredentialHelper {
        helper: helper.to_owned(),
        reason,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if helper.is_empty() || !helper.chars().all(is_plain) {
        return Err(fail("its name is not that of a program".to_owned()));
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| fail(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read says so by its exit.
        let _ = writeln!(input, "{server}");
    }
    let output = child
        .wait_with_output()
        .map_err(|error| fail(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        if text.contains("credentials not found") {
            return Ok(None);
        }
        return Err(fail(format!("it ended with {}", output.status)));
    }
    let answer: Value =
        serde_json::from_str(&text).map_err(|_| fail("its answer is not JSON".to_owned()))?;
    let field = |name| {
        answer
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (user, password) = (field("Username"), field("Secret"));
    Ok(match user.as_str() {
        "" => None,
        "<token>" => Some(Credential::Identity { token: password }),
        _ => Some(Credential::Password { user, password }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(json: &str, host: &str) -> Result<Option<Credential>, RegistryError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        fs::write(&file, json).unwrap();
        Credentials::from_files(vec![folder.path().join("missing"), file]).lookup(host, "a/b")
    }

    fn password(user: &str, password: &str) -> Credential {
        Credential::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    #[test]
    fn finds_the_entry_of_a_host() {
        // `u:p:q` and `v:w`.
        let json = r#"{"auths":{"h.x":{"auth":"dTpwOnE="},"KEY":{"auth":"djp3"},
            "h.y/a":{"auth":"djp3"},"i.x":{"identitytoken":"t"}}}"#;
        let json = &json.replace("KEY", DOCKER_KEY);
        assert_eq!(lookup(json, "h.x").unwrap(), Some(password("u", "p:q")));
        assert_eq!(lookup(json, "docker.io").unwrap(), Some(password("v", "w")));
        assert_eq!(lookup(json, "h.y").unwrap(), Some(password("v", "w")));
        let token = "t".to_owned();
        assert_eq!(
            lookup(json, "i.x").unwrap(),
            Some(Credential::Identity { token })
        );
        assert_eq!(lookup(json, "other.x").unwrap(), None);
    }

    #[test]
    fn broken_files_are_errors_that_show_no_secret() {
        for json in ["{\"auths\":{\"h.x\":{\"auth\":\"sec ret\"}}}", "{secret"] {
            let error = lookup(json, "h.x").unwrap_err().to_string();
            assert!(
                error.contains("config.json") && !error.contains("sec"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_helper_is_a_program_and_no_path() {
        let error = lookup(r#"{"credHelpers":{"h.x":"../../evil"}}"#, "h.x").unwrap_err();
        assert!(
            error.to_string().contains("not that of a program"),
            "{error}"
        );
    }

    #[test]
    fn debug_output_shows_no_secret() {
        assert_eq!(format!("{:?}", password("u", "hunter2")), "Password(u)");
    }
}
