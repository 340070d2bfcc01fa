//! Which files of a source a COPY means (fsutil `copy/copy.go`: ResolveWildcards and copy).

use dockerfile_model::IgnoreFile;
use dockerfile_model::ignore_file::ParentMatches;
use dockerfile_source::closest_match;
use oci_image::layer::{Kind, LayerPath};

use super::source::{resolve, text};
use super::wildcard::{has_wildcards, matching_paths, split_wildcards};
use super::{CopyError, FileSource, SourceEntry};

/// How sources are selected.
#[derive(Clone, Debug, Default)]
pub struct SelectOptions {
    /// `--exclude`, in order.
    pub exclude: Vec<String>,
    /// `--parents`.
    pub keeps_parents: bool,
}

/// One file or directory that a source means, with all that comes along.
#[derive(Clone, Debug)]
pub struct Matched {
    /// The name that a file gets in a directory.
    pub name: Vec<u8>,
    /// Whether the name stands in the Dockerfile, rather than a pattern for it.
    pub has_literal_name: bool,
    /// What it is, after links.
    pub root: SourceEntry,
    /// What is in the directory, parents first.
    pub items: Vec<Item>,
}

/// Something in a directory that is copied.
#[derive(Clone, Debug)]
pub struct Item {
    /// Where it is, below the directory.
    pub relative: LayerPath,
    pub entry: SourceEntry,
    /// Whether it is meant itself, or is only the parent of something.
    pub is_included: bool,
}

/// Returns what a source of a COPY means. A pattern may match nothing; a plain path must be there.
pub fn select(
    source: &dyn FileSource,
    path: &str,
    options: &SelectOptions,
) -> Result<Vec<Matched>, CopyError> {
    let (base, include) = if options.keeps_parents {
        parents_of(source, path)?
    } else {
        (path.to_owned(), None)
    };
    let exclude = Patterns::parse(&options.exclude)?;
    let (fixed, pattern) = split_wildcards(&base);
    let has_literal_name = pattern.is_empty();
    let paths = if has_literal_name {
        vec![fixed.into_bytes()]
    } else {
        matching_paths(source, &fixed, &pattern)?
    };
    let mut matches = Vec::with_capacity(paths.len());
    for path in paths {
        let Some(root) = resolve(source, &path)? else {
            return Err(not_found(source, &text(&path)));
        };
        let mut walk = Walk {
            source,
            include: include.as_ref(),
            exclude: exclude.as_ref(),
            items: Vec::new(),
        };
        if root.entry.kind.is_directory() {
            if walk.include.is_none() {
                source.prefetch(&root.entry.path)?;
            }
            let start = ParentMatches::default();
            walk.directory(&root.entry.path, &LayerPath::root(), &start, &start)?;
        }
        matches.push(Matched {
            name: base_name(&path).to_vec(),
            has_literal_name,
            root,
            items: walk.items,
        });
    }
    Ok(matches)
}

/// Splits a source of `--parents` at the pivot `/./`: where to start, and the patterns to include below.
fn parents_of(
    source: &dyn FileSource,
    path: &str,
) -> Result<(String, Option<Patterns>), CopyError> {
    let (base, pattern) = path.split_once("/./").unwrap_or(("/", path));
    let pattern = dockerfile_model::clean_path(&format!("/{pattern}"));
    let pattern = pattern.trim_start_matches('/');
    // BuildKit refuses a source that means all ("not found"); there is no reason to.
    let pattern = if pattern == "." { "" } else { pattern };
    if !has_wildcards(base)
        && !has_wildcards(pattern)
        && resolve(source, format!("{base}/{pattern}").as_bytes())?.is_none()
    {
        return Err(not_found(source, &format!("{base}/{pattern}")));
    }
    let base = if base.is_empty() { "/" } else { base };
    Ok((base.to_owned(), Patterns::parse(&[pattern.to_owned()])?))
}

/// Patterns in the syntax of `.dockerignore`, from flags.
struct Patterns {
    file: IgnoreFile,
    has_exceptions: bool,
    /// The parts of each pattern.
    parts: Vec<Vec<String>>,
}

