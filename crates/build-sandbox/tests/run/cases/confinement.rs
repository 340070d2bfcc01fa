//! What a command must not reach.

use std::fs;
use std::path::PathBuf;

use build_sandbox::{Job, Network, SandboxError, Security, Writes, user_namespace};

use super::{Case, executable, has_other_ids, mount, tree};
use crate::place::Place;

pub(super) const CASES: &[Case] = cases![
    working_directory_through_descriptor_is_refused,
    processes_of_the_host_are_hidden,
    command_is_the_first_process,
    process_of_ours_is_out_of_reach,
    capabilities_are_dockers,
    other_user_has_no_capabilities,
    no_descriptor_leaks,
    masked_and_read_only_paths,
    device_nodes_work,
    other_device_nodes_cannot_be_opened,
    mount_is_refused_inside,
    insecure_has_more_capabilities,
    executable_of_ours_cannot_be_written,
    network_none_has_loopback_only,
    isolated_network_has_a_device,
];

/// CVE-2024-21626.
fn working_directory_through_descriptor_is_refused(place: &Place) {
    for number in 0..20 {
        let mut job = place.shell("pwd -P; ls");
        job.working_directory = PathBuf::from(format!("/proc/self/fd/{number}"));
        assert!(place.run(&job).outcome.is_err(), "descriptor {number}");
    }
}

fn processes_of_the_host_are_hidden(place: &Place) {
    let pids = place.output("ls /proc | grep -c '^[0-9]'");
    assert!(pids.trim().parse::<u32>().unwrap() <= 5, "{pids}");
}

/// As in Docker and under runc: scripts that say `kill $$` or look at `/proc/1` find what they find there.
fn command_is_the_first_process(place: &Place) {
    assert_eq!(
        place.output("echo $$; kill -9 $$; echo alive"),
        "1\nalive\n"
    );
}

/// A process of ours is in there only for the sake of an isolated network.
fn process_of_ours_is_out_of_reach(place: &Place) {
    let isolated = |script: &str| {
        let mut job = place.shell(script);
        job.network = Network::Isolated;
        place.run(&job)
    };
    if let Err(error) = isolated("true").outcome {
        crate::say(&format!("skipped: {error}"));
        return;
    }
    for name in ["exe", "root", "cwd", "fd/0", "environ", "mem"] {
        let said = isolated(&format!("head -c 1 /proc/1/{name} > /dev/null"));
        assert_ne!(said.code(), 0, "/proc/1/{name}");
    }
    assert_ne!(isolated("ls /proc/1/root/").code(), 0);
    assert_ne!(isolated("readlink /proc/1/exe").code(), 0);
}

fn capabilities_are_dockers(place: &Place) {
    let job = || place.shell("cat /proc/self/status");
    for field in ["CapEff", "CapPrm", "CapBnd"] {
        assert_eq!(status(place, &job(), field), "00000000a80425fb", "{field}");
    }
    for field in ["CapInh", "CapAmb"] {
        assert_eq!(status(place, &job(), field), "0000000000000000", "{field}");
    }
    assert_eq!(status(place, &job(), "Seccomp"), "2");
    assert_eq!(status(place, &job(), "NoNewPrivs"), "0");
}

fn other_user_has_no_capabilities(place: &Place) {
    if has_other_ids() {
        for (field, value) in [
            ("CapEff", "0000000000000000"),
            ("CapPrm", "0000000000000000"),
            ("Groups", ""),
        ] {
            let mut job = place.shell("cat /proc/self/status");
            (job.user, job.group) = (1000, 1000);
            assert_eq!(status(place, &job, field), value, "{field}");
        }
    }
}

fn no_descriptor_leaks(place: &Place) {
    // Open in this process, and not marked close-on-exec, as a careless program might have it.
    let out = place.output("for d in /proc/self/fd/*; do readlink $d; done | grep -v -e pipe: -e /dev/null -e '^/proc' || true");
    assert_eq!(out, "");
}

