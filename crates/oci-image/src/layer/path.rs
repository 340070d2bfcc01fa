//! A path inside of an image.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A path below the root of an image: relative, without `.`, `..`, empty parts or NUL. The root itself is the empty path.
///
/// Ordered by components, so a directory is followed by all that is in it.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct LayerPath(
    // Invariant: parts joined by single slashes; no part is empty, `.` or `..`; no NUL.
    Vec<u8>,
);

impl LayerPath {
    /// Returns the root.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Reads a path as tar files and Dockerfiles write it: leading, doubled and trailing slashes and `.` do not count.
    ///
    /// `None` for `..` and for NUL: what is above the root is a question of the caller.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.contains(&0) {
            return None;
        }
        let mut clean = Vec::with_capacity(bytes.len());
        for part in bytes.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => return None,
                _ => push_part(&mut clean, part),
            }
        }
        Some(Self(clean))
    }

    /// Reads a path where `..` goes up, at most to the root. `None` for NUL.
    pub fn clamped(bytes: &[u8]) -> Option<Self> {
        if bytes.contains(&0) {
            return None;
        }
        let mut path = Self::root();
        for part in bytes.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => path = path.parent().unwrap_or_default(),
                _ => push_part(&mut path.0, part),
            }
        }
        Some(path)
    }

    /// Takes bytes that are clean already. `None` if they are not.
    pub(super) fn from_clean(bytes: Vec<u8>) -> Option<Self> {
        let is_part = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
        let is_clean = bytes.is_empty() || bytes.split(|&byte| byte == b'/').all(is_part);
        (is_clean && !bytes.contains(&0)).then_some(Self(bytes))
    }

    /// Returns the bytes, without a slash at the ends.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path for calls of the operating system; the root is the empty path.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Reports whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the last part; empty for the root.
    pub fn name(&self) -> &[u8] {
        self.0.rsplit(|&byte| byte == b'/').next().unwrap_or(&[])
    }

    /// Returns the directory that holds the path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        Some(Self(self.0.get(..end).unwrap_or(&[]).to_vec()))
    }

    /// Returns the path with one more part. `None` if that is not the name of one file.
    pub fn join(&self, name: &[u8]) -> Option<Self> {
        if matches!(name, b"" | b"." | b"..") || name.iter().any(|byte| matches!(byte, b'/' | 0)) {
            return None;
        }
        let mut joined = Vec::with_capacity(self.0.len() + 1 + name.len());
        joined.extend_from_slice(&self.0);
        push_part(&mut joined, name);
        Some(Self(joined))
    }

    /// Returns this path below another one.
    #[must_use]
    pub fn below(&self, directory: &Self) -> Self {
        let mut joined = directory.0.clone();
        if !self.is_root() {
            push_part(&mut joined, &self.0);
        }
        Self(joined)
    }

    /// Reports whether the path is in the directory, at any depth; a path is not in itself.
    pub fn is_in(&self, directory: &Self) -> bool {
        is_in(&self.0, &directory.0)
    }

    /// Returns the parts, outermost first.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
    }

    /// Returns all directories above the path, outermost first, without the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        let slashes = self.0.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes.map(|(at, _)| Self(self.0.get(..at).unwrap_or(&[]).to_vec()))
    }
}

fn push_part(path: &mut Vec<u8>, part: &[u8]) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(part);
}

/// Reports whether the path is in the directory, at any depth.
pub(super) fn is_in(path: &[u8], directory: &[u8]) -> bool {
    match path.strip_prefix(directory) {
        Some(rest) if directory.is_empty() => !rest.is_empty(),
        Some(rest) => rest.first() == Some(&b'/'),
        None => false,
    }
}

/// Compares by components: the slash is less than every other byte.
pub(super) fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let same = common_length(left, right);
    let rank = |path: &[u8]| match path.get(same) {
        None => 0,
        Some(b'/') => 1,
        Some(&byte) => 2 + u16::from(byte),
    };
    rank(left).cmp(&rank(right))
}

/// Returns how many bytes two paths have in common at their starts: word by word, for neighbours in a folder have most of them.
fn common_length(left: &[u8], right: &[u8]) -> usize {
    let words = left.chunks_exact(8).zip(right.chunks_exact(8));
    let mut same = words.take_while(|(one, other)| one == other).count() * 8;
    while let (Some(one), Some(other)) = (left.get(same), right.get(same)) {
        if one != other {
            break;
        }
        same += 1;
    }
    same
}

impl Ord for LayerPath {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for LayerPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for LayerPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for LayerPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> LayerPath {
        LayerPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn cleans_slashes_and_dots() {
        assert_eq!(path("/./a//b/").as_bytes(), b"a/b");
        assert!(path("./").is_root());
        assert_eq!(LayerPath::parse(b"a/../b"), None);
        assert_eq!(LayerPath::parse(b"a\0b"), None);
    }

    #[test]
    fn clamps_dots_at_the_root() {
        assert_eq!(LayerPath::clamped(b"../../a/../b").unwrap(), path("b"));
    }

    #[test]
    fn children_follow_their_directory() {
        let mut paths = [
            path("a-b"),
            path("a/b"),
            path("a"),
            path("a/b/c"),
            path("a!"),
        ];
        paths.sort();
        assert_eq!(
            paths,
            [
                path("a"),
                path("a/b"),
                path("a/b/c"),
                path("a!"),
                path("a-b")
            ]
        );
    }

    #[test]
    fn lists_ancestors_from_the_outside() {
        let ancestors: Vec<_> = path("a/b/c").ancestors().collect();
        assert_eq!(ancestors, [path("a"), path("a/b")]);
    }

    #[test]
    fn is_not_in_a_directory_of_a_similar_name() {
        assert!(path("a/b").is_in(&path("a")));
        assert!(!path("ab").is_in(&path("a")));
        assert!(!path("a").is_in(&path("a")));
        assert!(path("a").is_in(&LayerPath::root()));
    }
}
