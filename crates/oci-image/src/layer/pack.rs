//! The tar of a snapshot directory.

use std::io::{self, Write};
use std::path::Path;

use super::directories::Directories;
use super::{Kind, LayerError, LayerWriter, Listing, Timestamp};

/// Lowers a time later than the moment (SOURCE_DATE_EPOCH) to it.
pub fn clamp(time: Timestamp, moment: Option<i64>) -> Timestamp {
    match moment {
        Some(moment) => time.min(Timestamp::seconds(moment)),
        None => time,
    }
}

/// Writes the layer of a listing with the content of its snapshot directory; times later than `clamp` are lowered to it.
///
/// The listing is what counts for owners, modes and links. A file that no longer has the size of the listing is an error.
pub fn pack<W: Write>(
    listing: &Listing,
    snapshot: &Path,
    writer: &mut LayerWriter<W>,
    clamp: Option<i64>,
) -> Result<(), LayerError> {
    let mut directories = Directories::open(snapshot)?;
    for entry in listing.entries() {
        let mut entry = entry.clone();
        entry.modified = self::clamp(entry.modified, clamp);
        let Kind::File { size } = entry.kind else {
            writer.append(&entry, &mut io::empty())?;
            continue;
        };
        let mut file = directories.open_file(&entry.path)?;
        let found = file
            .metadata()
            .map_err(|source| LayerError::file("read", &entry.path, source))?;
        if !found.is_file() || found.len() != size {
            return Err(LayerError::Changed { path: entry.path });
        }
        writer.append(&entry, &mut file)?;
    }
    Ok(())
}
