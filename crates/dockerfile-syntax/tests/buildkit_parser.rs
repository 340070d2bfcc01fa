//! What BuildKit's own parser says about thousands of texts, and whether we say the same.
//!
//! The answers stand outside of the project (`../shared/conformance/parser`); without them the tests say so and pass.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dockerfile_source::{LineIndex, TextSize};
use dockerfile_syntax::ast::{Arguments, AstNode, File, Instruction, Word};
use dockerfile_syntax::{Parse, SyntaxErrorKind, SyntaxKind, parse, unquote_flag};
use serde_json::Value;

/// Texts on which we differ from BuildKit, and why.
const DEVIATIONS: &str = include_str!("buildkit_deviations.txt");

fn shared() -> Option<PathBuf> {
    test_support::conformance().map(|path| path.join("parser"))
}

/// One instruction, in the terms of the oracle.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    keyword: String,
    flags: Vec<String>,
    args: Vec<String>,
    json: bool,
    heredocs: Vec<(String, u64, bool, bool, String)>,
    original: String,
    start: u64,
    end: u64,
}

impl Answer {
    /// Lines may differ at the edges: BuildKit counts the continuations before an instruction and the blank lines after
    /// a last continuation, our nodes start and end with what carries meaning.
    fn agrees_with(&self, theirs: &Answer) -> bool {
        let (ours, at) = (self, theirs);
        at.start <= ours.start
            && ours.end <= at.end
            && (&ours.keyword, &ours.flags, &ours.args, ours.json)
                == (&at.keyword, &at.flags, &at.args, at.json)
            && ours.heredocs == at.heredocs
            && ours.original == at.original
    }
}

fn strings(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|item| item.as_str().unwrap_or_default().to_owned())
        .collect()
}

