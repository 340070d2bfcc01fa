//! Formatting over real files: nothing lost, nothing changed, nothing left for a second run.
//!
//! What a file meant is taken from BuildKit's own answers, which were given before this project existed; what it means
//! afterwards is read by our parser, which has to agree with BuildKit in `dockerfile-syntax`.

use std::fs;
use std::path::Path;
use std::thread;

use dockerfile_format::{Formatter, KeptReason, Options, RunStyle, format};
use dockerfile_syntax::ast::{Arguments, AstNode, File, Instruction, Pair, Word};
use dockerfile_syntax::{SyntaxErrorKind, SyntaxKind, parse, unquote_flag};
use serde_json::Value;
use workspace_tests::plain_shell;

fn keep() -> Options {
    Options {
        run: RunStyle::Keep,
        ..Options::default()
    }
}

fn formatted(text: &str, options: &Options) -> String {
    let edit = format(&parse(text), options).edit;
    edit.apply(text).expect("the edits fit the text")
}

#[test]
fn buildkit_reads_the_same_before_and_after() {
    let (Some(conformance), Some(corpus)) =
        (test_support::conformance(), test_support::open_corpus())
    else {
        return test_support::skipped("formatting against BuildKit's answers", "conformance");
    };
    let answers = conformance.join("parser/open_core_answers.jsonl.zst");
    let mut faults = Vec::new();
    let mut count = 0;
    for line in test_support::read_zst_lines(&answers) {
        let row: Value = serde_json::from_str(&line).expect("a line is JSON");
        let name = row["file"].as_str().unwrap_or_default();
        let bytes = fs::read(corpus.join("all").join(name)).expect("the corpus has the file");
        // A text that is not UTF-8 is never formatted.
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        count += 1;
        for (options, is_exact) in [(Options::default(), false), (keep(), true)] {
            let after = formatted(&text, &options);
            for fault in differences(&row, &after, is_exact) {
                faults.push(format!("{name} (keep: {is_exact}): {fault}"));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(count >= 2490, "only {count} files");
}

/// Returns where a formatted text differs from what BuildKit said about the text before.
fn differences(before: &Value, after: &str, is_exact: bool) -> Vec<String> {
    let parse = parse(after);
    let mut faults = Vec::new();
    let is_refused = parse
        .errors()
        .iter()
        .any(|error| error.kind == SyntaxErrorKind::Parser);
    if is_refused {
        faults.push(format!("no longer parses: {:?}", parse.errors()));
    }
    let escape = before["escape"].as_str().unwrap_or("\\");
    if escape != parse.escape().to_string() {
        faults.push(format!("the escape character was {escape}"));
    }
    let file = File::cast(parse.root()).expect("the root is a file");
    let nodes = before["nodes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let instructions: Vec<_> = file.instructions().collect();
    if nodes.len() != instructions.len() {
        faults.push(format!(
            "{} instructions, there were {}",
            instructions.len(),
            nodes.len()
        ));
    }
    for (node, instruction) in nodes.iter().zip(instructions) {
        if let Some(fault) = difference(node, instruction, is_exact) {
            faults.push(format!("line {}: {fault}", node["start"]));
        }
    }
    faults
}

fn difference(node: &Value, instruction: Instruction<'_>, is_exact: bool) -> Option<String> {
    let keyword = node["instr"].as_str().unwrap_or_default();
    if instruction.keyword().unwrap_or_default().to_lowercase() != keyword {
        return Some(format!("this was {keyword}"));
    }
    let flags: Vec<_> = instruction
        .flags()
        .map(|flag| unquote_flag(&flag.syntax().logical_text()))
        .collect();
    if flags != strings(&node["flags"]) {
        return Some(format!("the flags were {}, now {flags:?}", node["flags"]));
    }
    if heredocs(instruction) != expected_heredocs(&node["heredocs"]) {
        return Some("a here-document changed".to_owned());
    }
    // The answers about a trigger are in its text.
    let (node, instruction) = match instruction.trigger() {
        Some(trigger) => (&node["sub"], trigger),
        None => (node, instruction),
    };
    let args = strings(&node["args"]);
    match instruction.arguments() {
        Arguments::Json(array) => {
            let values: Vec<_> = array
                .strings()
                .into_iter()
                .map(|string| string.value)
                .collect();
            let skipped = args.len().saturating_sub(values.len());
            (args.get(skipped..) != Some(&values)).then(|| format!("the array was {args:?}"))
        }
        Arguments::Script(script) => {
            let command = script.logical_text();
            same_command(args.last()?, command.trim(), is_exact)
        }
        Arguments::Opaque { text, .. } if instruction.kind() != SyntaxKind::UNKNOWN_INSTRUCTION => {
            same_command(args.last()?, text.trim(), true)
        }
        Arguments::Opaque { .. } => None,
        Arguments::Words => same_words(node, &args, instruction),
    }
}

fn same_command(before: &str, after: &str, is_exact: bool) -> Option<String> {
    let is_same = if is_exact {
        before == after
    } else {
        plain_shell::tokens(before) == plain_shell::tokens(after)
    };
    (!is_same).then(|| format!("the command was {before:?}, now {after:?}"))
}

fn same_words(node: &Value, args: &[String], instruction: Instruction<'_>) -> Option<String> {
    let pairs: Vec<_> = instruction.pairs().collect();
    if !pairs.is_empty() && instruction.kind() != SyntaxKind::ARG_INSTRUCTION {
        let written: Vec<String> = pairs.iter().copied().flat_map(key_and_value).collect();
        let keys_and_values: Vec<String> = args
            .chunks(3)
            .flat_map(|triple| triple.iter().take(2).cloned())
            .collect();
        if written == keys_and_values {
            return None;
        }
        // A legacy form was modernised: what is left when quotes and escapes are taken off must be the same.
        let values: Vec<String> = written
            .iter()
            .map(|word| plain_shell::unquoted(word))
            .collect();
        let expected = strings(&node["values"]);
        return (values != expected)
            .then(|| format!("the values were {expected:?}, now {values:?}"));
    }
    let words: Vec<String> = match instruction.kind() {
        SyntaxKind::FROM_INSTRUCTION => {
            let line = instruction.line();
            let words = line
                .split_whitespace()
                .skip(1 + instruction.flags().count());
            words.map(str::to_owned).collect()
        }
        SyntaxKind::ARG_INSTRUCTION => pairs
            .iter()
            .map(|pair| pair.syntax().logical_text())
            .collect(),
        _ => instruction.words().map(Word::text).collect(),
    };
    let is_same = words.len() == args.len()
        && words
            .iter()
            .zip(args)
            .all(|(ours, theirs)| ours.eq_ignore_ascii_case(theirs));
    // What has an error is compared by the parser's own tests.
    let has_error = instruction.syntax().child(SyntaxKind::ERROR).is_some();
    (!is_same && !has_error && instruction.kind() != SyntaxKind::HEALTHCHECK_INSTRUCTION)
        .then(|| format!("the words were {args:?}, now {words:?}"))
}

fn key_and_value(pair: Pair<'_>) -> [String; 2] {
    [
        pair.key().map(Word::text).unwrap_or_default(),
        pair.value().map(Word::text).unwrap_or_default(),
    ]
}

fn heredocs(instruction: Instruction<'_>) -> Vec<(String, String)> {
    let openers = instruction.heredoc_openers();
    openers
        .into_iter()
        .zip(instruction.heredocs())
        .map(|(opener, heredoc)| (opener.name, heredoc.body()))
        .collect()
}

fn expected_heredocs(value: &Value) -> Vec<(String, String)> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.iter()
        .map(|heredoc| (text(&heredoc["name"]), text(&heredoc["content"])))
        .collect()
}

fn strings(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|item| item.as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn every_file_of_the_open_corpus_is_stable_and_whole() {
    let Some(corpus) = test_support::open_corpus() else {
        return test_support::skipped("formatting the open corpus", "corpus");
    };
    let mut paths: Vec<_> = ["all", "templates"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(corpus.join(folder)).expect("the corpus has the folder"))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(paths.len() > 22_900, "the corpus is complete");
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = paths.len().div_ceil(workers).max(1);
    let (faults, unproven) = thread::scope(|scope| {
        let handles: Vec<_> = paths
            .chunks(share)
            .map(|paths| scope.spawn(|| faults_in(paths)))
            .collect();
        let mut all = (Vec::new(), 0);
        for handle in handles {
            let (faults, unproven) = handle.join().expect("a fault is returned, not thrown");
            all.0.extend(faults);
            all.1 += unproven;
        }
        all
    });
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    // An instruction that cannot be laid out keeps its text, which is safe and not tidy: there must be few.
    assert!(
        unproven <= 10,
        "{unproven} instructions keep their text unproven"
    );
}

fn faults_in(paths: &[impl AsRef<Path>]) -> (Vec<String>, usize) {
    let mut formatter = Formatter::new();
    let mut faults = Vec::new();
    let mut unproven = 0;
    for path in paths {
        let path = path.as_ref();
        let bytes = fs::read(path).expect("readable");
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        for options in [Options::default(), keep()] {
            let found = formatter.format(&text, &options, None);
            unproven += found
                .kept
                .iter()
                .filter(|kept| kept.reason == KeptReason::Unproven)
                .count();
            let after = found.edit.apply(&text).expect("the edits fit");
            let again = formatter.format(&after, &options, None).edit;
            if !again.is_empty() {
                faults.push(format!("{}: a second run changes it again", path.display()));
            }
            if options.run == RunStyle::Keep && commands(&text) != commands(&after) {
                faults.push(format!("{}: keep changed a command", path.display()));
            }
        }
    }
    (faults, unproven)
}

/// Returns the command texts of a file, as the builder joins them.
fn commands(text: &str) -> Vec<String> {
    let parse = parse(text);
    let file = File::cast(parse.root()).expect("the root is a file");
    file.instructions()
        .filter_map(|instruction| match instruction.arguments() {
            Arguments::Script(script) => Some(script.logical_text().trim().to_owned()),
            Arguments::Opaque { text, .. } => Some(text.trim().to_owned()),
            _ => None,
        })
        .collect()
}
