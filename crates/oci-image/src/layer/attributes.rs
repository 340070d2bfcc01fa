//! The extended attributes of a file that mean something to layers.

use std::os::fd::BorrowedFd;

use rustix::fs::{lgetxattr, llistxattr};
use rustix::io::Errno;

use super::directories::through_proc;

/// Names and values are no longer than this in practice; what is longer is an error of the system call.
const BUFFER: usize = 4096;

/// The extended attributes of a file that mean something to layers.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) capability: Option<Vec<u8>>,
    pub(super) is_opaque: bool,
    /// Overlayfs would look for the directory, or for the data, elsewhere.
    pub(super) is_redirected: bool,
}

/// Reads the attributes of a name in a directory; of the directory itself for the empty name. Links are not followed.
pub(super) fn read_attributes(
    directory: BorrowedFd<'_>,
    name: &[u8],
    is_rootless: bool,
) -> Result<Attributes, Errno> {
    // `/proc/self/fd/N` is a link itself, so the directory is named by `.` below it.
    let path = through_proc(directory, if name.is_empty() { b"." } else { name });
    let mut names = [0_u8; BUFFER];
    let length = match llistxattr(&path, &mut names) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => 0,
        Err(error) => return Err(error),
    };
    let prefix: &[u8] = if is_rootless {
        b"user.overlay."
    } else {
        b"trusted.overlay."
    };
    let mut attributes = Attributes::default();
    for attribute in names.get(..length).unwrap_or(&[]).split(|&byte| byte == 0) {
        let value = || -> Result<Vec<u8>, Errno> {
            let mut value = [0_u8; BUFFER];
            let length = lgetxattr(&path, attribute, &mut value)?;
            Ok(value.get(..length).unwrap_or(&[]).to_vec())
        };
        if attribute == b"security.capability" {
            attributes.capability = Some(value()?);
            continue;
        }
        match attribute.strip_prefix(prefix) {
            Some(b"opaque") => attributes.is_opaque = value()? == b"y",
            Some(b"redirect" | b"metacopy") => attributes.is_redirected = true,
            _ => {}
        }
    }
    Ok(attributes)
}
