//! The context as the case wants it: a copy, with the modes that a repository cannot keep and the operations applied.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

use crate::case::{Case, Operation};

/// Copies the context of `case` to `folder` and applies its operations. The Dockerfile is beside it or in it.
pub(crate) fn prepare(case: &Case, folder: &Path) -> Result<(), String> {
    let source = case.folder.join("context");
    fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    if source.is_dir() {
        copy(&source, folder).map_err(|e| format!("copying the context: {e}"))?;
    }
    for operation in &case.description.prepare {
        apply(operation, folder).map_err(|e| format!("{} of the context: {e}", operation.op))?;
    }
    Ok(())
}

fn copy(source: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    fs::set_permissions(target, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let to = target.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
            continue;
        }
        let executable = entry.metadata()?.permissions().mode() & 0o100 != 0;
        fs::write(&to, fs::read(entry.path())?)?;
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn apply(operation: &Operation, context: &Path) -> Result<(), String> {
    let path = context.join(relative_path(operation)?);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| e.to_string())?;
    }
    let result = match operation.op.as_str() {
        "write" => {
            let content = match (&operation.text, &operation.base64) {
                (Some(text), _) => text.clone().into_bytes(),
                (None, Some(encoded)) => decode_base64(encoded)?,
                (None, None) => Vec::new(),
            };
            fs::write(&path, content).and_then(|()| set_mode(&path, 0o644))
        }
        "truncate" => fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .and_then(|file| file.set_len(operation.size.unwrap_or(0))),
        "mkdir" => fs::create_dir_all(&path).and_then(|()| set_mode(&path, 0o755)),
        "symlink" => {
            let target = wanted(operation.target.as_ref())?;
            symlink(target, &path)
        }
        "hardlink" => {
            let target = wanted(operation.target.as_ref())?;
            fs::hard_link(context.join(target), &path)
        }
        "mkfifo" => rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from(0o644), 0)
            .map_err(io::Error::from)
            .and_then(|()| set_mode(&path, 0o644)),
        "chmod" => {
            let text = wanted(operation.mode.as_ref())?;
            let mode = u32::from_str_radix(text, 8).map_err(|e| e.to_string())?;
            set_mode(&path, mode)
        }
        // Owners of the context must not matter.
        "chown" => Ok(()),
        "setxattr" => {
            let name = wanted(operation.name.as_ref())?;
            let value = wanted(operation.value.as_ref())?;
            rustix::fs::setxattr(&path, name, value.as_bytes(), XattrFlags::empty())
                .map_err(io::Error::from)
        }
        "mtime" => set_time(&path, operation.time.unwrap_or(0)),
        other => return Err(format!("unknown operation {other}")),
    };
    result.map_err(|e| format!("{}: {e}", path.display()))
}

fn wanted(field: Option<&String>) -> Result<&str, String> {
    field
        .map(String::as_str)
        .ok_or_else(|| "a field is missing".to_owned())
}

fn relative_path(operation: &Operation) -> Result<PathBuf, String> {
    if let Some(encoded) = &operation.path_base64 {
        return Ok(OsString::from_vec(decode_base64(encoded)?).into());
    }
    Ok(PathBuf::from(wanted(operation.path.as_ref())?))
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Sets the time of a file or of a link itself.
fn set_time(path: &Path, seconds: i64) -> io::Result<()> {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)
}

/// Decodes base64 (RFC 4648, section 4); blanks and padding are passed over.
fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits = 0_u32;
    let mut count = 0;
    for byte in text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
    {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(format!("`{}` is not base64", byte.escape_ascii())),
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Ok(bytes)
}
