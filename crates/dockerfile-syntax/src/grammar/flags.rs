//! Flags: `--name=value` words between the keyword and the arguments of any instruction.
//!
//! Where they end and what they mean follows BuildKit's `parser/split_command.go` and `instructions/bflag.go`.

use std::ops::Range;

use dockerfile_source::closest_match;

use super::instruction::InstructionGrammar;
use super::word::emit_word;
use crate::SyntaxErrorKind::Instruction;
use crate::SyntaxKind;
use crate::SyntaxKind::{EQ, FLAG, FLAG_DASHES, FLAG_NAME, WHITESPACE};
use crate::logical_line::trim_start;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagType {
    /// Nothing, `true` or `false`.
    Bool,
    /// One value.
    String,
    /// One value each time; may be repeated.
    Strings,
}

/// Returns the flags that an instruction takes, or `None` where BuildKit does not look at them.
pub fn known_flags(instruction: SyntaxKind) -> Option<&'static [(&'static str, FlagType)]> {
    use FlagType::{Bool, String, Strings};
    Some(match instruction {
        SyntaxKind::FROM_INSTRUCTION => &[("platform", String)],
        SyntaxKind::RUN_INSTRUCTION => &[
            ("mount", Strings),
            ("network", String),
            ("security", String),
            ("device", Strings),
        ],
        SyntaxKind::COPY_INSTRUCTION => &[
            ("from", String),
            ("chown", String),
            ("chmod", String),
            ("link", Bool),
            ("parents", Bool),
            ("exclude", Strings),
        ],
        SyntaxKind::ADD_INSTRUCTION => &[
            ("chown", String),
            ("chmod", String),
            ("link", Bool),
            ("keep-git-dir", Bool),
            ("checksum", String),
            ("unpack", Bool),
            ("exclude", Strings),
        ],
        SyntaxKind::HEALTHCHECK_INSTRUCTION => &[
            ("interval", String),
            ("timeout", String),
            ("start-period", String),
            ("start-interval", String),
            ("retries", String),
        ],
        SyntaxKind::ARG_INSTRUCTION
        | SyntaxKind::STOPSIGNAL_INSTRUCTION
        | SyntaxKind::UNKNOWN_INSTRUCTION => return None,
        _ => &[],
    })
}

/// One flag on a logical line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlagWord {
    pub(super) range: Range<usize>,
    /// The word with quotes and escapes taken off, as the builder reads it: `--name=value`.
    pub(super) text: String,
}

impl FlagWord {
    pub(super) fn name(&self) -> &str {
        let text = self.text.strip_prefix("--").unwrap_or(&self.text);
        text.split_once('=').map_or(text, |(name, _)| name)
    }

    pub(super) fn value(&self) -> Option<&str> {
        self.text.split_once('=').map(|(_, value)| value)
    }
}

/// Returns the flags at the start of `text[range]`, `--` alone included, and where the arguments begin.
pub(super) fn find_flags(text: &str, range: Range<usize>) -> (Vec<FlagWord>, usize) {
    let mut flags = Vec::new();
    let mut position = range.start;
    loop {
        let rest = text.get(position..range.end).unwrap_or("");
        let rest = trim_start(rest);
        position = range.end.max(position) - rest.len();
        if !rest.starts_with("--") {
            return (flags, position);
        }
        let (len, value) = flag_word(rest);
        let ends_flags = value == "--";
        flags.push(FlagWord {
            range: position..position + len,
            text: value,
        });
        position += len;
        if ends_flags {
            return (flags, position);
        }
    }
}

/// Returns the length of the word at the start of `text` and its value without quotes and escapes.
///
/// The escape character is always the backslash here, and it works inside single quotes too.
fn flag_word(text: &str) -> (usize, String) {
    let mut value = String::new();
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, blank) if blank.is_whitespace() => return (at, value),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (_, '\\') => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    (text.len(), value)
}

/// Returns the value of a flag as the builder reads it: without quotes and escapes.
pub fn unquote_flag(word: &str) -> String {
    flag_word(word).1
}

/// Returns where the name of a flag ends in the text, where it may be longer than what the builder reads: quotes and escapes.
fn name_end(text: &str, flag: &FlagWord) -> usize {
    let written = text.get(flag.range.clone()).unwrap_or("");
    flag.range.start + written.find('=').unwrap_or(written.len())
}

