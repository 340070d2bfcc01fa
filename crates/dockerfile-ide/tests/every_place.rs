//! No feature fails at any place of any file, whole or cut in the middle.

use std::fs;
use std::sync::Arc;

use dockerfile_ide::{Analysis, ContextEntry, Outside};
use dockerfile_source::{SourceFile, TextRange, TextSize};

/// Asks for everything there is at some places of a text, and applies what comes back.
fn ask_for_everything(text: &str, step: usize) {
    let outside = Outside {
        context: Arc::new(vec![ContextEntry {
            path: "a".to_owned(),
            is_folder: false,
        }]),
        has_builder: true,
        ..Outside::default()
    };
    let analysis = Analysis::new(SourceFile::new("Dockerfile", text), Arc::new(outside));
    let whole = TextRange::up_to(TextSize::of(text));
    let found = dockerfile_ide::diagnostics(&analysis);
    dockerfile_ide::document_symbols(&analysis);
    dockerfile_ide::folds(&analysis);
    dockerfile_ide::lenses(&analysis, true);
    dockerfile_ide::links(&analysis);
    dockerfile_ide::inlay_hints(&analysis, &[], whole);
    let tokens = dockerfile_ide::semantic_tokens(&analysis, whole);
    for pair in tokens.windows(2) {
        let [left, right] = pair else { continue };
        assert!(
            left.range.end() <= right.range.start(),
            "{pair:?} in {text}"
        );
    }
    for token in &tokens {
        assert!(!analysis.source().slice(token.range).contains('\n'));
    }
    for offset in places(text, step) {
        let here = TextRange::empty(offset);
        dockerfile_ide::hover(&analysis, offset);
        dockerfile_ide::signature_help(&analysis, offset);
        dockerfile_ide::linked_ranges(&analysis, offset);
        dockerfile_ide::definition(&analysis, offset);
        let references = dockerfile_ide::references(&analysis, offset);
        if dockerfile_ide::prepare_rename(&analysis, offset).is_some() {
            assert!(!references.is_empty());
            if let Ok(edit) = dockerfile_ide::rename(&analysis, offset, "another_name") {
                assert!(edit.apply(text).is_some());
            }
        }
        for item in dockerfile_ide::completions(&analysis, offset) {
            assert!(item.replace.contains_inclusive(offset), "{item:?}");
            assert!(whole.contains_range(item.replace));
        }
        let ranges = dockerfile_ide::selection_ranges(&analysis, offset);
        assert!(ranges.last().is_some_and(|last| *last == whole));
        for action in dockerfile_ide::actions(&analysis, &found, here) {
            assert!(action.edit.apply(text).is_some(), "{}", action.title);
        }
        dockerfile_ide::format_on_type(&analysis, offset, "\n");
        if let Some(item) = dockerfile_ide::call_item_at(&analysis, offset) {
            dockerfile_ide::incoming_calls(&analysis, item.stage);
            dockerfile_ide::outgoing_calls(&analysis, item.stage);
        }
    }
}

/// Returns the start, the end, and places between them that cut no character.
fn places(text: &str, step: usize) -> impl Iterator<Item = TextSize> {
    (0..text.len())
        .step_by(step.max(1))
        .filter(|at| text.is_char_boundary(*at))
        .chain([text.len()])
        .map(|at| TextSize::new(u32::try_from(at).expect("a fixture is small")))
}

const TEXTS: &[&str] = &[
    "",
    "\n",
    "\u{feff}FROM é AS ü\r\nRUN a\\\r\n b\r\n",
    "# escape=`\nFROM a\nRUN dir `\n  c:\\\nCOPY a `\n",
    "FROM\nRUN\nCOPY\nADD --\nCOPY --from=\nRUN --mount=\nRUN --mount=type=\nENV\nENV A\nENV A=\nARG\nUSER $\nUSER ${\nUSER ${A:-$",
    "FROM a AS b\nCOPY --from=b --chown=${X:-1} [\"a\", \"$b\"]\nONBUILD RUN $X\nONBUILD ONBUILD\nHEALTHCHECK --interval=1s CMD a $B\n",
    "FROM a\nRUN <<E <<F\n$A\nE\n${B}\nF\nCOPY <<E /x\n$A \\$B ${C\nE\nRUN <<E\nnever ends $A\n",
    "ARG A=1\nARG A=$A\nFROM $A AS $A\nARG A\nENV A=$A B=$A\nFROM a\nCOPY --from=$A x y\nCOPY --from=0 x y\nCOPY --from=9 x y\n",
    "FROM a\nRUN for i in $(ls); do X=1; echo \"$i $X\" 'q' $((1+2)) ${Y%%.*} && { a; } || (b) | c & done; case $Z in a) ;; esac\n",
    "RUN a\nFOO bar\n  # comment \\\nFROM a \\\n # c\n\n AS b\n# dflint ignore=\n# check=skip=\n",
];

#[test]
fn answers_at_every_place_of_odd_texts() {
    for text in TEXTS {
        ask_for_everything(text, 1);
        for end in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            ask_for_everything(text.get(..end).unwrap_or(text), 7);
        }
    }
}

#[test]
fn answers_in_real_files() {
    let Some(corpus) = test_support::open_corpus() else {
        return test_support::skipped("editor features in real files", "corpus");
    };
    let mut paths: Vec<_> = fs::read_dir(corpus.join("all"))
        .expect("the corpus is a folder")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths.iter().step_by(paths.len().div_ceil(FILES).max(1)) {
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        ask_for_everything(&text, (text.len() / 12).max(1));
    }
}

/// How many of the corpus are asked about; all of them would take minutes.
const FILES: usize = 400;
