//! What BuildKit's layers have, against ours, for cases that only copy from their context.

#![allow(clippy::format_push_string)] // The text of a test need not be made quickly.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use dockerfile_model::IgnoreFile;
use oci_image::layer::{Entry, Kind};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::super::*;
use super::{TarImage, files, request, run};
use crate::context::Context;

const LATEST: i64 = 1_767_225_600;
/// BuildKit refuses `--parents` of a whole directory, which is a defect (README of the cases); the last one fails in the parser.
const LEFT_OUT: &[&str] = &[
    "buildah-copy--parents-all-directories",
    "buildah-copy--parents-directory-limit-parents-unknown-count-parent-directories",
    "own-parse-directive-dup",
];

/// One COPY or ADD of a case.
struct Instruction {
    is_add: bool,
    flags: Vec<(String, String)>,
    words: Vec<String>,
}

#[test]
fn layers_are_those_of_buildkit() {
    let Some(cases) = test_support::conformance().map(|folder| folder.join("build")) else {
        return test_support::skipped("the layers of COPY and ADD", "conformance/build");
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let mut count = 0;
    let mut failures = String::new();
    let is_usable = |folder: &&PathBuf| folder.is_dir() && test_support::is_as_delivered(folder);
    for folder in folders.iter().filter(is_usable) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let Some(instructions) =
            instructions(folder).filter(|_| !LEFT_OUT.contains(&name.as_str()))
        else {
            continue;
        };
        count += 1;
        if let Err(problem) = check(folder, &instructions) {
            failures.push_str(&format!("{name}: {problem}\n"));
        }
    }
    assert!(
        failures.is_empty(),
        "of {count} cases these differ:\n{failures}"
    );
    assert!(count >= 20, "only {count} cases were understood");
}

/// Returns the instructions of a case; `None` if it does more than copy from its context onto nothing.
fn instructions(folder: &Path) -> Option<Vec<Instruction>> {
    let text = fs::read_to_string(folder.join("Dockerfile")).ok()?;
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    if !lines.next()?.eq_ignore_ascii_case("from scratch") {
        return None;
    }
    lines.map(instruction).collect()
}

fn instruction(line: &str) -> Option<Instruction> {
    let (keyword, rest) = line.split_once(' ')?;
    let keyword = keyword.to_ascii_lowercase();
    if !matches!(keyword.as_str(), "copy" | "add")
        || line.ends_with('\\')
        || line.contains(['$', '<'])
    {
        return None;
    }
    let mut rest = rest.trim();
    let mut flags = Vec::new();
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, behind) = flag.split_once(' ')?;
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        if !matches!(name, "chown" | "chmod" | "exclude" | "parents") {
            return None;
        }
        flags.push((name.to_owned(), value.to_owned()));
        rest = behind.trim();
    }
    let words: Vec<String> = match serde_json::from_str(rest) {
        Ok(words) => words,
        Err(_) => rest.split_whitespace().map(str::to_owned).collect(),
    };
    let words = words.iter().map(|word| without_backslashes(word)).collect();
    Some(Instruction {
        is_add: keyword == "add",
        flags,
        words,
    })
}

fn without_backslashes(word: &str) -> String {
    let mut letters = word.chars();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' {
            letters.next().unwrap_or('\\')
        } else {
            letter
        });
    }
    text
}

fn check(folder: &Path, instructions: &[Instruction]) -> Result<(), String> {
    let case: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("case.json")).unwrap()).unwrap();
    let is_fine = case["expect"] == "ok";
    match built(folder, &case, instructions) {
        Err(_) if !is_fine => Ok(()),
        Err(error) => Err(format!("fails: {error}")),
        Ok(_) if !is_fine => Err("does not fail".to_owned()),
        Ok(image) => {
            let layers = fs::read_to_string(folder.join("expected.layers.tsv")).unwrap();
            compare("layers", &layers, &shown_layers(&image))?;
            let files = fs::read_to_string(folder.join("expected.files.tsv")).unwrap();
            compare("files", &files, &shown_files(&image))
        }
    }
}

fn compare(what: &str, expected: &str, actual: &str) -> Result<(), String> {
    if expected == actual {
        return Ok(());
    }
    let lacks = |one: &str, other: &str| {
        let lines: Vec<_> = one
            .lines()
            .filter(|line| !other.lines().any(|other| other == *line))
            .map(str::to_owned)
            .collect();
        lines.join("\n  ")
    };
    Err(format!(
        "{what} differ\n expected\n  {}\n actual\n  {}",
        lacks(expected, actual),
        lacks(actual, expected)
    ))
}

fn built(folder: &Path, case: &Value, instructions: &[Instruction]) -> Result<TarImage, String> {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("context");
    prepare(folder, case, &root);
    let own_rules = folder.join("Dockerfile.dockerignore");
    let rules = fs::read_to_string(own_rules)
        .or_else(|_| fs::read_to_string(root.join(".dockerignore")))
        .ok();
    let rules = rules
        .map(|text| IgnoreFile::parse(&text))
        .transpose()
        .map_err(|error| error.to_string())?;
    let context = Context::open(&root, rules, &directory.path().join("cache"))
        .map_err(|error| error.to_string())?;
    let mut image = TarImage::default();
    for instruction in instructions {
        image = step(&image, &context, instruction).map_err(|error| error.to_string())?;
    }
    Ok(image)
}

