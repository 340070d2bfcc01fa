//! Text that was meant as a JSON array of strings and is none: where it goes wrong, and what would mend it.

use std::ops::Range;

/// One fault, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonFault {
    pub(crate) at: Range<usize>,
    pub(crate) kind: JsonFaultKind,
    /// What to put where; none when only the author knows.
    pub(crate) repair: Option<Vec<(Range<usize>, &'static str)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonFaultKind {
    SingleQuotes,
    TypographicQuotes,
    MissingQuotes,
    OpenString,
    BadEscape,
    ControlCharacter,
    MissingComma,
    StrayComma,
    MissingBracket,
    TextBehind,
}

/// Returns whether a character opens or closes a string in the eyes of a person.
pub(crate) fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'') || is_typographic(character)
}

fn is_typographic(character: char) -> bool {
    matches!(character, '\u{2018}'..='\u{201f}')
}

/// Returns the faults of a text that starts with `[`, in order; none when it is a JSON array of strings.
pub(crate) fn json_faults(text: &str) -> Vec<JsonFault> {
    let mut reader = Reader {
        text,
        position: 1,
        faults: Vec::new(),
    };
    reader.elements();
    reader.faults
}

struct Reader<'t> {
    text: &'t str,
    position: usize,
    faults: Vec<JsonFault>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.position..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn fault(
        &mut self,
        at: Range<usize>,
        kind: JsonFaultKind,
        repair: Option<Vec<(Range<usize>, &'static str)>>,
    ) {
        self.faults.push(JsonFault { at, kind, repair });
    }

    fn elements(&mut self) {
        let mut comma: Option<usize> = None;
        let mut is_first = true;
        loop {
            self.blanks();
            match self.peek() {
                None => return self.missing_bracket(),
                Some(']') => {
                    if let Some(comma) = comma {
                        let at = comma..comma + 1;
                        self.fault(at.clone(), JsonFaultKind::StrayComma, Some(vec![(at, "")]));
                    }
                    return self.text_behind();
                }
                Some(',') => {
                    let at = self.position..self.position + 1;
                    if comma.is_some() || is_first {
                        self.fault(at.clone(), JsonFaultKind::StrayComma, Some(vec![(at, "")]));
                    } else {
                        comma = Some(at.start);
                    }
                    self.position += 1;
                }
                Some(character) => {
                    let start = self.position;
                    if !is_first && comma.is_none() {
                        self.missing_comma(start, character);
                    }
                    if !self.element(character) {
                        return;
                    }
                    comma = None;
                    is_first = false;
                }
            }
        }
    }

    /// Reads an element. Returns whether it has an end.
    fn element(&mut self, first: char) -> bool {
        match first {
            '"' => self.string(),
            '\'' => self.other_quotes(first, JsonFaultKind::SingleQuotes),
            other if is_typographic(other) => {
                self.other_quotes(other, JsonFaultKind::TypographicQuotes)
            }
            _ => {
                self.bare_word();
                true
            }
        }
    }

    fn string(&mut self) -> bool {
        let start = self.position;
        self.position += 1;
        while let Some(character) = self.peek() {
            let at = self.position;
            self.position += character.len_utf8();
            match character {
                '"' => return true,
                '\\' => self.escape(at),
                // `"word”`: opened as JSON wants it, closed as a text processor does.
                other if is_typographic(other) && self.is_at_end_of_element() => {
                    let at = at..self.position;
                    let repair = vec![(at.clone(), "\"")];
                    self.fault(at, JsonFaultKind::TypographicQuotes, Some(repair));
                    return true;
                }
                '\0'..='\u{1f}' => {
                    self.fault(at..at + 1, JsonFaultKind::ControlCharacter, None);
                }
                _ => {}
            }
        }
        self.fault(start..start + 1, JsonFaultKind::OpenString, None);
        false
    }

    fn is_at_end_of_element(&self) -> bool {
        self.rest().trim_start().starts_with([',', ']'])
    }

    fn escape(&mut self, at: usize) {
        let Some(escaped) = self.peek() else { return };
        self.position += escaped.len_utf8();
        let is_known = match escaped {
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => true,
            'u' => self
                .rest()
                .get(..4)
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())),
            _ => false,
        };
        if !is_known {
            let repair = vec![(at..at, "\\")];
            self.fault(at..self.position, JsonFaultKind::BadEscape, Some(repair));
        }
    }

    fn other_quotes(&mut self, open: char, kind: JsonFaultKind) -> bool {
        let start = self.position;
        let inner = start + open.len_utf8();
        let is_close = |character: char| match kind {
            JsonFaultKind::SingleQuotes => character == '\'',
            _ => is_typographic(character) || character == '"',
        };
        let behind = self.text.get(inner..).unwrap_or("");
        let Some((len, close)) = behind
            .char_indices()
            .find(|(_, character)| is_close(*character))
        else {
            self.fault(start..inner, JsonFaultKind::OpenString, None);
            return false;
        };
        let content = behind.get(..len).unwrap_or("");
        let is_plain = !content.contains(['"', '\\']) && !content.contains(char::is_control);
        let end = inner + len;
        self.position = end + close.len_utf8();
        let repair = is_plain.then(|| vec![(start..inner, "\""), (end..self.position, "\"")]);
        self.fault(start..self.position, kind, repair);
        true
    }

    fn bare_word(&mut self) {
        let start = self.position;
        let rest = self.rest();
        let len = rest
            .find(|character: char| {
                matches!(character, ',' | ']') || character.is_whitespace() || is_quote(character)
            })
            .unwrap_or(rest.len());
        // In quotes nothing expands a variable.
        let word_is_plain = !rest.get(..len).unwrap_or("").contains(['\\', '$']);
        // White space that JSON does not know, such as U+00A0, is no blank and ends no word: one character of it.
        self.position += len.max(self.peek().map_or(0, char::len_utf8));
        let end = self.position;
        let repair = (word_is_plain && self.is_at_end_of_element())
            .then(|| vec![(start..start, "\""), (end..end, "\"")]);
        self.fault(start..end, JsonFaultKind::MissingQuotes, repair);
    }

    fn missing_comma(&mut self, start: usize, first: char) {
        let before = self.text.get(..start).unwrap_or("");
        let end = before.trim_end().len();
        let is_between_strings =
            is_quote(first) && before.trim_end().ends_with(is_quote) && end < start;
        let repair = is_between_strings.then(|| vec![(end..end, ",")]);
        let at = start..start + first.len_utf8();
        self.fault(at, JsonFaultKind::MissingComma, repair);
    }

    fn missing_bracket(&mut self) {
        let end = self.text.trim_end().len();
        let last = self.text.get(..end).unwrap_or("").chars().next_back();
        let start = end - last.map_or(0, char::len_utf8);
        let repair = last.is_some_and(is_quote).then(|| vec![(end..end, "]")]);
        self.fault(start..end, JsonFaultKind::MissingBracket, repair);
    }

    fn text_behind(&mut self) {
        self.position += 1;
        self.blanks();
        let end = self.text.trim_end().len();
        if self.position < end {
            let at = self.position..end;
            let is_noise = matches!(self.text.get(at.clone()), Some("," | ";" | "]"));
            let repair = is_noise.then(|| vec![(at.clone(), "")]);
            self.fault(at, JsonFaultKind::TextBehind, repair);
        }
    }
}

