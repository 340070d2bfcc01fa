//! Here-documents of RUN, COPY and ADD.
//!
//! BuildKit looks for them in the words of the joined line, whatever the escape character of the file
//! (`parser/parser.go`, `heredocsFromLine`), and finds some that a shell would not: `$((x << 2))` opens one.

use std::ops::Range;

use dockerfile_source::TextRange;

use super::file::{Documents, FileGrammar};
use super::heredoc_ends::HeredocEnds;
use super::instruction::{KEYWORDS, keyword_kind};
use super::shell::{ShellContext, parse_script};
use super::shell_tracker::is_posix_shell;
use super::word::name_len;
use crate::SyntaxKind::{
    HEREDOC, HEREDOC_END, HEREDOC_TEXT, NEWLINE, UNKNOWN_INSTRUCTION, WHITESPACE,
};
use crate::logical_line::{LineMap, physical_line};
use crate::{SyntaxError, SyntaxErrorKind};

/// `<<NAME`, as it stands on a logical line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeredocOpener {
    /// Where the word stands in the logical text.
    pub range: Range<usize>,
    /// The line that ends the body.
    pub name: String,
    /// The number in front of `<<`; 0 when there is none.
    pub file_descriptor: u32,
    /// `<<-`: tabs at the start of lines do not count.
    pub strips_tabs: bool,
    /// No part of the name is quoted: the builder expands variables in the body (COPY and ADD).
    pub expands: bool,
}

/// Returns the here-documents that a logical line opens.
pub fn find_openers(line: &str) -> Vec<HeredocOpener> {
    let Some(words) = split_shell_words(line) else {
        return Vec::new();
    };
    let mut openers = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(mut range) = words.next() {
        let is_operator = line
            .get(range.clone())
            .and_then(|word| word.strip_suffix("<<"))
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        if is_operator && let Some(next) = words.peek() {
            let joined = range.start..next.end;
            if line.get(joined.clone()).and_then(opener_of_word).is_some() {
                range = joined;
                words.next();
            }
        }
        if let Some(mut opener) = line.get(range.clone()).and_then(opener_of_word) {
            opener.range = range;
            openers.push(opener);
        }
    }
    openers
}

/// Reads one word as `^(\d*)<<(-?)\s*([^<]*)$`.
pub(super) fn opener_of_word(word: &str) -> Option<HeredocOpener> {
    let digits_len = word.find(|character: char| !character.is_ascii_digit())?;
    let (digits, rest) = word.split_at(digits_len);
    let rest = rest.strip_prefix("<<")?;
    let (strips_tabs, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let name = rest.trim_start();
    if name.is_empty() || name.contains('<') || name.contains("${") {
        return None;
    }
    let (name, is_quoted) = unquote_name(name)?;
    (!name.is_empty()).then(|| HeredocOpener {
        range: 0..word.len(),
        name,
        file_descriptor: digits.parse().unwrap_or(0),
        strips_tabs,
        expands: !is_quoted,
    })
}

/// Takes quotes and escapes off a name. Returns `None` when it would be several words.
fn unquote_name(word: &str) -> Option<(String, bool)> {
    let mut name = String::new();
    let mut quote = None;
    let mut is_quoted = false;
    let mut characters = word.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '\'' | '"') => {
                quote = Some(character);
                is_quoted = true;
            }
            (Some(open), close) if open == close => quote = None,
            (None, '\\') => name.extend(characters.next()),
            (None, blank) if blank.is_whitespace() => return None,
            _ => name.push(character),
        }
    }
    quote.is_none().then_some((name, is_quoted))
}

/// Splits a line as BuildKit's shell lexer does with raw quotes, or returns `None` where that fails.
fn split_shell_words(line: &str) -> Option<Vec<Range<usize>>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut position = 0;
    while let Some(character) = line.get(position..)?.chars().next() {
        let len = match character {
            blank if blank.is_whitespace() => {
                words.extend(start.take().map(|first| first..position));
                position += blank.len_utf8();
                continue;
            }
            '\\' => escape_len(line, position),
            '\'' => single_quoted_len(line, position)?,
            '"' => double_quoted_len(line, position, 0)?,
            '$' => dollar_len(line, position, 0)?,
            other => other.len_utf8(),
        };
        start = start.or(Some(position));
        position += len;
    }
    words.extend(start.map(|first| first..line.len()));
    Some(words)
}

fn escape_len(line: &str, at: usize) -> usize {
    let escaped = line.get(at + 1..).and_then(|rest| rest.chars().next());
    1 + escaped.map_or(0, char::len_utf8)
}

fn single_quoted_len(line: &str, at: usize) -> Option<usize> {
    Some(line.get(at + 1..)?.find('\'')? + 2)
}

