//! Real commands in real sandboxes, on a root made of busybox.
//!
//! The program has a `main` of its own, since it starts itself again as the helper. Run as root, it starts itself twice more
//! as an ordinary user: with a range of ids, and with one id only.

use std::process::ExitCode;

use build_sandbox::{run_helper_if_asked, user_namespace};

mod cases;
mod place;
mod rootless;

fn main() -> ExitCode {
    run_helper_if_asked();
    let filter = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with('-'))
        .unwrap_or_default();
    if let Some(reason) = place::reason_to_skip() {
        say(&format!("skipped: {reason}"));
        return ExitCode::SUCCESS;
    }
    if !user_namespace::is_privileged() {
        return match user_namespace::reexec_as_root() {
            Ok(status) if status.success() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => {
                say(&format!(
                    "skipped: {error} ({})",
                    error.help().unwrap_or("no help")
                ));
                ExitCode::SUCCESS
            }
        };
    }
    let mut failed = cases::run(&filter);
    if user_namespace::id_map() == user_namespace::IdMap::Host {
        failed += rootless::run(&filter);
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints a line; the lint that forbids it is for libraries.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
