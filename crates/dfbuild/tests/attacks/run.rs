//! Commands that want out; only where this machine can run them, with a busybox.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::scratch::{Output, Scratch};

/// A context with busybox, or `None` where there is none, or no namespaces.
pub(crate) fn busybox() -> Option<Scratch> {
    let program = ["/bin/busybox", "/usr/bin/busybox"]
        .into_iter()
        .find(|path| Path::new(path).is_file())?;
    let scratch = Scratch::new(&[("secret", "text of the host"), ("app/own.txt", "own")]);
    scratch.write("app/busybox", fs::read(program).ok()?);
    let works = run(&scratch, "RUN true\n").code == 0;
    works.then_some(scratch)
}

fn run(scratch: &Scratch, steps: &str) -> Output {
    run_with(scratch, steps, &[])
}

pub(crate) fn run_with(scratch: &Scratch, steps: &str, arguments: &[&str]) -> Output {
    let start = "FROM scratch AS base\nCOPY --chmod=755 busybox /bin/busybox\n\
                 RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";
    scratch.write("app/Dockerfile", format!("{start}{steps}"));
    let mut all = vec!["build", "--progress", "plain", "app"];
    all.extend(arguments);
    scratch.run(&all)
}

pub(crate) fn assert_runs(scratch: &Scratch, steps: &str) -> Output {
    let output = run(scratch, steps);
    assert_eq!(output.code, 0, "{output:?}");
    output
}

#[test]
fn a_folder_of_the_host_is_no_working_folder() {
    let Some(scratch) = busybox() else { return };
    let host = scratch.path("secret").display().to_string();
    for number in 3..24 {
        let steps = format!(
            "WORKDIR /proc/self/fd/{number}\nRUN cat ../../../../../../{host} ./{host} 2>&1; ls -a\n"
        );
        let output = run(&scratch, &steps);
        assert!(
            !output.stderr.contains("text of the host"),
            "{number}: {output:?}"
        );
    }
}

#[test]
fn nothing_of_the_builder_leaks_in() {
    let Some(scratch) = busybox() else { return };
    scratch.write("app/Dockerfile.keep", "");
    let steps = "RUN echo FDS $(ls /proc/self/fd | wc -l); env | sed 's/^/ENV /'; cat /proc/1/environ | tr '\\0' '\\n' | sed 's/^/ONE /'\n";
    let start = "FROM scratch AS base\nCOPY --chmod=755 busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";
    scratch.write("app/Dockerfile", format!("{start}{steps}"));
    let output = scratch
        .command(&["build", "--progress", "plain", "app"])
        .env("HOST_TOKEN", "of the host")
        .output()
        .expect("ended");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    // Three, and that of `ls` itself.
    assert!(text.lines().any(|line| line.ends_with("FDS 4")), "{text}");
    assert!(!text.contains("HOST_TOKEN"), "{text}");
    assert!(!text.contains("DFBUILD_STORE"), "{text}");
}

#[test]
fn a_command_has_few_rights() {
    let Some(scratch) = busybox() else { return };
    let output = assert_runs(
        &scratch,
        "RUN grep -E 'Seccomp:|CapInh|CapEff|CapAmb' /proc/self/status | tr '\\t' ' '\n",
    );
    let text = &output.stderr;
    assert!(text.contains("Seccomp: 2"), "{text}");
    assert!(text.contains("CapInh: 0000000000000000"), "{text}");
    assert!(text.contains("CapEff: 00000000a80425fb"), "{text}");
    let steps = "RUN for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /sys/kernel/uevent_helper; do \
                 (echo x > $file) 2>/dev/null && echo WROTE $file; done; mount -t tmpfs none /bin 2>/dev/null && echo MOUNTED; true\n";
    let output = assert_runs(&scratch, steps);
    let has_line = |word: &str| {
        output
            .stderr
            .lines()
            .any(|line| line.contains(&format!(" {word}")) && !line.contains("echo"))
    };
    assert!(!has_line("WROTE") && !has_line("MOUNTED"), "{output:?}");
}

#[test]
fn the_builder_itself_is_out_of_reach() {
    let Some(scratch) = busybox() else { return };
    let program = Path::new(env!("CARGO_BIN_EXE_dfbuild"));
    let before = fs::metadata(program)
        .and_then(|found| found.modified())
        .expect("known");
    let steps = "RUN for link in /proc/[0-9]*/exe /proc/self/exe; do (echo evil > $link) 2>/dev/null; done; true\n\
                 RUN ls -l /proc/1/exe\n";
    let output = assert_runs(&scratch, steps);
    let now = fs::metadata(program)
        .and_then(|found| found.modified())
        .expect("known");
    assert_eq!(before, now);
    let folder = program.parent().expect("a folder").display().to_string();
    assert!(!output.stderr.contains(&folder), "{output:?}");
}

