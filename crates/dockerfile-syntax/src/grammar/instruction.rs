//! One instruction: keyword, flags, arguments.

use std::ops::Range;

use dockerfile_source::closest_match;

use super::arguments::{blanks_len, is_blank, word_len};
use super::file::FileGrammar;
use super::flags::find_flags;
use super::shell::{ShellContext, parse_script};
use crate::SyntaxErrorKind::{ForbiddenTrigger, Instruction as InstructionError};
use crate::SyntaxKind::{KEYWORD, OPAQUE, WHITESPACE};
use crate::logical_line::trim_start;
use crate::{SyntaxError, SyntaxErrorKind, SyntaxKind};

/// The instructions, as the reference writes them.
pub const KEYWORDS: [(&str, SyntaxKind); 18] = [
    ("ADD", SyntaxKind::ADD_INSTRUCTION),
    ("ARG", SyntaxKind::ARG_INSTRUCTION),
    ("CMD", SyntaxKind::CMD_INSTRUCTION),
    ("COPY", SyntaxKind::COPY_INSTRUCTION),
    ("ENTRYPOINT", SyntaxKind::ENTRYPOINT_INSTRUCTION),
    ("ENV", SyntaxKind::ENV_INSTRUCTION),
    ("EXPOSE", SyntaxKind::EXPOSE_INSTRUCTION),
    ("FROM", SyntaxKind::FROM_INSTRUCTION),
    ("HEALTHCHECK", SyntaxKind::HEALTHCHECK_INSTRUCTION),
    ("LABEL", SyntaxKind::LABEL_INSTRUCTION),
    ("MAINTAINER", SyntaxKind::MAINTAINER_INSTRUCTION),
    ("ONBUILD", SyntaxKind::ONBUILD_INSTRUCTION),
    ("RUN", SyntaxKind::RUN_INSTRUCTION),
    ("SHELL", SyntaxKind::SHELL_INSTRUCTION),
    ("STOPSIGNAL", SyntaxKind::STOPSIGNAL_INSTRUCTION),
    ("USER", SyntaxKind::USER_INSTRUCTION),
    ("VOLUME", SyntaxKind::VOLUME_INSTRUCTION),
    ("WORKDIR", SyntaxKind::WORKDIR_INSTRUCTION),
];

/// Where the keywords start that begin with each letter. They are in the order of the alphabet.
const KEYWORDS_OF_LETTER: [usize; 26] = {
    let mut firsts = [0; 26];
    let mut idx = KEYWORDS.len();
    while idx > 0 {
        idx -= 1;
        firsts[(KEYWORDS[idx].0.as_bytes()[0] - b'A') as usize] = idx;
    }
    firsts
};
/// No letter begins more keywords.
const LARGEST_LETTER: usize = 3;

/// An instruction inside of an instruction inside of ONBUILD is not looked into.
const DEEPEST_TRIGGER: usize = 2;

/// What the file needs to know of an instruction that was read.
pub(super) struct Instruction {
    /// The arguments, where here-documents may belong to them.
    pub(super) heredoc_arguments: Option<Range<usize>>,
    /// Whether the here-documents can be scripts.
    pub(super) is_run: bool,
}

pub(super) struct InstructionGrammar<'g, 's, 't> {
    pub(super) file: &'g mut FileGrammar<'s>,
    pub(super) text: &'t str,
    keyword: Range<usize>,
    /// How many ONBUILD stand in front.
    depth: usize,
}

/// Reads `text[range]` as an instruction. The node stays open, for here-documents to come.
pub(super) fn parse_instruction(
    file: &mut FileGrammar<'_>,
    text: &str,
    range: Range<usize>,
    depth: usize,
) -> Instruction {
    let line = text.get(range.clone()).unwrap_or("");
    let start = range.end - trim_start(line).len();
    let end = (range.start + trim_end(line).len()).max(start);
    let trimmed = text.get(start..end).unwrap_or("");
    let keyword = start..start + word_len(trimmed);
    let flags_start = keyword.end + blanks_len(text.get(keyword.end..end).unwrap_or(""));
    let kind = keyword_kind(text.get(keyword.clone()).unwrap_or(""));

    file.emitter.token(WHITESPACE, start);
    file.emitter.start_node(kind);
    file.emitter.token(KEYWORD, keyword.end);
    let mut grammar = InstructionGrammar {
        file,
        text,
        keyword,
        depth,
    };
    grammar.body(kind, flags_start..end)
}

