use dockerfile_model::{Command, Instruction, Keyword};
use dockerfile_source::{TextEdit, TextRange};
use dockerfile_syntax::Node;
use dockerfile_syntax::ast::{self, AstNode as _};

use crate::RuleContext;
use crate::facts::almost_json::{JsonFault, JsonFaultKind, is_quote, json_faults, mended};
use crate::facts::logical_text::LogicalText;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds arguments in brackets that are not JSON, so that the builder reads them as a line for the shell.
    ///
    /// ## Why
    /// The exec form is JSON: double quotes around every string, a comma between them, nothing behind the bracket.
    /// Text that is not JSON is not refused: it becomes a command for the shell, which then looks for a program called `[nginx,`.
    /// The same happens to COPY, ADD and VOLUME, where the brackets become part of the names.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM nginx:1.29
    /// CMD ['nginx', '-g', 'daemon off;']
    /// ```
    /// ```dockerfile
    /// FROM node:24
    /// CMD ["node", "index.js"] # start the server
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM nginx:1.29
    /// RUN [ -f /etc/nginx/nginx.conf ] && nginx -t
    /// CMD ["nginx", "-g", "daemon off;"]
    /// ```
    ///
    /// ## Fix
    /// Unsafe: makes the text JSON, where there is one way to do so: the container then starts the program that is named.
    ///
    /// ## Limits
    /// `[ ... ]` and `[[ ... ]]` of the shell are told from an array by what follows the bracket, and are not judged.
    /// SHELL takes nothing but JSON: there the builder refuses the text, and `invalid-instruction` says so.
    /// On 22,777 public Dockerfiles it fires 156 times; of 60 read, none was wrong.
    pub(crate) SINGLE_QUOTED_JSON {
        name: "single-quoted-json",
        code: "DF206",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: Unsafe,
        check: check,
    }
}

/// A longer array is not repeated in the help, a longer part of it not in the message.
const LONGEST_EXAMPLE: usize = 160;
const LONGEST_PART: usize = 60;

/// What may follow an instruction beside an array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// CMD and ENTRYPOINT: a test of the shell makes no sense.
    Start,
    /// RUN and HEALTHCHECK: a test of the shell is likely.
    Shell,
    /// A shell that is not sh: brackets may mean anything.
    OtherShell,
    /// COPY and ADD: a pattern may start with a bracket.
    Files,
    /// VOLUME.
    Paths,
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    if !ctx
        .instructions()
        .any(|instruction| candidate(instruction).is_some())
    {
        return;
    }
    // The nodes of the instructions stand in the order of the model: one walk finds them all.
    let root = ctx.parse().root();
    let nodes = root.children().filter_map(ast::Instruction::cast);
    for (node, instruction) in nodes.zip(&model.instructions) {
        let inner = std::iter::successors(instruction.trigger(), |inner| inner.trigger());
        for instruction in std::iter::once(instruction).chain(inner) {
            if let Some((range, place)) = candidate(instruction) {
                check_array(ctx, node.syntax(), instruction, range, place);
            }
        }
    }
}

/// Returns where the arguments stand when they start with a bracket and are not JSON.
fn candidate(instruction: &Instruction) -> Option<(TextRange, Place)> {
    if let Some(command) = instruction.command() {
        let (text, range, is_opaque) = match command {
            Command::Shell(script) => (&script.text, script.range, false),
            Command::Opaque { text, range } => (text, *range, true),
            Command::Exec(..) | Command::Missing => return None,
        };
        let place = match instruction.keyword {
            _ if is_opaque => Place::OtherShell,
            Keyword::Cmd | Keyword::Entrypoint => Place::Start,
            _ => Place::Shell,
        };
        return text.starts_with('[').then_some((range, place));
    }
    let (first, place) = match instruction.keyword {
        Keyword::Volume => (instruction.words().first()?, Place::Paths),
        Keyword::Copy | Keyword::Add => {
            let copy = instruction.copy().filter(|copy| !copy.is_json)?;
            (copy.sources.first()?, Place::Files)
        }
        _ => return None,
    };
    if !first.text.starts_with('[') || !instruction.heredocs.is_empty() {
        return None;
    }
    let end = instruction.range.end().max(first.range.end());
    Some((TextRange::new(first.range.start(), end), place))
}