#[test]
fn a_mounted_link_leads_into_its_image() {
    let Some(scratch) = busybox() else { return };
    let host = scratch.path("").display().to_string();
    let steps = format!(
        "FROM base AS evil\nRUN ln -s / /link; ln -s {host} /host; ln -s ../../../../.. /up\n\
         FROM base\n\
         RUN --mount=type=bind,from=evil,source=/link,target=/a,rw cat /a/{host}/secret; echo evil > /a/{host}/secret; echo evil > /a/evil.txt; true\n\
         RUN --mount=type=bind,from=evil,source=/up,target=/a,rw cat /a/{host}/secret; true\n\
         RUN --mount=type=bind,from=evil,source=/,target=/a,rw cat /a/host/secret; echo evil > /a/host/evil.txt; true\n"
    );
    let output = run(&scratch, &steps);
    assert!(!output.stderr.contains("text of the host"), "{output:?}");
    assert_eq!(scratch.read("secret"), "text of the host");
    assert!(!scratch.path("evil.txt").exists());
    let steps = format!(
        "FROM base AS evil\nRUN ln -s {host} /host\nFROM base\nRUN --mount=type=bind,from=evil,source=/host,target=/a cat /a/secret\n"
    );
    let output = run(&scratch, &steps);
    assert_eq!(output.code, 1, "{output:?}");
    assert!(!output.stderr.contains("text of the host"), "{output:?}");
}

#[test]
fn a_link_in_a_cache_does_not_lead_out() {
    let Some(scratch) = busybox() else { return };
    let host = scratch.path("").display().to_string();
    fs::create_dir(scratch.path("host")).expect("made");
    scratch.write("host/secret", "text of the host");
    let host = format!("{host}/host");
    for source in ["sub", "root", "../../../..", "sub/deeper"] {
        let steps = format!(
            "RUN --mount=type=cache,target=/c,id=x ln -sfn {host} /c/sub; ln -sfn / /c/root; echo made\n\
             RUN --mount=type=cache,target=/c,id=x,source={source} cat /c/secret /c{host}/secret; ls /c; echo evil > /c/evil.txt; true\n"
        );
        // A mount does not count for the cache, and this is about the mount.
        let output = run_with(&scratch, &steps, &["--no-cache"]);
        assert!(output.stderr.contains("made"), "{source}: {output:?}");
        let is_refused = output.code == 1 && output.stderr.contains("a link leads there");
        // What goes up ends at the root of the cache.
        assert!(
            is_refused || source.starts_with(".."),
            "{source}: {output:?}"
        );
        assert!(
            !output.stderr.contains("text of the host"),
            "{source}: {output:?}"
        );
        assert!(
            !scratch.path("host/evil.txt").exists(),
            "{source}: {output:?}"
        );
    }
}

#[test]
fn mount_points_do_not_follow_links() {
    let Some(scratch) = busybox() else { return };
    let host = scratch.path("").display().to_string();
    let steps = format!(
        "RUN ln -s {host} /way\n\
         RUN --mount=type=tmpfs,target=/way/made touch /way/made/x\n\
         RUN --mount=type=tmpfs,target=/stub/made mv /stub /moved; ln -s {host} /stub; true\n\
         RUN --mount=type=bind,target=/way/file.txt,source=own.txt true\n"
    );
    let output = run(&scratch, &steps);
    assert!(output.code < 2, "{output:?}");
    for path in ["made", "file.txt", "x"] {
        assert!(!scratch.path(path).exists(), "{path}: {output:?}");
    }
    assert_eq!(scratch.read("secret"), "text of the host");
}

#[test]
fn writes_to_a_mounted_context_go_nowhere() {
    let Some(scratch) = busybox() else { return };
    let steps = "RUN --mount=type=bind,target=/ctx,rw echo evil > /ctx/own.txt; echo evil > /ctx/new.txt; cat /ctx/own.txt\n\
                 RUN --mount=type=bind,target=/ctx,rw cat /ctx/own.txt; [ ! -e /ctx/new.txt ] && [ ! -e /ctx/../new.txt ]\n";
    assert_runs(&scratch, steps);
    assert_eq!(scratch.read("app/own.txt"), "own");
    assert!(!scratch.path("app/new.txt").exists());
}