impl Patterns {
    fn parse(patterns: &[String]) -> Result<Option<Patterns>, CopyError> {
        let mut lines = String::new();
        for pattern in patterns {
            let bad = || CopyError::BadPattern {
                pattern: pattern.clone(),
            };
            if pattern.contains(['\n', '\r']) {
                return Err(bad());
            }
            // The flags know no comments, and a slash at the start matches nothing (moby/patternmatcher `New`).
            match pattern.trim() {
                "" => continue,
                rooted if rooted.starts_with('/') && rooted != "/" => continue,
                comment if comment.starts_with('#') => lines.push('\\'),
                _ => {}
            }
            IgnoreFile::parse(pattern).map_err(|_| bad())?;
            lines.push_str(pattern);
            lines.push('\n');
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let file = IgnoreFile::parse(&lines).map_err(|_| CopyError::BadPattern {
            pattern: patterns.join(","),
        })?;
        let parts = |text: &str| text.split('/').map(str::to_owned).collect();
        Ok(Some(Patterns {
            has_exceptions: file.patterns().iter().any(|pattern| pattern.is_exception),
            parts: file
                .patterns()
                .iter()
                .map(|pattern| parts(&pattern.pattern))
                .collect(),
            file,
        }))
    }

    /// Returns whether something below a directory could match, going by the first parts of the patterns.
    fn may_match_below(&self, directory: &str) -> bool {
        self.has_exceptions || self.parts.iter().any(|parts| may_lead_to(parts, directory))
    }
}

fn may_lead_to(parts: &[String], directory: &str) -> bool {
    let mut parts = parts.iter();
    for name in directory.split('/') {
        match parts.next() {
            None => return false,
            // `**` and what patternmatcher reads differently from Go's Match.
            Some(part) if part.contains("**") || part.contains(['[', '\\', '?']) => return true,
            Some(part) if dockerfile_model::go_match(part, name) == Ok(false) => return false,
            Some(_) => {}
        }
    }
    parts.next().is_some()
}

struct Walk<'a> {
    source: &'a dyn FileSource,
    include: Option<&'a Patterns>,
    exclude: Option<&'a Patterns>,
    items: Vec<Item>,
}

impl Walk<'_> {
    /// Collects what is in a directory; the depth is bounded by the longest path that the source opens.
    fn directory(
        &mut self,
        directory: &LayerPath,
        relative: &LayerPath,
        include: &ParentMatches,
        exclude: &ParentMatches,
    ) -> Result<bool, CopyError> {
        let mut has_included = false;
        for entry in self.source.children(directory)? {
            let Some(relative) = relative.join(entry.entry.path.name()) else {
                continue;
            };
            let (is_included, is_excluded, include, exclude) =
                self.judge(&relative, include, exclude);
            let is_directory = entry.entry.kind.is_directory();
            if !is_directory {
                if is_included {
                    self.items.push(Item {
                        relative,
                        entry,
                        is_included,
                    });
                    has_included = true;
                }
                continue;
            }
            if !is_included && !self.may_include_below(&relative, is_excluded) {
                continue;
            }
            let place = self.items.len();
            let path = entry.entry.path.clone();
            self.items.push(Item {
                relative: relative.clone(),
                entry,
                is_included,
            });
            let below = self.directory(&path, &relative, &include, &exclude)?;
            if !is_included && !below {
                self.items.truncate(place);
            }
            has_included |= is_included || below;
        }
        Ok(has_included)
    }

    fn judge(
        &self,
        relative: &LayerPath,
        include: &ParentMatches,
        exclude: &ParentMatches,
    ) -> (bool, bool, ParentMatches, ParentMatches) {
        if self.include.is_none() && self.exclude.is_none() {
            return (
                true,
                false,
                ParentMatches::default(),
                ParentMatches::default(),
            );
        }
        let path = text(relative.as_bytes());
        let ask = |patterns: Option<&Patterns>, parents: &ParentMatches, otherwise| match patterns {
            Some(patterns) => patterns.file.matches_with_parents(&path, parents),
            None => (otherwise, ParentMatches::default()),
        };
        let (is_included, include) = ask(self.include, include, true);
        let (is_excluded, exclude) = ask(self.exclude, exclude, false);
        (is_included && !is_excluded, is_excluded, include, exclude)
    }

    fn may_include_below(&self, relative: &LayerPath, is_excluded: bool) -> bool {
        if is_excluded && !self.exclude.is_some_and(|patterns| patterns.has_exceptions) {
            return false;
        }
        self.include
            .is_none_or(|patterns| patterns.may_match_below(&text(relative.as_bytes())))
    }
}

/// Says that a path is missing, and what is nearly there.
pub(super) fn not_found(source: &dyn FileSource, path: &str) -> CopyError {
    let clean = LayerPath::clamped(path.as_bytes()).unwrap_or_default();
    let near = near_path(source, &clean);
    CopyError::NotFound {
        path: text(clean.as_bytes()),
        place: source.place(),
        near,
        hidden: source.why_hidden(&clean),
    }
}

fn near_path(source: &dyn FileSource, path: &LayerPath) -> Option<String> {
    let mut parent = path.parent()?;
    let mut name = path.name().to_vec();
    // The first part that is missing may be a directory.
    for above in path.ancestors() {
        if !matches!(source.lookup(&above), Ok(Some(_))) {
            parent = above.parent()?;
            name = above.name().to_vec();
            break;
        }
    }
    let children = source.children(&parent).ok()?;
    let names: Vec<_> = children
        .iter()
        .map(|child| text(child.entry.path.name()))
        .collect();
    let near = closest_match(&text(&name), names.iter().map(String::as_str))?;
    let near = parent.join(near.as_bytes())?;
    // A link that leads nowhere is there, and yet it is not.
    (near != *path).then(|| text(near.as_bytes()))
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/')
        .find(|part| !part.is_empty())
        .unwrap_or_default()
}

/// Returns whether two names of a source are one file, so that only one of them is content.
pub(super) fn is_regular(entry: &SourceEntry) -> bool {
    matches!(entry.entry.kind, Kind::File { .. })
}