fn check_array(
    ctx: &mut RuleContext<'_>,
    node: Node<'_>,
    instruction: &Instruction,
    range: TextRange,
    place: Place,
) {
    let logical = LogicalText::new(node, range);
    let text = logical.text.trim_end();
    if !looks_like_array(text, place) {
        return;
    }
    let faults = json_faults(text);
    let Some(first) = faults.first() else { return };
    let edit = edit(ctx, &logical, &faults);
    let fixed = mended(text, &faults);
    let message = message(text, first, instruction);
    let finding = ctx.report(logical.file_range(first.at.clone()), message);
    let finding = match &fixed {
        Some(fixed) if fixed.len() <= LONGEST_EXAMPLE => finding.help(format!("write `{fixed}`")),
        _ if first.kind == JsonFaultKind::TextBehind
            && text.get(first.at.clone()).is_some_and(|text| text.starts_with('#')) =>
        {
            finding.help("move the comment to a line of its own")
        }
        _ => finding.help(
            "write a JSON array: double quotes around every string, a comma between them, nothing after it",
        ),
    };
    if let (Some(_), Some(edit)) = (fixed, edit) {
        finding.unsafe_fix("write the array as JSON", edit);
    }
}

/// Returns the edit that mends all faults; none when a continuation lies inside of a piece that is replaced.
///
/// It is one edit for the whole array: what stands between two quotes becomes another token by the mending.
fn edit(ctx: &RuleContext<'_>, logical: &LogicalText, faults: &[JsonFault]) -> Option<TextEdit> {
    let mut builder = TextEdit::builder();
    for fault in faults {
        for (at, insert) in fault.repair.as_ref()? {
            let range = logical.file_range(at.clone());
            if usize::from(range.len()) != at.len() {
                return None;
            }
            builder.replace(range, *insert);
        }
    }
    let len = logical.text.trim_end().len();
    let whole = logical.file_range(0..len);
    let mut mended = String::with_capacity(usize::from(whole.len()) + faults.len());
    let mut position = whole.start();
    for indel in builder.finish().ok()?.indels() {
        let kept = TextRange::new(position, indel.delete.start().max(position));
        mended.push_str(ctx.text(kept));
        mended.push_str(&indel.insert);
        position = indel.delete.end();
    }
    mended.push_str(ctx.text(TextRange::new(position, whole.end().max(position))));
    Some(TextEdit::replace(whole, mended))
}

/// Returns whether brackets are meant as an array, and not as a test of the shell or a pattern.
fn looks_like_array(text: &str, place: Place) -> bool {
    let inside = text.strip_prefix('[').unwrap_or(text);
    if inside.starts_with(is_quote) {
        return true;
    }
    if place == Place::OtherShell || inside.starts_with('[') {
        return false;
    }
    let is_closed = text.ends_with(']');
    if !inside.starts_with(char::is_whitespace) {
        return match place {
            Place::Files => false,
            Place::Paths | Place::Shell => is_closed,
            Place::Start | Place::OtherShell => is_closed || inside.contains(','),
        };
    }
    let inside = inside.trim_start();
    let Some(first) = inside.chars().next() else {
        return false;
    };
    let behind = behind_first(inside, first).trim_start();
    match behind.chars().next() {
        Some(',') => is_closed || is_quote(first),
        Some(']') => is_closed && behind.len() == 1 && place != Place::Shell,
        Some(next) if is_quote(next) && is_quote(first) => is_closed && place != Place::Shell,
        _ => false,
    }
}

/// Returns what stands behind the first string or word.
fn behind_first(inside: &str, first: char) -> &str {
    let rest = inside.get(first.len_utf8()..).unwrap_or("");
    let at = if is_quote(first) {
        let is_close = |character: char| match first {
            '"' | '\'' => character == first,
            _ => is_quote(character),
        };
        rest.char_indices()
            .find(|(_, character)| is_close(*character))
            .map(|(at, close)| at + close.len_utf8())
    } else {
        rest.find(|character: char| matches!(character, ',' | ']') || character.is_whitespace())
    };
    at.and_then(|at| rest.get(at..)).unwrap_or("")
}

