//! What is wrong with the name of an image.
//!
//! The grammar is that of `distribution/reference`, which BuildKit reads every name with (`ParseNormalizedNamed`):
//! `[REGISTRY[:PORT]/]PATH[:TAG][@DIGEST]`.

use std::ops::Range;

/// Longer than any name that a registry takes.
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;
const SHORTEST_DIGEST: usize = 32;

/// A fault in a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageNameFault {
    /// Where it is, in bytes of the name.
    pub(crate) at: Range<usize>,
    pub(crate) kind: ImageNameFaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageNameFaultKind {
    /// There is no name.
    Empty,
    /// `https://` in front of the name.
    Scheme,
    /// Upper case in the path.
    UpperCase,
    /// Upper case in the first part: the builder takes it for a registry.
    UpperCaseRegistry,
    /// Something that stands in no image name, or not in this place.
    Character(char),
    /// Nothing between two slashes, or behind the last one.
    EmptyPart,
    EmptyTag,
    BadTag(char),
    LongTag,
    BadDigest,
    LongName,
}

/// Returns the first fault of a name.
pub(crate) fn image_name_fault(name: &str) -> Option<ImageNameFault> {
    let fault = |at: Range<usize>, kind| Some(ImageNameFault { at, kind });
    if name.is_empty() {
        return fault(0..0, ImageNameFaultKind::Empty);
    }
    if let Some(at) = name.find("://") {
        return fault(0..at + 3, ImageNameFaultKind::Scheme);
    }
    let (rest, digest) = match name.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (name, None),
    };
    let path_start = registry_len(rest);
    let path_and_tag = rest.get(path_start..).unwrap_or("");
    let (path, tag) = match path_and_tag.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (path_and_tag, None),
    };
    let path_end = path_start + path.len();
    if let Some(found) = registry_fault(rest.get(..path_start).unwrap_or("")) {
        return Some(found);
    }
    if let Some(found) = path_fault(path, path_start) {
        return Some(found);
    }
    if path_end > LONGEST_NAME {
        return fault(0..path_end, ImageNameFaultKind::LongName);
    }
    if let Some(tag) = tag
        && let Some(kind) = tag_fault(tag)
    {
        let at = match kind {
            ImageNameFaultKind::EmptyTag => path_end..path_end + 1,
            _ => path_end + 1..path_end + 1 + tag.len(),
        };
        return fault(at, kind);
    }
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return fault(rest.len() + 1..name.len(), ImageNameFaultKind::BadDigest);
    }
    None
}

/// Returns how long the registry is, its slash included: the first part counts as one when it holds a dot, a colon or
/// upper case, or is `localhost`.
fn registry_len(name: &str) -> usize {
    let Some((first, _)) = name.split_once('/') else {
        return 0;
    };
    let is_registry =
        first.contains(['.', ':']) || first == "localhost" || first.chars().any(char::is_uppercase);
    if is_registry { first.len() + 1 } else { 0 }
}

fn registry_fault(registry: &str) -> Option<ImageNameFault> {
    let registry = registry.strip_suffix('/')?;
    // An IPv6 address is rare enough to be taken as it is.
    if registry.starts_with('[') {
        return None;
    }
    let (host, port) = registry.split_once(':').unwrap_or((registry, "0"));
    let stray = host.char_indices().find(|(_, character)| {
        !character.is_ascii_alphanumeric() && !matches!(character, '.' | '-')
    });
    if let Some((at, character)) = stray {
        return Some(ImageNameFault {
            at: at..at + character.len_utf8(),
            kind: ImageNameFaultKind::Character(character),
        });
    }
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        let character = port.chars().find(|c| !c.is_ascii_digit()).unwrap_or(':');
        return Some(ImageNameFault {
            at: host.len()..registry.len(),
            kind: ImageNameFaultKind::Character(character),
        });
    }
    let is_shouted = !registry.contains(['.', ':']) && host.chars().any(char::is_uppercase);
    is_shouted.then_some(ImageNameFault {
        at: 0..host.len(),
        kind: ImageNameFaultKind::UpperCaseRegistry,
    })
}

fn path_fault(path: &str, start: usize) -> Option<ImageNameFault> {
    if path.chars().any(char::is_uppercase) {
        return Some(ImageNameFault {
            at: start..start + path.len(),
            kind: ImageNameFaultKind::UpperCase,
        });
    }
    let mut position = start;
    for part in path.split('/') {
        if part.is_empty() {
            return Some(ImageNameFault {
                at: position.saturating_sub(1)..position,
                kind: ImageNameFaultKind::EmptyPart,
            });
        }
        if let Some((at, character)) = part_fault(part) {
            return Some(ImageNameFault {
                at: position + at..position + at + character.len_utf8(),
                kind: ImageNameFaultKind::Character(character),
            });
        }
        position += part.len() + 1;
    }
    None
}