/// Returns the text with all faults mended; none when one of them cannot be.
pub(crate) fn mended(text: &str, faults: &[JsonFault]) -> Option<String> {
    let mut repairs: Vec<_> = Vec::new();
    for fault in faults {
        repairs.extend(fault.repair.as_ref()?.iter().cloned());
    }
    repairs.sort_by_key(|(at, _)| (at.start, at.end));
    let mut result = String::with_capacity(text.len() + repairs.len());
    let mut position = 0;
    for (at, insert) in &repairs {
        result.push_str(text.get(position..at.start)?);
        result.push_str(insert);
        position = at.end;
    }
    result.push_str(text.get(position..)?);
    json_faults(&result).is_empty().then_some(result)
}

#[cfg(test)]
mod tests {
    use super::JsonFaultKind as Kind;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, Kind)], mended_text: Option<&str>) {
        let faults = json_faults(text);
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (text.get(fault.at.clone()).unwrap_or("?"), fault.kind))
            .collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(mended(text, &faults).as_deref(), mended_text, "{text}");
    }

    #[test]
    fn an_array_of_strings_has_no_fault() {
        for text in ["[]", "[ ]", r#"["a", "b\n\u00e9"] "#, r#"["a" ,"b"]"#] {
            check(text, &[], Some(text));
        }
    }

    #[test]
    fn mends_quotes() {
        check(
            "['a', 'b c']",
            &[("'a'", Kind::SingleQuotes), ("'b c'", Kind::SingleQuotes)],
            Some(r#"["a", "b c"]"#),
        );
        check(
            "[“a”]",
            &[("“a”", Kind::TypographicQuotes)],
            Some(r#"["a"]"#),
        );
        check(
            "[npm, start]",
            &[("npm", Kind::MissingQuotes), ("start", Kind::MissingQuotes)],
            Some(r#"["npm", "start"]"#),
        );
        check(
            r#"["a”, "b"]"#,
            &[("”", Kind::TypographicQuotes)],
            Some(r#"["a", "b"]"#),
        );
        check("[$a]", &[("$a", Kind::MissingQuotes)], None);
        assert!(
            json_faults("[\"\",\u{a0} D")
                .iter()
                .all(|fault| { "[\"\",\u{a0} D".get(fault.at.clone()).is_some() })
        );
        check(r#"['a"b']"#, &[(r#"'a"b'"#, Kind::SingleQuotes)], None);
    }

    #[test]
    fn mends_commas_and_brackets() {
        check(r#"["a",]"#, &[(",", Kind::StrayComma)], Some(r#"["a"]"#));
        check(
            r#"["a" "b"]"#,
            &[("\"", Kind::MissingComma)],
            Some(r#"["a", "b"]"#),
        );
        check(
            r#"["a", "b""#,
            &[("\"", Kind::MissingBracket)],
            Some(r#"["a", "b"]"#),
        );
        check(r#"["a"];"#, &[(";", Kind::TextBehind)], Some(r#"["a"]"#));
    }

    #[test]
    fn mends_escapes() {
        check(
            r#"["C:\app"]"#,
            &[(r"\a", Kind::BadEscape)],
            Some(r#"["C:\\app"]"#),
        );
    }

    #[test]
    fn leaves_what_only_the_author_knows() {
        check(
            "[npm start]",
            &[
                ("npm", Kind::MissingQuotes),
                ("s", Kind::MissingComma),
                ("start", Kind::MissingQuotes),
            ],
            None,
        );
        check(r#"["a"] && b"#, &[("&& b", Kind::TextBehind)], None);
        check(r#"["a, b]"#, &[("\"", Kind::OpenString)], None);
        check(r#"["a""b"]"#, &[("\"", Kind::MissingComma)], None);
    }

    #[test]
    fn any_text_has_an_end() {
        for text in [
            "[", "[,", "[''", "[\"\\", "[\\", "[é", "[“", "[]]", "[[[[", "[a\"b'c",
        ] {
            let _ = mended(text, &json_faults(text));
        }
    }
}
