//! Parser directives: `# escape=`, `# syntax=` and `# check=` at the top of the file.
//!
//! BuildKit scans for them twice (`frontend/dockerfile/parser/directives.go`). The parser itself takes a directive with
//! blanks in front of `#` and stops at a shebang; the scan for `syntax` and `check` wants `#` in the first column and
//! skips a shebang. Only the first scan decides about `escape`.

use super::file::{FileGrammar, raw_range};
use crate::SyntaxKind::{DIRECTIVE, DIRECTIVE_NAME, DIRECTIVE_VALUE, EQ, HASH, WHITESPACE};
use crate::{SyntaxError, SyntaxErrorKind};

/// What is left of the two scans.
#[derive(Default)]
pub(super) struct Directives {
    lines: usize,
    parser_done: bool,
    detection_done: bool,
    seen: Vec<String>,
}

/// A comment of the form `# name = value`, with offsets from the start of the line.
struct Form<'l> {
    hash: usize,
    name: &'l str,
    name_start: usize,
    equals: usize,
    value: &'l str,
    value_start: usize,
}

impl Directives {
    /// Adds a directive node, if the line that starts here is one.
    pub(super) fn opt_directive(&mut self, grammar: &mut FileGrammar<'_>, line: &str) -> bool {
        self.lines += 1;
        if self.parser_done && self.detection_done {
            return false;
        }
        let line = line
            .strip_prefix('\u{feff}')
            .filter(|_| self.lines == 1)
            .unwrap_or(line);
        let form = directive_form(line);
        let known = form
            .as_ref()
            .filter(|form| is_known(form.name))
            .filter(|form| !(self.parser_done && form.name.eq_ignore_ascii_case("escape")));
        let Some(form) = known else {
            self.parser_done = true;
            self.detection_done |= !(self.lines == 1 && line.starts_with("#!"));
            return false;
        };
        if form.hash > 0 {
            self.detection_done = true;
            if self.parser_done {
                return false;
            }
        }
        let start = grammar.emitter.raw();
        self.check(grammar, form, start);
        emit(grammar, form, start);
        true
    }

    fn check(&mut self, grammar: &mut FileGrammar<'_>, form: &Form<'_>, start: usize) {
        let name = form.name.to_ascii_lowercase();
        if self.seen.contains(&name) {
            let name_start = start + form.name_start;
            grammar.errors.push(SyntaxError {
                kind: SyntaxErrorKind::Parser,
                range: raw_range(name_start..name_start + form.name.len()),
                message: format!("second `{name}` directive; there can be only one"),
                help: None,
            });
            return;
        }
        if name == "escape" {
            match form.value {
                "\\" => grammar.escape = '\\',
                "`" => grammar.escape = '`',
                other => {
                    let value_start = start + form.value_start;
                    grammar.errors.push(SyntaxError {
                        kind: SyntaxErrorKind::Parser,
                        range: raw_range(value_start..value_start + other.len()),
                        message: format!("`{other}` cannot be the escape character"),
                        help: Some("it is either `\\` or a backtick".to_owned()),
                    });
                }
            }
            grammar.emitter.set_escape(grammar.escape);
            grammar.shells.set_escape(grammar.escape);
        }
        self.seen.push(name);
    }
}

fn is_known(name: &str) -> bool {
    ["escape", "syntax", "check"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Takes a line apart as the regular expression `^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$` does.
fn directive_form(line: &str) -> Option<Form<'_>> {
    let hash = line.len() - line.trim_start().len();
    let behind_hash = line.get(hash..)?.strip_prefix('#')?.trim_start();
    let name_start = line.len() - behind_hash.len();
    let name_len = behind_hash
        .find(|character: char| !character.is_ascii_alphanumeric())
        .unwrap_or(behind_hash.len());
    let name = behind_hash.get(..name_len)?;
    if !name.starts_with(|character: char| character.is_ascii_alphabetic()) {
        return None;
    }
    let behind_name = behind_hash.get(name_len..)?.trim_ascii_start();
    let equals = line.len() - behind_name.len();
    let behind_equals = behind_name.strip_prefix('=')?.trim_ascii_start();
    let value_start = line.len() - behind_equals.len();
    let value = behind_equals.trim_ascii_end();
    (!value.is_empty()).then_some(Form {
        hash,
        name,
        name_start,
        equals,
        value,
        value_start,
    })
}

fn emit(grammar: &mut FileGrammar<'_>, form: &Form<'_>, start: usize) {
    let emitter = &mut grammar.emitter;
    emitter.raw_token(WHITESPACE, start + form.hash);
    emitter.start_raw_node(DIRECTIVE);
    emitter.raw_token(HASH, start + form.hash + 1);
    emitter.raw_token(WHITESPACE, start + form.name_start);
    emitter.raw_token(DIRECTIVE_NAME, start + form.name_start + form.name.len());
    emitter.raw_token(WHITESPACE, start + form.equals);
    emitter.raw_token(EQ, start + form.equals + 1);
    emitter.raw_token(WHITESPACE, start + form.value_start);
    emitter.raw_token(DIRECTIVE_VALUE, start + form.value_start + form.value.len());
    emitter.finish_node();
}
