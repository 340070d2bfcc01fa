//! How much of the machine a command may use.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use build_sandbox::{Connection, GroupLimits, Job, SandboxError, user_namespace};

use super::Case;
use crate::place::Place;

pub(super) const CASES: &[Case] = cases![
    resource_limits_are_set,
    resource_limit_above_ours_is_told,
    shared_memory_has_its_size,
    fork_bomb_stays_in_its_group,
    command_out_of_memory_is_told,
    share_of_processors_is_written,
    group_goes_with_the_command,
    command_sees_its_group_as_the_root,
    group_of_another_user_is_refused,
    input_is_read,
];

fn resource_limits_are_set(place: &Place) {
    let mut job = place.shell("ulimit -n; ulimit -Hn; ulimit -c");
    job.limits.resources = vec!["nofile=100:200".parse().unwrap(), "core=0".parse().unwrap()];
    assert_eq!(place.output_of(&job), "100\n200\n0\n");
}

fn resource_limit_above_ours_is_told(place: &Place) {
    if user_namespace::id_map() == user_namespace::IdMap::Host {
        return;
    }
    let mut job = place.shell("true");
    job.limits.resources = vec!["nofile=2000000000".parse().unwrap()];
    match place.run(&job).error() {
        SandboxError::LimitRefused { limit, reason } => {
            assert_eq!(limit, "nofile=2000000000:2000000000");
            assert!(reason.contains("at most"), "{reason}");
        }
        error => panic!("{error:?}"),
    }
}

fn shared_memory_has_its_size(place: &Place) {
    let script = "df -k /dev/shm | tail -1 | awk '{print $2}'";
    assert_eq!(place.output(script).trim(), "65536");
    let mut job = place.shell(script);
    job.limits.shared_memory = Some(128 << 20);
    assert_eq!(place.output_of(&job).trim(), "131072");
}

fn fork_bomb_stays_in_its_group(place: &Place) {
    let mut job = place.shell("f() { f | f & }; f; sleep 1; echo survived");
    job.limits.group.processes = Some(40);
    if !may_make_groups(place, &job) {
        return;
    }
    // The machine has to stay usable meanwhile.
    let start = Instant::now();
    let said = place.run(&job);
    assert!(said.outcome.is_ok(), "{:?}", said.outcome);
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(place.output("echo next"), "next\n");
}

fn command_out_of_memory_is_told(place: &Place) {
    let mut job = place.shell("head -c 200000000 /dev/zero | tail -c 200000000 | wc -c");
    job.limits.group.memory = Some(32 << 20);
    if !may_make_groups(place, &job) {
        return;
    }
    let outcome = place.run(&job).outcome.expect("it ran");
    assert!(outcome.ran_out_of_memory);
    let limits = job.limits;
    job = place.shell("true");
    job.limits = limits;
    assert!(!place.run(&job).outcome.expect("it ran").ran_out_of_memory);
}

fn share_of_processors_is_written(place: &Place) {
    let mut job = place.shell("sleep 0.2");
    job.limits.group.processors = Some(500);
    job.limits.group.processor_set = Some("0".to_owned());
    if !may_make_groups(place, &job) {
        return;
    }
    let mut seen = String::new();
    let seen_by = std::cell::RefCell::new(&mut seen);
    let said = place.run_until(&job, &|| {
        for folder in ["cpu/dfbuild", "dfbuild"] {
            for group in groups_of_ours(folder) {
                let quota = fs::read_to_string(group.join("cpu.cfs_quota_us"));
                let quota = quota.or_else(|_| fs::read_to_string(group.join("cpu.max")));
                seen_by.borrow_mut().push_str(&quota.unwrap_or_default());
            }
        }
        false
    });
    assert_eq!(said.code(), 0);
    assert!(seen.starts_with("50000"), "{seen}");
}

fn group_goes_with_the_command(place: &Place) {
    let mut job = place.shell("setsid sleep 98770 & true");
    job.limits.group.processes = Some(40);
    if !may_make_groups(place, &job) {
        return;
    }
    place.output_of(&job);
    let left = groups_of_ours("pids/dfbuild").len() + groups_of_ours("dfbuild").len();
    assert_eq!(left, 0);
}

fn command_sees_its_group_as_the_root(place: &Place) {
    let mut job = place.shell("grep -E '^0:|pids' /proc/self/cgroup | grep -v ':/$' | wc -l");
    job.limits.group.processes = Some(40);
    if may_make_groups(place, &job) {
        assert_eq!(place.output_of(&job), "0\n");
    }
}

/// The kernel's refusal becomes a word about groups, and the command does not run without its limit.
fn group_of_another_user_is_refused(place: &Place) {
    if user_namespace::id_map() == user_namespace::IdMap::Host {
        return;
    }
    let mut job = place.shell("echo ran");
    job.limits.group = GroupLimits {
        processes: Some(40),
        parent: Some("dfbuild-of-another-user".into()),
        ..GroupLimits::default()
    };
    let said = place.run(&job);
    assert_eq!(said.out, "");
    let error = said.error();
    assert!(
        matches!(error, SandboxError::ControlGroupRefused { .. }),
        "{error:?}"
    );
    assert!(error.help().is_some());
}

fn input_is_read(place: &Place) {
    let (read, write) = nix::unistd::pipe().expect("a pipe");
    fs::File::from(write)
        .write_all(b"from outside")
        .expect("room");
    let mut out = Vec::new();
    let outcome = place.sandbox.run_connected(
        &place.shell("cat; echo; cat < /dev/null"),
        Connection::Input(read),
        &mut |_, bytes| out.extend_from_slice(bytes),
        &|| false,
    );
    assert!(outcome.is_ok_and(|outcome| outcome.ending.is_success()));
    assert_eq!(String::from_utf8_lossy(&out), "from outside\n");
}

/// Root may, and a user to whom a group is delegated; all others are told, and the rest cannot be asked.
fn may_make_groups(place: &Place, job: &Job) -> bool {
    let mut probe = place.shell("true");
    probe.limits = job.limits.clone();
    match place.run(&probe).outcome {
        Ok(_) => {
            place.job(&[]);
            true
        }
        Err(SandboxError::ControlGroupRefused { reason, .. }) => {
            crate::say(&format!("skipped: no control groups: {reason}"));
            false
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn groups_of_ours(parent: &str) -> Vec<std::path::PathBuf> {
    let own = format!("dfbuild-{}-", std::process::id());
    let entries = fs::read_dir(format!("/sys/fs/cgroup/{parent}"));
    let entries = entries.into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&own))
        .map(|entry| entry.path())
        .collect()
}
