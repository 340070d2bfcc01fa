//! Variables in a word: `$name` and `${name...}`.

use std::borrow::Cow;
use std::ops::Range;

use super::budget::Exhausted;
use super::error::ExpansionErrorKind;
use super::name_character::{is_digit, is_letter};
use super::pattern::{InvalidEscape, Length, Pattern, replace_all, reverse_pattern};
use super::word_scanner::{Opening, Scan, WordScanner, error, text_range};
use super::{ExpansionError, Modifier, UnsetVariables, VariableUse};

/// How deep `${...}` may stand in `${...}`. BuildKit has no limit but its stack; nobody nests by hand.
const NESTING_LIMIT: usize = 100;

impl<'w, 'x> WordScanner<'w, 'x> {
    pub(super) fn scan_dollar(&mut self) -> Scan<Cow<'x, str>> {
        let opening = Opening {
            start: self.position,
        };
        self.next();
        if self.peek() == Some('{') {
            self.next();
            return self.scan_braces(opening);
        }
        let name = self.scan_name();
        if name.is_empty() {
            return Ok(Cow::Borrowed("$"));
        }
        let value = self.look_up(name, opening, None);
        Ok(self.value_or_text(value, || format!("${name}")))
    }

    /// Scans the rest of `${...}`.
    fn scan_braces(&mut self, opening: Opening) -> Scan<Cow<'x, str>> {
        match self.peek() {
            None => return Err(opening.error(ExpansionErrorKind::MissingClosingBrace)),
            Some('{' | '}' | ':') => {
                self.next();
                let range = opening.start..self.position;
                return Err(error(ExpansionErrorKind::BadSubstitution, range));
            }
            Some(_) => {}
        }
        let name = self.scan_name();
        let modifier_start = self.position;
        match self.next() {
            None => Err(opening.error(ExpansionErrorKind::MissingClosingBrace)),
            Some('}') => {
                let value = self.look_up(name, opening, None);
                Ok(self.value_or_text(value, || format!("${{{name}}}")))
            }
            Some(':') => {
                let operator = self.next();
                self.scan_modified(opening, name, modifier_start, operator, true)
            }
            Some(operator @ ('+' | '-' | '?' | '#' | '%')) => {
                self.scan_modified(opening, name, modifier_start, Some(operator), false)
            }
            Some('/') => self.scan_replacement(opening, name),
            Some(_) => Err(self.unsupported_modifier(modifier_start..self.position)),
        }
    }

    /// Scans `word}` of `${name:-word}` and its kin; `or_empty` says that there was a colon.
    fn scan_modified(
        &mut self,
        opening: Opening,
        name: &'w str,
        modifier_start: usize,
        operator: Option<char>,
        or_empty: bool,
    ) -> Scan<Cow<'x, str>> {
        let modifier_range = modifier_start..self.position;
        let is_pattern = matches!(operator, Some('#' | '%'));
        if is_pattern && or_empty {
            return Err(self.unsupported_modifier(modifier_range));
        }
        let word = self.scan_operand('}', opening, is_pattern)?;
        let modifier = match operator {
            Some('-') => Modifier::Default { or_empty },
            Some('+') => Modifier::Alternative { or_empty },
            Some('?') => Modifier::Required { or_empty },
            Some('#') => Modifier::RemovePrefix,
            Some('%') => Modifier::RemoveSuffix,
            _ => Modifier::Unknown,
        };
        let value = self.look_up(name, opening, Some(modifier));
        if value.is_none() && self.expander.unset == UnsetVariables::Keep {
            let modifier = self.word.get(modifier_range).unwrap_or("");
            return Ok(Cow::Owned(format!("${{{name}{modifier}{word}}}")));
        }
        let is_missing = value.is_none_or(|value| or_empty && value.is_empty());
        match modifier {
            Modifier::Default { .. } if is_missing => Ok(Cow::Owned(word)),
            Modifier::Alternative { .. } if !is_missing => Ok(Cow::Owned(word)),
            Modifier::Alternative { .. } => Ok(Cow::Borrowed("")),
            Modifier::Required { .. } if is_missing => {
                let kind = ExpansionErrorKind::RequiredVariable {
                    name: name.to_owned(),
                    message: word,
                    is_set: value.is_some(),
                };
                Err(error(kind, opening.start..self.position))
            }
            Modifier::Default { .. } | Modifier::Required { .. } => {
                Ok(Cow::Borrowed(value.unwrap_or("")))
            }
            Modifier::RemovePrefix | Modifier::RemoveSuffix => {
                self.trim(value.unwrap_or(""), &word, modifier, opening)
            }
            _ => Err(self.unsupported_modifier(modifier_range)),
        }
    }

    /// Removes what a pattern matches at one end of a value.
    fn trim(
        &mut self,
        value: &'x str,
        operand: &str,
        modifier: Modifier,
        opening: Opening,
    ) -> Scan<Cow<'x, str>> {
        let is_suffix = modifier == Modifier::RemoveSuffix;
        let sign = if is_suffix { '%' } else { '#' };
        // BuildKit looks for the second sign after the operand was expanded.
        let (length, pattern) = match operand.strip_prefix(sign) {
            Some(pattern) => (Length::Longest, pattern),
            None => (Length::Shortest, operand),
        };
        self.spend(value.len() + pattern.len(), opening)?;
        if is_suffix {
            let reversed: String = value.chars().rev().collect();
            let parsed = self.parse_pattern(&reverse_pattern(pattern), pattern, opening)?;
            let matched = parsed.match_prefix(&reversed, length, &mut self.budget);
            let len = self.within_budget(matched, opening)?.unwrap_or(0);
            Ok(Cow::Borrowed(value.get(..value.len() - len).unwrap_or("")))
        } else {
            let parsed = self.parse_pattern(pattern, pattern, opening)?;
            let matched = parsed.match_prefix(value, length, &mut self.budget);
            let len = self.within_budget(matched, opening)?.unwrap_or(0);
            Ok(Cow::Borrowed(value.get(len..).unwrap_or("")))
        }
    }

    /// Scans `pattern/replacement}` or `/pattern/replacement}` of `${name/...}`.
    fn scan_replacement(&mut self, opening: Opening, name: &'w str) -> Scan<Cow<'x, str>> {
        let modifier = if self.peek() == Some('/') {
            self.next();
            Modifier::ReplaceAll
        } else {
            Modifier::ReplaceFirst
        };
        let pattern = self.scan_operand('/', opening, true)?;
        let replacement = self.scan_operand('}', opening, true)?;
        let value = self.look_up(name, opening, Some(modifier));
        if value.is_none() && self.expander.unset == UnsetVariables::Keep {
            return Ok(Cow::Owned(format!("${{{name}/{pattern}/{replacement}}}")));
        }
        let value = value.unwrap_or("");
        self.spend(value.len() + pattern.len() + replacement.len(), opening)?;
        let parsed = self.parse_pattern(&pattern, &pattern, opening)?;
        if modifier == Modifier::ReplaceAll {
            let replaced = replace_all(&parsed, value, &replacement, &mut self.budget);
            return self.within_budget(replaced, opening).map(Cow::Owned);
        }
        let found = parsed.find(value, 0, &mut self.budget);
        let Some((start, end)) = self.within_budget(found, opening)? else {
            return Ok(Cow::Borrowed(value));
        };
        let before = value.get(..start).unwrap_or("");
        let after = value.get(end..).unwrap_or("");
        Ok(Cow::Owned([before, &replacement, after].concat()))
    }

    /// Scans a word inside of `${...}`.
    fn scan_operand(
        &mut self,
        closing: char,
        opening: Opening,
        keeps_escapes: bool,
    ) -> Scan<String> {
        if self.depth >= NESTING_LIMIT {
            let kind = ExpansionErrorKind::NestedTooDeeply {
                limit: NESTING_LIMIT,
            };
            return Err(opening.error(kind));
        }
        self.depth += 1;
        let outer_keeps_escapes = std::mem::replace(&mut self.keeps_escapes, keeps_escapes);
        // BuildKit collects the words of all levels in one buffer and empties it here.
        if let Some(words) = &mut self.words {
            words.drop_current();
        }
        let result = self.scan_until(Some((closing, opening)));
        self.keeps_escapes = outer_keeps_escapes;
        self.depth -= 1;
        match result {
            // At the end of the word the missing brace is the fault, whatever came of the values before it.
            Err(inner) if self.peek().is_none() && !inner.kind.is_unterminated() => {
                Err(opening.error(ExpansionErrorKind::MissingClosingBrace))
            }
            result => result,
        }
    }

    /// Scans a name: digits, one special parameter, or letters, digits and underscores; may be empty.
    fn scan_name(&mut self) -> &'w str {
        let rest = self.word.get(self.position..).unwrap_or("");
        let len = match rest.chars().next() {
            Some(first) if is_digit(first) => rest.find(|ch| !is_digit(ch)).unwrap_or(rest.len()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
            _ => rest
                .find(|ch| !(is_letter(ch) || is_digit(ch) || ch == '_'))
                .unwrap_or(rest.len()),
        };
        self.position += len;
        rest.get(..len).unwrap_or("")
    }

    /// Returns the value of a variable and notes that the word names it; the scan stands behind it.
    fn look_up(
        &mut self,
        name: &str,
        opening: Opening,
        modifier: Option<Modifier>,
    ) -> Option<&'x str> {
        let value = self.expander.environment.get(name);
        self.variables.push(VariableUse {
            name: name.to_owned(),
            range: text_range(opening.start..self.position),
            modifier,
            is_set: value.is_some(),
        });
        value
    }

    fn value_or_text(&self, value: Option<&'x str>, text: impl FnOnce() -> String) -> Cow<'x, str> {
        match (value, self.expander.unset) {
            (Some(value), _) => Cow::Borrowed(value),
            (None, UnsetVariables::Keep) => Cow::Owned(text()),
            (None, UnsetVariables::Empty) => Cow::Borrowed(""),
        }
    }

    fn parse_pattern(&self, pattern: &str, shown: &str, opening: Opening) -> Scan<Pattern> {
        Pattern::parse(pattern).map_err(|InvalidEscape(escaped)| {
            let kind = ExpansionErrorKind::InvalidPattern {
                pattern: shown.to_owned(),
                escaped,
            };
            error(kind, opening.start..self.position)
        })
    }

    fn unsupported_modifier(&self, range: Range<usize>) -> ExpansionError {
        let modifier = self.word.get(range.clone()).unwrap_or("").to_owned();
        error(ExpansionErrorKind::UnsupportedModifier { modifier }, range)
    }

    fn spend(&mut self, amount: usize, opening: Opening) -> Scan<()> {
        let spent = self.budget.spend(amount);
        self.within_budget(spent, opening)
    }

    fn within_budget<T>(&self, result: Result<T, Exhausted>, opening: Opening) -> Scan<T> {
        result
            .map_err(|Exhausted| error(ExpansionErrorKind::TooLarge, opening.start..self.position))
    }
}
