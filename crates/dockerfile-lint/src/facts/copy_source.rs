//! What the sources of COPY and ADD are, as far as their names tell.

use dockerfile_model::{Instruction, Word};

/// A source of COPY or ADD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopySource<'w> {
    /// A here-document.
    Heredoc,
    /// A URL or a Git repository.
    Remote,
    /// A path in the build context, or in the stage that `--from` names.
    Path(&'w str),
    /// A path with a variable whose value is not known, as it is written.
    Unknown(&'w str),
}

/// What a path names, as far as its spelling tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathKind {
    /// `.` or a path that ends with a slash.
    Directory,
    /// A name with an extension that no archive has.
    PlainFile,
    /// A name that tar archives and compressed files have.
    Archive,
    /// A name without an extension, or a pattern that may match anything.
    Unclear,
}

/// Returns the sources of COPY or ADD with their words.
pub(crate) fn copy_sources(
    instruction: &Instruction,
) -> impl Iterator<Item = (&Word, CopySource<'_>)> {
    let sources = instruction
        .copy()
        .map_or(&[][..], |copy| copy.sources.as_slice());
    sources
        .iter()
        .map(|word| (word, copy_source(instruction, word)))
}

fn copy_source<'w>(instruction: &Instruction, word: &'w Word) -> CopySource<'w> {
    let is_heredoc = instruction
        .heredocs
        .iter()
        .any(|heredoc| heredoc.opener_range == word.range);
    if is_heredoc {
        return CopySource::Heredoc;
    }
    match &word.value {
        Some(value) if is_remote(value) => CopySource::Remote,
        Some(value) => CopySource::Path(value),
        None if is_remote(&word.text) => CopySource::Remote,
        None => CopySource::Unknown(&word.text),
    }
}

/// Returns whether ADD fetches this from the network: a URL, or `git@host:path` (BuildKit `dfgitutil.ParseGitRef`).
pub(crate) fn is_remote(source: &str) -> bool {
    let source = source.trim_start_matches(['"', '\'']);
    if source.contains("://") {
        return true;
    }
    let Some((user, rest)) = source.split_once('@') else {
        return false;
    };
    let Some((host, _)) = rest.split_once(':') else {
        return false;
    };
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    is_name(user) && is_name(host)
}

/// Returns whether a path is a pattern (Go `filepath.Match`).
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Returns the last part of a path, without a slash behind it.
pub(crate) fn file_name(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Returns whether a path means the whole build context.
pub(crate) fn is_whole_context(path: &str) -> bool {
    path.split('/').all(|part| matches!(part, "" | "." | "..")) || matches!(path, "*" | "./*")
}

/// Returns what a path names.
pub(crate) fn path_kind(path: &str) -> PathKind {
    let name = file_name(path);
    if path.ends_with('/') || matches!(name, "" | "." | "..") {
        return PathKind::Directory;
    }
    let Some((_, extension)) = name.rsplit_once('.') else {
        return PathKind::Unclear;
    };
    let is_plain = !is_pattern(extension)
        && !extension.contains(['$', '}', '{', '"', '\''])
        && extension.chars().any(|c| c.is_ascii_alphabetic());
    if !is_plain {
        return PathKind::Unclear;
    }
    if ARCHIVE_EXTENSIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
    {
        return PathKind::Archive;
    }
    PathKind::PlainFile
}

/// Extensions of tar archives and of files that may be a compressed tar archive.
const ARCHIVE_EXTENSIONS: [&str; 15] = [
    "tar", "tgz", "tbz", "tbz2", "tb2", "txz", "tzst", "tlz", "gz", "bz2", "xz", "zst", "lzma",
    "lz", "z",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_git_addresses_are_remote() {
        for source in [
            "https://a/b",
            "\"http://a\"",
            "git@github.com:a/b.git",
            "git://a/b",
        ] {
            assert!(is_remote(source), "{source}");
        }
        for source in ["a@b", "node_modules/@scope/a:b", "github.com/a/b", "C:\\a"] {
            assert!(!is_remote(source), "{source}");
        }
    }

    #[test]
    fn names_tell_what_a_path_is() {
        assert_eq!(path_kind("."), PathKind::Directory);
        assert_eq!(path_kind("a.tar/"), PathKind::Directory);
        assert_eq!(path_kind("a/b.JAR"), PathKind::PlainFile);
        assert_eq!(path_kind("*.jar"), PathKind::PlainFile);
        assert_eq!(path_kind(".bashrc"), PathKind::PlainFile);
        assert_eq!(path_kind("a.tar.gz"), PathKind::Archive);
        assert_eq!(path_kind("a.TGZ"), PathKind::Archive);
        assert_eq!(path_kind("app-1.0"), PathKind::Unclear);
        assert_eq!(path_kind("app.*"), PathKind::Unclear);
        assert_eq!(path_kind("rootfs"), PathKind::Unclear);
        assert_eq!(path_kind("a.$X"), PathKind::Unclear);
    }

    #[test]
    fn the_whole_context_has_many_names() {
        for path in [".", "./", "/", "./.", "*", ""] {
            assert!(is_whole_context(path), "{path}");
        }
        for path in ["a", "./a", "*.txt"] {
            assert!(!is_whole_context(path), "{path}");
        }
    }
}
