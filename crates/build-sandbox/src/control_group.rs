//! A control group for one command, of the first or the second version, as the machine has it.
//!
//! The caller makes and removes the group, the first process of the sandbox joins it: what comes out of it is in it.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::user_namespace::{IdMap, id_map};
use crate::{GroupLimits, SandboxError};

/// Where root's groups go by themselves; Docker has `/docker`.
const OWN_PARENT: &str = "dfbuild";
/// A group goes when its last process is gone for good, which is a moment after its end.
const MOST_WAITS: u32 = 50;
/// The time slice that a share of processors is counted in, in microseconds: the kernel's own.
const PERIOD: u64 = 100_000;

/// How many groups this process has made.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The folders of a group: one, or with the first version one a controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Membership {
    folders: Vec<PathBuf>,
}

impl Membership {
    /// Puts this process in.
    pub(crate) fn join(&self) -> io::Result<()> {
        for folder in &self.folders {
            fs::write(folder.join("cgroup.procs"), "0")?;
        }
        Ok(())
    }
}

/// A group, which goes with this value.
#[derive(Debug)]
pub(crate) struct ControlGroup {
    membership: Membership,
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        for folder in &self.membership.folders {
            for _ in 0..MOST_WAITS {
                match fs::remove_dir(folder) {
                    Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                        sleep(Duration::from_millis(5));
                    }
                    _ => break,
                }
            }
        }
    }
}

impl ControlGroup {
    /// Makes a group with limits, on this machine.
    pub(crate) fn new(limits: &GroupLimits) -> Result<ControlGroup, SandboxError> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let hierarchy = Hierarchy::of(&mounts);
        let is_root = id_map() == IdMap::Host;
        let parent = match &limits.parent {
            Some(parent) => below_root(parent)?,
            None if is_root => PathBuf::from(OWN_PARENT),
            None => own_group(&own),
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("dfbuild-{}-{number}", std::process::id());
        hierarchy.make(limits, &parent, &name)
    }

    pub(crate) fn membership(&self) -> Membership {
        self.membership.clone()
    }

    /// Returns whether a process was killed for want of memory.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        let counts = |file: &Path| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let mut lines = text.lines();
            lines.any(|line| {
                line.strip_prefix("oom_kill ")
                    .is_some_and(|count| count != "0")
            })
        };
        let mut folders = self.membership.folders.iter();
        folders.any(|folder| {
            counts(&folder.join("memory.events")) || counts(&folder.join("memory.oom_control"))
        })
    }
}

/// Returns the group that this process is in, of the second version: a user may make groups below where systemd delegates them.
fn own_group(own: &str) -> PathBuf {
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"));
    PathBuf::from(own.unwrap_or_default())
}

/// Returns the path of a group below the root, which `..` would lead out of.
fn below_root(path: &Path) -> Result<PathBuf, SandboxError> {
    let mut below = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => below.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(refused(path, "`..` leads out of the control groups"));
            }
        }
    }
    Ok(below)
}

fn refused(group: &Path, reason: impl Into<String>) -> SandboxError {
    SandboxError::ControlGroupRefused {
        group: group.to_owned(),
        reason: reason.into(),
    }
}

/// Where control groups are.
#[derive(Debug, PartialEq, Eq)]
enum Hierarchy {
    /// The second version: one tree.
    Unified(PathBuf),
    /// The first one: a tree a controller, by name.
    Separate(Vec<(String, PathBuf)>),
}

/// A limit in the words of a version of control groups.
struct Setting {
    controller: &'static str,
    file: &'static str,
    value: String,
    /// The kernel may be built without it.
    is_optional: bool,
}

fn setting(controller: &'static str, file: &'static str, value: impl ToString) -> Setting {
    Setting {
        controller,
        file,
        value: value.to_string(),
        is_optional: false,
    }
}