#[test]
fn accounts_that_are_no_file_do_not_block() {
    let Some(scratch) = busybox() else { return };
    let host = scratch.path("accounts").display().to_string();
    scratch.write("accounts", "bob:x:77:77::/:/bin/sh\n");
    for file in [
        "mkfifo /etc/passwd",
        "ln -s /dev/zero /etc/passwd",
        &format!("ln -s {host} /etc/passwd"),
        "mkdir /etc/passwd",
    ] {
        let start = Instant::now();
        let output = run(
            &scratch,
            &format!("RUN mkdir -p /etc && {file}\nUSER bob\nRUN id\n"),
        );
        assert_eq!(output.code, 1, "{file}: {output:?}");
        assert!(start.elapsed() < Duration::from_secs(20), "{file}");
    }
}

#[test]
fn kernel_folders_that_are_links_are_refused_or_real() {
    let Some(scratch) = busybox() else { return };
    let host = scratch.path("").display().to_string();
    for link in ["proc", "dev", "sys"] {
        let steps = format!(
            "FROM scratch\nCOPY --from=base /bin /bin\nCOPY links /\nRUN echo evil > /{link}/evil.txt; cat /{link}/secret; [ -e /proc/self/status ]\n"
        );
        let _ = fs::remove_dir_all(scratch.path("app/links"));
        fs::create_dir(scratch.path("app/links")).expect("made");
        std::os::unix::fs::symlink(&host, scratch.path(format!("app/links/{link}")))
            .expect("linked");
        let output = run(&scratch, &steps);
        assert!(
            !output.stderr.contains("text of the host"),
            "{link}: {output:?}"
        );
        assert!(!scratch.path("evil.txt").exists(), "{link}: {output:?}");
    }
}

#[test]
fn secrets_stay_out_of_all_that_is_kept() {
    let Some(scratch) = busybox() else { return };
    scratch.write("token", "geheimnis");
    let steps = "RUN --mount=type=secret,id=token cat /run/secrets/token | wc -c\n\
                 RUN --mount=type=secret,id=token,env=TOKEN [ -n \"$TOKEN\" ]\n\
                 RUN [ ! -s /run/secrets/token ]\n";
    let output = run_with(
        &scratch,
        steps,
        &[
            "--secret",
            "id=token,src=token",
            "-t",
            "app",
            "-o",
            "type=oci,dest=app.tar,compression=uncompressed",
        ],
    );
    assert_eq!(output.code, 0, "{output:?}");
    for kept in ["store", "app.tar"] {
        let found = Command::new("grep")
            .args(["-rlq", "geheimnis"])
            .arg(scratch.path(kept))
            .status()
            .expect("grep");
        assert!(!found.success(), "{kept}");
    }
}

#[test]
fn what_a_command_leaves_running_ends_with_it() {
    let Some(scratch) = busybox() else { return };
    let start = Instant::now();
    assert_runs(
        &scratch,
        "RUN (trap '' HUP TERM; sleep 31.5437) & true\nRUN setsid sleep 31.5437 & true\n",
    );
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    let mut left = 0;
    for entry in fs::read_dir("/proc").expect("listed").flatten() {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        left += usize::from(words.ends_with(b"sleep\x0031.5437\0"));
    }
    assert_eq!(left, 0);
}

#[test]
fn groups_are_those_of_the_image() {
    let Some(scratch) = busybox() else { return };
    let accounts = "RUN mkdir -p /etc && echo 'app:x:1000:1001::/:/bin/sh' > /etc/passwd && \
                    printf 'app:x:1001:\\nextra:x:2000:other,app\\nwheel:x:10:other\\nalone:x:3000:app\\n' > /etc/group\n";
    let cases = [
        // None of those of whoever started the build.
        ("", "0"),
        ("USER app\n", "1001 2000 3000"),
        // A group of its own gives up the others.
        ("USER app:wheel\n", "10"),
        ("USER app:10\n", "10"),
        ("USER 4242\n", "0"),
        ("USER 4242:7\n", "7"),
    ];
    for (user, groups) in cases {
        let show = "RUN echo groups=$(grep Groups: /proc/self/status | cut -d: -f2)";
        let steps = format!("{accounts}{user}{show}\n");
        let output = run(&scratch, &steps);
        if output.stderr.contains("user namespace") {
            // One id only: there are no others to have.
            assert_eq!(output.code, 1, "{user}: {output:?}");
            continue;
        }
        assert_eq!(output.code, 0, "{user}: {output:?}");
        let said = format!(" groups= {groups}");
        let is_said = output.stderr.lines().any(|line| line.ends_with(&said));
        assert!(is_said, "{user}: {output:?}");
    }
}
