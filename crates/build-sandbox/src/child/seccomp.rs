//! The filter of system calls: equal in effect to Docker's default profile for a command with Docker's capabilities.
//!
//! It names what is refused, since that is short: of the calls that the table knows, all but these are allowed; later ones do
//! not exist. Programs for 32-bit x86 and for x32 work, as with Docker.

use std::collections::BTreeMap;
use std::io;

use libc::sock_filter;

use crate::system_call::load_filter;

/// A refused call: its name and its numbers on x86_64, i386 and aarch64; -1 where there is none.
struct Refused(&'static str, i32, i32, i32);

const REFUSED: &[Refused] = &[
    Refused("acct", 163, 51, 89),
    Refused("add_key", 248, 286, 217),
    Refused("bpf", 321, 357, 280),
    Refused("clock_settime", 227, 264, 112),
    Refused("clock_settime64", -1, 404, -1),
    Refused("create_module", 174, 127, -1),
    Refused("delete_module", 176, 129, 106),
    Refused("fanotify_init", 300, 338, 262),
    Refused("finit_module", 313, 350, 273),
    Refused("fsconfig", 431, 431, 431),
    Refused("fsmount", 432, 432, 432),
    Refused("fsopen", 430, 430, 430),
    Refused("fspick", 433, 433, 433),
    Refused("get_kernel_syms", 177, 130, -1),
    Refused("get_mempolicy", 239, 275, 236),
    Refused("init_module", 175, 128, 105),
    Refused("io_uring_setup", 425, 425, 425),
    Refused("io_uring_enter", 426, 426, 426),
    Refused("io_uring_register", 427, 427, 427),
    Refused("ioperm", 173, 101, -1),
    Refused("iopl", 172, 110, -1),
    Refused("kcmp", 312, 349, 272),
    Refused("kexec_file_load", 320, -1, 294),
    Refused("kexec_load", 246, 283, 104),
    Refused("keyctl", 250, 288, 219),
    Refused("lookup_dcookie", 212, 253, 18),
    Refused("mbind", 237, 274, 235),
    Refused("migrate_pages", 256, 294, 238),
    Refused("mount", 165, 21, 40),
    Refused("mount_setattr", 442, 442, 442),
    Refused("move_mount", 429, 429, 429),
    Refused("move_pages", 279, 317, 239),
    Refused("nfsservctl", 180, 169, 42),
    Refused("open_by_handle_at", 304, 342, 265),
    Refused("open_tree", 428, 428, 428),
    Refused("perf_event_open", 298, 336, 241),
    Refused("pidfd_getfd", 438, 438, 438),
    Refused("pivot_root", 155, 217, 41),
    Refused("process_madvise", 440, 440, 440),
    Refused("query_module", 178, 167, -1),
    Refused("quotactl", 179, 131, 60),
    Refused("quotactl_fd", 443, 443, 443),
    Refused("reboot", 169, 88, 142),
    Refused("request_key", 249, 287, 218),
    Refused("sethostname", 170, 74, 161),
    Refused("setdomainname", 171, 121, 162),
    Refused("setns", 308, 346, 268),
    Refused("set_mempolicy", 238, 276, 237),
    Refused("set_mempolicy_home_node", 450, 450, 450),
    Refused("settimeofday", 164, 79, 170),
    Refused("stime", -1, 25, -1),
    Refused("swapoff", 168, 115, 225),
    Refused("swapon", 167, 87, 224),
    Refused("syslog", 103, 103, 116),
    Refused("sysfs", 139, 135, -1),
    Refused("_sysctl", 156, 149, -1),
    Refused("umount", -1, 22, -1),
    Refused("umount2", 166, 52, 39),
    Refused("unshare", 272, 310, 97),
    Refused("uselib", 134, 86, -1),
    Refused("userfaultfd", 323, 374, 282),
    Refused("ustat", 136, 62, -1),
    Refused("vhangup", 153, 111, 58),
    Refused("vm86old", -1, 113, -1),
    Refused("vm86", -1, 166, -1),
];

/// The last call that was looked at; all after it answer ENOSYS, as runc does for calls newer than a profile.
const LAST_KNOWN: u32 = 463;

/// `linux/audit.h`.
const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const AARCH64: u32 = 0xc000_00b7;
const X32_BIT: u32 = 0x4000_0000;

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER_OR_EQUAL: u16 = 0x35;
const JUMP_ANY_BIT: u16 = 0x45;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const NOT_PERMITTED: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const NO_SUCH_CALL: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

/// Flags of clone that make namespaces, as in Docker's profile.
const CLONE_NAMESPACES: u32 = 0x7e02_0000;
/// What `personality` may set: nothing, UNAME26 or ADDR_NO_RANDOMIZE and so on, as in Docker's profile.
const PERSONALITIES: &[u32] = &[0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];
const FAMILY_VSOCK: u32 = 40;

/// Returns the names of the calls that are refused.
pub(crate) fn refused_names() -> impl Iterator<Item = &'static str> {
    REFUSED.iter().map(|call| call.0)
}