/// Returns what to write where. As in Docker, swap may take as much again as memory.
fn settings(limits: &GroupLimits, is_unified: bool) -> Vec<Setting> {
    let mut all = Vec::new();
    if let Some(memory) = limits.memory {
        let (limit, swap) = if is_unified {
            let swap = setting("memory", "memory.swap.max", memory);
            (setting("memory", "memory.max", memory), swap)
        } else {
            let both = memory.saturating_mul(2);
            let swap = setting("memory", "memory.memsw.limit_in_bytes", both);
            (setting("memory", "memory.limit_in_bytes", memory), swap)
        };
        all.push(limit);
        all.push(Setting {
            is_optional: true,
            ..swap
        });
    }
    if let Some(thousandths) = limits.processors {
        let quota = thousandths.saturating_mul(PERIOD / 1000);
        if is_unified {
            all.push(setting("cpu", "cpu.max", format!("{quota} {PERIOD}")));
        } else {
            all.push(setting("cpu", "cpu.cfs_period_us", PERIOD));
            all.push(setting("cpu", "cpu.cfs_quota_us", quota));
        }
    }
    if let Some(set) = &limits.processor_set {
        all.push(setting("cpuset", "cpuset.cpus", set));
    }
    if let Some(processes) = limits.processes {
        all.push(setting("pids", "pids.max", processes));
    }
    all
}

impl Hierarchy {
    /// Reads it from the table of mounts.
    fn of(mounts: &str) -> Hierarchy {
        let mut separate = Vec::new();
        let mut unified = None;
        for line in mounts.lines() {
            let mut fields = line.split(' ').skip(1);
            let (Some(place), Some(kind), Some(options)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            match kind {
                "cgroup2" => unified = Some(PathBuf::from(place)),
                "cgroup" => separate.extend(
                    options
                        .split(',')
                        .filter(|option| ["memory", "cpu", "cpuset", "pids"].contains(option))
                        .map(|option| (option.to_owned(), PathBuf::from(place))),
                ),
                _ => {}
            }
        }
        match unified {
            Some(place) if separate.is_empty() => Hierarchy::Unified(place),
            _ => Hierarchy::Separate(separate),
        }
    }

    fn root_of(&self, controller: &str) -> Option<&Path> {
        match self {
            Hierarchy::Unified(place) => Some(place),
            Hierarchy::Separate(all) => all
                .iter()
                .find(|(name, _)| name == controller)
                .map(|(_, place)| place.as_path()),
        }
    }

    fn make(
        &self,
        limits: &GroupLimits,
        parent: &Path,
        name: &str,
    ) -> Result<ControlGroup, SandboxError> {
        let is_unified = matches!(self, Hierarchy::Unified(_));
        let mut group = ControlGroup {
            membership: Membership::default(),
        };
        let all = settings(limits, is_unified);
        let only_parent = if all.is_empty() { "pids" } else { "" };
        let controllers: Vec<&str> = all.iter().map(|setting| setting.controller).collect();
        for controller in controllers.iter().copied().chain([only_parent]) {
            if controller.is_empty() {
                continue;
            }
            let Some(root) = self.root_of(controller) else {
                let reason = format!("this machine has no controller `{controller}`");
                return Err(refused(parent, reason));
            };
            let folder = root.join(parent).join(name);
            if !group.membership.folders.contains(&folder) {
                if is_unified {
                    enable(root, parent, &controllers)?;
                }
                make_folders(root, parent, name, controller).map_err(|error| {
                    refused(
                        parent,
                        format!("cannot make a group in it: {}", explained(&error)),
                    )
                })?;
                group.membership.folders.push(folder);
            }
        }
        for setting in &all {
            let Some(root) = self.root_of(setting.controller) else {
                continue;
            };
            let file = root.join(parent).join(name).join(setting.file);
            match fs::write(&file, &setting.value) {
                Err(_) if setting.is_optional => {}
                Err(error) => {
                    return Err(SandboxError::LimitRefused {
                        limit: format!("{}={}", setting.file, setting.value),
                        reason: explained(&error),
                    });
                }
                Ok(()) => {}
            }
        }
        Ok(group)
    }
}

/// Makes the group and the parents that are missing; a new group of processors has none before it is given some.
fn make_folders(root: &Path, parent: &Path, name: &str, controller: &str) -> io::Result<()> {
    let mut at = root.to_owned();
    for part in parent.join(name).components() {
        let above = at.clone();
        at.push(part);
        match fs::create_dir(&at) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        if controller == "cpuset" {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let own = fs::read_to_string(at.join(file)).unwrap_or_default();
                let inherited = fs::read_to_string(above.join(file)).unwrap_or_default();
                // The second version inherits by itself and refuses nothing here.
                if own.trim().is_empty() && !inherited.trim().is_empty() {
                    fs::write(at.join(file), inherited.trim())?;
                }
            }
        }
    }
    Ok(())
}