fn step(
    image: &TarImage,
    context: &Context,
    instruction: &Instruction,
) -> Result<TarImage, CopyError> {
    let (destination, sources) = instruction.words.split_last().unwrap();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let destination = match destination.as_str() {
        "." | "./" => "/".to_owned(),
        rooted if rooted.starts_with('/') => rooted.to_owned(),
        relative => format!("/{relative}"),
    };
    let mut request = request(files(context, &sources, instruction.is_add), &destination);
    for (name, value) in &instruction.flags {
        match name.as_str() {
            "chown" => request.chown = Some(chown_ids(value, b"", b"")?),
            "chmod" => request.chmod = Some(FileMode::parse(value)?),
            "exclude" => request.options.exclude.push(value.clone()),
            _ => request.options.keeps_parents = true,
        }
    }
    let paths: Vec<_> = sources.iter().map(|path| (*path).to_owned()).collect();
    content_digest(context, &paths, &request.options)?;
    run(image, &request, Some(LATEST))
}

fn prepare(folder: &Path, case: &Value, root: &Path) {
    fs::create_dir_all(root).unwrap();
    set_mode(root, 0o755);
    copy_tree(&folder.join("context"), root);
    for operation in case["prepare"].as_array().unwrap() {
        let text = |name: &str| operation[name].as_str().unwrap_or_default();
        assert!(
            operation.get("path_base64").is_none(),
            "a name that is not UTF-8"
        );
        let path = root.join(text("path"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match text("op") {
            "write" => {
                fs::write(&path, text("text")).unwrap();
                set_mode(&path, 0o644);
            }
            "truncate" => fs::File::create(&path)
                .unwrap()
                .set_len(operation["size"].as_u64().unwrap())
                .unwrap(),
            "mkdir" => fs::create_dir_all(&path).unwrap(),
            "symlink" => symlink(text("target"), &path).unwrap(),
            "hardlink" => fs::hard_link(root.join(text("target")), &path).unwrap(),
            "mkfifo" => {
                let mode = rustix::fs::Mode::from_raw_mode(0o644);
                rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0)
                    .unwrap();
            }
            "chmod" => set_mode(&path, u32::from_str_radix(text("mode"), 8).unwrap()),
            "mtime" => {
                let seconds = operation["time"].as_u64().unwrap();
                let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
                fs::File::open(&path).unwrap().set_modified(time).unwrap();
            }
            // It must have no effect.
            "chown" | "setxattr" => {}
            other => panic!("{other}"),
        }
    }
}

fn copy_tree(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else {
        return;
    };
    for entry in entries.map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            set_mode(&to, 0o755);
            copy_tree(&from, &to);
        } else {
            fs::write(&to, fs::read(&from).unwrap()).unwrap();
            let may_execute = fs::metadata(&from).unwrap().permissions().mode() & 0o100 != 0;
            set_mode(&to, if may_execute { 0o755 } else { 0o644 });
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() || letter == '\\' {
                text.push_str(&format!("\\x{:02x}", letter as u32));
            } else {
                text.push(letter);
            }
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

fn letter(kind: &Kind) -> char {
    match kind {
        Kind::File { .. } | Kind::Whiteout => 'f',
        Kind::Directory { .. } => 'd',
        Kind::Symlink { .. } => 'l',
        Kind::HardLink { .. } => 'h',
        Kind::Fifo => 'p',
        Kind::CharDevice { .. } => 'c',
        Kind::BlockDevice { .. } => 'b',
    }
}

fn shown_layers(image: &TarImage) -> String {
    let mut text = String::new();
    for (number, listing) in image.merged.listings().iter().enumerate() {
        let number = number + 1;
        if listing.is_empty() {
            text.push_str(&format!("{number}\t(empty)\n"));
        }
        for entry in listing.entries() {
            let slash = if entry.kind.is_directory() { "/" } else { "" };
            let target = match &entry.kind {
                Kind::Symlink { target } => escaped(target),
                Kind::HardLink { target } => escaped(target.as_bytes()),
                _ => "-".to_owned(),
            };
            let name = escaped(entry.path.as_bytes());
            let line = format!(
                "{number}\t{}\t{name}{slash}\t{}\t{target}\n",
                letter(&entry.kind),
                entry.modified.seconds
            );
            text.push_str(&line);
        }
    }
    text
}

fn shown_files(image: &TarImage) -> String {
    let root = oci_image::layer::LayerPath::root();
    let mut entries: Vec<&Entry> = image.merged.walk(&root).map(|found| found.entry).collect();
    entries.sort_by(|one, other| one.path.as_bytes().cmp(other.path.as_bytes()));
    entries
        .iter()
        .map(|entry| shown_file(image, entry))
        .collect()
}

fn shown_file(image: &TarImage, entry: &Entry) -> String {
    let file = image.lookup(&entry.path).unwrap().unwrap();
    let (size, content) = match &file.entry.kind {
        Kind::File { size } => {
            let hash = Sha256::digest(image.read(&entry.path));
            (*size, hex("", &hash))
        }
        Kind::Symlink { target } => (0, escaped(target)),
        Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
            (0, format!("{major}:{minor}"))
        }
        _ => (0, "-".to_owned()),
    };
    let capability = file
        .entry
        .capability()
        .map(|value| format!("security.capability={}", hex("\\x", value)));
    format!(
        "/{}\t{}\t{:04o}\t{}\t{}\t{size}\t{content}\t{}\t{}\n",
        escaped(entry.path.as_bytes()),
        letter(&file.entry.kind),
        entry.mode,
        entry.uid,
        entry.gid,
        capability.unwrap_or_else(|| "-".to_owned()),
        first_name(image, entry)
    )
}

fn first_name(image: &TarImage, entry: &Entry) -> String {
    let listings = image.merged.listings();
    for listing in listings {
        for link in listing.entries() {
            if let Kind::HardLink { target } = &link.kind
                && (*target == entry.path || link.path == entry.path)
            {
                return format!("/{}", escaped(target.as_bytes()));
            }
        }
    }
    "-".to_owned()
}

fn hex(before: &str, bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| {
        text + before + &format!("{byte:02x}")
    })
}