fn expected_answer(node: &Value) -> Answer {
    let heredocs = node["heredocs"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    Answer {
        keyword: node["keyword"].as_str().unwrap_or_default().to_owned(),
        flags: strings(&node["flags"]),
        args: strings(&node["args"]),
        json: node["json"].as_bool().unwrap_or(false),
        heredocs: heredocs
            .iter()
            .map(|heredoc| {
                (
                    heredoc["name"].as_str().unwrap_or_default().to_owned(),
                    heredoc["fd"].as_u64().unwrap_or(0),
                    heredoc["expand"].as_bool().unwrap_or(false),
                    heredoc["chomp"].as_bool().unwrap_or(false),
                    heredoc["content"].as_str().unwrap_or_default().to_owned(),
                )
            })
            .collect(),
        original: node["original"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned(),
        start: node["start"].as_u64().unwrap_or(0),
        end: node["end"].as_u64().unwrap_or(0),
    }
}

fn our_answer(text: &str, instruction: Instruction<'_>) -> Answer {
    let lines = LineIndex::new(text);
    let line_of = |offset: usize| u64::from(lines.line(TextSize::new(offset as u32))) + 1;
    let range = instruction.range();
    let openers = instruction.heredoc_openers();
    Answer {
        keyword: instruction.keyword().unwrap_or_default(),
        flags: instruction
            .flags()
            .map(|flag| unquote_flag(&flag.syntax().logical_text()))
            .collect(),
        args: our_args(instruction),
        json: is_json(instruction),
        heredocs: openers
            .into_iter()
            .zip(instruction.heredocs())
            .map(|(opener, heredoc)| {
                (
                    opener.name,
                    u64::from(opener.file_descriptor),
                    opener.expands,
                    opener.strips_tabs,
                    heredoc.body(),
                )
            })
            .collect(),
        original: instruction.line().trim().to_owned(),
        start: line_of(usize::from(range.start())),
        end: line_of(usize::from(range.end())),
    }
}

fn is_json(instruction: Instruction<'_>) -> bool {
    // BuildKit drops the attribute of the child of ONBUILD.
    matches!(instruction.arguments(), Arguments::Json(_))
}

fn our_args(instruction: Instruction<'_>) -> Vec<String> {
    let mut args = Vec::new();
    match instruction.kind() {
        SyntaxKind::UNKNOWN_INSTRUCTION => return vec![String::new()],
        SyntaxKind::ONBUILD_INSTRUCTION => return args,
        SyntaxKind::FROM_INSTRUCTION => {
            let line = instruction.line();
            let behind = line
                .split_whitespace()
                .skip(1 + instruction.flags().count());
            args.extend(behind.map(str::to_owned));
            return args;
        }
        SyntaxKind::HEALTHCHECK_INSTRUCTION => {
            let keywords = instruction
                .syntax()
                .tokens()
                .filter(|token| token.kind() == SyntaxKind::KEYWORD);
            args.extend(keywords.skip(1).map(|token| token.text().to_owned()));
        }
        _ => {}
    }
    match instruction.arguments() {
        Arguments::Json(array) => {
            args.extend(array.strings().into_iter().map(|string| string.value));
        }
        Arguments::Script(script) => args.push(script.logical_text().trim().to_owned()),
        Arguments::Opaque { text, .. } => args.push(text),
        Arguments::Words => {}
    }
    let is_arg = instruction.kind() == SyntaxKind::ARG_INSTRUCTION;
    for child in instruction.syntax().children() {
        match child.kind() {
            SyntaxKind::WORD => args.push(child.logical_text()),
            SyntaxKind::PAIR if is_arg => args.push(child.logical_text()),
            SyntaxKind::PAIR => {
                let pair = dockerfile_syntax::ast::Pair::cast(child).expect("kind was checked");
                args.push(pair.key().map(Word::text).unwrap_or_default());
                args.push(pair.value().map(Word::text).unwrap_or_default());
                args.push(if pair.has_equals() {
                    "=".to_owned()
                } else {
                    String::new()
                });
            }
            SyntaxKind::ERROR => args.push(child.logical_text()),
            _ => {}
        }
    }
    args
}

fn has_errors(parse: &Parse, kind: SyntaxErrorKind) -> bool {
    parse.errors().iter().any(|error| error.kind == kind)
}

/// Returns whether BuildKit would say "no build stage in current context".
fn lacks_stage(parse: &Parse) -> bool {
    let file = File::cast(parse.root()).expect("the root is a file");
    let first = file
        .instructions()
        .find(|instruction| instruction.kind() != SyntaxKind::ARG_INSTRUCTION);
    first.is_some_and(|first| first.kind() != SyntaxKind::FROM_INSTRUCTION)
}

/// Returns how our reading of a text differs from BuildKit's.
fn differences(text: &str, expected: &Value) -> Vec<String> {
    let parse = parse(text);
    let mut differences = Vec::new();
    if parse.text() != text {
        differences.push("not lossless".to_owned());
    }
    let file = File::cast(parse.root()).expect("the root is a file");
    let refused =
        has_errors(&parse, SyntaxErrorKind::Parser) || file.instructions().next().is_none();
    if refused != expected["error"].is_string() {
        differences.push(format!(
            "parser error: ours {refused} {:?}, theirs {}",
            parse.errors(),
            expected["error"]
        ));
        return differences;
    }
    if refused {
        return differences;
    }
    let stage_refused = has_errors(&parse, SyntaxErrorKind::Instruction)
        || has_errors(&parse, SyntaxErrorKind::ForbiddenTrigger)
        || lacks_stage(&parse);
    if stage_refused != expected["stage_err"].is_string() {
        differences.push(format!(
            "instruction error: ours {:?}, theirs {}",
            parse.errors(),
            expected["stage_err"]
        ));
    }
    let escape = expected["escape"].as_str().unwrap_or("\\");
    if escape != parse.escape().to_string() {
        differences.push(format!("escape: ours {}, theirs {escape}", parse.escape()));
    }
    let theirs: Vec<_> = expected["nodes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(expected_answer)
        .collect();
    let ours: Vec<_> = file
        .instructions()
        .map(|instruction| our_answer(text, instruction))
        .collect();
    if ours.len() != theirs.len() {
        differences.push(format!(
            "{} instructions, theirs {}",
            ours.len(),
            theirs.len()
        ));
    }
    for (ours, theirs) in ours.iter().zip(&theirs) {
        if !ours.agrees_with(theirs) {
            differences.push(format!("\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    differences
}

/// Returns the listed deviations: the name of the text and the reason.
fn deviations() -> BTreeMap<&'static str, &'static str> {
    DEVIATIONS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .collect()
}

/// Compares all texts and fails on a difference that is not listed, and on a listed one that is gone.
fn compare(texts: impl Iterator<Item = (String, String, Value)>, expected_count: usize) {
    let listed = deviations();
    let mut failures = Vec::new();
    let mut count = 0;
    for (name, text, expected) in texts {
        count += 1;
        let differences = differences(&text, &expected);
        match (differences.is_empty(), listed.get(name.as_str())) {
            (true, None) | (false, Some(_)) => {}
            (false, None) => failures.push(format!("{name} {text:?}: {}", differences.join("; "))),
            (true, Some(reason)) => failures.push(format!(
                "{name}: no longer differs, take it off the list ({reason})"
            )),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(count >= expected_count, "only {count} texts were compared");
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the oracle's file is readable");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

#[test]
fn reads_the_corners_of_the_grammar_as_buildkit_does() {
    let Some(shared) = shared() else {
        return test_support::skipped("the comparison with BuildKit's parser", "conformance");
    };
    let rows = json_lines(&shared.join("corners.jsonl"));
    let texts = rows.into_iter().map(|row| {
        let text = row["input"].as_str().unwrap_or_default().to_owned();
        (
            row["id"].as_str().unwrap_or_default().to_owned(),
            text,
            row["expect"].clone(),
        )
    });
    compare(texts, 238);
}

#[test]
fn reads_real_files_as_buildkit_does() {
    let Some(shared) = shared() else {
        return test_support::skipped("the comparison with BuildKit's parser", "conformance");
    };
    let Some(corpus) = test_support::open_corpus() else {
        return test_support::skipped("the comparison with BuildKit's parser", "corpus");
    };
    let answers = shared.join("open_core_answers.jsonl.zst");
    let lines = test_support::read_zst_lines(&answers);
    let texts = lines.into_iter().filter_map(|line| {
        let row: Value = serde_json::from_str(&line).expect("a line is JSON");
        let name = row["file"].as_str().unwrap_or_default().to_owned();
        let bytes = fs::read(corpus.join("all").join(&name)).expect("the corpus has the file");
        // A text that is not UTF-8 never reaches the parser.
        String::from_utf8(bytes).ok().map(|text| (name, text, row))
    });
    compare(texts, 2490);
}

/// Writes a string as Go's `%q` does, as far as the upstream results need it.
fn go_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\0' => quoted.push_str("\\x00"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Prints an instruction as BuildKit's `Node.Dump` does.
fn dump(instruction: Instruction<'_>) -> String {
    let mut text = instruction.keyword().unwrap_or_default().to_lowercase();
    let flags: Vec<_> = instruction
        .flags()
        .map(|flag| go_quoted(&flag.text()))
        .collect();
    if !flags.is_empty() {
        text.extend([" [", &flags.join(" "), "]"]);
    }
    if let Some(trigger) = instruction.trigger() {
        return format!("{text} ({})", dump(trigger));
    }
    for arg in our_args(instruction) {
        text += " ";
        text += &go_quoted(&arg);
    }
    text
}

#[test]
fn dumps_the_upstream_files_as_buildkit_does() {
    let Some(shared) = shared() else {
        return test_support::skipped("BuildKit's own parser files", "conformance");
    };
    let mut count = 0;
    for entry in fs::read_dir(shared.join("testfiles")).expect("the folder is readable") {
        let folder = entry.expect("the entry is readable").path();
        let text =
            fs::read_to_string(folder.join("Dockerfile")).expect("the case has a Dockerfile");
        let result = fs::read_to_string(folder.join("result")).expect("the case has a result");
        let parse = parse(&text);
        assert!(
            !has_errors(&parse, SyntaxErrorKind::Parser),
            "{}: {:?}",
            folder.display(),
            parse.errors()
        );
        assert_eq!(parse.text(), text);
        let file = File::cast(parse.root()).expect("the root is a file");
        let ours: Vec<_> = file
            .instructions()
            .map(|instruction| format!("({})", dump(instruction)))
            .collect();
        assert_eq!(ours.join("\n"), result.trim(), "{}", folder.display());
        count += 1;
    }
    assert_eq!(count, 33);
}

#[test]
fn refuses_what_buildkit_refuses() {
    let Some(shared) = shared() else {
        return test_support::skipped("BuildKit's own parser files", "conformance");
    };
    let mut count = 0;
    for entry in fs::read_dir(shared.join("testfiles-negative")).expect("the folder is readable") {
        let path = entry
            .expect("the entry is readable")
            .path()
            .join("Dockerfile");
        let text = fs::read_to_string(&path).expect("the case has a Dockerfile");
        let parse = parse(&text);
        let file = File::cast(parse.root()).expect("the root is a file");
        let refused =
            has_errors(&parse, SyntaxErrorKind::Parser) || file.instructions().next().is_none();
        assert!(refused, "{}", path.display());
        assert_eq!(parse.text(), text);
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn torture_files_come_back_byte_for_byte() {
    let Some(shared) = shared() else {
        return test_support::skipped("the torture files", "conformance");
    };
    let mut count = 0;
    for entry in fs::read_dir(shared.join("torture")).expect("the folder is readable") {
        let bytes =
            fs::read(entry.expect("the entry is readable").path()).expect("the file is readable");
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(parse(&text).text(), text);
        count += 1;
    }
    assert!(count >= 70);
}
