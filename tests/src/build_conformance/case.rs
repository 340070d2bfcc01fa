//! A case on disk: `case.json`, a Dockerfile, a context, and what the reference made of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The fields of `case.json`; the shared folder's README describes them. Most may be left out.
#[derive(Deserialize)]
pub(crate) struct Description {
    #[serde(default)]
    pub(crate) bases: Vec<String>,
    /// `Dockerfile` (beside the context) or `context/PATH`.
    #[serde(default = "default_dockerfile")]
    pub(crate) dockerfile: String,
    #[serde(default)]
    pub(crate) build_args: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) target: String,
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) prepare: Vec<Operation>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) needs_run: bool,
    #[serde(default)]
    pub(crate) needs_root: bool,
    #[serde(default = "default_expect")]
    pub(crate) expect: String,
    pub(crate) error_line: Option<usize>,
    pub(crate) final_base: Option<String>,
}

fn default_dockerfile() -> String {
    "Dockerfile".to_owned()
}

fn default_expect() -> String {
    "ok".to_owned()
}

/// A change to the copy of the context, for what a repository cannot hold.
#[derive(Deserialize)]
pub(crate) struct Operation {
    pub(crate) op: String,
    pub(crate) path: Option<String>,
    pub(crate) path_base64: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) base64: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) target: Option<String>,
    pub(crate) mode: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) time: Option<i64>,
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) description: Description,
}

impl Case {
    fn read(folder: PathBuf) -> Result<Case, String> {
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let path = folder.join("case.json");
        let description = match fs::read_to_string(&path) {
            Ok(text) => {
                serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?
            }
            Err(e) => return Err(format!("{}: {e}", path.display())),
        };
        Ok(Case {
            name,
            folder,
            description,
        })
    }

    pub(crate) fn must_fail(&self) -> bool {
        self.description.expect == "fail"
    }

    /// Returns the text of a file of expectations; empty when there is none.
    pub(crate) fn expected(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap_or_default()
    }

    /// Returns the file to build, where the case has it.
    pub(crate) fn dockerfile_text(&self) -> String {
        let path = self.folder.join(&self.description.dockerfile);
        String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
    }
}

/// Returns the cases under `folder`, sorted by name.
pub(crate) fn cases(folder: &Path) -> Result<Vec<Case>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("case.json").is_file())
        .collect();
    folders.sort();
    folders.into_iter().map(Case::read).collect()
}
