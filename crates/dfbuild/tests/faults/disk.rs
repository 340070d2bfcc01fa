//! A disk that is full, and one that cannot be written.

use std::io::Write as _;
use std::process::Command;

use crate::app::{app, assert_sound};
use crate::scratch::{Output, Scratch};

/// Runs a shell script where it may mount things; `None` where this machine does not allow that.
fn mounting(scratch: &Scratch, script: &str) -> Option<Output> {
    for arguments in [&["--mount"][..], &["--mount", "--map-root-user"]] {
        let can = Command::new("unshare")
            .args(arguments)
            .args(["sh", "-c", "mount -t tmpfs none /mnt"])
            .output();
        if !can.is_ok_and(|output| output.status.success()) {
            continue;
        }
        let output = Command::new("unshare")
            .args(arguments)
            .args(["sh", "-c", script])
            .current_dir(scratch.path(""))
            .env("DFBUILD", env!("CARGO_BIN_EXE_dfbuild"))
            .env("NO_COLOR", "1")
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .expect("started");
        return Some(Output {
            code: output.status.code().expect("no signal"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    // Past the capture of the test harness; nothing is lost when standard error is closed.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: faults of a disk: nobody may mount one here"
    );
    None
}

#[test]
fn a_full_disk_is_an_exact_error_and_the_next_build_works() {
    let scratch = app();
    let expected = scratch.build(&[]);
    // Less and less is free, so that the disk is full at other moments.
    let script = r#"
        mkdir disk && mount -t tmpfs -o size=16m none disk || exit 99
        failed=0
        for free in 40 200 500 900 1300 1800 2400 3200 4200 5600; do
            rm -rf disk/ballast disk/store
            dd if=/dev/zero of=disk/ballast bs=1024 count=$((16384 - free)) 2>/dev/null
            "$DFBUILD" build -q --store disk/store app >out 2>err; code=$?
            case $code in
                0) ;;
                1) failed=$((failed + 1))
                   grep -q 'No space left' err || { echo "free $free: no reason"; cat err; exit 3; };;
                2) failed=$((failed + 1))
                   grep -q 'No space left' err || { echo "free $free: no reason"; cat err; exit 3; };;
                *) echo "free $free: code $code"; cat err; exit 4;;
            esac
            rm disk/ballast
            if [ -f disk/store/oci-layout ]; then
                "$DFBUILD" store check --store disk/store >check 2>&1 || { echo "free $free"; cat check; exit 5; }
            fi
            "$DFBUILD" build -q --store disk/store app 2>err || { echo "free $free: again"; cat err; exit 6; }
        done
        echo "failed $failed"
    "#;
    let Some(output) = mounting(&scratch, script) else {
        return;
    };
    assert_eq!(output.code, 0, "{output:?}");
    let (ids, last) = output.stdout.trim().rsplit_once('\n').expect("lines");
    assert!(ids.lines().all(|id| id == expected), "{output:?}");
    let failed: u32 = last.replace("failed ", "").parse().expect("a number");
    assert!((3..10).contains(&failed), "{output:?}");
}

#[test]
fn a_store_that_cannot_be_written_is_read_and_named() {
    let scratch = app();
    let expected = scratch.build(&["-t", "app"]);
    scratch.write("app/data/3/new.txt", "new");
    let script = r#"
        mount --bind store store && mount -o remount,ro,bind store || exit 99
        "$DFBUILD" images --store store || exit 3
        "$DFBUILD" history --store store app >/dev/null || exit 4
        "$DFBUILD" store check --store store || exit 5
        "$DFBUILD" build -q --store store app
        echo "code $?"
    "#;
    let Some(output) = mounting(&scratch, script) else {
        return;
    };
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stdout.contains("The store is sound."), "{output:?}");
    assert!(output.stdout.contains("code 1"), "{output:?}");
    assert!(
        output.stderr.contains("Read-only file system"),
        "{output:?}"
    );
    assert_sound(&scratch);
    assert_ne!(scratch.build(&["-t", "app"]), expected);
}
