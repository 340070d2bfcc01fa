//! Which files of a context BuildKit copied, from the folder of oracles' answers; skipped when that folder is absent.
#![allow(clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dockerfile_model::ignore_file::{IgnoreFile, ParentMatches};
use serde_json::Value;

/// Returns the folder of the build cases, or says loudly that there is none.
fn conformance_folder() -> Option<PathBuf> {
    let root = std::env::var_os("DFLINT_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    let folder = root.join("build");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no conformance data at {}", folder.display());
    None
}

/// The context of one case: its paths (with whether each is a directory), and the text of its ignore file.
struct Context {
    paths: BTreeMap<String, bool>,
    ignore: String,
}

impl Context {
    fn read(case: &Path, description: &Value) -> Context {
        let mut paths = BTreeMap::new();
        let folder = case.join("context");
        let mut ignore = std::fs::read_to_string(folder.join(".dockerignore")).unwrap_or_default();
        list(&folder, "", &mut paths);
        for step in description["prepare"].as_array().into_iter().flatten() {
            let Some(path) = step["path"].as_str() else {
                continue;
            };
            let operation = step["op"].as_str().unwrap_or_default();
            if !matches!(
                operation,
                "write" | "symlink" | "hardlink" | "mkdir" | "mkfifo"
            ) {
                continue;
            }
            for (at, _) in path.match_indices('/') {
                paths.insert(path[..at].to_owned(), true);
            }
            paths.insert(path.to_owned(), operation == "mkdir");
            if path == ".dockerignore" {
                step["text"]
                    .as_str()
                    .unwrap_or_default()
                    .clone_into(&mut ignore);
            }
        }
        if let Ok(text) = std::fs::read_to_string(case.join("Dockerfile.dockerignore")) {
            ignore = text;
        }
        Context { paths, ignore }
    }

    /// Returns what the walk of BuildKit's client sends: what is kept, and the directories around it.
    fn kept(&self, ignore: &IgnoreFile) -> BTreeSet<String> {
        let mut kept = BTreeSet::new();
        let mut states: BTreeMap<&str, ParentMatches> = BTreeMap::new();
        let mut skipped: BTreeSet<&str> = BTreeSet::new();
        for (path, is_directory) in &self.paths {
            let parent = path.rsplit_once('/').map(|(parent, _)| parent);
            if parent.is_some_and(|parent| skipped.contains(parent)) {
                assert!(ignore.is_ignored(path), "{path} was skipped");
                skipped.insert(path);
                continue;
            }
            let top = ParentMatches::default();
            let parents = parent.and_then(|parent| states.get(parent)).unwrap_or(&top);
            let (is_ignored, state) = ignore.matches_with_parents(path, parents);
            assert_eq!(is_ignored, ignore.is_ignored(path), "{path}");
            if *is_directory {
                states.insert(path, state);
                if is_ignored && ignore.can_skip_directory(path) {
                    skipped.insert(path);
                }
            }
            if !is_ignored {
                kept.insert(path.clone());
                kept.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
            }
        }
        kept
    }
}

fn list(folder: &Path, prefix: &str, paths: &mut BTreeMap<String, bool>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let path = format!("{prefix}{}", name.to_string_lossy());
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory {
            list(&entry.path(), &format!("{path}/"), paths);
        }
        paths.insert(path, is_directory);
    }
}

/// Returns the target of the one instruction that copies the whole context, without slashes around.
fn target_of_whole_context(dockerfile: &str) -> Option<String> {
    let mut targets = dockerfile.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["COPY" | "ADD", "." | "./" | "/", target] => {
                Some(target.trim_matches(['.', '/']).to_owned())
            }
            _ => None,
        }
    });
    let target = targets.next()?;
    targets.next().is_none().then_some(target)
}

/// Returns the paths below the target, relative to it.
fn copied_paths(case: &Path, target: &str) -> BTreeSet<String> {
    let listing = std::fs::read_to_string(case.join("expected.files.tsv")).expect("a listing");
    let prefix = match target {
        "" => "/".to_owned(),
        target => format!("/{target}/"),
    };
    listing
        .lines()
        .filter(|line| !line.ends_with("\t-") || line.split('\t').count() > 2)
        .filter_map(|line| line.split('\t').next()?.strip_prefix(prefix.as_str()))
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn context_holds_what_buildkit_copied() {
    let Some(folder) = conformance_folder() else {
        return;
    };
    let mut compared = Vec::new();
    let mut failures = Vec::new();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("case.json").is_file())
        .collect();
    cases.sort();
    for case in cases {
        let name = case
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let description = std::fs::read_to_string(case.join("case.json")).expect("a description");
        let description: Value = serde_json::from_str(&description).expect("JSON");
        let dockerfile = std::fs::read_to_string(case.join("Dockerfile")).unwrap_or_default();
        let context = Context::read(&case, &description);
        if context.ignore.is_empty() || description["expect"] != "ok" {
            continue;
        }
        let Some(target) = target_of_whole_context(&dockerfile) else {
            continue;
        };
        let ignore = IgnoreFile::parse(&context.ignore).expect(&name);
        let ours = context.kept(&ignore);
        let mut theirs = copied_paths(&case, &target);
        if dockerfile.contains("COPY --from=0 /file /") {
            theirs.remove("file");
        }
        if ours != theirs {
            let extra: Vec<_> = ours.difference(&theirs).collect();
            let missing: Vec<_> = theirs.difference(&ours).collect();
            failures.push(format!("{name}: too many {extra:?}, too few {missing:?}"));
        }
        compared.push(name);
    }
    eprintln!(
        "{} contexts compared: {}",
        compared.len(),
        compared.join(" ")
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared.len() >= 15, "the conformance data has changed");
}

#[test]
fn broken_files_fail_as_in_buildkit() {
    let Some(folder) = conformance_folder() else {
        return;
    };
    for name in ["own-ignore-bad", "own-ignore-bang-alone"] {
        let text = std::fs::read_to_string(folder.join(name).join("context/.dockerignore"));
        assert!(IgnoreFile::parse(&text.expect(name)).is_err(), "{name}");
    }
    for (name, path) in [
        (
            "buildah-dockerignore-allowlist-alternating-nothing",
            "subdir/subdir1/subdir2/subdir3/subdir4/subdir5/file",
        ),
        ("own-copy-ignored", "b.txt"),
        (
            "buildah-dockerignore-allowlist-subdir-nofile-file",
            "folder1",
        ),
    ] {
        let text = std::fs::read_to_string(folder.join(name).join("context/.dockerignore"));
        let ignore = IgnoreFile::parse(&text.expect(name)).expect(name);
        assert!(ignore.is_ignored(path), "{name}");
    }
}
