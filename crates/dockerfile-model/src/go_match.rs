//! Wildcards of COPY and ADD sources: Go's `path/filepath.Match` on Unix.
//!
//! It works on bytes but for `?` and `[...]`, which take a code point; `*` and `?` never match `/`, a class may.

use thiserror::Error;

/// A pattern with an unclosed or empty `[...]`, a broken range, or a `\` at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// What Go's utf8 package returns for bytes that are no character, and its width.
const DECODING_ERROR: (u32, usize) = (0xfffd, 1);

/// Returns whether `name` matches `pattern` as a whole.
///
/// A bad pattern is an error even when the name differs before the bad part.
pub fn go_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let mut pattern = pattern.as_bytes();
    let mut name = name.as_bytes();
    while !pattern.is_empty() {
        let (has_star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if has_star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        let Some(rest) = place_chunk(chunk, name, has_star, pattern.is_empty())? else {
            return check_chunks(pattern).map(|()| false);
        };
        name = rest;
    }
    Ok(name.is_empty())
}

/// Refuses a bad pattern that was not compared to its end.
fn check_chunks(mut pattern: &[u8]) -> Result<(), BadPattern> {
    while !pattern.is_empty() {
        let (_, chunk, rest) = next_chunk(pattern);
        match_chunk(chunk, b"")?;
        pattern = rest;
    }
    Ok(())
}

/// Returns what is left of the name behind the first place where the chunk fits.
fn place_chunk<'n>(
    chunk: &[u8],
    name: &'n [u8],
    has_star: bool,
    is_last: bool,
) -> Result<Option<&'n [u8]>, BadPattern> {
    let mut skipped = 0;
    loop {
        let here = name.get(skipped..).unwrap_or_default();
        // The last chunk has to reach the end.
        if let Some(rest) = match_chunk(chunk, here)?
            && (rest.is_empty() || !is_last)
        {
            return Ok(Some(rest));
        }
        if !has_star || here.first().is_none_or(|byte| *byte == b'/') {
            return Ok(None);
        }
        skipped += 1;
    }
}

/// Splits stars and the text up to the next star off a pattern.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let (_, text) = pattern.split_at_checked(stars).unwrap_or_default();
    let mut is_in_class = false;
    let mut is_escaped = false;
    let len = text
        .iter()
        .position(|byte| {
            if is_escaped {
                is_escaped = false;
                return false;
            }
            match byte {
                b'\\' => is_escaped = true,
                b'[' => is_in_class = true,
                b']' => is_in_class = false,
                b'*' => return !is_in_class,
                _ => {}
            }
            false
        })
        .unwrap_or(text.len());
    let (chunk, rest) = text.split_at_checked(len).unwrap_or_default();
    (stars > 0, chunk, rest)
}

/// Returns what is left of the name when the chunk matches its start; reads the chunk to its end in any case.
fn match_chunk<'n>(mut chunk: &[u8], name: &'n [u8]) -> Result<Option<&'n [u8]>, BadPattern> {
    let mut left = Some(name);
    while let Some((&first, after_first)) = chunk.split_first() {
        left = left.filter(|left| !left.is_empty());
        match first {
            b'[' => {
                let character = left.map(decode);
                let (matches, rest) = match_class(after_first, character.map(|(code, _)| code))?;
                chunk = rest;
                left = left
                    .filter(|_| matches)
                    .zip(character)
                    .and_then(|(left, (_, len))| left.get(len..));
            }
            b'?' => {
                chunk = after_first;
                left = left
                    .filter(|left| left.first() != Some(&b'/'))
                    .and_then(|left| left.get(decode(left).1..));
            }
            literal => {
                let (literal, rest) = match literal {
                    b'\\' => after_first.split_first().ok_or(BadPattern)?,
                    _ => (&first, after_first),
                };
                chunk = rest;
                left = left.and_then(|left| left.strip_prefix(&[*literal]));
            }
        }
    }
    Ok(left)
}

