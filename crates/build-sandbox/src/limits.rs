//! How much of the machine a command may use.

use std::path::PathBuf;
use std::str::FromStr;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::SandboxError;

/// How much of the machine a command and all that it starts may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Those of setrlimit(2), for each process; later ones win.
    pub resources: Vec<ResourceLimit>,
    /// Bytes of /dev/shm; without it 64 MiB, as Docker has it.
    pub shared_memory: Option<u64>,
    /// Those of the whole command, which only a control group can keep.
    pub group: GroupLimits,
}

/// Limits that need a control group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLimits {
    /// In bytes.
    pub memory: Option<u64>,
    /// Thousandths of a processor.
    pub processors: Option<u64>,
    /// The processors that may be used, as `0-3,7`.
    pub processor_set: Option<String>,
    /// How many processes and threads there may be.
    pub processes: Option<u64>,
    /// The group that the command's own is made in, from the root of the control groups.
    pub parent: Option<PathBuf>,
}

impl GroupLimits {
    /// Returns whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == GroupLimits::default()
    }
}

/// One limit of setrlimit(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLimit {
    index: usize,
    /// `None` is no limit.
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}

/// The names that Docker knows (`docker/go-units`, `ulimit.go`), and what the kernel calls them.
const KINDS: [(&str, Resource); 15] = [
    ("core", Resource::RLIMIT_CORE),
    ("cpu", Resource::RLIMIT_CPU),
    ("data", Resource::RLIMIT_DATA),
    ("fsize", Resource::RLIMIT_FSIZE),
    ("locks", Resource::RLIMIT_LOCKS),
    ("memlock", Resource::RLIMIT_MEMLOCK),
    ("msgqueue", Resource::RLIMIT_MSGQUEUE),
    ("nice", Resource::RLIMIT_NICE),
    ("nofile", Resource::RLIMIT_NOFILE),
    ("nproc", Resource::RLIMIT_NPROC),
    ("rss", Resource::RLIMIT_RSS),
    ("rtprio", Resource::RLIMIT_RTPRIO),
    ("rttime", Resource::RLIMIT_RTTIME),
    ("sigpending", Resource::RLIMIT_SIGPENDING),
    ("stack", Resource::RLIMIT_STACK),
];

impl ResourceLimit {
    /// Returns the name that Docker has for it.
    pub fn name(self) -> &'static str {
        KINDS.get(self.index).map_or("?", |(name, _)| name)
    }

    /// Sets it for this process.
    pub(crate) fn apply(self) -> Result<(), SandboxError> {
        let Some((name, kind)) = KINDS.get(self.index) else {
            return Ok(());
        };
        let [soft, hard] = [self.soft, self.hard].map(|limit| limit.unwrap_or(RLIM_INFINITY));
        setrlimit(*kind, soft, hard).map_err(|errno| {
            let most = getrlimit(*kind).map_or(RLIM_INFINITY, |(_, hard)| hard);
            let reason = if errno == nix::errno::Errno::EPERM && hard > most {
                format!("this process may give at most {}", shown(most))
            } else {
                errno.desc().to_owned()
            };
            SandboxError::LimitRefused {
                limit: format!("{name}={}:{}", shown(soft), shown(hard)),
                reason,
            }
        })
    }
}

fn shown(limit: u64) -> String {
    if limit == RLIM_INFINITY {
        "-1".to_owned()
    } else {
        limit.to_string()
    }
}

/// `NAME=SOFT[:HARD]`; -1 is no limit, and without a hard limit the soft one is both.
impl FromStr for ResourceLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<ResourceLimit, String> {
        let fault = || format!("`{text}` is not of the form NAME=SOFT[:HARD]");
        let (name, values) = text.split_once('=').ok_or_else(fault)?;
        let index = KINDS.iter().position(|(known, _)| *known == name);
        let index = index.ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
            format!("`{name}` is no limit; there are {}", names.join(", "))
        })?;
        let number = |text: &str| match text {
            "-1" | "unlimited" => Ok(None),
            text => text.parse::<u64>().map(Some).map_err(|_| fault()),
        };
        let (soft, hard) = match values.split_once(':') {
            Some((soft, hard)) => (number(soft)?, number(hard)?),
            None => (number(values)?, number(values)?),
        };
        let is_above = match (soft, hard) {
            (Some(soft), Some(hard)) => soft > hard,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if is_above {
            return Err(format!("the soft limit of `{text}` is above the hard one"));
        }
        Ok(ResourceLimit { index, soft, hard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_docker_reads_them() {
        let read = |text: &str| {
            let limit: ResourceLimit = text.parse().unwrap();
            (limit.name(), limit.soft, limit.hard)
        };
        assert_eq!(read("nofile=1024:2048"), ("nofile", Some(1024), Some(2048)));
        assert_eq!(read("core=0"), ("core", Some(0), Some(0)));
        assert_eq!(read("stack=1:-1"), ("stack", Some(1), None));
        assert_eq!(read("memlock=-1"), ("memlock", None, None));
    }

    #[test]
    fn nonsense_is_told() {
        for text in [
            "nofile",
            "nofile=",
            "nofile=x",
            "nofile=2:1",
            "nofile=-1:5",
            "files=1",
            "nofile=1:2:3",
            "nofile=-2",
            "=1",
        ] {
            assert!(text.parse::<ResourceLimit>().is_err(), "{text}");
        }
    }
}
