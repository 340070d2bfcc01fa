//! From the path of a file to the settings for it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use dockerfile_format::{Options, RunStyle};

use crate::schema::File;
use crate::{CONFIG_NAME, ConfigError, editor_config};

/// What the command line says; it wins over all files.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// A configuration file to use instead of those that are found.
    pub config: Option<PathBuf>,
    pub run: Option<RunStyle>,
    pub line_width: Option<u16>,
}

/// Finds settings, and remembers them by folder.
#[derive(Debug, Default)]
pub struct Settings {
    overrides: Overrides,
    /// The working directory, to make paths absolute.
    current_folder: PathBuf,
    by_folder: HashMap<PathBuf, Option<File>>,
    /// Whether a folder or one above has an `.editorconfig`.
    has_editor_config: HashMap<PathBuf, bool>,
}

impl Settings {
    pub fn new(current_folder: PathBuf, overrides: Overrides) -> Settings {
        Settings {
            overrides,
            current_folder,
            by_folder: HashMap::new(),
            has_editor_config: HashMap::new(),
        }
    }

    /// Returns how a file is to be formatted.
    pub fn format_options(&mut self, path: &Path) -> Result<Options, ConfigError> {
        let path = self.current_folder.join(path);
        let folder = path.parent().unwrap_or(&path).to_path_buf();
        let mut options = Options::default();
        if self.is_under_editor_config(&folder) {
            editor_config::apply(&path, &mut options)?;
        }
        let file = match self.overrides.config.clone() {
            Some(config) => {
                let config = self.current_folder.join(config);
                Some(read(&config)?.ok_or_else(|| ConfigError::Read {
                    path: config,
                    source: io::ErrorKind::NotFound.into(),
                })?)
            }
            None => self.nearest(&folder)?,
        };
        if let Some(file) = file {
            file.format.apply(&mut options);
        }
        if let Some(run) = self.overrides.run {
            options.run = run;
        }
        if let Some(width) = self.overrides.line_width {
            options.line_width = width;
        }
        Ok(options)
    }

    /// Returns the configuration file of a folder or of the nearest one above that has one.
    fn nearest(&mut self, folder: &Path) -> Result<Option<File>, ConfigError> {
        if let Some(known) = self.by_folder.get(folder) {
            return Ok(known.clone());
        }
        let found = match read(&folder.join(CONFIG_NAME))? {
            Some(file) => Some(file),
            None => match folder.parent() {
                Some(parent) => self.nearest(parent)?,
                None => None,
            },
        };
        self.by_folder.insert(folder.to_path_buf(), found.clone());
        Ok(found)
    }

    fn is_under_editor_config(&mut self, folder: &Path) -> bool {
        if let Some(known) = self.has_editor_config.get(folder) {
            return *known;
        }
        let is_under = folder.join(".editorconfig").is_file()
            || folder
                .parent()
                .is_some_and(|parent| self.is_under_editor_config(parent));
        self.has_editor_config
            .insert(folder.to_path_buf(), is_under);
        is_under
    }
}

/// Returns what a configuration file says; none where there is no such file.
fn read(path: &Path) -> Result<Option<File>, ConfigError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(ConfigError::Read {
                path: path.to_path_buf(),
                source,
            });
        }
    };
    match toml::from_str(&text) {
        Ok(file) => Ok(Some(file)),
        Err(error) => Err(ConfigError::Toml {
            path: path.to_path_buf(),
            source: Box::new(error),
        }),
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_format::{Indent, KeywordCase, LineEnding};

    use super::*;

    fn options(files: &[(&str, &str)], path: &str) -> Result<Options, String> {
        let folder = tempfile::tempdir().expect("a scratch folder");
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().expect("a folder")).expect("created");
            fs::write(file, text).expect("written");
        }
        // Nothing above the scratch folder counts.
        if !files.iter().any(|(name, _)| *name == ".editorconfig") {
            fs::write(folder.path().join(".editorconfig"), "root = true\n").expect("written");
        }
        Settings::new(folder.path().to_path_buf(), Overrides::default())
            .format_options(Path::new(path))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_nearest_file_decides() {
        let files = [
            ("dflint.toml", "[format]\nindent-width = 2\n"),
            ("a/dflint.toml", "[format]\nkeyword-case = \"lower\"\n"),
        ];
        assert_eq!(
            options(&files, "Dockerfile").map(|o| o.indent),
            Ok(Indent::Spaces(2))
        );
        let inner = options(&files, "a/b/Dockerfile").expect("valid");
        assert_eq!(
            (inner.indent, inner.keyword_case),
            (Indent::Spaces(4), KeywordCase::Lower)
        );
    }

    #[test]
    fn editor_config_fills_in_what_is_open() {
        let files = [
            (
                ".editorconfig",
                "root = true\n[*]\nindent_style = tab\nend_of_line = crlf\n[Dockerfile*]\nmax_line_length = 80\n",
            ),
            ("dflint.toml", "[format]\nline-ending = \"lf\"\n"),
        ];
        let found = options(&files, "Dockerfile.dev").expect("valid");
        assert_eq!(found.indent, Indent::Tab);
        assert_eq!(found.line_ending, LineEnding::Lf);
        assert_eq!(found.line_width, 80);
        assert_eq!(options(&files, "other").map(|o| o.line_width), Ok(100));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let message =
            |text: &str| options(&[("dflint.toml", text)], "Dockerfile").expect_err("wrong");
        let unknown = message("[format]\nindent-with = 2\n");
        assert!(
            unknown.contains("line 2") && unknown.contains("indent-width"),
            "{unknown}"
        );
        let value = message("[format]\nrun = \"prety\"\n");
        assert!(
            value.contains("`pretty`") && value.contains("`keep`"),
            "{value}"
        );
        assert!(message("[format]\nindent-width = 0\n").contains("from 1 to 16"));
        assert!(message("[format\n").contains("line 1"));
    }
}
