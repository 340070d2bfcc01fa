//! The capabilities of a command: Docker's fourteen.

use std::io;

use crate::system_call::{prctl, set_capabilities};

/// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD,
/// AUDIT_WRITE, SETFCAP (containerd `oci/spec.go`, `defaultUnixCaps`).
const KEPT: &[u32] = &[0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];
const CAP_LAST: u32 = 63;

/// The set as the kernel counts it.
pub(super) fn kept() -> u64 {
    KEPT.iter().fold(0, |set, capability| set | 1 << capability)
}

/// Takes all others out of the bounding set and empties the ambient one.
pub(super) fn bound() -> io::Result<()> {
    for capability in (0..=CAP_LAST).filter(|capability| !KEPT.contains(capability)) {
        match prctl(libc::PR_CAPBSET_DROP, capability.into()) {
            // The kernel does not have so many.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            other => other?,
        }
    }
    prctl(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
    )
}

/// Gives up all others. The inheritable set is empty (CVE-2022-24769).
pub(super) fn limit() -> io::Result<()> {
    set_capabilities(kept(), kept(), 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn kept_set_is_dockers() {
        assert_eq!(super::kept(), 0xa804_25fb);
    }
}
