//! What product code may not do: panic on purpose, reach for the disk in a core crate, need Unix, use `unsafe`.

use super::Report;
use super::rust_source::{code_of, crate_folder, is_test_file, product_lines};
use crate::workspace::RepositoryFile;

/// Tools for developers, where a panic is an answer.
const OUTSIDE: &[&str] = &["xtask", "test-support"];

/// No file, environment, clock or network: I/O stands at the edge.
const CORE: &[&str] = &[
    "dockerfile-source",
    "dockerfile-syntax",
    "dockerfile-model",
    "dockerfile-format",
    "dockerfile-lint",
    "dockerfile-ide",
];

/// Build on every system without exception. `dflint` may use Unix behind `cfg(unix)`.
const PORTABLE: &[&str] = &[
    "dockerfile-source",
    "dockerfile-syntax",
    "dockerfile-model",
    "dockerfile-format",
    "dockerfile-lint",
    "dockerfile-ide",
    "dockerfile-report",
    "dockerfile-config",
];
const PORTABLE_BEHIND_CFG: &str = "dflint";
/// How far above its use `cfg(unix)` may stand.
const CFG_DISTANCE: usize = 15;

/// The one crate with `unsafe`.
const UNSAFE_CRATE: &str = "build-sandbox";

const PANICS: &[&str] = &[".unwrap()", "panic!(", "todo!(", "unimplemented!("];
/// Addresses (`std::net::IpAddr`) and durations are plain data and allowed.
const WORLD: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "ToSocketAddrs",
    "std::process",
    "std::io::stdin",
    "SystemTime",
    "time::Instant",
    "Instant::now",
];
const UNIX: &[&str] = &[
    "std::os::unix",
    "std::os::fd",
    "libc::",
    "nix::",
    "rustix::",
];

pub(super) fn check(file: &RepositoryFile, report: &mut Report) {
    let Some(folder) = crate_folder(&file.path) else {
        return;
    };
    if is_test_file(&file.path) {
        return;
    }
    check_head(file, folder, report);
    if OUTSIDE.contains(&folder) {
        return;
    }
    let is_core = CORE.contains(&folder);
    let mut last_cfg_unix = None;
    for (number, line) in product_lines(file) {
        let code = code_of(line);
        if let Some(call) = find(PANICS, code) {
            let message = format!("`{call}` in product code: return what is known instead");
            report.fault_at(&file.path, number, message);
        }
        if is_core && let Some(call) = find(WORLD, code).or_else(|| grouped_import(code)) {
            let message = format!("`{call}` in a core crate: I/O stands at the edge");
            report.fault_at(&file.path, number, message);
        }
        if code.contains("cfg(unix)") {
            last_cfg_unix = Some(number);
        }
        let is_behind_cfg = folder == PORTABLE_BEHIND_CFG
            && last_cfg_unix.is_some_and(|cfg| number - cfg <= CFG_DISTANCE);
        let must_be_portable = PORTABLE.contains(&folder) || folder == PORTABLE_BEHIND_CFG;
        if must_be_portable
            && !is_behind_cfg
            && let Some(call) = find(UNIX, code)
        {
            let message = format!("`{call}` is Unix only: this crate builds everywhere");
            report.fault_at(&file.path, number, message);
        }
    }
}

/// A crate forbids `unsafe` in its first file.
fn check_head(file: &RepositoryFile, folder: &str, report: &mut Report) {
    let is_head = ["src/lib.rs", "src/main.rs"]
        .iter()
        .any(|head| file.path == format!("crates/{folder}/{head}"));
    if is_head && folder != UNSAFE_CRATE && !file.text.contains("#![forbid(unsafe_code)]") {
        report.fault(&file.path, "`#![forbid(unsafe_code)]` is missing");
    }
}

fn find(forbidden: &[&'static str], code: &str) -> Option<&'static str> {
    forbidden.iter().copied().find(|call| code.contains(call))
}

/// Finds `use std::{fs, ...}`, written on one line.
fn grouped_import(code: &str) -> Option<&'static str> {
    let group = code.trim_start().strip_prefix("use std::{")?;
    let words: Vec<&str> = group.split(|char: char| !char.is_alphanumeric()).collect();
    ["fs", "env", "process"]
        .into_iter()
        .find(|name| words.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> usize {
        let file = RepositoryFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let mut report = Report::default();
        check(&file, &mut report);
        report.faults.len()
    }

    #[test]
    fn product_code_does_not_panic_on_purpose() {
        assert_eq!(
            faults("crates/dflint/src/a.rs", "fn a() { b().unwrap(); }\n"),
            1
        );
        assert_eq!(faults("crates/dflint/src/a.rs", "// b().unwrap()\n"), 0);
        assert_eq!(faults("crates/dflint/tests/a.rs", "b().unwrap();\n"), 0);
    }

    #[test]
    fn core_crates_do_no_io() {
        assert_eq!(
            faults("crates/dockerfile-lint/src/a.rs", "use std::fs;\n"),
            1
        );
        assert_eq!(
            faults("crates/dockerfile-lint/src/a.rs", "use std::{fmt, fs};\n"),
            1
        );
        assert_eq!(
            faults("crates/dockerfile-lint/src/a.rs", "use std::{fmt, ops};\n"),
            0
        );
        assert_eq!(faults("crates/dflint/src/a.rs", "use std::fs;\n"), 0);
    }

    #[test]
    fn unix_needs_a_cfg_in_the_program_and_is_refused_elsewhere() {
        let line = "use std::os::unix::fs::MetadataExt;\n";
        let behind_cfg = format!("#[cfg(unix)]\n{line}");
        assert_eq!(faults("crates/dflint/src/a.rs", line), 1);
        assert_eq!(faults("crates/dflint/src/a.rs", &behind_cfg), 0);
        assert_eq!(faults("crates/dockerfile-report/src/a.rs", &behind_cfg), 1);
    }

    #[test]
    fn every_crate_forbids_unsafe() {
        assert_eq!(faults("crates/dflint/src/main.rs", "fn main() {}\n"), 1);
        assert_eq!(faults("crates/build-sandbox/src/lib.rs", "\n"), 0);
    }
}
