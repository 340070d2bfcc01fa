//! Who the command is, and what it may do.

use std::io;

use crate::error::Fault;
use crate::job::{Job, Security};
use crate::system;
use crate::user_namespace::{IdMap, id_map};

/// Docker's default capabilities, by their numbers in `linux/capability.h`.
const DEFAULT_CAPABILITIES: [u32; 14] = [
    0,  // CHOWN
    1,  // DAC_OVERRIDE
    3,  // FOWNER
    4,  // FSETID
    5,  // KILL
    6,  // SETGID
    7,  // SETUID
    8,  // SETPCAP
    10, // NET_BIND_SERVICE
    13, // NET_RAW
    18, // SYS_CHROOT
    27, // MKNOD
    29, // AUDIT_WRITE
    31, // SETFCAP
];
const LAST_CAPABILITY: u32 = 63;

/// Becomes the user of the command, with that user's rights.
pub(super) fn become_user(job: &Job) -> Result<(), Fault> {
    let system_fault = |error: &io::Error| Fault::system("cannot give up rights", error);
    let kept: u64 = match job.security {
        Security::Sandbox => DEFAULT_CAPABILITIES
            .iter()
            .map(|number| 1_u64 << number)
            .sum(),
        Security::Insecure => u64::MAX,
    };
    for number in 0..=LAST_CAPABILITY {
        if kept & (1 << number) == 0 {
            // The kernel knows fewer than there are bits.
            let _ = system::process_control(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number));
        }
    }
    let map = id_map();
    if map == IdMap::OneId && (job.uid, job.gid) != (0, 0) {
        return Err(Fault::of_command(format!(
            "the step runs as user {}, and without a range of ids there is no user but root in here: \
             add a line for yourself to /etc/subuid and /etc/subgid, and install newuidmap (package uidmap)",
            job.uid
        )));
    }
    let groups = (map != IdMap::OneId).then_some(job.groups.as_slice());
    system::set_identity(job.uid, job.gid, groups).map_err(|error| system_fault(&error))?;
    let held = held_capabilities().map_err(|error| system_fault(&error))?;
    let allowed = if job.uid == 0 { held & kept } else { 0 };
    // Nothing to inherit, so that a program with file capabilities gains none by it (CVE-2022-24769, CVE-2022-29162).
    system::set_capabilities(allowed, allowed, 0).map_err(|error| system_fault(&error))?;
    let _ = system::process_control(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
    );
    Ok(())
}

/// Returns the permitted capabilities of this process.
fn held_capabilities() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("CapPrm:"));
    let text = line
        .ok_or_else(|| io::Error::other("the kernel does not say which capabilities there are"))?;
    u64::from_str_radix(text.trim(), 16).map_err(io::Error::other)
}
