//! Safe fixes over real files: none broken, none changed beyond what the rule's page says, nothing left for a second
//! run.

use std::fs;

use dockerfile_lint::{IgnoreFileFact, Options, Selection, fix};
use dockerfile_model::means_the_same;
use dockerfile_source::{Applicability, SourceFile};
use dockerfile_syntax::{Parse, SyntaxErrorKind, parse};

/// Rules whose safe fixes change what is built, exactly as their pages say. The fixes of all others must change nothing.
const CHANGING: &[&str] = include!("changing_fixes.in");

fn fatal_errors(parse: &Parse) -> usize {
    let errors = parse.errors().iter();
    errors
        .filter(|error| error.kind != SyntaxErrorKind::Deprecated)
        .count()
}

fn core_files() -> Option<Vec<(String, String)>> {
    let corpus = test_support::open_corpus()?;
    let list = fs::read_to_string(corpus.join("open_core.txt")).expect("the list is readable");
    let read = |path: &str| {
        // A text that is not UTF-8 is never fixed.
        let text = String::from_utf8(fs::read(corpus.join(path)).ok()?).ok()?;
        Some((path.to_owned(), text))
    };
    Some(list.lines().filter_map(read).collect())
}

#[test]
fn safe_fixes_break_nothing_and_change_nothing() {
    let Some(files) = core_files() else {
        return test_support::skipped("the safe fixes over real files", "corpus");
    };
    assert!(files.len() > 2400, "only {} files", files.len());
    let mut selection = Selection::all();
    for name in CHANGING {
        selection.set(name, false).expect("the rule exists");
    }
    let quiet = Options {
        selection,
        ignore_file: IgnoreFileFact::Absent,
        ..Options::default()
    };
    let every = Options {
        selection: Selection::all(),
        ..quiet.clone()
    };
    let mut faults = Vec::new();
    let mut fixed = 0;
    for (name, text) in &files {
        let source = SourceFile::new(name.clone(), text.clone());
        let before = parse(text);
        let outcome = fix(&source, &quiet, Applicability::Safe);
        if !means_the_same(&before, &parse(&outcome.text)) {
            let rules: Vec<_> = outcome.applied.iter().map(|finding| finding.rule).collect();
            faults.push(format!("{name}: means something else after {rules:?}"));
        }
        let outcome = fix(&source, &every, Applicability::Safe);
        fixed += usize::from(!outcome.applied.is_empty());
        if fatal_errors(&parse(&outcome.text)) > fatal_errors(&before) {
            faults.push(format!("{name}: broken"));
        }
        let again = fix(
            &SourceFile::new(name.clone(), outcome.text.clone()),
            &every,
            Applicability::Safe,
        );
        if again.text != outcome.text {
            faults.push(format!("{name}: a second run changes it again"));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults in {} files:\n{}",
        faults.len(),
        files.len(),
        faults.join("\n")
    );
    assert!(fixed > 500, "only {fixed} files were fixed");
}
