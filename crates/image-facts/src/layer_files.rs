//! Listings of layers, as the model knows files.

use dockerfile_model::{AccountNames, FileKind, LayerFiles};
use oci_image::layer::{Entry, Kind, LayerPath, Listing, Merged};

use crate::accounts::names;

const PASSWD: &[u8] = b"etc/passwd";
const GROUP: &[u8] = b"etc/group";

/// Returns what one layer changes; `read` gets the content of a small file of it.
pub fn layer_files(listing: &Listing, read: &dyn Fn(&LayerPath) -> Option<Vec<u8>>) -> LayerFiles {
    let entries = listing.entries().iter();
    let mut files = LayerFiles::new(entries.filter_map(|entry| {
        let is_executable = || {
            let file = listing.file_of(&entry.path);
            file.is_some_and(is_executable)
        };
        Some((path_of(entry)?, kind_of(entry, is_executable)))
    }));
    files.users = names_in_layer(listing, PASSWD, read);
    files.groups = names_in_layer(listing, GROUP, read);
    files
}

/// Returns what all layers of an image have together; `read` gets the content of a small file of one of them.
pub fn merged_files(
    merged: &Merged,
    read: &dyn Fn(usize, &LayerPath) -> Option<Vec<u8>>,
) -> LayerFiles {
    let root = LayerPath::root();
    let all = merged.walk(&root);
    let mut files = LayerFiles::new(all.filter_map(|found| {
        let is_executable = || {
            let file = merged.file_of(found);
            file.is_some_and(|file| is_executable(file.entry))
        };
        Some((path_of(found.entry)?, kind_of(found.entry, is_executable)))
    }));
    files.users = names_in_image(merged, PASSWD, read);
    files.groups = names_in_image(merged, GROUP, read);
    files
}

/// Returns an absolute path; none where it is no text, so that no Dockerfile can name it.
fn path_of(entry: &Entry) -> Option<String> {
    let path = std::str::from_utf8(entry.path.as_bytes()).ok()?;
    Some(format!("/{path}"))
}

fn kind_of(entry: &Entry, is_executable: impl FnOnce() -> bool) -> FileKind {
    match &entry.kind {
        Kind::Directory { is_opaque } => FileKind::Directory {
            is_opaque: *is_opaque,
        },
        Kind::File { .. } | Kind::HardLink { .. } => FileKind::File {
            is_executable: is_executable(),
        },
        Kind::Symlink { target } => match std::str::from_utf8(target) {
            Ok(target) => FileKind::Link(target.into()),
            Err(_) => FileKind::Other,
        },
        Kind::Whiteout => FileKind::Removed,
        Kind::Fifo | Kind::CharDevice { .. } | Kind::BlockDevice { .. } => FileKind::Other,
    }
}

fn is_executable(entry: &Entry) -> bool {
    entry.mode & 0o111 != 0
}

fn names_in_layer(
    listing: &Listing,
    path: &[u8],
    read: &dyn Fn(&LayerPath) -> Option<Vec<u8>>,
) -> AccountNames {
    let Some(path) = LayerPath::parse(path) else {
        return AccountNames::Unknown;
    };
    let folder = path.parent().and_then(|folder| listing.get(&folder));
    let is_plain_folder =
        folder.is_none_or(|folder| matches!(folder.kind, Kind::Directory { is_opaque: false }));
    match listing.get(&path).map(|entry| &entry.kind) {
        _ if !is_plain_folder => AccountNames::Unknown,
        None => AccountNames::Untouched,
        Some(Kind::Whiteout) => AccountNames::Known(Vec::new()),
        Some(Kind::File { .. } | Kind::HardLink { .. }) => {
            read(&path).map_or(AccountNames::Unknown, |bytes| names(&bytes))
        }
        Some(_) => AccountNames::Unknown,
    }
}

fn names_in_image(
    merged: &Merged,
    path: &[u8],
    read: &dyn Fn(usize, &LayerPath) -> Option<Vec<u8>>,
) -> AccountNames {
    let Ok(resolved) = merged.resolve(path) else {
        return AccountNames::Unknown;
    };
    if !resolved.missing.is_empty() {
        return AccountNames::Known(Vec::new());
    }
    let found = merged.get(&resolved.existing);
    let Some(file) = found.and_then(|found| merged.file_of(found)) else {
        return AccountNames::Unknown;
    };
    let bytes = read(file.layer, &file.entry.path);
    bytes.map_or(AccountNames::Unknown, |bytes| names(&bytes))
}