/// Deeper nesting of quotes and expansions counts as a failure of the lexer.
const DEEPEST_NESTING: usize = 100;

fn double_quoted_len(line: &str, at: usize, depth: usize) -> Option<usize> {
    let mut position = at + 1;
    loop {
        match line.get(position..)?.chars().next()? {
            '"' => return Some(position + 1 - at),
            '$' => position += dollar_len(line, position, depth)?,
            '\\' if matches!(line.as_bytes().get(position + 1), Some(b'"' | b'$' | b'\\')) => {
                position += 2;
            }
            other => position += other.len_utf8(),
        }
    }
}

fn dollar_len(line: &str, at: usize, depth: usize) -> Option<usize> {
    if line.as_bytes().get(at + 1) != Some(&b'{') {
        return Some(1 + name_len(line.get(at + 1..)?));
    }
    if depth > DEEPEST_NESTING || matches!(line.as_bytes().get(at + 2)?, b'{' | b'}' | b':') {
        return None;
    }
    let operator = at + 2 + name_len(line.get(at + 2..)?);
    let end = match line.as_bytes().get(operator)? {
        b'}' => operator + 1,
        b':' => {
            let modifier = line.get(operator + 1..)?.chars().next()?;
            until(line, operator + 1 + modifier.len_utf8(), '}', depth)?
        }
        b'+' | b'-' | b'?' | b'#' | b'%' => until(line, operator + 1, '}', depth)?,
        b'/' => {
            let is_double = line.as_bytes().get(operator + 1) == Some(&b'/');
            let pattern = operator + 1 + usize::from(is_double);
            let replacement = until(line, pattern, '/', depth)?;
            until(line, replacement, '}', depth)?
        }
        _ => return None,
    };
    Some(end - at)
}

/// Returns the offset behind the next `stop` outside of quotes and expansions.
fn until(line: &str, start: usize, stop: char, depth: usize) -> Option<usize> {
    let mut position = start;
    loop {
        let character = line.get(position..)?.chars().next()?;
        position += match character {
            found if found == stop => return Some(position + stop.len_utf8()),
            '\\' => escape_len(line, position),
            '\'' => single_quoted_len(line, position)?,
            '"' => double_quoted_len(line, position, depth + 1)?,
            '$' => dollar_len(line, position, depth + 1)?,
            other => other.len_utf8(),
        };
    }
}

/// Adds the bodies behind an instruction and returns where the next line starts.
pub(super) fn parse_bodies(file: &mut FileGrammar<'_>, documents: &Documents) -> usize {
    let is_only_command = is_heredoc_only(documents);
    let mut next = file.emitter.raw();
    for (opener, opener_range) in &documents.openers {
        let start = next;
        let body = find_body(file, start, opener);
        if !body.is_terminated {
            file.errors.push(unterminated(opener, *opener_range));
        }
        if body.text_end == start && body.end_line.is_none() {
            break;
        }
        if file.emitter.raw() < start {
            file.emitter.raw_token(NEWLINE, start);
        }
        file.emitter.start_raw_node(HEREDOC);
        if is_script(file, documents, is_only_command, start..body.text_end) {
            let source = file.source;
            let text = source.get(start..body.text_end).unwrap_or("");
            file.emitter.begin_line(LineMap::contiguous(start));
            parse_script(
                &mut file.emitter,
                text,
                0..text.len(),
                ShellContext::Document,
                &mut file.errors,
            );
        } else {
            file.emitter.raw_token(HEREDOC_TEXT, body.text_end);
        }
        if let Some(end_line) = &body.end_line {
            file.emitter.raw_token(WHITESPACE, end_line.start);
            file.emitter.raw_token(HEREDOC_END, end_line.end);
        }
        file.emitter.finish_node();
        next = body.next;
        // Looking for the ends of all the others in what is left would take quadratic time.
        if !body.is_terminated {
            break;
        }
    }
    next
}

struct Body {
    /// Where the text ends and the last line begins.
    text_end: usize,
    end_line: Option<Range<usize>>,
    is_terminated: bool,
    next: usize,
}

fn find_body(file: &mut FileGrammar<'_>, start: usize, opener: &HeredocOpener) -> Body {
    let source = file.source;
    if let Some(ends) = &file.heredoc_ends {
        return match ends.first(&opener.name, opener.strips_tabs, start) {
            Some(line) => terminated(source, line, opener),
            None => unterminated_body(source, start),
        };
    }
    let mut position = start;
    while let Some(line) = physical_line(source, position) {
        let content = source.get(line.start..line.content_end).unwrap_or("");
        if without_tabs(content, opener) == opener.name {
            return terminated(source, line.start, opener);
        }
        position = line.next;
    }
    file.heredoc_ends = Some(HeredocEnds::new(source, start));
    unterminated_body(source, start)
}

