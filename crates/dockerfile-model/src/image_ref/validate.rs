//! The grammar of the parts of an image name.

use dockerfile_source::{TextRange, TextSize};

use super::{DEFAULT_HOST, ImageRefError, ImageRefErrorKind, ImageRefParts, slice};

type Check = Result<(), ImageRefError>;

const PATH_LIMIT: usize = 255;
const TAG_LIMIT: usize = 128;

/// The algorithms that opencontainers/go-digest registers, with their lengths in hexadecimal digits.
const DIGEST_ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

pub(super) fn validate(text: &str, parts: &ImageRefParts) -> Check {
    if let Some(at) = text.find('$') {
        return Err(error(ImageRefErrorKind::HoldsVariable, at, at + 1));
    }
    if text.is_empty() {
        return Err(error(ImageRefErrorKind::Empty, 0, 0));
    }
    if let Some((scheme, _)) = text.split_once("://")
        && scheme.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        return Err(error(ImageRefErrorKind::Scheme, 0, scheme.len() + 3));
    }
    if text.len() == 64 && text.bytes().all(is_lower_hexadecimal) {
        return Err(error(ImageRefErrorKind::ImageId, 0, text.len()));
    }
    let host = parts.host.map(|range| slice(text, range));
    if let Some(host) = host {
        check_host(host)?;
    }
    check_path(text, parts.path, host)?;
    if let Some(tag) = parts.tag {
        check_tag(slice(text, tag), tag.start().into())?;
    }
    if let Some(digest) = parts.digest {
        check_digest(slice(text, digest), digest.start().into())?;
    }
    Ok(())
}

