//! The manual, in our own few words: what instructions, flags and mount options are for.

mod entries;
mod flags;

use std::fmt::Write as _;

use dockerfile_model::Keyword;

pub(crate) use entries::INSTRUCTIONS;
pub(crate) use flags::{FLAGS, MOUNT_OPTIONS, MOUNT_TYPES};

use crate::analysis::keyword_name;

/// One instruction.
#[derive(Debug)]
pub(crate) struct InstructionPage {
    pub(crate) keyword: Keyword,
    /// The forms that it takes.
    pub(crate) forms: &'static [&'static str],
    pub(crate) text: &'static str,
    /// What to put in its place when it is chosen in an empty line: a snippet.
    pub(crate) snippet: &'static str,
}

/// One flag of an instruction.
#[derive(Debug)]
pub(crate) struct FlagPage {
    pub(crate) keyword: Keyword,
    /// Without `--`.
    pub(crate) name: &'static str,
    /// What the value looks like; empty for a flag that needs none.
    pub(crate) value: &'static str,
    pub(crate) text: &'static str,
    /// Values that can be offered.
    pub(crate) values: &'static [&'static str],
}

/// One option of `--mount`.
#[derive(Debug)]
pub(crate) struct MountOptionPage {
    pub(crate) name: &'static str,
    /// The types of mount that take it; empty for all.
    pub(crate) types: &'static [&'static str],
    pub(crate) value: &'static str,
    pub(crate) text: &'static str,
    pub(crate) values: &'static [&'static str],
}

pub(crate) fn instruction_page(keyword: Keyword) -> Option<&'static InstructionPage> {
    INSTRUCTIONS.iter().find(|page| page.keyword == keyword)
}

pub(crate) fn flag_page(keyword: Keyword, name: &str) -> Option<&'static FlagPage> {
    FLAGS
        .iter()
        .find(|page| page.keyword == keyword && page.name == name)
}

/// Returns the options that a type of mount takes.
pub(crate) fn mount_options(mount_type: &str) -> impl Iterator<Item = &'static MountOptionPage> {
    MOUNT_OPTIONS
        .iter()
        .filter(move |page| page.types.is_empty() || page.types.contains(&mount_type))
}

/// Returns the page of an instruction in Markdown.
pub(crate) fn instruction_markdown(page: &InstructionPage) -> String {
    let mut text = format!(
        "```dockerfile\n{}\n```\n\n{}",
        page.forms.join("\n"),
        page.text
    );
    let mut flags = FLAGS
        .iter()
        .filter(|flag| flag.keyword == page.keyword)
        .peekable();
    if flags.peek().is_some() {
        text.push_str("\n\nFlags:\n");
        for flag in flags {
            let value = if flag.value.is_empty() { "" } else { "=" };
            let _ = write!(
                text,
                "\n- `--{}{value}{}`: {}",
                flag.name,
                flag.value,
                first_sentence(flag.text)
            );
        }
    }
    let _ = write!(
        text,
        "\n\n[Reference](https://docs.docker.com/reference/dockerfile/#{})",
        keyword_name(page.keyword).to_ascii_lowercase()
    );
    text
}

/// Returns the page of a flag in Markdown.
pub(crate) fn flag_markdown(page: &FlagPage) -> String {
    let value = if page.value.is_empty() { "" } else { "=" };
    let mut text = format!(
        "```dockerfile\n{} --{}{value}{}\n```\n\n{}",
        keyword_name(page.keyword),
        page.name,
        page.value,
        page.text
    );
    if !page.values.is_empty() {
        let _ = write!(text, "\n\nValues: `{}`.", page.values.join("`, `"));
    }
    text
}

pub(crate) fn first_sentence(text: &str) -> &str {
    text.split_inclusive(". ").next().unwrap_or(text).trim_end()
}

#[cfg(test)]
mod tests {
    use dockerfile_syntax::{KEYWORDS, known_flags};

    use super::*;

    #[test]
    fn every_instruction_has_a_page() {
        for (name, kind) in KEYWORDS {
            assert!(
                instruction_page(Keyword::from_kind(kind)).is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn every_flag_of_the_builder_has_a_page_and_no_other() {
        for (name, kind) in KEYWORDS {
            let keyword = Keyword::from_kind(kind);
            let known = known_flags(kind).unwrap_or_default();
            for (flag, _) in known {
                assert!(flag_page(keyword, flag).is_some(), "{name} --{flag}");
            }
            for page in FLAGS.iter().filter(|page| page.keyword == keyword) {
                assert!(
                    known.iter().any(|(flag, _)| *flag == page.name),
                    "{name} --{}",
                    page.name
                );
            }
        }
    }
}