/// Hands controllers down from the root to the children of `parent`: the second version does it step by step.
fn enable(root: &Path, parent: &Path, controllers: &[&str]) -> Result<(), SandboxError> {
    let mut at = root.to_owned();
    let mut steps = vec![at.clone()];
    for part in parent.components() {
        at.push(part);
        steps.push(at.clone());
    }
    for folder in steps {
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(refused(
                    parent,
                    format!("cannot make it: {}", explained(&error)),
                ));
            }
            _ => {}
        }
        let file = folder.join("cgroup.subtree_control");
        let given = fs::read_to_string(&file).unwrap_or_default();
        for controller in controllers {
            if given.split_whitespace().any(|known| known == *controller) {
                continue;
            }
            fs::write(&file, format!("+{controller}")).map_err(|error| {
                let reason = match error.raw_os_error() {
                    // The rule of "no internal processes" (cgroup-v2.rst).
                    Some(libc::EBUSY) => {
                        "it has processes of its own, so its groups get no limits".to_owned()
                    }
                    Some(libc::ENOENT) => format!("it is not given the controller `{controller}`"),
                    _ => explained(&error),
                };
                refused(parent, reason)
            })?;
        }
    }
    Ok(())
}

fn explained(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EACCES | libc::EPERM | libc::EROFS) => {
            "this user may not change control groups there".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n\
        cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n\
        cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";

    #[test]
    fn where_both_versions_are_the_first_one_has_the_controllers() {
        let hierarchy = Hierarchy::of(HYBRID);
        assert_eq!(
            hierarchy.root_of("memory"),
            Some(Path::new("/sys/fs/cgroup/memory"))
        );
        assert_eq!(hierarchy.root_of("pids"), None);
        assert_eq!(
            Hierarchy::of("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"),
            Hierarchy::Unified(PathBuf::from("/sys/fs/cgroup"))
        );
    }

    /// A plain folder takes what a unified hierarchy would.
    #[test]
    fn unified_group_has_its_limits_and_its_parents_hand_the_controllers_down() {
        let root = tempfile::tempdir().unwrap();
        let limits = GroupLimits {
            memory: Some(1 << 20),
            processors: Some(1500),
            processes: Some(7),
            ..GroupLimits::default()
        };
        let hierarchy = Hierarchy::Unified(root.path().to_owned());
        let group = hierarchy
            .make(&limits, Path::new("a/b"), "one")
            .expect("a group");
        let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
        assert_eq!(read("a/b/one/memory.max"), "1048576");
        assert_eq!(read("a/b/one/cpu.max"), "150000 100000");
        assert_eq!(read("a/b/one/pids.max"), "7");
        assert!(read("a/b/cgroup.subtree_control").starts_with('+'));
        group.membership().join().unwrap();
        assert_eq!(read("a/b/one/cgroup.procs"), "0");
        fs::write(
            root.path().join("a/b/one/memory.events"),
            "oom 1\noom_kill 1\n",
        )
        .unwrap();
        assert!(group.ran_out_of_memory());
    }

    #[test]
    fn missing_controller_is_told() {
        let limits = GroupLimits {
            processes: Some(7),
            ..GroupLimits::default()
        };
        let error = Hierarchy::of(HYBRID)
            .make(&limits, Path::new("a"), "one")
            .unwrap_err();
        assert!(
            error.to_string().contains("no controller `pids`"),
            "{error}"
        );
    }

    #[test]
    fn parent_stays_below_the_root() {
        assert_eq!(
            below_root(Path::new("/a/./b")).unwrap(),
            PathBuf::from("a/b")
        );
        assert!(below_root(Path::new("a/../../etc")).is_err());
    }
}