/// Returns whether a class takes a code point, and what follows the class.
fn match_class(mut chunk: &[u8], code: Option<u32>) -> Result<(bool, &[u8]), BadPattern> {
    let is_negated = chunk.first() == Some(&b'^');
    if is_negated {
        chunk = chunk.get(1..).unwrap_or_default();
    }
    let mut is_empty = true;
    let mut is_member = false;
    loop {
        if let (Some(b']'), false) = (chunk.first(), is_empty) {
            return Ok((is_member != is_negated, chunk.get(1..).unwrap_or_default()));
        }
        let (low, rest) = class_character(chunk)?;
        let (high, rest) = match rest.split_first() {
            Some((b'-', after_hyphen)) => class_character(after_hyphen)?,
            _ => (low, rest),
        };
        chunk = rest;
        is_member |= code.is_some_and(|code| low <= code && code <= high);
        is_empty = false;
    }
}

/// Splits one character, which may be escaped, off the inside of a class; something has to follow it.
fn class_character(chunk: &[u8]) -> Result<(u32, &[u8]), BadPattern> {
    let chunk = match chunk.split_first() {
        None | Some((b'-' | b']', _)) => return Err(BadPattern),
        Some((b'\\', rest)) => rest,
        Some(_) => chunk,
    };
    let (code, len) = decode(chunk);
    match chunk.get(len..) {
        Some(rest) if !rest.is_empty() && (code, len) != DECODING_ERROR => Ok((code, rest)),
        _ => Err(BadPattern),
    }
}

/// Returns the first code point and its length in bytes.
fn decode(bytes: &[u8]) -> (u32, usize) {
    if let Some(byte) = bytes.first().filter(|byte| byte.is_ascii()) {
        return (u32::from(*byte), 1);
    }
    let head = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let valid = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid
        .chars()
        .next()
        .map_or(DECODING_ERROR, |ch| (u32::from(ch), ch.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_like_go() {
        for (pattern, name, expected) in [
            ("", "", Ok(true)),
            ("", "x", Ok(false)),
            ("*", "", Ok(true)),
            ("*", "a/b", Ok(false)),
            ("*.txt", "a.txt", Ok(true)),
            ("*.txt", ".txt", Ok(true)),
            ("*.txt", "d/a.txt", Ok(false)),
            ("*/*.txt", "d/a.txt", Ok(true)),
            ("a*b*c", "axxbyyc", Ok(true)),
            ("a*b*c", "axxbyycd", Ok(false)),
            ("a*b", "ab/b", Ok(false)),
            ("**", "a", Ok(true)),
            ("**/a", "x/y/a", Ok(false)),
            ("?", "é", Ok(true)),
            ("??", "é", Ok(false)),
            ("*?", "é", Ok(true)),
            ("?", "/", Ok(false)),
            ("a?b", "a☺b", Ok(true)),
            ("[a-c]x", "bx", Ok(true)),
            ("[^a-c]x", "bx", Ok(false)),
            ("[^a]", "/", Ok(true)),
            ("[!a]", "!", Ok(true)),
            ("[!a]", "b", Ok(false)),
            ("[é-ü]", "ö", Ok(true)),
            ("[\\]a]", "]", Ok(true)),
            ("[\\-]", "-", Ok(true)),
            ("[x\\-]", "x", Ok(true)),
            ("[*]", "*", Ok(true)),
            ("\\*", "*", Ok(true)),
            ("\\*", "a", Ok(false)),
            ("a\\bc", "abc", Ok(true)),
            ("a]", "a]", Ok(true)),
            ("[a", "a", Err(BadPattern)),
            ("[", "", Err(BadPattern)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("[x-]", "x", Err(BadPattern)),
            ("[-x]", "x", Err(BadPattern)),
            ("[a-b-c]", "a", Err(BadPattern)),
            ("[^", "a", Err(BadPattern)),
            ("[^bc", "a", Err(BadPattern)),
            ("a\\", "a", Err(BadPattern)),
            ("b\\", "a", Err(BadPattern)),
            ("x*[a", "y", Err(BadPattern)),
            ("*x*[", "y", Err(BadPattern)),
        ] {
            assert_eq!(go_match(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn hostile_patterns_stay_cheap() {
        let name = "a".repeat(2_000);
        assert_eq!(go_match(&"*a".repeat(1_000), &name), Ok(true));
        assert_eq!(
            go_match(&format!("{}b", "a*".repeat(1_000)), &name),
            Ok(false)
        );
        assert_eq!(go_match(&"[".repeat(1_000_000), &name), Err(BadPattern));
    }
}
