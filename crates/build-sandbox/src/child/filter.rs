//! The filter for system calls.
//!
//! Docker lists what is allowed (moby `profiles/seccomp/default.json`); given its capabilities, the effect is that of refusing what is listed
//! here. A new call that nobody knows yet is refused by the capabilities that it asks for, not by the filter.

#![expect(
    clippy::cast_sign_loss,
    reason = "libc gives numbers of the kernel as signed integers"
)]

use std::io;

use libc::{c_long, sock_filter};

use crate::system;

/// Calls that a build has no business with: they touch the kernel, its clock, its keys, mounts, namespaces or other processes.
#[rustfmt::skip]
const REFUSED: &[c_long] = &[
    libc::SYS_acct, libc::SYS_add_key, libc::SYS_bpf, libc::SYS_clock_adjtime, libc::SYS_clock_settime,
    libc::SYS_delete_module, libc::SYS_fanotify_init, libc::SYS_finit_module, libc::SYS_fsconfig, libc::SYS_fsmount,
    libc::SYS_fsopen, libc::SYS_fspick, libc::SYS_init_module, libc::SYS_io_uring_enter, libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup, libc::SYS_kcmp, libc::SYS_kexec_file_load, libc::SYS_kexec_load, libc::SYS_keyctl,
    libc::SYS_lookup_dcookie, libc::SYS_mbind, libc::SYS_mount, libc::SYS_mount_setattr, libc::SYS_move_mount,
    libc::SYS_move_pages, libc::SYS_name_to_handle_at, libc::SYS_nfsservctl, libc::SYS_open_by_handle_at,
    libc::SYS_open_tree, libc::SYS_perf_event_open, libc::SYS_pivot_root, libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev, libc::SYS_quotactl, libc::SYS_quotactl_fd, libc::SYS_reboot, libc::SYS_request_key,
    libc::SYS_set_mempolicy, libc::SYS_setns, libc::SYS_settimeofday, libc::SYS_swapoff, libc::SYS_swapon,
    libc::SYS_syslog, libc::SYS_umount2, libc::SYS_unshare, libc::SYS_userfaultfd, libc::SYS_vhangup,
];
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const REFUSED_HERE: &[c_long] = &[
    libc::SYS__sysctl, libc::SYS_ioperm, libc::SYS_iopl, libc::SYS_sysfs, libc::SYS_uselib, libc::SYS_ustat,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// The same for programs of 32 bits, by their own numbers (`arch/x86/entry/syscalls/syscall_32.tbl`).
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const REFUSED_32: &[c_long] = &[
    21, 22, 25, 51, 52, 79, 86, 87, 88, 101, 103, 110, 111, 113, 115, 127, 128, 129, 131, 135, 149, 166, 169, 217, 253, 264,
    274, 276, 283, 286, 287, 288, 310, 317, 336, 338, 341, 342, 343, 346, 347, 348, 349, 350, 357, 374, 404, 405, 425, 426,
    427, 428, 429, 430, 431, 432, 433, 442, 443,
];

/// The bits of clone(2) that make namespaces.
const NAMESPACE_BITS: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
/// For calls with an older sister that libc falls back to.
const UNKNOWN: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// Where the kernel puts what a filter looks at (`struct seccomp_data`).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

#[cfg(target_arch = "x86_64")]
const OURS: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const OURS: u32 = 0xc000_00b7;
#[cfg(target_arch = "x86_64")]
const I386: u32 = 0x4000_0003;

/// Puts the filter onto this process.
pub(super) fn set() -> io::Result<()> {
    system::set_filter(&program())
}

fn program() -> Vec<sock_filter> {
    let mut program = vec![load(ARCHITECTURE)];
    #[cfg(target_arch = "x86_64")]
    {
        let mut old = vec![load(NUMBER)];
        refuse_all(&mut old, REFUSED_32);
        old.extend(unless_equal(435, UNKNOWN));
        old.push(give(ALLOW));
        // Past the block, unless it is a program of 32 bits.
        program.push(jump_unless_equal(I386, old.len()));
        program.extend(old);
        program.push(load(ARCHITECTURE));
    }
    program.push(jump_if_equal(OURS, 1));
    program.push(give(REFUSE));
    program.push(load(NUMBER));
    #[cfg(target_arch = "x86_64")]
    {
        // Numbers of the x32 dialect.
        program.push(statement(
            libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K,
            0x4000_0000,
            0,
            1,
        ));
        program.push(give(UNKNOWN));
    }
    refuse_all(&mut program, REFUSED);
    refuse_all(&mut program, REFUSED_HERE);
    program.extend(unless_equal(libc::SYS_clone3 as u32, UNKNOWN));
    // clone(2) with a bit that makes a namespace.
    program.push(jump_unless_equal(libc::SYS_clone as u32, 3));
    program.push(load(FIRST_ARGUMENT));
    program.push(statement(
        libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K,
        NAMESPACE_BITS,
        0,
        1,
    ));
    program.push(give(REFUSE));
    program.push(give(ALLOW));
    program
}

fn refuse_all(program: &mut Vec<sock_filter>, numbers: &[c_long]) {
    for number in numbers {
        program.extend(unless_equal(*number as u32, REFUSE));
    }
}

fn unless_equal(number: u32, answer: u32) -> [sock_filter; 2] {
    [jump_unless_equal(number, 1), give(answer)]
}

fn load(offset: u32) -> sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

fn give(answer: u32) -> sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, answer, 0, 0)
}

fn jump_if_equal(value: u32, distance: u8) -> sock_filter {
    statement(
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        value,
        distance,
        0,
    )
}

/// Jumps over `distance` statements; 255 at most, which the longest block keeps to.
fn jump_unless_equal(value: u32, distance: usize) -> sock_filter {
    statement(
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        value,
        0,
        u8::try_from(distance).unwrap_or(u8::MAX),
    )
}

fn statement(code: u32, value: u32, if_true: u8, if_false: u8) -> sock_filter {
    sock_filter {
        code: code as u16,
        jt: if_true,
        jf: if_false,
        k: value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_jump_is_too_long_and_the_program_fits() {
        let program = program();
        assert!(program.len() < libc::BPF_MAXINSNS as usize);
        for (at, statement) in program.iter().enumerate() {
            let furthest = at + 1 + usize::from(statement.jt.max(statement.jf));
            assert!(furthest <= program.len(), "statement {at}");
        }
        #[cfg(target_arch = "x86_64")]
        assert!(REFUSED_32.len() * 2 + 4 <= 255);
    }
}
