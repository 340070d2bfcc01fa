//! Comments: what may be done to them, and what they ask of the formatter.

use std::borrow::Cow;

use dockerfile_syntax::{SyntaxKind, keyword_kind};

/// What a comment asks of the formatter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// `# dflint format: off`.
    Off,
    /// `# dflint format: on`.
    On,
    /// `# dflint format: skip`: the next instruction stays as it is.
    Skip,
}

/// Reads `# dflint format: off`, `on` or `skip`, with or without a reason behind `--`.
pub(crate) fn request(comment: &str) -> Option<Request> {
    let rest = comment.trim().strip_prefix('#')?.trim_start();
    let rest = rest.strip_prefix("dflint")?.trim_start();
    let rest = rest.strip_prefix("format")?.trim_start();
    let rest = rest.strip_prefix(':')?;
    let word = rest.split("--").next().unwrap_or(rest).trim();
    match word {
        "off" => Some(Request::Off),
        "on" => Some(Request::On),
        "skip" => Some(Request::Skip),
        _ => None,
    }
}

/// Returns a comment with a blank behind its `#` where that is prose, and as it is where it may be anything else.
pub(crate) fn spaced(comment: &str, escape: char) -> Cow<'_, str> {
    match comment.strip_prefix('#') {
        Some(text) if is_prose(text, escape) => Cow::Owned(format!("# {text}")),
        _ => Cow::Borrowed(comment),
    }
}

/// Returns whether a comment can be read as a parser directive, should it stand at the top of the file.
pub(crate) fn may_be_directive(comment: &str) -> bool {
    comment.contains('=')
}

/// Words that begin commands oftener than sentences.
const COMMANDS: &[&str] = &[
    "apk", "apt", "apt-get", "bash", "cat", "cd", "chmod", "chown", "cp", "curl", "dnf", "docker",
    "echo", "export", "gem", "git", "go", "ln", "ls", "make", "mkdir", "mv", "npm", "pip", "pip3",
    "python", "python3", "rm", "sed", "service", "set", "sh", "source", "sudo", "tar", "touch",
    "unzip", "wget", "yarn", "yum",
];

/// Returns whether a text behind `#` is prose and no disabled code, no ruler and no mark for another tool.
fn is_prose(text: &str, escape: char) -> bool {
    let Some(first) = text.split_whitespace().next() else {
        return false;
    };
    let word = first.trim_end_matches([',', '.', ':', ';', '?']);
    text.starts_with(char::is_alphabetic)
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '_'))
        && keyword_kind(word) == SyntaxKind::UNKNOWN_INSTRUCTION
        && !COMMANDS.contains(&word)
        && !text.trim_end().ends_with(escape)
        && !text.contains(['=', '$', '|', '<', '>', '`', '{', '}', '[', ']', '\\'])
        && !text.contains("&&")
        && !text.contains(" --")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prose_gets_a_blank() {
        assert_eq!(spaced("#Install the tools", '\\'), "# Install the tools");
        assert_eq!(spaced("#TODO: later", '\\'), "# TODO: later");
        for kept in [
            "#",
            "##",
            "#####",
            "# a",
            "#  a",
            "#!shebang",
            "#RUN x",
            "#run x",
            "#apt-get install",
            "#--",
            "#a=b",
            "#$x",
            "#checkov:skip",
            "#foo \\",
            "#curl x | sh",
        ] {
            assert_eq!(spaced(kept, '\\'), kept);
        }
    }

    #[test]
    fn requests_are_read() {
        assert_eq!(request("# dflint format: off"), Some(Request::Off));
        assert_eq!(request("#dflint format:on"), Some(Request::On));
        assert_eq!(
            request("  # dflint format: skip -- the art"),
            Some(Request::Skip)
        );
        assert_eq!(request("# dflint ignore=DF001"), None);
        assert_eq!(request("# format: off"), None);
    }
}
