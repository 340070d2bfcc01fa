//! A file that must not change while it is read.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{FileType, fstat};

use super::Stamp;
use crate::copy::changed;

/// A file that must not change while it is read: the last byte is given out only if it did not.
pub(super) struct CheckedFile {
    file: File,
    stamp: Stamp,
    left: u64,
}

impl CheckedFile {
    /// Takes a file that was opened without waiting; it has to be the one of the stamp.
    pub(super) fn new(file: File, stamp: Stamp) -> io::Result<CheckedFile> {
        let stat = fstat(&file)?;
        let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if !is_regular || !Stamp::of(&stat).has_same_content(&stamp) {
            return Err(changed());
        }
        Ok(CheckedFile {
            file,
            left: stamp.size,
            stamp,
        })
    }

    fn check(&self) -> io::Result<()> {
        let now = Stamp::of(&fstat(&self.file)?);
        if now.has_same_content(&self.stamp) {
            Ok(())
        } else {
            Err(changed())
        }
    }
}

impl Read for CheckedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(space) = buffer.get_mut(..wanted).filter(|space| !space.is_empty()) else {
            return Ok(0);
        };
        let count = self.file.read(space)?;
        if count == 0 {
            return Err(changed());
        }
        self.left -= count as u64;
        if self.left == 0 {
            self.check()?;
        }
        Ok(count)
    }
}
