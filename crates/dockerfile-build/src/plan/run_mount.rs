//! `RUN --mount=...`: what the options mean (BuildKit `instructions/commands_runmount.go`).

use dockerfile_model::RunMount as WrittenMount;
use dockerfile_source::{TextRange, closest_match};

use super::copy::From;
use super::evaluate::Evaluator;
use crate::error::BuildError;

/// One mount of a RUN.
#[derive(Clone, Debug)]
pub(crate) struct RunMount {
    pub(crate) range: TextRange,
    /// Absolute and clean; empty for a secret that is a variable only.
    pub(crate) target: String,
    pub(crate) kind: MountKind,
}

#[derive(Clone, Debug)]
pub(crate) enum MountKind {
    Bind {
        from: From,
        /// Absolute in what `from` says.
        source: String,
        is_read_only: bool,
    },
    Cache {
        id: String,
        sharing: CacheSharing,
        /// What the folder holds when it is new.
        from: Option<From>,
        source: String,
        is_read_only: bool,
        mode: u32,
        uid: u32,
        gid: u32,
    },
    Tmpfs {
        /// Bytes; as large as it gets without it.
        size: Option<u64>,
    },
    Secret {
        id: String,
        /// The variable that gets the value.
        variable: Option<String>,
        is_file: bool,
        is_required: bool,
        mode: u32,
        uid: u32,
        gid: u32,
    },
    Ssh {
        id: String,
        is_required: bool,
        mode: u32,
        uid: u32,
        gid: u32,
    },
}

/// Who else may use a cache at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheSharing {
    Shared,
    Private,
    Locked,
}

/// The options of one mount, with their variables replaced.
#[derive(Default)]
struct Options {
    kind: String,
    from: Option<String>,
    source: Option<String>,
    target: Option<String>,
    id: Option<String>,
    variable: Option<String>,
    sharing: Option<String>,
    is_read_only: Option<bool>,
    is_required: bool,
    size: Option<u64>,
    mode: Option<u32>,
    uid: Option<u32>,
    gid: Option<u32>,
}

