//! How much of the machine a command may use.

use std::path::PathBuf;

use clap::Args;
use dockerfile_build::{GroupLimits, Limits, ResourceLimit};

use crate::quantity;

/// How much of the machine a command may use.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArguments {
    /// A limit of each process, such as nofile=1024:2048
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    pub(crate) ulimit: Vec<ResourceLimit>,
    /// The size of /dev/shm [default: 64m]
    #[arg(long, value_name = "SIZE", value_parser = quantity::memory)]
    pub(crate) shm_size: Option<u64>,
    /// The most memory of the command, such as 512m
    #[arg(short, long, value_name = "SIZE", value_parser = quantity::memory)]
    pub(crate) memory: Option<u64>,
    /// How many processors it may keep busy, such as 1.5
    #[arg(long, value_name = "NUMBER", value_parser = quantity::processors)]
    pub(crate) cpus: Option<u64>,
    /// Which processors it may use, such as 0-3,7
    #[arg(long, value_name = "LIST")]
    pub(crate) cpuset_cpus: Option<String>,
    /// How many processes and threads it may have at a time
    #[arg(long, value_name = "COUNT")]
    pub(crate) pids_limit: Option<u64>,
    /// The control group that its own is made in [default: /dfbuild, or what this user is in]
    #[arg(long, value_name = "GROUP")]
    pub(crate) cgroup_parent: Option<PathBuf>,
}

impl LimitArguments {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            resources: self.ulimit.clone(),
            shared_memory: self.shm_size,
            group: GroupLimits {
                memory: self.memory,
                processors: self.cpus,
                processor_set: self.cpuset_cpus.clone(),
                processes: self.pids_limit,
                parent: self.cgroup_parent.clone(),
            },
        }
    }
}
