//! What lies around a Dockerfile on the disk: settings, the ignore file, the build context.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dockerfile_config::{Overrides, Settings};
use dockerfile_ide::{ContextEntry, IgnoreFileFact, LintOptions, Outside};
use tower_lsp::ls_types::Uri;

use crate::settings::UserSettings;

/// A context with more entries is not listed further.
const MOST_ENTRIES: usize = 50_000;
const DEEPEST: usize = 24;
/// Folders that hardly anyone copies from by hand, and that hold more files than all others.
const SKIPPED: [&str; 3] = [".git", "node_modules", ".venv"];

/// What was read from the disk, kept until it changes.
pub(crate) struct Workspace {
    config: Settings,
    contexts: HashMap<PathBuf, Arc<Vec<ContextEntry>>>,
    current_folder: PathBuf,
}

impl Workspace {
    pub(crate) fn new() -> Workspace {
        let current_folder = std::env::current_dir().unwrap_or_default();
        Workspace {
            config: Settings::new(current_folder.clone(), Overrides::default()),
            contexts: HashMap::new(),
            current_folder,
        }
    }

    /// Forgets all that was read.
    pub(crate) fn forget(&mut self) {
        self.config = Settings::new(self.current_folder.clone(), Overrides::default());
        self.contexts.clear();
    }

    /// Returns what is known beyond a document, and what is wrong with the configuration.
    pub(crate) fn outside(
        &mut self,
        uri: &Uri,
        settings: &UserSettings,
        has_builder: bool,
    ) -> (Outside, Option<String>) {
        let mut outside = Outside {
            lint: LintOptions {
                selection: settings.selection(),
                ..LintOptions::default()
            },
            has_builder,
            ..Outside::default()
        };
        let Some(path) = file_path(uri) else {
            return (outside, None);
        };
        outside.lint.ignore_file = ignore_file(&path);
        if let Some(context) = path.parent().and_then(|folder| self.contexts.get(folder)) {
            outside.context = Arc::clone(context);
        }
        match self.config.format_options(&path) {
            Ok(options) => {
                outside.format = options;
                (outside, None)
            }
            Err(error) => (outside, Some(error.to_string())),
        }
    }

    /// Returns the folder whose content is not known yet.
    pub(crate) fn unknown_context(&self, uri: &Uri) -> Option<PathBuf> {
        let folder = file_path(uri)?.parent()?.to_path_buf();
        (!self.contexts.contains_key(&folder)).then_some(folder)
    }

    pub(crate) fn set_context(&mut self, folder: PathBuf, entries: Vec<ContextEntry>) {
        self.contexts.insert(folder, Arc::new(entries));
    }
}

/// Returns the path of a document that lies on the disk.
pub(crate) fn file_path(uri: &Uri) -> Option<PathBuf> {
    // The conversion itself takes any scheme.
    let is_file = uri.as_str().starts_with("file:");
    let path = uri.to_file_path().filter(|_| is_file)?;
    Some(path.into_owned())
}

fn ignore_file(path: &Path) -> IgnoreFileFact {
    match ignore_file_of(path) {
        Some((_, text)) => IgnoreFileFact::Present(text),
        None => IgnoreFileFact::Absent,
    }
}

/// Reads the ignore file of a Dockerfile: its own, else that of the context (BuildKit `dockerui/context.go`). Its name comes first.
pub(crate) fn ignore_file_of(path: &Path) -> Option<(String, String)> {
    let own = path.file_name().map(|name| {
        let mut name = name.to_os_string();
        name.push(".dockerignore");
        path.with_file_name(name)
    });
    let shared = path.with_file_name(".dockerignore");
    own.into_iter().chain([shared]).find_map(|path| {
        let text = fs::read_to_string(&path).ok()?;
        let name = path.file_name().unwrap_or_default();
        Some((name.to_string_lossy().into_owned(), text))
    })
}

/// Lists what is in a folder and below, sorted by path.
pub(crate) fn list_context(folder: &Path) -> Vec<ContextEntry> {
    let mut entries = Vec::new();
    let mut open = vec![(folder.to_path_buf(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = open.pop() {
        let Ok(found) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in found.flatten() {
            if entries.len() >= MOST_ENTRIES {
                break;
            }
            let (Ok(file_type), Ok(name)) = (entry.file_type(), entry.file_name().into_string())
            else {
                continue;
            };
            let path = format!("{prefix}{name}");
            if file_type.is_dir() && depth < DEEPEST && !SKIPPED.contains(&name.as_str()) {
                open.push((entry.path(), format!("{path}/"), depth + 1));
            }
            entries.push(ContextEntry {
                path,
                is_folder: file_type.is_dir(),
            });
        }
    }
    entries.sort_unstable();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_a_context_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("b")).expect("a folder");
        fs::write(folder.path().join("b/c"), "").expect("a file");
        fs::write(folder.path().join("a"), "").expect("a file");
        let paths: Vec<String> = list_context(folder.path())
            .into_iter()
            .map(|entry| entry.path)
            .collect();
        assert_eq!(paths, ["a", "b", "b/c"]);
    }

    #[test]
    fn the_ignore_file_of_the_dockerfile_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Dockerfile");
        assert_eq!(ignore_file(&path), IgnoreFileFact::Absent);
        fs::write(folder.path().join(".dockerignore"), "a").expect("a file");
        assert_eq!(ignore_file(&path), IgnoreFileFact::Present("a".to_owned()));
        fs::write(folder.path().join("Dockerfile.dockerignore"), "b").expect("a file");
        assert_eq!(ignore_file(&path), IgnoreFileFact::Present("b".to_owned()));
    }
}
