//! What the processes of a sandbox tell each other.
//!
//! The caller sends the helper one packet per job: a byte and the descriptors of a memory file with the job (JSON), of its
//! input and its two outputs, and of a packet socket. On that socket come [`Report`]s; when the caller closes its end, the job is cancelled.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::{Deserialize, Serialize};

use crate::control_group::Membership;
use crate::{Ending, Job, SandboxError, Usage};

/// The packets on the socket of a job are smaller than this.
pub(crate) const LARGEST_REPORT: usize = 64 * 1024;
/// Memory file, input, output, errors, socket.
pub(crate) const JOB_DESCRIPTORS: usize = 5;

/// What the first process of a sandbox is handed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) job: Job,
    pub(crate) group: Membership,
    pub(crate) stdio: Stdio,
}

/// What the descriptors of a task are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stdio {
    /// Pipes for the outputs, and nothing to read.
    Outputs,
    /// Pipes for all three.
    Pipes,
    /// A terminal for all three.
    Terminal,
}

/// The standard descriptors of a command, and what they are.
pub(crate) struct Descriptors {
    pub(crate) kind: Stdio,
    pub(crate) input: OwnedFd,
    pub(crate) output: OwnedFd,
    pub(crate) errors: OwnedFd,
}

/// What a child or the helper says about a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The root stands; these had to be made in it.
    Stubs(Vec<StubChain>),
    /// The command was not started.
    Failed(SandboxError),
    /// The command ended.
    Ended { ending: Ending, usage: Usage },
    /// The first process of the sandbox ended: the command itself, where nobody has to wait for it in there.
    Gone { ending: Ending, usage: Usage },
}

/// Mount points that were made in one directory that had none: the names of the chain, and what to restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StubChain {
    /// The path of the mount point below the root, all of it real names.
    pub path: PathBuf,
    pub is_file: bool,
    /// How many of the last components of `path` were made.
    pub made: usize,
    /// The directories above, from the one that got the new entry up to the root.
    pub parents: Vec<Parent>,
}

/// A directory above a mount point, as it was in the upper directory before the command ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parent {
    /// It was copied up on our account: it goes again when nothing else has happened to it.
    pub copied_up: bool,
    /// When its inode last changed, in seconds and nanoseconds.
    pub changed: (i64, i64),
}

/// Sends one report as one packet.
pub(crate) fn send_report(socket: BorrowedFd<'_>, report: &Report) -> io::Result<()> {
    let packet = serde_json::to_vec(report)?;
    nix::sys::socket::send(socket.as_raw_fd(), &packet, MsgFlags::MSG_NOSIGNAL)?;
    Ok(())
}

/// Puts a task into a memory file.
pub(crate) fn task_file(task: &Task) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(c"job", MFdFlags::MFD_CLOEXEC)?);
    serde_json::to_writer(io::BufWriter::new(&file), task)?;
    file.flush()?;
    file.rewind()?;
    Ok(file.into())
}

/// Reads the task of a memory file.
pub(crate) fn read_task(file: OwnedFd) -> io::Result<Task> {
    let mut text = Vec::new();
    File::from(file).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Sends descriptors to the helper.
pub(crate) fn send_descriptors(
    socket: BorrowedFd<'_>,
    descriptors: [RawFd; JOB_DESCRIPTORS],
) -> io::Result<()> {
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[io::IoSlice::new(b"J")],
        &[ControlMessage::ScmRights(&descriptors)],
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?;
    Ok(())
}

/// Receives the descriptors of a job; `None` when the caller is gone.
pub(crate) fn receive_descriptors(
    socket: BorrowedFd<'_>,
) -> io::Result<Option<[OwnedFd; JOB_DESCRIPTORS]>> {
    let mut byte = [0_u8; 1];
    let mut buffer = [io::IoSliceMut::new(&mut byte)];
    let mut space = nix::cmsg_space!([RawFd; JOB_DESCRIPTORS]);
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut buffer,
        Some(&mut space),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    if message.bytes == 0 {
        return Ok(None);
    }
    let mut descriptors = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(received) = control {
            // SAFETY: the kernel has just made these descriptors for us, and nobody else knows them.
            descriptors.extend(
                received
                    .iter()
                    .map(|fd| unsafe { OwnedFd::from_raw_fd(*fd) }),
            );
        }
    }
    descriptors
        .try_into()
        .map(Some)
        .map_err(|_| io::Error::from_raw_os_error(libc::EPROTO))
}
