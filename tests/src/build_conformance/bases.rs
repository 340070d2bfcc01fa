//! The base images: those of `cargo xtask bases`, or a busybox that is made on the spot.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::image::Image;
use crate::registry;
use crate::tree::Tree;

/// Names a folder of OCI layouts `NAME-TAG`, when they are not in `target/bases`.
const FOLDER_VARIABLE: &str = "DFBUILD_BASES";

pub(crate) struct Base {
    pub(crate) layers: usize,
    pub(crate) tree: Tree,
}

pub(crate) struct Bases {
    by_name: BTreeMap<String, Base>,
    /// `127.0.0.1:PORT`, a mirror of the registry that plain names mean.
    pub(crate) mirror: String,
    /// Kept until the end.
    _made: Option<TempDir>,
}

impl Bases {
    pub(crate) fn find() -> Result<Bases, String> {
        let (folder, made) = folder()?;
        let mut bases = BTreeMap::new();
        for (name, layout) in [
            ("busybox", "busybox-latest"),
            ("debian:bookworm", "debian-bookworm"),
        ] {
            let layout = folder.join(layout);
            if layout.is_dir() {
                let image = Image::from_folder(&layout)?;
                let base = Base {
                    layers: image.layers.len(),
                    tree: Tree::of(&image.layers)?,
                };
                bases.insert(name.to_owned(), base);
            }
        }
        bases.insert(
            "scratch".to_owned(),
            Base {
                layers: 0,
                tree: Tree::default(),
            },
        );
        let mirror = registry::serve(&folder).map_err(|e| format!("the registry: {e}"))?;
        Ok(Bases {
            by_name: bases,
            mirror,
            _made: made,
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Base> {
        self.by_name.get(name)
    }
}

fn folder() -> Result<(PathBuf, Option<TempDir>), String> {
    if let Some(folder) = env::var_os(FOLDER_VARIABLE) {
        return Ok((PathBuf::from(folder), None));
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || test_support::workspace_root().join("target"),
        PathBuf::from,
    );
    let made_before = target.join("bases");
    if made_before.join("busybox-latest").is_dir() {
        return Ok((made_before, None));
    }
    let made = tempfile::tempdir().map_err(|e| e.to_string())?;
    make(made.path())?;
    Ok((made.path().to_path_buf(), Some(made)))
}

fn make(folder: &Path) -> Result<(), String> {
    if test_support::busybox_program().is_none() {
        // Cases FROM scratch need no base.
        return Ok(());
    }
    test_support::write_busybox_base(&folder.join("busybox-latest"))
        .map_err(|e| format!("making the base of busybox: {e}"))
}
