//! The same questions as an ordinary user, which root can become.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// A user whom every machine has, and who has no range of ids.
const USER: u32 = 65534;
const RANGE: &str = "65534:100000:65536\n";

/// Starts this program as that user, without a range and with one; returns how many of the runs failed.
pub(crate) fn run(filter: &str) -> usize {
    let place = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).expect("a mode");
    // The program may stand where that user cannot read it.
    let copy = place.path().join("run");
    fs::copy("/proc/self/exe", &copy).expect("a copy of the program");
    let range = place.path().join("range");
    fs::write(&range, RANGE).expect("a file");
    // The range is seen in a mount namespace of its own only: nothing of the machine is changed.
    let become_user =
        format!("exec setpriv --reuid={USER} --regid={USER} --clear-groups \"$0\" \"$1\"");
    let with_range = format!(
        "mount --bind \"$2\" /etc/subuid && mount --bind \"$2\" /etc/subgid && {become_user}"
    );
    let scripts = [
        ("without a range of ids", &become_user),
        ("with a range of ids", &with_range),
    ];
    let mut failed = 0;
    for (kind, script) in scripts {
        crate::say(&format!("as user {USER}, {kind}"));
        let status = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(&copy)
            .arg(filter)
            .arg(&range)
            .env("TMPDIR", place.path())
            .current_dir("/")
            .status();
        match status {
            Ok(status) => failed += usize::from(!status.success()),
            Err(error) => crate::say(&format!("skipped: unshare does not work here: {error}")),
        }
    }
    failed
}