/// Loads the filter; the process has to have CAP_SYS_ADMIN.
pub(super) fn load() -> io::Result<()> {
    load_filter(&program())
}

/// The numbers of the calls that are looked at closer.
struct Numbers {
    clone: u32,
    clone3: u32,
    personality: u32,
    socket: u32,
}

fn program() -> Vec<sock_filter> {
    let mut program = vec![instruction(LOAD, 0, 0, ARCHITECTURE)];
    for (architecture, code) in sections() {
        // Conditional jumps reach 255 instructions only.
        program.push(instruction(JUMP_EQUAL, 1, 0, architecture));
        program.push(instruction(JUMP, 0, 0, code.len() as u32));
        program.extend(code);
    }
    program.push(instruction(RETURN, 0, 0, NO_SUCH_CALL));
    program
}

/// The architectures whose programs this machine runs.
fn sections() -> Vec<(u32, Vec<sock_filter>)> {
    let numbers = |clone, personality, socket| Numbers {
        clone,
        clone3: 435,
        personality,
        socket,
    };
    if cfg!(target_arch = "aarch64") {
        return vec![(
            AARCH64,
            section(|refused| refused.3, &numbers(220, 92, 198), false),
        )];
    }
    vec![
        (
            X86_64,
            section(|refused| refused.1, &numbers(56, 135, 41), true),
        ),
        (
            I386,
            section(|refused| refused.2, &numbers(120, 136, 359), false),
        ),
    ]
}

/// What is done about a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Allow,
    Refuse,
    Unknown,
    NoNamespaces,
    NoVirtualSocket,
    FewPersonalities,
}

/// The code for one architecture; it always returns.
///
/// The kernel runs a filter for every call there is when it is loaded (`seccomp_cache_prepare`), so it is a search tree: a
/// chain of comparisons costs half a millisecond more per command.
fn section(number: impl Fn(&Refused) -> i32, numbers: &Numbers, has_x32: bool) -> Vec<sock_filter> {
    let mut code = vec![instruction(LOAD, 0, 0, NUMBER)];
    if has_x32 {
        code.push(instruction(AND, 0, 0, !X32_BIT));
    }
    let mut decisions: BTreeMap<u32, Decision> = REFUSED
        .iter()
        .filter_map(|call| Some((u32::try_from(number(call)).ok()?, Decision::Refuse)))
        .collect();
    decisions.insert(numbers.clone, Decision::NoNamespaces);
    // glibc falls back to clone, whose flags can be seen.
    decisions.insert(numbers.clone3, Decision::Unknown);
    decisions.insert(numbers.socket, Decision::NoVirtualSocket);
    decisions.insert(numbers.personality, Decision::FewPersonalities);
    // Where a run of equal decisions starts.
    let mut starts = vec![(0, Decision::Allow)];
    for (call, decision) in decisions {
        starts.push((call, decision));
        starts.push((call + 1, Decision::Allow));
    }
    starts.push((LAST_KNOWN + 1, Decision::Unknown));
    // A later entry for the same call wins, and one that repeats the decision before it says nothing.
    let mut runs: Vec<(u32, Decision)> = Vec::new();
    for (call, decision) in starts {
        if runs.last().is_some_and(|(last, _)| *last == call) {
            runs.pop();
        }
        if runs.last().is_none_or(|(_, last)| *last != decision) {
            runs.push((call, decision));
        }
    }
    search(&runs, &mut code);
    code
}

/// The code that finds the run of the call in the accumulator.
fn search(runs: &[(u32, Decision)], code: &mut Vec<sock_filter>) {
    let (low, high) = runs.split_at(runs.len() / 2);
    match (low, high) {
        ([], [(_, decision)]) => decide(*decision, code),
        (_, [(start, _), ..]) => {
            let (mut below, mut above) = (Vec::new(), Vec::new());
            search(low, &mut below);
            search(high, &mut above);
            if let Ok(distance) = u8::try_from(below.len()) {
                code.push(instruction(JUMP_GREATER_OR_EQUAL, distance, 0, *start));
            } else {
                code.push(instruction(JUMP_GREATER_OR_EQUAL, 0, 1, *start));
                code.push(instruction(JUMP, 0, 0, below.len() as u32));
            }
            code.append(&mut below);
            code.append(&mut above);
        }
        _ => {}
    }
}

