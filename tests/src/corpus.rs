//! Every real file we have: lossless, and without a panic.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use test_support::{open_corpus, skipped};
use workspace_tests::lossless;

/// Few enough that a person reads them.
const SHOWN_FAULTS: usize = 20;

#[test]
fn every_file_of_the_open_corpus_survives_the_parser() {
    check_folder("all", 22_777);
}

#[test]
fn every_template_survives_the_parser() {
    check_folder("templates", 188);
}

#[track_caller]
fn check_folder(name: &str, expected_files: usize) {
    let Some(corpus) = open_corpus() else {
        return skipped(
            &format!("the corpus folder `{name}`"),
            "corpus/open.tar.zst",
        );
    };
    let files = files_in(&corpus.join(name));
    assert_eq!(files.len(), expected_files, "the corpus is complete");
    let faults = faults_in(&files);
    let shown: Vec<String> = faults
        .iter()
        .take(SHOWN_FAULTS)
        .map(|(path, fault)| format!("{}: {fault}", path.display()))
        .collect();
    assert!(
        faults.is_empty(),
        "{} of {} files:\n{}",
        faults.len(),
        files.len(),
        shown.join("\n")
    );
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the corpus has the folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    files.sort();
    files
}

fn faults_in(files: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(workers).max(1);
    thread::scope(|scope| {
        let handles: Vec<_> = files
            .chunks(share)
            .map(|files| scope.spawn(|| files.iter().filter_map(|path| check(path)).collect()))
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| -> Vec<(PathBuf, String)> {
                handle.join().expect("a fault is returned, not thrown")
            })
            .collect()
    })
}

/// A file that is not UTF-8 is read with replacement characters: the parser sees text only.
fn check(path: &Path) -> Option<(PathBuf, String)> {
    let bytes = fs::read(path).expect("the file can be read");
    let fault = lossless::fault(&String::from_utf8_lossy(&bytes))?;
    Some((path.to_path_buf(), fault))
}
