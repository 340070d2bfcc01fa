//! Messages between a caller and its helper: a length, a text, and descriptors.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::job::{Job, Outcome};
use crate::system;

/// How many descriptors travel with a message: output, errors, and where the answer goes.
const DESCRIPTORS: usize = 3;

/// What a caller asks of its helper.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Comes with three descriptors.
    Run { number: u64, job: Box<Job> },
    /// Ends the command of that number, and all it started.
    Kill { number: u64 },
}

/// What comes back for one command.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Ended(Outcome),
    Failed(Fault),
}

/// Sends an order; the descriptors go with its length, so that they cannot get separated.
pub(crate) fn send(socket: &UnixStream, order: &Order, descriptors: &[RawFd]) -> io::Result<()> {
    let text = serde_json::to_vec(order)?;
    let length = (text.len() as u64).to_le_bytes();
    let messages = [ControlMessage::ScmRights(descriptors)];
    let messages = if descriptors.is_empty() {
        &[][..]
    } else {
        &messages[..]
    };
    let sent = sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(&length)],
        messages,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?;
    if sent != length.len() {
        return Err(io::Error::from(io::ErrorKind::WriteZero));
    }
    let mut socket = socket;
    socket.write_all(&text)
}

/// Receives an order with its descriptors; `None` when the caller is gone.
pub(crate) fn receive(socket: &UnixStream) -> io::Result<Option<(Order, Vec<OwnedFd>)>> {
    let mut length = [0_u8; 8];
    let mut space = nix::cmsg_space!([RawFd; DESCRIPTORS]);
    let mut descriptors = Vec::new();
    let received = {
        let mut slices = [IoSliceMut::new(&mut length)];
        let message = recvmsg::<()>(
            socket.as_raw_fd(),
            &mut slices,
            Some(&mut space),
            MsgFlags::MSG_CMSG_CLOEXEC,
        )?;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = control {
                descriptors.extend(numbers.into_iter().map(system::adopt));
            }
        }
        message.bytes
    };
    if received == 0 {
        return Ok(None);
    }
    let mut socket = socket;
    socket.read_exact(length.get_mut(received..).unwrap_or_default())?;
    let mut text = vec![0; usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?];
    socket.read_exact(&mut text)?;
    Ok(Some((serde_json::from_slice(&text)?, descriptors)))
}