fn decide(decision: Decision, code: &mut Vec<sock_filter>) {
    let answer = |value| instruction(RETURN, 0, 0, value);
    let load = instruction(LOAD, 0, 0, FIRST_ARGUMENT);
    match decision {
        Decision::Allow => code.push(answer(ALLOW)),
        Decision::Refuse => code.push(answer(NOT_PERMITTED)),
        Decision::Unknown => code.push(answer(NO_SUCH_CALL)),
        Decision::NoNamespaces => {
            code.extend([
                load,
                instruction(JUMP_ANY_BIT, 0, 1, CLONE_NAMESPACES),
                answer(NOT_PERMITTED),
                answer(ALLOW),
            ]);
        }
        Decision::NoVirtualSocket => {
            code.extend([
                load,
                instruction(JUMP_EQUAL, 0, 1, FAMILY_VSOCK),
                answer(NOT_PERMITTED),
                answer(ALLOW),
            ]);
        }
        Decision::FewPersonalities => {
            code.push(load);
            for (index, allowed) in PERSONALITIES.iter().enumerate() {
                code.push(instruction(
                    JUMP_EQUAL,
                    (PERSONALITIES.len() - index) as u8,
                    0,
                    *allowed,
                ));
            }
            code.extend([answer(NOT_PERMITTED), answer(ALLOW)]);
        }
    }
}

fn instruction(code: u16, if_true: u8, if_false: u8, value: u32) -> sock_filter {
    sock_filter {
        code,
        jt: if_true,
        jf: if_false,
        k: value,
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// Runs the filter as the kernel does.
    fn answer(architecture: u32, number: u32, argument: u32) -> u32 {
        let program = program();
        let (mut place, mut value) = (0, 0);
        loop {
            let step = program[place];
            place += 1;
            let jump = |yes: bool| usize::from(if yes { step.jt } else { step.jf });
            match step.code {
                LOAD => {
                    value = match step.k {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        _ => argument,
                    }
                }
                AND => value &= step.k,
                JUMP => place += step.k as usize,
                JUMP_EQUAL => place += jump(value == step.k),
                JUMP_GREATER_OR_EQUAL => place += jump(value >= step.k),
                JUMP_ANY_BIT => place += jump(value & step.k != 0),
                _ => return step.k,
            }
        }
    }

    #[test]
    fn ordinary_calls_are_allowed_on_every_architecture() {
        for (architecture, write) in [(X86_64, 1), (I386, 4), (X86_64, X32_BIT | 1)] {
            assert_eq!(answer(architecture, write, 0), ALLOW);
        }
    }

    #[test]
    fn mount_is_refused_on_every_architecture() {
        for (architecture, mount) in [(X86_64, 165), (I386, 21), (X86_64, X32_BIT | 0xa5)] {
            assert_eq!(answer(architecture, mount, 0), NOT_PERMITTED);
        }
    }

    #[test]
    fn clone_is_refused_only_with_namespaces() {
        assert_eq!(answer(X86_64, 56, 0x11), ALLOW);
        assert_eq!(answer(X86_64, 56, 0x1000_0000), NOT_PERMITTED);
    }

    #[test]
    fn clone3_and_unknown_calls_do_not_exist() {
        assert_eq!(answer(X86_64, 435, 0), NO_SUCH_CALL);
        assert_eq!(answer(X86_64, 5000, 0), NO_SUCH_CALL);
        assert_eq!(answer(0x1234, 1, 0), NO_SUCH_CALL);
    }

    #[test]
    fn personality_knows_the_harmless_values() {
        assert_eq!(answer(X86_64, 135, 8), ALLOW);
        assert_eq!(answer(X86_64, 135, 0x0040_0000), NOT_PERMITTED);
    }

    #[test]
    fn each_call_of_the_table_gets_the_answer_of_the_table() {
        let special = [56, 41, 135, 435];
        for number in 0..=LAST_KNOWN {
            let refused = REFUSED
                .iter()
                .any(|call| u32::try_from(call.1) == Ok(number));
            if !special.contains(&number) {
                assert_eq!(
                    answer(X86_64, number, 0) == NOT_PERMITTED,
                    refused,
                    "call {number}"
                );
            }
        }
    }
}
