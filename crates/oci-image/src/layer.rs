//! Layers: the difference of two file trees, as a listing, as a tar stream, and as a directory of overlayfs.
//!
//! Order everywhere: a directory comes before its children, siblings go by the bytes of their names, a whiteout by the name
//! that it removes. That is the order in which BuildKit walks an upper directory (`util/overlay/overlay_linux.go`).

mod assembly;
mod attributes;
mod capability;
mod diff;
mod directories;
mod entry;
mod error;
mod extensions;
mod header;
mod limits;
mod listing;
mod listing_builder;
mod listing_file;
mod merged;
mod pack;
mod path;
mod raw_header;
mod reader;
mod unpack;
mod writer;

pub use diff::{Content, DiffOptions, diff};
pub use entry::{Entry, Kind, Timestamp};
pub use error::LayerError;
pub use limits::Limits;
pub use listing::Listing;
pub use listing_builder::ListingBuilder;
pub use merged::{Found, Merged, Resolved};
pub use pack::{clamp, pack};
pub use path::LayerPath;
pub use reader::{LayerReader, LayerRecord, list_layer, read_layer};
pub use unpack::{UnpackOptions, unpack};
pub use writer::LayerWriter;
