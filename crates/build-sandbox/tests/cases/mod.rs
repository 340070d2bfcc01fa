//! One case a property.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;

type Case = fn(&Sandbox, &Bench);

pub(super) const ALL: &[(&str, Case)] = &[
    ("exit_code_and_output_come_back", exit_code_and_output),
    ("a_signal_comes_back", a_signal),
    ("environment_is_what_the_job_says", environment),
    ("a_trivial_command_leaves_nothing", leaves_nothing),
    ("what_is_written_lands_in_the_upper_folder", writes),
    ("removed_files_become_whiteouts", whiteouts),
    ("processes_of_the_host_are_hidden", processes),
    ("capabilities_are_dockers", capabilities),
    ("another_user_has_no_capabilities", another_user),
    ("forbidden_calls_are_refused", forbidden_calls),
    ("device_nodes_of_a_build_do_not_work", device_nodes),
    ("host_name_and_hosts", host_name),
    ("no_network_but_loopback", no_network),
    ("mounts_are_there_and_leave_nothing", mounts),
    ("a_read_only_mount_cannot_be_written", read_only),
    ("a_writable_bind_keeps_nothing", writable_bind),
    ("secrets_are_files_in_memory", secrets),
    ("missing_programs_are_named", missing_program),
    ("a_missing_folder_is_named", missing_folder),
    (
        "cve_2024_21626_folder_of_a_leaked_descriptor",
        leaked_folder,
    ),
    ("no_descriptor_leaks", descriptors),
    ("cve_2019_16884_proc_as_a_link", proc_as_link),
    (
        "cve_2021_30465_target_behind_a_link_stays_inside",
        link_target,
    ),
    ("three_hundred_layers", many_layers),
    ("cancel_takes_all_processes_along", cancel),
    ("processes_that_stay_behind_are_ended", left_behind),
    ("several_at_a_time", several),
    ("large_output_is_complete", large_output),
];

fn exit_code_and_output(sandbox: &Sandbox, bench: &Bench) {
    let (ending, text) = run(sandbox, &bench.shell("echo out; echo err >&2; exit 7"));
    assert_eq!(ending.expect("it ran"), Ending::Exited(7));
    assert!(text.contains("out\n") && text.contains("err\n"), "{text}");
}

fn a_signal(sandbox: &Sandbox, bench: &Bench) {
    let (ending, _) = run(sandbox, &bench.shell("sh -c 'kill -9 $$'; exit $?"));
    assert_eq!(ending.expect("it ran"), Ending::Exited(137));
}

fn environment(sandbox: &Sandbox, bench: &Bench) {
    let mut job = bench.job(&["env"]);
    job.environment.push(("A".to_owned(), "1 2".to_owned()));
    assert_eq!(output(sandbox, &job), "PATH=/bin\nA=1 2\n");
}

