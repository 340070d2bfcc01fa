//! An image of a few files, made by the test that needs it.

use std::io;
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::busybox_base::{architecture, write_layout};

/// Writes an OCI layout that has one image under a name, with these files and variables.
///
/// A file is a path and its content: `bin/` is a folder, `bin/sh*` a program, and the content `-> busybox` makes a link.
/// The layout is a store that `dfbuild` can open, too.
pub fn write_small_image(
    folder: &Path,
    name: &str,
    files: &[(&str, &str)],
    variables: &[&str],
) -> io::Result<()> {
    let mut archive = Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.set_mtime(0);
        let is_program = path.ends_with('*') || path.ends_with('/');
        header.set_mode(if is_program { 0o755 } else { 0o644 });
        let path = path.trim_end_matches('*');
        if let Some(target) = content.strip_prefix("-> ") {
            header.set_entry_type(EntryType::Symlink);
            header.set_size(0);
            archive.append_link(&mut header, path, target)?;
            continue;
        }
        header.set_entry_type(if path.ends_with('/') {
            EntryType::Directory
        } else {
            EntryType::Regular
        });
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_bytes())?;
    }
    let layer = archive.into_inner()?;
    let variables: Vec<String> = variables.iter().map(|pair| format!("\"{pair}\"")).collect();
    let config = |diff_id: &str| {
        format!(
            "{{\"architecture\":\"{}\",\"os\":\"linux\",\"config\":{{\"Env\":[{}]}},\
             \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:{diff_id}\"]}}}}",
            architecture(),
            variables.join(",")
        )
    };
    write_layout(folder, name, &layer, config)
}
