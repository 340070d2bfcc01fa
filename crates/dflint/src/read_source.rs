//! Bytes from disk or standard input to a text.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use dockerfile_source::{Diagnostic, Severity, SourceFile, TextRange};
use thiserror::Error;

use crate::discovery::Input;

/// A file of more bytes than this is refused: its tree would need gigabytes, and a run that is killed for want of memory
/// loses the findings of all other files.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The finding that a file is no text; the lint crate never sees such a file.
pub(crate) const NOT_UTF8_RULE: &str = "not-utf8";
pub(crate) const NOT_UTF8_CODE: &str = "DF000";

/// Why there is no text to check.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is a folder")]
    IsFolder,
    #[error("it is not a regular file; use `-` to check what comes through a pipe")]
    IsSpecial,
    #[error("it has more than {} MiB, the most that is checked", MOST_BYTES / (1024 * 1024))]
    TooLarge,
}

/// What an input holds.
#[derive(Debug)]
pub(crate) enum Content {
    Text(SourceFile),
    Bytes(Box<NotUtf8>),
}

/// What can be said about a file that is not UTF-8.
#[derive(Debug)]
pub(crate) struct NotUtf8 {
    /// The file with one byte (SUB) for each byte that is no text, so that offsets are those of the file.
    pub(crate) source: SourceFile,
    /// Says where the first byte is that is no text.
    pub(crate) diagnostic: Diagnostic,
    pub(crate) bytes: Vec<u8>,
}

/// Reads one input; `stdin_filename` is what standard input is called in reports.
pub(crate) fn read_source(
    input: &Input,
    stdin_filename: Option<&Path>,
) -> Result<Content, ReadError> {
    match input {
        Input::StandardInput => {
            let name = stdin_filename.map_or("<stdin>".into(), |path| path.to_string_lossy());
            let bytes = read_to_limit(io::stdin().lock(), 0)?;
            Ok(decode(name.into_owned(), bytes))
        }
        Input::File(path) => Ok(decode(
            path.to_string_lossy().into_owned(),
            read_file(path)?,
        )),
    }
}

fn read_file(path: &PathBuf) -> Result<Vec<u8>, ReadError> {
    // Asked before the file is opened: opening a named pipe waits until somebody writes to it.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ReadError::IsFolder);
    }
    if !metadata.is_file() && !is_open_descriptor(path) {
        return Err(ReadError::IsSpecial);
    }
    if metadata.len() > MOST_BYTES {
        return Err(ReadError::TooLarge);
    }
    read_to_limit(File::open(path)?, metadata.len())
}

/// Returns `true` for names of pipes that the shell has opened for us: `/dev/stdin`, and `/dev/fd/63` for `<(command)`.
fn is_open_descriptor(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

fn read_to_limit(input: impl Read, expected: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0) + 1);
    // A file can grow while it is read.
    input.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(bytes)
}

fn decode(name: String, bytes: Vec<u8>) -> Content {
    match String::from_utf8(bytes) {
        Ok(text) => Content::Text(SourceFile::new(name, text)),
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let length = error.utf8_error().error_len();
            let bytes = error.into_bytes();
            Content::Bytes(Box::new(NotUtf8 {
                diagnostic: not_utf8(&bytes, start, length),
                source: SourceFile::new(name, substitute(&bytes)),
                bytes,
            }))
        }
    }
}

/// Returns the one finding about a file that is not UTF-8. An unknown `length` is a character that the file's end cuts.
fn not_utf8(bytes: &[u8], start: usize, length: Option<usize>) -> Diagnostic {
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let (start, end) = match length {
        _ if is_utf16 => (0, 2),
        Some(length) => (start, start + length),
        None => (start, bytes.len()),
    };
    let shown = bytes.get(start..end).unwrap_or_default().escape_ascii();
    Diagnostic {
        rule: NOT_UTF8_RULE,
        code: NOT_UTF8_CODE,
        aliases: &[],
        severity: Severity::Error,
        message: if is_utf16 {
            "the file is UTF-16, not UTF-8".to_owned()
        } else {
            format!("`{shown}` at byte {start} is not UTF-8")
        },
        range: TextRange::new((start as u32).into(), (end as u32).into()),
        labels: Vec::new(),
        help: Some("save the file as UTF-8; nothing else in it was checked".to_owned()),
        fix: None,
    }
}

/// Returns a text of the same length in which each byte that is not UTF-8 is the control character SUB.
fn substitute(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{1a}'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(bytes: &[u8]) -> (String, Diagnostic) {
        match decode("a".to_owned(), bytes.to_vec()) {
            Content::Bytes(found) => (found.source.text().to_owned(), found.diagnostic),
            Content::Text(source) => panic!("{source:?} is UTF-8"),
        }
    }

    #[test]
    fn says_where_the_first_wrong_byte_is() {
        let (text, diagnostic) = finding(b"FROM x\nRUN \xe9t\xe9\n");
        assert_eq!(diagnostic.message, "`\\xe9` at byte 11 is not UTF-8");
        assert_eq!(diagnostic.range, TextRange::new(11.into(), 12.into()));
        assert_eq!(text, "FROM x\nRUN \u{1a}t\u{1a}\n");
    }

    #[test]
    fn a_character_cut_by_the_end_is_found() {
        let (text, diagnostic) = finding("aé".as_bytes().get(..2).expect("two of three"));
        assert_eq!(diagnostic.range, TextRange::new(1.into(), 2.into()));
        assert_eq!(text.len(), 2);
    }

    #[test]
    fn names_utf16() {
        let (_, diagnostic) = finding(b"\xff\xfeF\0R\0O\0M\0");
        assert_eq!(diagnostic.message, "the file is UTF-16, not UTF-8");
    }

    #[test]
    fn refuses_what_is_too_large() {
        let endless = io::repeat(b'#');
        assert!(matches!(
            read_to_limit(endless, 0),
            Err(ReadError::TooLarge)
        ));
    }
}