fn leaves_nothing(sandbox: &Sandbox, bench: &Bench) {
    let job = bench.shell("ls -l /dev /proc /sys /etc/hosts > /dev/null; true");
    output(sandbox, &job);
    let left: Vec<_> = fs::read_dir(upper(&job))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn writes(sandbox: &Sandbox, bench: &Bench) {
    let job = bench.shell("umask; echo x > /tmp/new");
    assert_eq!(output(sandbox, &job), "0022\n");
    assert_eq!(
        fs::read_to_string(upper(&job).join("tmp/new")).expect("the file"),
        "x\n"
    );
}

fn whiteouts(sandbox: &Sandbox, bench: &Bench) {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let job = bench.shell("rm /bin/env");
    output(sandbox, &job);
    let whiteout = fs::symlink_metadata(upper(&job).join("bin/env")).expect("a whiteout");
    assert!(whiteout.file_type().is_char_device());
    assert_eq!(whiteout.rdev(), 0);
}

fn processes(sandbox: &Sandbox, bench: &Bench) {
    assert_eq!(
        output(sandbox, &bench.shell("echo $$; ls -d /proc/[0-9]* | wc -l")),
        "1\n3\n"
    );
}

fn capabilities(sandbox: &Sandbox, bench: &Bench) {
    let text = output(
        sandbox,
        &bench.shell("grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status"),
    );
    for line in [
        "CapInh:\t0000000000000000",
        "CapEff:\t00000000a80425fb",
        "CapBnd:\t00000000a80425fb",
        "CapAmb:\t0000000000000000",
        "Seccomp:\t2",
        "NoNewPrivs:\t0",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

fn another_user(sandbox: &Sandbox, bench: &Bench) {
    let mut job = bench.shell("id -u; id -G; grep -E '^Cap(Eff|Prm)' /proc/self/status");
    (job.uid, job.gid, job.groups) = (1234, 2345, vec![700]);
    assert_eq!(
        output(sandbox, &job),
        "1234\n2345 700\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
    );
}

fn forbidden_calls(sandbox: &Sandbox, bench: &Bench) {
    for script in [
        "mount -t tmpfs x /tmp",
        "unshare -m true",
        "unshare -U true",
    ] {
        let (ending, text) = run(sandbox, &bench.shell(script));
        assert_ne!(
            ending.expect("it ran"),
            Ending::Exited(0),
            "{script}: {text}"
        );
    }
    let (ending, text) = run(
        sandbox,
        &bench.shell("echo 1 > /proc/sys/kernel/domainname"),
    );
    assert_ne!(ending.expect("it ran"), Ending::Exited(0), "{text}");
}

/// Docker keeps builds from the disks of the host by a device cgroup; here no mount has working devices.
fn device_nodes(sandbox: &Sandbox, bench: &Bench) {
    let job = bench.shell("mknod /tmp/null c 1 3 && echo x > /tmp/null");
    let (ending, text) = run(sandbox, &job);
    assert_ne!(ending.expect("it ran"), Ending::Exited(0), "{text}");
    assert!(text.contains("ermission denied"), "{text}");
    assert_eq!(
        output(sandbox, &bench.shell("echo x > /dev/null && echo ok")),
        "ok\n"
    );
}

fn host_name(sandbox: &Sandbox, bench: &Bench) {
    let mut job = bench.shell("hostname; grep -c here.example /etc/hosts");
    job.extra_hosts = vec![("here.example".to_owned(), "10.0.0.1".to_owned())];
    assert_eq!(output(sandbox, &job), "sandbox\n1\n");
}

fn no_network(sandbox: &Sandbox, bench: &Bench) {
    let mut job = bench.shell("ip -o link | wc -l; ip link show lo | grep -c ,UP");
    job.network = NetworkMode::None;
    assert_eq!(output(sandbox, &job), "1\n1\n");
}

fn mounts(sandbox: &Sandbox, bench: &Bench) {
    let outside = bench.folder.path().join("outside");
    fs::create_dir_all(&outside).expect("a folder");
    fs::write(outside.join("f"), "hello").expect("a file");
    let mut job = bench.shell("cat /deep/er/est/f /one; df /size | tail -1 | grep -c 1024");
    job.mounts = vec![
        bind(&outside, "/deep/er/est"),
        bind(&outside.join("f"), "/one"),
        Mount {
            target: PathBuf::from("/size"),
            source: MountSource::Tmpfs {
                size: Some(1 << 20),
                mode: 0o1777,
            },
        },
    ];
    assert_eq!(output(sandbox, &job), "hellohello1\n");
    assert_eq!(fs::read_dir(upper(&job)).expect("a folder").count(), 0);
}

fn read_only(sandbox: &Sandbox, bench: &Bench) {
    let outside = bench.folder.path().join("outside");
    fs::create_dir_all(&outside).expect("a folder");
    let mut job = bench.shell("touch /m/new");
    job.mounts = vec![bind(&outside, "/m")];
    assert_eq!(run(sandbox, &job).0.expect("it ran"), Ending::Exited(1));
    assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 0);
}

fn writable_bind(sandbox: &Sandbox, bench: &Bench) {
    let (outside, scratch) = (
        bench.folder.path().join("outside"),
        bench.folder.path().join("scratch"),
    );
    fs::create_dir_all(&outside).expect("a folder");
    fs::create_dir_all(&scratch).expect("a folder");
    fs::write(outside.join("f"), "old").expect("a file");
    let mut job = bench.shell("echo new > /m/f; touch /m/g; cat /m/f");
    job.mounts = vec![Mount {
        target: PathBuf::from("/m"),
        source: MountSource::Overlay {
            lower: outside.clone(),
            scratch,
        },
    }];
    assert_eq!(output(sandbox, &job), "new\n");
    assert_eq!(
        fs::read_to_string(outside.join("f")).expect("the file"),
        "old"
    );
    assert!(!outside.join("g").exists());
    assert_eq!(fs::read_dir(upper(&job)).expect("a folder").count(), 0);
}

fn secrets(sandbox: &Sandbox, bench: &Bench) {
    let mut job = bench.shell(
        "cat /run/secrets/s; stat -c '%a %u' /run/secrets/s; ls -A /dev | grep -c dfbuild || true",
    );
    job.mounts = vec![Mount {
        target: PathBuf::from("/run/secrets/s"),
        source: MountSource::Text {
            content: b"top\n".to_vec(),
            mode: 0o400,
            uid: 33,
            gid: 0,
        },
    }];
    assert_eq!(output(sandbox, &job), "top\n400 33\n0\n");
    assert_eq!(fs::read_dir(upper(&job)).expect("a folder").count(), 0);
}

fn missing_program(sandbox: &Sandbox, bench: &Bench) {
    for (words, message) in [
        (
            vec!["nosuch"],
            "`nosuch` is not in the image, or not in its PATH",
        ),
        (vec!["/bin/nosuch"], "`/bin/nosuch` is not in the image"),
        (
            vec!["/etc"],
            "`/etc` may not be executed: permission denied",
        ),
    ] {
        let (ending, _) = run(sandbox, &bench.job(&words));
        assert_eq!(ending.expect_err("it is not there").to_string(), message);
    }
}

fn missing_folder(sandbox: &Sandbox, bench: &Bench) {
    let mut job = bench.job(&["true"]);
    job.folder = PathBuf::from("/no/such");
    let error = run(sandbox, &job).0.expect_err("it is not there");
    assert_eq!(
        error.to_string(),
        "the working directory `/no/such` is not in the image"
    );
}

fn leaked_folder(sandbox: &Sandbox, bench: &Bench) {
    for number in 3..20 {
        let mut job = bench.job(&["true"]);
        job.folder = PathBuf::from(format!("/proc/self/fd/{number}"));
        assert!(run(sandbox, &job).0.is_err(), "descriptor {number}");
    }
}

fn descriptors(sandbox: &Sandbox, bench: &Bench) {
    // `ls` has one of its own open: the folder.
    assert_eq!(
        output(sandbox, &bench.shell("ls /proc/self/fd | wc -l")),
        "4\n"
    );
}

fn proc_as_link(sandbox: &Sandbox, bench: &Bench) {
    std::os::unix::fs::symlink("/tmp", bench.root().join("proc")).expect("a link");
    let error = run(sandbox, &bench.job(&["true"]))
        .0
        .expect_err("it is refused");
    assert!(error.to_string().contains("/proc"), "{error}");
}

fn link_target(sandbox: &Sandbox, bench: &Bench) {
    let outside = bench.folder.path().join("outside");
    fs::create_dir_all(outside.join("sub")).expect("a folder");
    std::os::unix::fs::symlink(&outside, bench.root().join("out")).expect("a link");
    let inner = bench.folder.path().join("inner");
    fs::create_dir_all(&inner).expect("a folder");
    fs::write(inner.join("f"), "inside").expect("a file");
    let mut job = bench.shell("cat /out/sub/f");
    job.mounts = vec![bind(&inner, "/out/sub")];
    // Inside of the root the link leads nowhere; a builder that knows the image resolves it first.
    assert!(run(sandbox, &job).0.is_err());
    assert_eq!(
        fs::read_dir(outside.join("sub")).expect("a folder").count(),
        0
    );
}

fn many_layers(sandbox: &Sandbox, bench: &Bench) {
    let mut job = bench.shell("ls /layers | wc -l");
    if let Root::Overlay { lowers, .. } = &mut job.root {
        for number in 0..300 {
            let layer = bench.folder.path().join(format!("layer-{number}"));
            fs::create_dir_all(layer.join("layers")).expect("a folder");
            fs::write(layer.join("layers").join(number.to_string()), "").expect("a file");
            lowers.insert(0, layer);
        }
    }
    assert_eq!(output(sandbox, &job), "300\n");
}

fn cancel(sandbox: &Sandbox, bench: &Bench) {
    let start = Instant::now();
    let asked = Cell::new(0);
    let job = bench.shell("(sleep 100 &) ; sleep 100");
    let outcome = sandbox.run(&job, &mut |_, _| {}, &|| {
        asked.set(asked.get() + 1);
        asked.get() > 3
    });
    assert_eq!(outcome.expect("it ran").ending, Ending::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(5));
}

fn left_behind(sandbox: &Sandbox, bench: &Bench) {
    let start = Instant::now();
    output(sandbox, &bench.shell("sleep 100 & sleep 100 & true"));
    assert!(start.elapsed() < Duration::from_secs(5));
}

fn several(sandbox: &Sandbox, bench: &Bench) {
    let jobs: Vec<Job> = (0..10).map(|_| bench.shell("sleep 0.5")).collect();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for job in &jobs {
            scope.spawn(move || output(sandbox, job));
        }
    });
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
}

fn large_output(sandbox: &Sandbox, bench: &Bench) {
    let text = output(sandbox, &bench.shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done"));
    assert_eq!(text.len(), 20_000 * 41);
}