impl Evaluator<'_> {
    pub(super) fn mount(&self, written: &WrittenMount) -> Result<RunMount, BuildError> {
        let options = self.mount_options(written)?;
        let fault = |message: &str| self.fault(written.range, message.to_owned());
        let from = || options.from.as_deref().map(|name| self.mount_from(name));
        let source =
            dockerfile_model::clean_path(&format!("/{}", options.source.as_deref().unwrap_or("")));
        let (uid, gid) = (options.uid.unwrap_or(0), options.gid.unwrap_or(0));
        let mut target = options.target.clone();
        let kind = match options.kind.as_str() {
            "bind" => MountKind::Bind {
                from: from().unwrap_or(From::Context),
                source: source.to_string(),
                is_read_only: options.is_read_only.unwrap_or(true),
            },
            "cache" => MountKind::Cache {
                id: match (&options.id, &options.target) {
                    (Some(id), _) => id.clone(),
                    (None, target) => dockerfile_model::clean_path(&format!(
                        "/{}",
                        target.as_deref().unwrap_or("")
                    ))
                    .to_string(),
                },
                sharing: match options.sharing.as_deref() {
                    Some("private") => CacheSharing::Private,
                    Some("locked") => CacheSharing::Locked,
                    _ => CacheSharing::Shared,
                },
                from: from(),
                source: source.to_string(),
                is_read_only: options.is_read_only.unwrap_or(false),
                mode: options.mode.unwrap_or(0o755),
                uid,
                gid,
            },
            "tmpfs" => MountKind::Tmpfs { size: options.size },
            "secret" => Self::secret(&options, &mut target).map_err(|message| fault(&message))?,
            "ssh" => {
                let id = options.id.clone().unwrap_or_else(|| "default".to_owned());
                // BuildKit numbers the sockets; one is all that a RUN has in practice.
                target.get_or_insert_with(|| "/run/buildkit/ssh_agent.0".to_owned());
                MountKind::Ssh {
                    id,
                    is_required: options.is_required,
                    mode: options.mode.unwrap_or(0o600),
                    uid,
                    gid,
                }
            }
            other => {
                let known = ["bind", "cache", "tmpfs", "secret", "ssh"];
                let error = fault(&format!("`{other}` is no type of mount"));
                return Err(match closest_match(other, known) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help("there are bind, cache, tmpfs, secret and ssh"),
                });
            }
        };
        let target = match &target {
            Some(target) => self.absolute(target).trim_end_matches('/').to_owned(),
            None => String::new(),
        };
        let needs_target = !matches!(kind, MountKind::Secret { is_file: false, .. });
        if needs_target && target.is_empty() {
            return Err(fault("the mount has no target").help("add `target=/path`, not `/` itself"));
        }
        Ok(RunMount {
            range: self.place(written.range),
            target,
            kind,
        })
    }

    fn secret(options: &Options, target: &mut Option<String>) -> Result<MountKind, String> {
        let id = match (
            &options.id,
            &options.source,
            &options.target,
            &options.variable,
        ) {
            (Some(id), ..) => id.clone(),
            (None, Some(source), ..) => source.clone(),
            (None, None, Some(target), _) => base_name(target).to_owned(),
            (None, None, None, Some(variable)) => variable.clone(),
            _ => return Err("the secret has neither an id nor a target".to_owned()),
        };
        let is_file = options.variable.is_none() || target.is_some();
        if is_file && target.is_none() {
            *target = Some(format!("/run/secrets/{}", base_name(&id)));
        }
        Ok(MountKind::Secret {
            id,
            variable: options.variable.clone(),
            is_file,
            is_required: options.is_required,
            mode: options.mode.unwrap_or(0o400),
            uid: options.uid.unwrap_or(0),
            gid: options.gid.unwrap_or(0),
        })
    }

    fn mount_options(&self, written: &WrittenMount) -> Result<Options, BuildError> {
        let mut options = Options {
            kind: "bind".to_owned(),
            ..Options::default()
        };
        for option in &written.options {
            let fault = |message: String| self.fault(option.range, message);
            let raw = option.value.as_deref().unwrap_or("");
            let value = match option.key.as_str() {
                "type" => raw.to_ascii_lowercase(),
                _ => self.expand_text(raw, option.range)?,
            };
            if option.key == "from" && value != raw {
                return Err(fault("`from` takes no variables".to_owned())
                    .help("name the image in a stage of its own, `FROM $IMAGE AS name`, and write `from=name`"));
            }
            let number = |radix: u32| {
                u32::from_str_radix(&value, radix)
                    .map_err(|_| fault(format!("`{value}` is no number for `{}`", option.key)))
            };
            let flag = || match (option.value.is_some(), value.as_str()) {
                (false, _) | (_, "true" | "1") => Ok(true),
                (_, "false" | "0") => Ok(false),
                _ => Err(fault(format!(
                    "`{}` takes true or false, not `{value}`",
                    option.key
                ))),
            };
            match option.key.as_str() {
                "type" => options.kind = value,
                "from" => options.from = Some(value),
                "source" | "src" => options.source = Some(value),
                "target" | "dst" | "destination" => options.target = Some(value),
                "id" => options.id = Some(value),
                "env" => options.variable = Some(value),
                "sharing" if matches!(value.as_str(), "shared" | "private" | "locked") => {
                    options.sharing = Some(value);
                }
                "sharing" => {
                    return Err(fault(format!("`{value}` is no way of sharing"))
                        .help("there are shared, private and locked"));
                }
                "readonly" | "ro" => options.is_read_only = Some(flag()?),
                "rw" | "readwrite" => options.is_read_only = Some(!flag()?),
                "required" => options.is_required = flag()?,
                "size" => {
                    options.size =
                        Some(size(&value).ok_or_else(|| fault(format!("`{value}` is no size")))?);
                }
                "mode" => options.mode = Some(number(8)?),
                "uid" => options.uid = Some(number(10)?),
                "gid" => options.gid = Some(number(10)?),
                // CVE-2024-9407: an option that nobody knows is refused, not passed on.
                other => return Err(fault(format!("a mount has no option `{other}`"))),
            }
        }
        Ok(options)
    }
}

fn base_name(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(path)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a size with a fraction is not meant to the byte, and is not negative here"
)]
/// Reads `64m`, `1.5GB`, `4096` (docker/go-units `RAMInBytes`).
fn size(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.find(|character: char| !(character.is_ascii_digit() || character == '.'));
    let (number, unit) = lower.split_at(digits.unwrap_or(lower.len()));
    let factor = match unit.trim() {
        "" | "b" => 1_u64,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return None,
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let value = number.parse::<f64>().ok()? * factor as f64;
    (value.is_finite() && (0.0..9e18).contains(&value)).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("4096", 4096),
            ("64m", 64 << 20),
            ("1.5GB", 3 << 29),
            ("2k", 2048),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "m", "1x", "-1", "99999999999999999999t"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