fn without_tabs<'t>(line: &'t str, opener: &HeredocOpener) -> &'t str {
    if opener.strips_tabs {
        line.trim_start_matches('\t')
    } else {
        line
    }
}

/// Returns the body that the line at `end` ends.
fn terminated(source: &str, end: usize, opener: &HeredocOpener) -> Body {
    let (content_end, next) = physical_line(source, end)
        .map_or((source.len(), source.len()), |line| {
            (line.content_end, line.next)
        });
    Body {
        text_end: end,
        end_line: Some(content_end - opener.name.len()..content_end),
        is_terminated: true,
        next,
    }
}

/// Returns the body that nothing ends: the file goes on where it looks like a Dockerfile again.
fn unterminated_body(source: &str, start: usize) -> Body {
    let mut position = start;
    let mut end = source.len();
    while let Some(line) = physical_line(source, position) {
        if starts_instruction(source.get(line.start..line.content_end).unwrap_or("")) {
            end = line.start;
            break;
        }
        position = line.next;
    }
    Body {
        text_end: end,
        end_line: None,
        is_terminated: false,
        next: end,
    }
}

fn starts_instruction(line: &str) -> bool {
    let word = line.split([' ', '\t']).next().unwrap_or("");
    KEYWORDS.iter().any(|(keyword, _)| *keyword == word)
        && keyword_kind(word) != UNKNOWN_INSTRUCTION
}

fn unterminated(opener: &HeredocOpener, range: TextRange) -> SyntaxError {
    SyntaxError {
        kind: SyntaxErrorKind::Parser,
        range,
        message: format!("here-document `{}` has no end", opener.name),
        help: Some(format!(
            "add a line that holds only `{}`; inside of an arithmetic expansion, write `1<<2` without blanks around it",
            opener.name
        )),
    }
}

/// Returns whether the line holds nothing but one here-document: the body is the command.
fn is_heredoc_only(documents: &Documents) -> bool {
    match (&documents.command, documents.openers.as_slice()) {
        (Some(command), [_]) => opener_of_word(command.trim()).is_some(),
        _ => false,
    }
}

/// Returns whether a body is a script that some sh reads.
fn is_script(
    file: &FileGrammar<'_>,
    documents: &Documents,
    is_only_command: bool,
    body: Range<usize>,
) -> bool {
    let Some(command) = &documents.command else {
        return false;
    };
    let text = file.source.get(body).unwrap_or("");
    if is_only_command {
        return match text.trim_start_matches('\t').strip_prefix("#!") {
            Some(line) => shebang_is_posix(line.lines().next().unwrap_or("")),
            None => file.shells.is_posix(),
        };
    }
    documents.openers.len() == 1 && reads_script_from_input(command)
}

fn shebang_is_posix(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or("");
    if program.ends_with("/env") {
        return words
            .find(|word| !word.starts_with('-'))
            .is_some_and(is_posix_shell);
    }
    is_posix_shell(program)
}

/// Returns whether a command is `sh`, `bash -e` and the like: a shell that reads its script from the here-document.
fn reads_script_from_input(command: &str) -> bool {
    let mut words = command
        .split_whitespace()
        .filter(|word| opener_of_word(word).is_none());
    words.next().is_some_and(is_posix_shell)
        && words.all(|word| word.starts_with('-') && !word.starts_with("--") && !word.contains('c'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        find_openers(line)
            .into_iter()
            .map(|opener| opener.name)
            .collect()
    }

    #[test]
    fn finds_what_buildkit_finds() {
        assert_eq!(names("RUN <<A cat && 3<<-'B C' cat"), ["A", "B C"]);
        assert_eq!(names("RUN << EOF"), ["EOF"]);
        assert_eq!(names("RUN cat <<EOF>f"), ["EOF>f"]);
        assert_eq!(names("RUN echo $(( 1<<2 ))"), ["2"]);
        assert_eq!(names("RUN echo $((x << 2))"), ["2))"]);
        assert_eq!(names("RUN <<$X"), ["$X"]);
    }

    #[test]
    fn passes_over_what_buildkit_passes_over() {
        for line in [
            "RUN cat<<EOF",
            "RUN cat <<<x",
            "RUN cat <<< x",
            "RUN echo it's <<EOF",
            "RUN echo \"<<EOF\"",
            "RUN <<",
            "RUN <<-",
            "RUN <<A<<B",
            "RUN echo $((1<<2))",
            "RUN <<${X:-y}",
        ] {
            assert_eq!(names(line), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn survives_deep_nesting() {
        assert_eq!(
            names(&format!("RUN <<A {}", "${a:-".repeat(200_000))),
            Vec::<String>::new()
        );
    }
}