fn message(text: &str, fault: &JsonFault, instruction: &Instruction) -> String {
    let consequence = match instruction.keyword {
        Keyword::Copy | Keyword::Add => "the brackets become part of the file names",
        Keyword::Volume => "the brackets become part of the path",
        _ => "the shell gets the whole line, brackets and all",
    };
    let part = text.get(fault.at.clone()).unwrap_or("");
    let part: String = part
        .chars()
        .take_while(|character| !character.is_control())
        .take(LONGEST_PART)
        .collect();
    let what = match fault.kind {
        JsonFaultKind::SingleQuotes => format!("`{part}` is in single quotes"),
        JsonFaultKind::TypographicQuotes => format!("`{part}` is in typographic quotes"),
        JsonFaultKind::MissingQuotes => format!("`{part}` is not in double quotes"),
        JsonFaultKind::OpenString => "this string has no end".to_owned(),
        JsonFaultKind::BadEscape => format!("JSON knows no escape `{part}`"),
        JsonFaultKind::ControlCharacter => "a control character stands in a string".to_owned(),
        JsonFaultKind::MissingComma => "a comma is missing here".to_owned(),
        JsonFaultKind::StrayComma => "nothing follows this comma".to_owned(),
        JsonFaultKind::MissingBracket => "the closing bracket is missing".to_owned(),
        JsonFaultKind::TextBehind => "something follows the closing bracket".to_owned(),
    };
    format!("{what}, so this is not JSON: {consequence}")
}

#[cfg(test)]
mod tests {
    use super::SINGLE_QUOTED_JSON as RULE;
    use crate::testing::{check_clean, check_fires, check_fix, check_message};

    #[test]
    fn points_at_the_first_fault() {
        check_fires(
            &RULE,
            "FROM a\nCMD [«'nginx'», '-g']\nENTRYPOINT [\"a\"«,»]\n",
        );
        check_fires(
            &RULE,
            "FROM a\nCMD [\"a\"] «# comment»\nRUN [\"a\", «'b'»]\n",
        );
        check_fires(
            &RULE,
            "FROM a\nCMD [«“a”»]\nCMD [«npm», start]\nCMD [ \"a\" «\"»b\" ]\n",
        );
        check_fires(
            &RULE,
            "FROM a\nHEALTHCHECK CMD [«'a'»]\nONBUILD CMD [«'a'»]\n",
        );
    }

    #[test]
    fn volumes_and_files_have_arrays_too() {
        check_fires(
            &RULE,
            "FROM a\nVOLUME [«/data»]\nVOLUME [ «'/a'», '/b' ]\nCOPY [«'a b'», '/c']\n",
        );
    }

    #[test]
    fn points_behind_a_continuation() {
        check_fires(&RULE, "FROM a\nCMD [\"a\", \\\n# note\n  «'b'»]\n");
    }

    #[test]
    fn tests_of_the_shell_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nRUN [ -f x ] && y\nRUN [[ -f x ]]\nRUN [ \"$a\" = b ] || c\nRUN [ \"$a\" ] && b\nRUN [ ! -d x ]\nCMD [ -f x ] && y\nHEALTHCHECK CMD [ -f x ]\nRUN [ 'a' != 'b' ]\n",
        );
    }

    #[test]
    fn arrays_and_patterns_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nRUN [\"a\", \"b\"]\nCMD []\nCOPY [ab].txt /x/\nCOPY [\"a\", \"b\"]\nVOLUME [\"/a\"]\nSHELL ['sh']\n",
        );
    }

    #[test]
    fn says_what_becomes_of_it() {
        check_message(
            &RULE,
            "FROM a\nCMD ['x']\n",
            "`'x'` is in single quotes, so this is not JSON: the shell gets the whole line, brackets and all",
        );
        check_message(
            &RULE,
            "FROM a\nVOLUME [\"/a\",]\n",
            "nothing follows this comma, so this is not JSON: the brackets become part of the path",
        );
    }

    #[test]
    fn writes_json() {
        check_fix(
            &RULE,
            "FROM a\nCMD ['nginx', \\\n  '-g',]\n",
            "FROM a\nCMD [\"nginx\", \\\n  \"-g\"]\n",
        );
        check_fix(
            &RULE,
            "FROM a\nVOLUME [/data]\n",
            "FROM a\nVOLUME [\"/data\"]\n",
        );
    }
}