fn masked_and_read_only_paths(place: &Place) {
    assert_eq!(place.output("cat /proc/keys /proc/timer_list /proc/kcore 2> /dev/null; ls /proc/scsi /proc/acpi /sys/firmware 2> /dev/null | grep -v : || true").trim(), "");
    for path in [
        "/proc/sys/kernel/hostname",
        "/proc/sysrq-trigger",
        "/proc/irq/x",
        "/sys/kernel/x",
        "/sys/fs/cgroup/x",
    ] {
        assert_ne!(
            place.run(&place.shell(&format!("echo x > {path}"))).code(),
            0,
            "{path}"
        );
    }
}

fn device_nodes_work(place: &Place) {
    let out = place.output(
        "echo x > /dev/null; head -c 2 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; test -c /dev/tty; test -e /dev/ptmx; test -d /dev/pts; ls /dev/fd/ > /dev/null; stat -c %a /dev/shm; echo y > /dev/shm/y; ls /dev/mqueue",
    );
    assert_eq!(out, "2\n3\n1777\n");
}

fn other_device_nodes_cannot_be_opened(place: &Place) {
    if user_namespace::id_map() != user_namespace::IdMap::Host {
        return;
    }
    // The null device stands in for a disk of the host.
    let node = place.lower.join("node");
    let status = std::process::Command::new("mknod")
        .arg(&node)
        .args(["c", "1", "3"])
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    let mut job = place.shell(
        "mknod /made c 1 3; mknod /dev/made c 1 3; mknod /m/made c 1 3; for n in /node /made /dev/made /m/made; do test -c $n || echo missing $n; ( : < $n ) 2> /dev/null && echo open $n; done; true",
    );
    let source = place.make("source");
    job.mounts.push(mount("/m", tree(&source, Writes::Kept)));
    assert_eq!(place.output_of(&job), "");
}

fn mount_is_refused_inside(place: &Place) {
    assert_ne!(place.run(&place.shell("mount -t tmpfs x /tmp")).code(), 0);
}

fn insecure_has_more_capabilities(place: &Place) {
    let job = || {
        let mut job = place.shell("mount -t tmpfs x /tmp && cat /proc/self/status");
        job.security = Security::Insecure;
        job
    };
    assert_ne!(status(place, &job(), "CapEff"), "00000000a80425fb");
    assert_eq!(status(place, &job(), "Seccomp"), "0");
}

/// CVE-2019-5736.
fn executable_of_ours_cannot_be_written(place: &Place) {
    let before = fs::metadata("/proc/self/exe").unwrap().len();
    // The script is run by our executable, whatever that makes of it.
    executable(place, b"#!/proc/self/exe build-sandbox-helper\n");
    let _ = place.run(&place.job(&["/program"]));
    assert_eq!(fs::metadata("/proc/self/exe").unwrap().len(), before);
}

fn network_none_has_loopback_only(place: &Place) {
    let mut job = place.shell("ls /sys/class/net; ifconfig lo | grep -c UP");
    job.network = Network::None;
    assert_eq!(place.output_of(&job), "lo\n1\n");
}

fn isolated_network_has_a_device(place: &Place) {
    let mut job = place.shell("ls /sys/class/net; cat /etc/resolv.conf");
    job.network = Network::Isolated;
    let said = place.run(&job);
    match &said.outcome {
        Ok(_) => assert!(
            said.out.lines().filter(|line| *line != "lo").count() > 0,
            "{}",
            said.out
        ),
        Err(SandboxError::NetworkProgramMissing) => {}
        Err(SandboxError::NetworkProgramFailed { program, reason }) => {
            crate::say(&format!("skipped: {program} does not work here: {reason}"));
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn status(place: &Place, job: &Job, field: &str) -> String {
    let text = place.output_of(job);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    line.trim_start_matches(':').trim().to_owned()
}
