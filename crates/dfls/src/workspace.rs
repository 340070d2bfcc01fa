//! What lies around a Dockerfile on the disk: settings, the ignore file, the build context.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dockerfile_config::{Overrides, Settings};
use dockerfile_ide::{ContextEntry, IgnoreFileFact, LintOptions, Outside};
use tower_lsp::ls_types::Uri;

use crate::project::{ProjectBuild, build_of};
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
    /// By the path of the Dockerfile.
    projects: HashMap<PathBuf, Option<Arc<ProjectBuild>>>,
    current_folder: PathBuf,
}

impl Workspace {
    pub(crate) fn new() -> Workspace {
        let current_folder = std::env::current_dir().unwrap_or_default();
        Workspace {
            config: Settings::new(current_folder.clone(), Overrides::default()),
            contexts: HashMap::new(),
            projects: HashMap::new(),
            current_folder,
        }
    }

    /// Forgets all that was read.
    pub(crate) fn forget(&mut self) {
        self.config = Settings::new(self.current_folder.clone(), Overrides::default());
        self.contexts.clear();
        self.projects.clear();
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
        let project = self.project(&path);
        let folder = context_of(&path, project.as_deref());
        outside.lint.ignore_file = ignore_file(&path, &folder);
        if let Some(context) = self.contexts.get(&folder) {
            outside.context = Arc::clone(context);
        }
        let of_project = project.iter().flat_map(|project| &project.arguments);
        outside.lint.input.build_arguments = of_project
            .chain(&settings.build_arguments)
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        match self.config.format_options(&path) {
            Ok(options) => {
                outside.format = options;
                (outside, None)
            }
            Err(error) => (outside, Some(error.to_string())),
        }
    }

    /// Returns the folder whose content is not known yet.
    pub(crate) fn unknown_context(&mut self, uri: &Uri) -> Option<PathBuf> {
        let path = file_path(uri)?;
        let folder = context_of(&path, self.project(&path).as_deref());
        (!self.contexts.contains_key(&folder)).then_some(folder)
    }

    /// Returns how the project builds a Dockerfile.
    pub(crate) fn project(&mut self, path: &Path) -> Option<Arc<ProjectBuild>> {
        if let Some(known) = self.projects.get(path) {
            return known.clone();
        }
        let found = build_of(path).map(Arc::new);
        self.projects.insert(path.to_path_buf(), found.clone());
        found
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

/// Returns the folder of the context: where the project says so, else that of the Dockerfile.
pub(crate) fn context_of(path: &Path, project: Option<&ProjectBuild>) -> PathBuf {
    let own = || path.parent().unwrap_or(Path::new(".")).to_path_buf();
    project.map_or_else(own, |project| project.context.clone())
}

fn ignore_file(path: &Path, context: &Path) -> IgnoreFileFact {
    match ignore_file_of(path, context) {
        Some((_, text)) => IgnoreFileFact::Present(text),
        None => IgnoreFileFact::Absent,
    }
}

/// Reads the ignore file of a Dockerfile: its own, else that of the context (BuildKit `dockerui/context.go`). Its name comes first.
pub(crate) fn ignore_file_of(path: &Path, context: &Path) -> Option<(String, String)> {
    let own = path.file_name().map(|name| {
        let mut name = name.to_os_string();
        name.push(".dockerignore");
        path.with_file_name(name)
    });
    let shared = context.join(".dockerignore");
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
        assert_eq!(ignore_file(&path, folder.path()), IgnoreFileFact::Absent);
        fs::write(folder.path().join(".dockerignore"), "a").expect("a file");
        assert_eq!(
            ignore_file(&path, folder.path()),
            IgnoreFileFact::Present("a".to_owned())
        );
        fs::write(folder.path().join("Dockerfile.dockerignore"), "b").expect("a file");
        assert_eq!(
            ignore_file(&path, folder.path()),
            IgnoreFileFact::Present("b".to_owned())
        );
    }
}
