//! A long realistic Dockerfile: real ones, one behind the other.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Returns a text of about `bytes` bytes, made from the files of the corpus's core in their order.
///
/// Left out is what would change the meaning of all that follows: parser directives, and files that are cut short. When
/// the core is used up it starts again.
pub(super) fn long_file(corpus: &Path, bytes: usize) -> anyhow::Result<String> {
    let names = fs::read_to_string(corpus.join("open_core.txt")).context("no open_core.txt")?;
    let mut parts = Vec::new();
    for name in names.lines() {
        let read = fs::read(corpus.join(name)).with_context(|| format!("cannot read {name}"))?;
        if let Ok(text) = String::from_utf8(read)
            && is_closed(&text)
        {
            parts.push(text);
        }
    }
    let mut long = String::with_capacity(bytes + (1 << 16));
    for part in parts.iter().cycle() {
        if long.len() >= bytes {
            break;
        }
        long.push_str(part);
        if !part.ends_with('\n') {
            long.push('\n');
        }
    }
    Ok(long)
}

/// Returns whether the text can be followed by another without a change to either.
fn is_closed(text: &str) -> bool {
    let ends_in_continuation = text.trim_end().ends_with(['\\', '`']);
    !text.is_empty() && !ends_in_continuation && !text.contains("escape=") && !text.contains("<<")
}
