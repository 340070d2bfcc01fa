//! The configuration of a bundle, as the OCI runtime specification has it (`config.md`, `config-linux.md`).

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::child::{
    MASKED_IN_PROC, MASKED_IN_SYS, READ_ONLY_IN_PROC, SHARED_MEMORY, refused_calls,
};
use crate::user_namespace::{IdMap, id_map};
use crate::{GroupLimits, Job, Network};

/// What the stage has put in place.
pub(super) struct Prepared {
    pub(super) bundle: PathBuf,
    pub(super) root: PathBuf,
    /// Sources below the bundle, and where each belongs.
    pub(super) binds: Vec<(PathBuf, PathBuf)>,
}

const CAPABILITIES: &[&str] = &[
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SYS_CHROOT",
    "CAP_MKNOD",
    "CAP_AUDIT_WRITE",
    "CAP_SETFCAP",
];

/// Returns the text of `config.json`.
pub(super) fn specification(job: &Job, prepared: &Prepared) -> Value {
    json!({
        "ociVersion": "1.0.2",
        "process": process(job),
        "root": { "path": prepared.root },
        "hostname": job.hostname,
        "mounts": mounts(job, prepared),
        "linux": linux(job, prepared),
    })
}

fn process(job: &Job) -> Value {
    let environment: Vec<String> = job
        .environment
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let limits: Vec<Value> = job
        .limits
        .resources
        .iter()
        .map(|limit| {
            let kind = format!("RLIMIT_{}", limit.name().to_ascii_uppercase());
            let number = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
            json!({ "type": kind, "soft": number(limit.soft), "hard": number(limit.hard) })
        })
        .collect();
    // Only root has effective ones; the inheritable set stays empty (CVE-2022-24769).
    let effective: &[&str] = if job.user == 0 { CAPABILITIES } else { &[] };
    json!({
        "terminal": false,
        "user": { "uid": job.user, "gid": job.group, "additionalGids": job.supplementary_groups },
        "args": job.arguments,
        "env": environment,
        "cwd": job.working_directory,
        "capabilities": {
            "bounding": CAPABILITIES,
            "effective": effective,
            "permitted": effective,
            "inheritable": [],
            "ambient": [],
        },
        "noNewPrivileges": false,
        "rlimits": limits,
    })
}

fn mounts(job: &Job, prepared: &Prepared) -> Vec<Value> {
    let mount = |target: &str, kind: &str, options: &[&str]| json!({ "destination": target, "type": kind, "source": kind, "options": options });
    let mut terminals = vec![
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
    ];
    if id_map() != IdMap::OneId {
        terminals.push("gid=5");
    }
    let shared = job.limits.shared_memory.unwrap_or(SHARED_MEMORY);
    let shared = format!("size={shared}");
    let mut all = vec![
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount(
            "/dev",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        ),
        mount("/dev/pts", "devpts", &terminals),
        mount(
            "/dev/shm",
            "tmpfs",
            &["nosuid", "noexec", "nodev", "mode=1777", &shared],
        ),
        mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ];
    // The file system belongs to the network namespace: rootless with the host's network, only the host's own is allowed.
    if id_map() == IdMap::Host || job.network != Network::Host {
        all.push(mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]));
    } else {
        all.push(json!({
            "destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "nosuid", "noexec", "nodev", "ro"],
        }));
    }
    all.extend(prepared.binds.iter().map(|(source, target)| {
        // Whether it may be written is a property of the source's mount, which a bind keeps.
        json!({ "destination": target, "type": "none", "source": source, "options": ["rbind"] })
    }));
    all
}

fn linux(job: &Job, prepared: &Prepared) -> Value {
    let mut namespaces = vec!["pid", "ipc", "uts", "mount"];
    if job.network == Network::None {
        namespaces.push("network");
    }
    let namespaces: Vec<Value> = namespaces
        .iter()
        .map(|kind| json!({ "type": kind }))
        .collect();
    let below = |root: &str, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!("{root}/{name}")).collect()
    };
    let masked = [below("/proc", MASKED_IN_PROC), below("/sys", MASKED_IN_SYS)].concat();
    let mut linux = json!({
        "namespaces": namespaces,
        "maskedPaths": masked,
        "readonlyPaths": below("/proc", READ_ONLY_IN_PROC),
        "seccomp": {
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": architectures(),
            "syscalls": [
                { "names": refused_calls().collect::<Vec<_>>(), "action": "SCMP_ACT_ERRNO", "errnoRet": libc::EPERM },
                { "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": libc::ENOSYS },
            ],
        },
    });
    let group = &job.limits.group;
    if let (Some(linux), false) = (linux.as_object_mut(), group.is_empty()) {
        linux.insert("resources".to_owned(), resources(group));
        let parent = group.parent.clone().unwrap_or_else(|| "dfbuild".into());
        let name = prepared.bundle.file_name().unwrap_or_default();
        let path = PathBuf::from("/").join(parent).join(name);
        linux.insert("cgroupsPath".to_owned(), json!(path));
    }
    linux
}

fn resources(group: &GroupLimits) -> Value {
    const PERIOD: u64 = 100_000;
    let mut resources = json!({});
    if let Some(memory) = group.memory {
        resources["memory"] = json!({ "limit": memory, "swap": memory.saturating_mul(2) });
    }
    if let Some(thousandths) = group.processors {
        let quota = thousandths.saturating_mul(PERIOD / 1000);
        resources["cpu"] = json!({ "quota": quota, "period": PERIOD });
    }
    if let Some(set) = &group.processor_set {
        resources["cpu"]["cpus"] = json!(set);
    }
    if let Some(processes) = group.processes {
        resources["pids"] = json!({ "limit": processes });
    }
    resources
}

fn architectures() -> &'static [&'static str] {
    if cfg!(target_arch = "aarch64") {
        &["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    } else {
        &["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Root;

    #[test]
    fn other_user_gets_no_effective_capabilities() {
        let mut job = Job::new(
            Root::Directory(PathBuf::from("/r")),
            vec![String::from("true")],
        );
        job.user = 7;
        assert_eq!(process(&job)["capabilities"]["effective"], json!([]));
    }
}
