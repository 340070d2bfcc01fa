//! A context that changes while it is read.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::app::{app, assert_sound};

/// Ends the other thread, also when a check fails: the scope waits for it.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_context_that_changes_is_named_or_copied_as_it_was_at_one_moment() {
    let scratch = app();
    let file = scratch.path("app/data/1/1.txt");
    let other = scratch.path("app/data/1/6.txt");
    let is_over = AtomicBool::new(false);
    let mut outcomes = [0; 2];
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0_usize;
            while !is_over.load(Ordering::Relaxed) {
                round += 1;
                fs::write(&file, format!("{round} ").repeat(round % 5_000)).expect("written");
                // Sometimes no file, and sometimes something that would block.
                let _ = fs::remove_file(&other);
                match round % 3 {
                    0 => symlink("/etc/passwd", &other).expect("linked"),
                    1 => fs::write(&other, "x").expect("written"),
                    _ => {}
                }
            }
        });
        let _over = Over(&is_over);
        for _ in 0..25 {
            let output = scratch.run(&["build", "-q", "app", "-t", "app"]);
            let code = usize::try_from(output.code).expect("0 or more");
            assert!(code < 2, "{output:?}");
            outcomes[code] += 1;
            if code == 1 {
                let is_exact = output.stderr.contains("changed while it was read")
                    || output.stderr.contains("is not in the build context");
                assert!(is_exact, "{output:?}");
            }
        }
    });
    assert_sound(&scratch);
    let _ = fs::remove_file(&other);
    fs::write(&file, "quiet").expect("written");
    // What was remembered of files that changed must not be believed.
    let quiet = scratch.build(&[]);
    fs::remove_dir_all(scratch.path("store")).expect("removed");
    assert_eq!(scratch.build(&[]), quiet, "{outcomes:?}");
}