fn check_host(host: &str) -> Check {
    let name_end = if host.starts_with('[') {
        let end = host.find(']').map_or(host.len(), |at| at + 1);
        let address = host.get(..end).unwrap_or(host);
        let inner = address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let is_address = inner.is_some_and(|inner| {
            !inner.is_empty()
                && inner
                    .bytes()
                    .all(|byte| byte == b':' || byte.is_ascii_hexdigit())
        });
        if !is_address {
            return Err(error(
                ImageRefErrorKind::HostAddress(address.to_owned()),
                0,
                end,
            ));
        }
        end
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let (name, rest) = host.split_at_checked(name_end).unwrap_or((host, ""));
    if !host.starts_with('[') {
        check_host_name(name, rest.is_empty())?;
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Ok(()),
        Some("") => Err(error(ImageRefErrorKind::MissingPort, name_end, host.len())),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        Some(port) => {
            let kind = ImageRefErrorKind::InvalidPort(port.to_owned());
            Err(error(kind, name_end + 1, host.len()))
        }
        None => {
            let ch = rest.chars().next().unwrap_or(' ');
            let kind = ImageRefErrorKind::HostCharacter(ch);
            Err(error(kind, name_end, name_end + ch.len_utf8()))
        }
    }
}

fn check_host_name(name: &str, is_without_port: bool) -> Check {
    // What is no host name but could start a path is taken as such by the reference implementation, and then used as
    // the host all the same: `my_registry.local/app`.
    if is_without_port && name.contains('_') && check_path_component(name, 0).is_ok() {
        return Ok(());
    }
    let mut start = 0;
    for component in name.split('.') {
        let end = start + component.len();
        if component.is_empty() {
            // Points at the dot next to the gap.
            let at = start.min(name.len().saturating_sub(1));
            return Err(error(
                ImageRefErrorKind::EmptyHostComponent,
                at,
                (at + 1).min(name.len()),
            ));
        }
        if let Some((at, ch)) = component
            .char_indices()
            .find(|(_, ch)| !ch.is_ascii_alphanumeric() && *ch != '-')
        {
            let at = start + at;
            return Err(error(
                ImageRefErrorKind::HostCharacter(ch),
                at,
                at + ch.len_utf8(),
            ));
        }
        if component.starts_with('-') {
            return Err(error(ImageRefErrorKind::HostHyphen, start, start + 1));
        }
        if component.ends_with('-') {
            return Err(error(ImageRefErrorKind::HostHyphen, end - 1, end));
        }
        start = end + 1;
    }
    Ok(())
}

fn check_path(text: &str, range: TextRange, host: Option<&str>) -> Check {
    let path = slice(text, range);
    let start = usize::from(range.start());
    if path.is_empty() {
        return Err(error(ImageRefErrorKind::MissingPath, 0, text.len()));
    }
    let mut component_start = start;
    for component in path.split('/') {
        let component_end = component_start + component.len();
        if component.is_empty() {
            // Points at the slashes around the gap.
            let from = component_start.saturating_sub(1).max(start);
            let to = (component_end + 1).min(start + path.len());
            return Err(error(ImageRefErrorKind::EmptyPathComponent, from, to));
        }
        check_path_component(component, component_start)?;
        component_start = component_end + 1;
    }
    let is_on_default_host =
        host.is_none_or(|host| host == DEFAULT_HOST || host == "index.docker.io");
    let prefix = if is_on_default_host && !path.contains('/') {
        "library/".len()
    } else {
        0
    };
    let len = path.len() + prefix;
    if len > PATH_LIMIT {
        return Err(error(
            ImageRefErrorKind::PathTooLong(len),
            start,
            start + path.len(),
        ));
    }
    Ok(())
}

/// Checks `[a-z0-9]+` with `.`, `_`, `__` or any number of `-` in between.
fn check_path_component(component: &str, start: usize) -> Check {
    for (at, ch) in component.char_indices() {
        let at = start + at;
        if ch.is_ascii_uppercase() {
            return Err(error(ImageRefErrorKind::UppercasePath, at, at + 1));
        }
        if !(ch.is_ascii_lowercase() || ch.is_ascii_digit() || is_separator(ch)) {
            return Err(error(
                ImageRefErrorKind::PathCharacter(ch),
                at,
                at + ch.len_utf8(),
            ));
        }
    }
    if let Some(ch) = component.chars().next().filter(|ch| is_separator(*ch)) {
        return Err(error(
            ImageRefErrorKind::LeadingSeparator(ch),
            start,
            start + 1,
        ));
    }
    let end = start + component.len();
    if let Some(ch) = component.chars().next_back().filter(|ch| is_separator(*ch)) {
        return Err(error(
            ImageRefErrorKind::TrailingSeparator(ch),
            end - 1,
            end,
        ));
    }
    let mut rest = component;
    while let Some(at) = rest.find(is_separator) {
        let from_separator = rest.get(at..).unwrap_or("");
        let len = from_separator
            .find(|ch| !is_separator(ch))
            .unwrap_or(from_separator.len());
        let (separator, after) = from_separator
            .split_at_checked(len)
            .unwrap_or((from_separator, ""));
        let is_valid =
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-');
        if !is_valid {
            let at = end - from_separator.len();
            let kind = ImageRefErrorKind::PathSeparator(separator.to_owned());
            return Err(error(kind, at, at + len));
        }
        rest = after;
    }
    Ok(())
}

fn check_tag(tag: &str, start: usize) -> Check {
    let Some(first) = tag.chars().next() else {
        return Err(error(ImageRefErrorKind::EmptyTag, start - 1, start));
    };
    if matches!(first, '.' | '-') {
        return Err(error(ImageRefErrorKind::TagStart(first), start, start + 1));
    }
    if let Some((at, ch)) = tag
        .char_indices()
        .find(|(_, ch)| !(ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.' | '-')))
    {
        let at = start + at;
        return Err(error(
            ImageRefErrorKind::TagCharacter(ch),
            at,
            at + ch.len_utf8(),
        ));
    }
    if tag.len() > TAG_LIMIT {
        return Err(error(
            ImageRefErrorKind::TagTooLong(tag.len()),
            start,
            start + tag.len(),
        ));
    }
    Ok(())
}

fn check_digest(digest: &str, start: usize) -> Check {
    if digest.is_empty() {
        return Err(error(ImageRefErrorKind::EmptyDigest, start - 1, start));
    }
    let end = start + digest.len();
    let Some((name, value)) = digest.split_once(':') else {
        return Err(error(ImageRefErrorKind::DigestWithoutAlgorithm, start, end));
    };
    let Some((algorithm, expected)) = DIGEST_ALGORITHMS
        .into_iter()
        .find(|(known, _)| *known == name)
    else {
        let kind = ImageRefErrorKind::DigestAlgorithm(name.to_owned());
        return Err(error(kind, start, start + name.len()));
    };
    let value_start = end - value.len();
    if let Some((at, ch)) = value
        .char_indices()
        .find(|(_, ch)| !ch.is_ascii_digit() && !matches!(ch, 'a'..='f'))
    {
        let at = value_start + at;
        return Err(error(
            ImageRefErrorKind::DigestCharacter(ch),
            at,
            at + ch.len_utf8(),
        ));
    }
    if value.len() != expected {
        let kind = ImageRefErrorKind::DigestLength {
            algorithm,
            expected,
            found: value.len(),
        };
        return Err(error(kind, value_start, end));
    }
    Ok(())
}

fn is_separator(ch: char) -> bool {
    matches!(ch, '.' | '_' | '-')
}

fn is_lower_hexadecimal(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

fn error(kind: ImageRefErrorKind, start: usize, end: usize) -> ImageRefError {
    ImageRefError {
        kind,
        range: TextRange::new(TextSize::new(start as u32), TextSize::new(end as u32)),
    }
}
