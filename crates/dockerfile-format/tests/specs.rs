//! The specs: readable files of input and expected output, each formatted twice.
//!
//! ```text
//! == title ==
//! (run = keep, line-width = 60)
//! input
//! [expect]
//! output
//! ```
//!
//! The line of options may be left out, and so may the output: then nothing changes. `␣` stands for a blank at the end of a
//! line, `␉` for a tab, `␍` for a carriage return, `␚` for a byte order mark, and `¬` at the end of a text says that it
//! has no final line end. `UPDATE_SPECS=1 cargo test -p dockerfile-format --test specs` writes what comes out; read the
//! difference before you commit it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dockerfile_format::{
    BlankLines, HeredocStyle, Indent, KeptReason, KeywordCase, LineEnding, Options, RunStyle, format,
};
use dockerfile_syntax::parse;

struct Spec {
    title: String,
    options: Option<String>,
    input: String,
    expect: Option<String>,
}

#[test]
fn specs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/specs");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of specs")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let is_update = std::env::var_os("UPDATE_SPECS").is_some();
    let mut faults = String::new();
    let mut count = 0;
    for path in paths {
        let text = fs::read_to_string(&path).expect("readable");
        let specs = read_specs(&text);
        let name = path.file_name().expect("a name").to_string_lossy();
        let mut updated = String::new();
        for spec in &specs {
            count += 1;
            let found = check(spec, &name, is_update, &mut faults);
            write_spec(&mut updated, spec, &found);
        }
        if is_update && updated != text {
            fs::write(&path, updated).expect("written");
        }
    }
    assert!(count > 250, "there are many specs");
    assert!(faults.is_empty(), "{faults}");
}

/// Formats one spec twice and returns what comes out.
fn check(spec: &Spec, name: &str, is_update: bool, faults: &mut String) -> String {
    let options = options(spec.options.as_deref());
    let run = |text: &str, faults: &mut String| {
        let formatted = format(&parse(text), &options);
        for kept in &formatted.kept {
            if kept.reason == KeptReason::Unproven {
                let _ = writeln!(faults, "{name}: {}: not proven", spec.title);
            }
        }
        formatted.edit.apply(text).expect("the edits fit")
    };
    let input = hidden(&spec.input);
    let found = run(&input, faults);
    let expect = spec.expect.as_deref().map_or_else(|| input.clone(), hidden);
    if !is_update && found != expect {
        let _ = writeln!(
            faults,
            "{name}: {}\n--- expected\n{expect}\n--- found\n{found}\n",
            spec.title
        );
    }
    let again = run(&found, faults);
    if again != found {
        let _ = writeln!(
            faults,
            "{name}: {}: not stable\n--- once\n{found}\n--- twice\n{again}\n",
            spec.title
        );
    }
    if found == input { input } else { found }
}

fn read_specs(text: &str) -> Vec<Spec> {
    let mut specs = Vec::new();
    let mut rest = text;
    while let Some(body) = rest.strip_prefix("== ") {
        let (title, body) = body.split_once(" ==\n").expect("a title ends with ` ==`");
        let end = body.find("\n== ").map_or(body.len(), |idx| idx + 1);
        let (mut body, next) = body.split_at(end);
        rest = next;
        let mut options = None;
        if body.starts_with('(')
            && let Some((line, behind)) = body.split_once('\n')
        {
            options = Some(line.to_owned());
            body = behind;
        }
        // A blank line sets specs apart.
        let without_gap = |text: &str| match text.strip_suffix("\n\n") {
            Some(text) if !rest.is_empty() => format!("{text}\n"),
            _ => text.to_owned(),
        };
        let (input, expect) = match body.split_once("[expect]\n") {
            Some((input, expect)) => (input.to_owned(), Some(without_gap(expect))),
            None => (without_gap(body), None),
        };
        specs.push(Spec {
            title: title.to_owned(),
            options,
            input,
            expect,
        });
    }
    assert!(rest.is_empty(), "this is no spec: {rest}");
    specs
}

fn write_spec(out: &mut String, spec: &Spec, found: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "== {} ==", spec.title);
    if let Some(options) = &spec.options {
        let _ = writeln!(out, "{options}");
    }
    out.push_str(&spec.input);
    if found != hidden(&spec.input) {
        out.push_str("[expect]\n");
        out.push_str(&visible(found));
    }
}

/// Returns the text that a spec stands for.
fn hidden(text: &str) -> String {
    let text = text
        .replace('␍', "\r")
        .replace('␣', " ")
        .replace('␉', "\t")
        .replace('␚', "\u{feff}");
    match text.strip_suffix("¬\n") {
        Some(text) => text.to_owned(),
        None => text,
    }
}

/// Returns a text as a spec shows it.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for line in text
        .replace('\r', "␍")
        .replace('\t', "␉")
        .replace('\u{feff}', "␚")
        .lines()
    {
        match line.strip_suffix(' ') {
            Some(line) => {
                let _ = writeln!(shown, "{line}␣");
            }
            None => {
                let _ = writeln!(shown, "{line}");
            }
        }
    }
    if !text.ends_with('\n') && !text.is_empty() {
        shown.truncate(shown.len() - 1);
        shown.push_str("¬\n");
    }
    shown
}

fn options(line: Option<&str>) -> Options {
    let mut options = Options::default();
    let Some(line) = line else {
        return options;
    };
    let line = line.trim_start_matches('(').trim_end_matches(')');
    for setting in line.split(',') {
        let (key, value) = setting.split_once('=').expect("key = value");
        match (key.trim(), value.trim()) {
            ("run", "keep") => options.run = RunStyle::Keep,
            ("line-width", width) => options.line_width = width.parse().expect("a number"),
            ("indent", "tab") => options.indent = Indent::Tab,
            ("indent", width) => options.indent = Indent::Spaces(width.parse().expect("a number")),
            ("keyword-case", "lower") => options.keyword_case = KeywordCase::Lower,
            ("keyword-case", "preserve") => options.keyword_case = KeywordCase::Preserve,
            ("line-ending", "lf") => options.line_ending = LineEnding::Lf,
            ("line-ending", "crlf") => options.line_ending = LineEnding::CrLf,
            ("blank-lines", "always") => options.blank_lines = BlankLines::Always,
            ("blank-lines", "never") => options.blank_lines = BlankLines::Never,
            ("heredocs", "pretty") => options.heredocs = HeredocStyle::Pretty,
            other => panic!("no such option: {other:?}"),
        }
    }
    options
}