impl InstructionGrammar<'_, '_, '_> {
    pub(super) fn emit_flags(&mut self, flags: &[FlagWord]) {
        for flag in flags {
            let emitter = &mut self.file.emitter;
            emitter.token(WHITESPACE, flag.range.start);
            emitter.start_node(FLAG);
            emitter.token(FLAG_DASHES, flag.range.start + 2);
            let name_end = name_end(self.text, flag);
            emitter.token(FLAG_NAME, name_end);
            if name_end < flag.range.end {
                emitter.token(EQ, name_end + 1);
                emit_word(emitter, self.text, flag.range.end, '\\');
            }
            emitter.finish_node();
        }
    }

    /// Reports what `BFlags.Parse` of BuildKit refuses, every flag and not only the first.
    pub(super) fn check_flags(&mut self, instruction: SyntaxKind, flags: &[FlagWord]) {
        if flags.is_empty() {
            return;
        }
        let Some(known) = known_flags(instruction) else {
            return;
        };
        for (idx, flag) in flags
            .iter()
            .enumerate()
            .filter(|(_, flag)| flag.text != "--")
        {
            let name = flag.name();
            let name_range = flag.range.start..name_end(self.text, flag);
            let Some((_, flag_type)) = known.iter().find(|(known, _)| *known == name) else {
                let message = format!("unknown flag `--{name}` for {}", self.keyword_upper());
                let near = closest_match(name, known.iter().map(|(name, _)| *name));
                let help = match (near, known) {
                    (Some(near), _) => format!("did you mean `--{near}`?"),
                    (None, []) => format!("{} takes no flags", self.keyword_upper()),
                    (None, known) => {
                        let names: Vec<_> = known
                            .iter()
                            .map(|(name, _)| format!("`--{name}`"))
                            .collect();
                        format!("{} takes {}", self.keyword_upper(), names.join(", "))
                    }
                };
                self.error(Instruction, name_range, message, Some(help));
                continue;
            };
            let is_repeated = flags
                .get(..idx)
                .is_some_and(|before| before.iter().any(|other| other.name() == name));
            if is_repeated && *flag_type != FlagType::Strings {
                self.error(
                    Instruction,
                    flag.range.clone(),
                    format!("flag `--{name}` is given twice"),
                    None,
                );
            }
            self.check_flag_value(flag, *flag_type, name_range);
        }
    }

    fn check_flag_value(&mut self, flag: &FlagWord, flag_type: FlagType, name_range: Range<usize>) {
        let name = flag.name();
        let fault = match (flag_type, flag.value()) {
            (FlagType::Bool, Some("")) | (FlagType::String | FlagType::Strings, None) => {
                let help = format!("write `--{name}=VALUE`");
                Some((format!("flag `--{name}` has no value"), Some(help)))
            }
            (FlagType::Bool, Some(value))
                if !["true", "false"].contains(&value.to_lowercase().as_str()) =>
            {
                let help = format!("write `--{name}`, `--{name}=true` or `--{name}=false`");
                Some((
                    format!("flag `--{name}` takes true or false, not `{value}`"),
                    Some(help),
                ))
            }
            _ => None,
        };
        match fault {
            Some((message, help)) => self.error(Instruction, name_range, message, help),
            None => self.check_run_flag(flag),
        }
    }

    /// Reports values that the hooks of RUN refuse (`instructions/commands_runnetwork.go` and its neighbours).
    fn check_run_flag(&mut self, flag: &FlagWord) {
        let Some(value) = flag.value() else { return };
        let allowed: &[&str] = match flag.name() {
            "network" => &["default", "none", "host"],
            "security" => &["sandbox", "insecure"],
            "mount" => return self.check_mount(flag, value),
            _ => return,
        };
        if !allowed.contains(&value) {
            let help = match closest_match(value, allowed.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it takes {}", allowed.join(", ")),
            };
            let message = format!("`{value}` is no value of `--{}`", flag.name());
            self.error(Instruction, flag.range.clone(), message, Some(help));
        }
    }

    fn check_mount(&mut self, flag: &FlagWord, value: &str) {
        let from = value
            .split(',')
            .filter_map(|field| field.split_once('='))
            .find(|(key, _)| key.eq_ignore_ascii_case("from"));
        let Some((_, image)) = from else { return };
        let has_variable = image.find('$').is_some_and(|at| at + 1 < image.len());
        if has_variable {
            let written = self.text.get(flag.range.clone()).unwrap_or("");
            let start = flag.range.start + written.find(image).unwrap_or(0);
            let range = start..(start + image.len()).min(flag.range.end);
            self.error(
                Instruction,
                range,
                "`from` of a mount cannot hold a variable".to_owned(),
                Some("name a stage with `FROM image AS name` and mount from that name".to_owned()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(text: &str) -> (Vec<String>, &str) {
        let (flags, end) = find_flags(text, 0..text.len());
        (
            flags.into_iter().map(|flag| flag.text).collect(),
            text.get(end..).unwrap_or(""),
        )
    }

    #[test]
    fn flags_end_at_the_first_other_word() {
        assert_eq!(
            flags("--a=b  --c d --e"),
            (vec!["--a=b".into(), "--c".into()], "d --e")
        );
        assert_eq!(flags("-x --y"), (vec![], "-x --y"));
        assert_eq!(flags("-- --mount x"), (vec!["--".into()], " --mount x"));
    }

    #[test]
    fn quotes_and_escapes_are_taken_off() {
        assert_eq!(flags(r#"--m="a b" x"#), (vec!["--m=a b".into()], "x"));
        assert_eq!(flags(r"--m='a\'b' x"), (vec!["--m=a'b".into()], "x"));
        assert_eq!(flags(r"--a\ b=c d"), (vec!["--a b=c".into()], "d"));
    }
}