/// Returns the character that is wrong in `alpha-numeric [separator alpha-numeric]*`, where a separator is `.`, `_`,
/// `__` or any number of `-`.
fn part_fault(part: &str) -> Option<(usize, char)> {
    let mut separator = 0..0;
    for (at, character) in part.char_indices() {
        match character {
            'a'..='z' | '0'..='9' => separator = at + 1..at + 1,
            '.' | '_' | '-' => {
                let before = part.get(separator.clone()).unwrap_or("");
                let joins = match character {
                    '-' => before.bytes().all(|byte| byte == b'-'),
                    '_' => before.is_empty() || before == "_",
                    _ => before.is_empty(),
                };
                if at == 0 || !joins {
                    return Some((at, character));
                }
                separator.end = at + 1;
            }
            other => return Some((at, other)),
        }
    }
    let last = part.get(separator.clone())?.chars().next_back()?;
    Some((separator.end - 1, last))
}

fn tag_fault(tag: &str) -> Option<ImageNameFaultKind> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let Some(first) = tag.chars().next() else {
        return Some(ImageNameFaultKind::EmptyTag);
    };
    if !is_word(first) {
        return Some(ImageNameFaultKind::BadTag(first));
    }
    let stray = tag
        .chars()
        .find(|character| !is_word(*character) && !matches!(character, '.' | '-'));
    match stray {
        Some(character) => Some(ImageNameFaultKind::BadTag(character)),
        None if tag.len() > LONGEST_TAG => Some(ImageNameFaultKind::LongTag),
        None => None,
    }
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, value)) = digest.split_once(':') else {
        return false;
    };
    let starts_well = algorithm.starts_with(|character: char| character.is_ascii_alphabetic());
    let is_hexadecimal = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let length = match algorithm {
        "sha256" => value.len() == 64,
        "sha512" => value.len() == 128,
        _ => value.len() >= SHORTEST_DIGEST,
    };
    starts_well && is_hexadecimal && length
}

#[cfg(test)]
mod tests {
    use super::ImageNameFaultKind as Kind;
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(&str, Kind)>) {
        let found = image_name_fault(name);
        let found = found
            .as_ref()
            .map(|fault| (name.get(fault.at.clone()).unwrap_or("?"), fault.kind));
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn names_of_every_shape_are_fine() {
        for name in [
            "debian",
            "debian:12",
            "a/b/c:V1_x.y-z",
            "localhost/a",
            "localhost:5000/a:1",
            "ghcr.io/o/a__b.c--d",
            "Host.example:80/a",
            "[2001:db8::1]:5000/a",
            "a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            check(name, None);
        }
    }

    #[test]
    fn finds_upper_case() {
        check("Ubuntu", Some(("Ubuntu", Kind::UpperCase)));
        check("Ubuntu:20.04", Some(("Ubuntu", Kind::UpperCase)));
        check("ghcr.io/O/a", Some(("O/a", Kind::UpperCase)));
        check("MyOrg/app", Some(("MyOrg", Kind::UpperCaseRegistry)));
    }

    #[test]
    fn finds_characters_out_of_place() {
        check("a b", Some((" ", Kind::Character(' '))));
        check("<image>", Some(("<", Kind::Character('<'))));
        check("a-", Some(("-", Kind::Character('-'))));
        check("-a", Some(("-", Kind::Character('-'))));
        check("a..b", Some((".", Kind::Character('.'))));
        check("a___b", Some(("_", Kind::Character('_'))));
        check("a//b", Some(("/", Kind::EmptyPart)));
        check("a/", Some(("/", Kind::EmptyPart)));
        check("localhost:/a", Some((":", Kind::Character(':'))));
        check("é", Some(("é", Kind::Character('é'))));
    }

    #[test]
    fn finds_broken_tags_digests_and_addresses() {
        check("", Some(("", Kind::Empty)));
        check("a:", Some((":", Kind::EmptyTag)));
        check("a:-1", Some(("-1", Kind::BadTag('-'))));
        check("a:1:2", Some(("1:2", Kind::BadTag(':'))));
        check("a:1/b", None);
        check("a@sha256:12", Some(("sha256:12", Kind::BadDigest)));
        check("https://a.b/c", Some(("https://", Kind::Scheme)));
    }
}
