//! A network with nothing but a loopback device.

use std::io;
use std::os::fd::AsRawFd as _;

use crate::system;

/// Raises `lo` of the network namespace that this process is in.
pub(super) fn raise_loopback() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind(("0.0.0.0", 0))?;
    system::raise_interface(socket.as_raw_fd(), c"lo")
}