/// Returns the instruction that a word names, whatever its case.
pub fn keyword_kind(keyword: &str) -> SyntaxKind {
    let upper = keyword.as_bytes().first().map(u8::to_ascii_uppercase);
    let letter = usize::from(upper.unwrap_or(0)).wrapping_sub(usize::from(b'A'));
    let first = KEYWORDS_OF_LETTER.get(letter).copied().unwrap_or(0);
    KEYWORDS
        .iter()
        .skip(first)
        .take(LARGEST_LETTER)
        .find(|(name, _)| name.eq_ignore_ascii_case(keyword))
        .map_or(SyntaxKind::UNKNOWN_INSTRUCTION, |(_, kind)| *kind)
}

/// Returns the line without the white space at its end: what `str::trim_end` returns, sooner.
fn trim_end(line: &str) -> &str {
    match line.as_bytes().last() {
        Some(last) if last.is_ascii_graphic() => line,
        _ => line.trim_end(),
    }
}

impl InstructionGrammar<'_, '_, '_> {
    fn body(&mut self, kind: SyntaxKind, rest: Range<usize>) -> Instruction {
        let mut instruction = Instruction {
            heredoc_arguments: None,
            is_run: false,
        };
        let (flags, arguments_start) = find_flags(self.text, rest.clone());
        self.emit_flags(&flags);
        let argument_text = self.text.get(arguments_start..rest.end).unwrap_or("");
        let arguments = rest.end - trim_start(argument_text).len()..rest.end;
        self.blanks(arguments.start);
        if kind != SyntaxKind::HEALTHCHECK_INSTRUCTION {
            self.check_flags(kind, &flags);
        }
        match kind {
            SyntaxKind::FROM_INSTRUCTION => self.from(arguments),
            SyntaxKind::RUN_INSTRUCTION => {
                if !self.command(arguments.clone()) {
                    instruction.heredoc_arguments = Some(arguments);
                    instruction.is_run = true;
                }
            }
            SyntaxKind::CMD_INSTRUCTION | SyntaxKind::ENTRYPOINT_INSTRUCTION => {
                self.command(arguments);
            }
            SyntaxKind::SHELL_INSTRUCTION => self.shell(arguments),
            SyntaxKind::HEALTHCHECK_INSTRUCTION => self.healthcheck(arguments, &flags),
            SyntaxKind::COPY_INSTRUCTION | SyntaxKind::ADD_INSTRUCTION => {
                if !self.copy(arguments.clone()) {
                    instruction.heredoc_arguments = Some(arguments);
                }
            }
            SyntaxKind::VOLUME_INSTRUCTION => self.volume(arguments),
            SyntaxKind::EXPOSE_INSTRUCTION => {
                if self.words(arguments) == 0 {
                    self.missing("EXPOSE needs a port");
                }
            }
            SyntaxKind::ENV_INSTRUCTION | SyntaxKind::LABEL_INSTRUCTION => self.pairs(arguments),
            SyntaxKind::ARG_INSTRUCTION => self.args(arguments),
            SyntaxKind::ONBUILD_INSTRUCTION => instruction = self.onbuild(arguments),
            SyntaxKind::UNKNOWN_INSTRUCTION => self.unknown(arguments),
            _ => self.value(arguments),
        }
        instruction
    }

    /// A command: a JSON array, or a line for the shell. Returns whether it is a JSON array.
    pub(super) fn command(&mut self, arguments: Range<usize>) -> bool {
        if self.opt_json(arguments.clone()).is_some() {
            return true;
        }
        if arguments.is_empty() {
            return false;
        }
        if self.file.shells.is_posix() {
            parse_script(
                &mut self.file.emitter,
                self.text,
                arguments,
                ShellContext::LogicalLine,
                &mut self.file.errors,
            );
        } else {
            self.file.emitter.token(OPAQUE, arguments.end);
        }
        false
    }

    fn shell(&mut self, arguments: Range<usize>) {
        let written = self.text.get(arguments.clone()).unwrap_or("");
        match self.opt_json(arguments.clone()) {
            Some(0) => self.error(
                InstructionError,
                arguments,
                "SHELL needs a program".to_owned(),
                None,
            ),
            Some(_) => {
                let first = written.split('"').nth(1).unwrap_or("");
                self.file
                    .shells
                    .shell(&first.replace("\\\\", "\\").to_lowercase());
            }
            None if written.is_empty() => self.missing("SHELL needs a JSON array with a program"),
            None => {
                // `['/bin/bash', '-c']` was meant as an array.
                let words: Vec<_> = written
                    .split(|c: char| c.is_whitespace() || "[],'\"".contains(c))
                    .filter(|word| !word.is_empty())
                    .map(|word| format!("\"{word}\""))
                    .collect();
                let help = format!("write `SHELL [{}]`", words.join(", "));
                self.error(
                    InstructionError,
                    arguments.clone(),
                    "SHELL takes a JSON array only, with double quotes".to_owned(),
                    Some(help),
                );
                self.stray(arguments);
            }
        }
    }

    /// COPY and ADD. Returns whether the arguments are a JSON array.
    fn copy(&mut self, arguments: Range<usize>) -> bool {
        let written = self.text.get(arguments.clone()).unwrap_or("");
        let last_start = written.bytes().rposition(is_blank).map_or(0, |at| at + 1);
        let last = arguments.start + last_start..arguments.end;
        let count = self.json_or_words(arguments.clone());
        let is_json = written.starts_with('[')
            && super::json::read_json_array(self.text, arguments.clone()).is_some();
        if count < 2 {
            let message = format!("{} needs a source and a destination", self.keyword_upper());
            let range = if count == 0 {
                self.keyword.clone()
            } else {
                arguments
            };
            self.error(InstructionError, range, message, None);
        } else if !is_json
            && super::heredoc::opener_of_word(self.text.get(last.clone()).unwrap_or("")).is_some()
        {
            let message = format!("{} cannot write to a here-document", self.keyword_upper());
            let help = "the last word is the destination; put the here-document before it";
            self.error(InstructionError, last, message, Some(help.to_owned()));
        }
        is_json
    }

    fn volume(&mut self, arguments: Range<usize>) {
        let written = self.text.get(arguments.clone()).unwrap_or("");
        let has_empty_element = written.starts_with('[') && written.contains("\"\"");
        if self.json_or_words(arguments.clone()) == 0 {
            self.missing("VOLUME needs a path");
        } else if has_empty_element {
            self.error(
                InstructionError,
                arguments,
                "VOLUME with an empty path".to_owned(),
                None,
            );
        }
    }

    fn onbuild(&mut self, arguments: Range<usize>) -> Instruction {
        let nothing = Instruction {
            heredoc_arguments: None,
            is_run: false,
        };
        if arguments.is_empty() {
            self.missing("ONBUILD needs an instruction");
            return nothing;
        }
        if self.depth >= DEEPEST_TRIGGER {
            self.file.emitter.token(OPAQUE, arguments.end);
            return nothing;
        }
        let written = self.text.get(arguments.clone()).unwrap_or("");
        let trigger_len = word_len(written);
        let trigger = arguments.start..arguments.start + trigger_len;
        let word = written.get(..trigger_len).unwrap_or("").to_uppercase();
        if matches!(word.as_str(), "ONBUILD" | "FROM" | "MAINTAINER") {
            let message = format!("{word} cannot follow ONBUILD");
            self.error(ForbiddenTrigger, trigger, message, None);
        }
        let instruction = parse_instruction(self.file, self.text, arguments, self.depth + 1);
        self.file.emitter.finish_node();
        if self.depth > 0 { nothing } else { instruction }
    }

    fn unknown(&mut self, arguments: Range<usize>) {
        self.file.emitter.token(OPAQUE, arguments.end);
        let keyword = self.text.get(self.keyword.clone()).unwrap_or("");
        let help = match closest_match(keyword, KEYWORDS.iter().map(|(name, _)| *name)) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if self.depth == 0 && continues_command(keyword) => Some(
                "end the line before with a continuation to make this line a part of it".to_owned(),
            ),
            None => None,
        };
        let shown: String = keyword.chars().take(40).collect();
        let message = format!("unknown instruction `{shown}`");
        self.error(InstructionError, self.keyword.clone(), message, help);
    }

    /// Returns the keyword in upper case, as messages name it.
    pub(super) fn keyword_upper(&self) -> String {
        self.text
            .get(self.keyword.clone())
            .unwrap_or("")
            .to_uppercase()
    }

    /// Reports that arguments are missing, at the keyword.
    pub(super) fn missing(&mut self, message: &str) {
        self.error(
            InstructionError,
            self.keyword.clone(),
            message.to_owned(),
            None,
        );
    }

    pub(super) fn error(
        &mut self,
        kind: SyntaxErrorKind,
        range: Range<usize>,
        message: String,
        help: Option<String>,
    ) {
        // BuildKit looks at the trigger of ONBUILD only when it runs.
        let kind = if self.depth > 0 && kind == InstructionError {
            SyntaxErrorKind::Trigger
        } else {
            kind
        };
        let range = self.file.emitter.raw_range(range);
        self.file.errors.push(SyntaxError {
            kind,
            range,
            message,
            help,
        });
    }
}

/// Returns whether a line looks like the rest of a command whose continuation was forgotten.
fn continues_command(keyword: &str) -> bool {
    matches!(
        keyword,
        "&&" | "||" | "|" | ";" | "&" | "then" | "fi" | "do" | "done"
    ) || keyword.starts_with("--")
        || keyword.starts_with("&&")
}
