//! The workloads: made in a folder of their own by the shared folder's scripts, or here.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::command;

/// A workload that is ready to be built.
pub(crate) struct Workload {
    pub(crate) name: String,
    folder: PathBuf,
}

impl Workload {
    /// Copies the scripts of `source` to `folder` and makes the context.
    pub(crate) fn make(source: &Path, folder: &Path, offline: &Path) -> anyhow::Result<Workload> {
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        let folder = folder.join(&*name);
        fs::create_dir_all(&folder).context("cannot make a folder for the workload")?;
        for script in ["gen.sh", "edit.sh"] {
            fs::copy(source.join(script), folder.join(script))
                .with_context(|| format!("{name} has no {script}"))?;
        }
        let mut make = Command::new("bash");
        make.arg(folder.join("gen.sh")).env("OFFLINE", offline);
        command::output(&mut make)?;
        // Nobody's first build comes in the second in which all files were written.
        command::run(&mut Command::new("sync"))?;
        sleep(Duration::from_secs(3));
        Ok(Workload {
            name: name.into_owned(),
            folder,
        })
    }

    pub(crate) fn context(&self) -> PathBuf {
        self.folder.join("ctx")
    }

    pub(crate) fn secret(&self) -> Option<PathBuf> {
        let path = self.folder.join("secret.txt");
        path.is_file().then_some(path)
    }

    /// Changes one source file.
    pub(crate) fn edit(&self, number: usize) -> anyhow::Result<()> {
        let mut edit = Command::new("bash");
        edit.arg(self.folder.join("edit.sh"))
            .arg(number.to_string());
        command::output(&mut edit).map(drop)
    }
}

/// Returns the folders of the workloads, all or those whose name starts with one of `names`.
pub(crate) fn sources(names: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let shared = test_support::shared_folder().context("the workloads are in ../shared/tools")?;
    let folder = shared.join("tools/workloads");
    let mut sources: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("gen.sh").is_file())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            names.is_empty() || names.iter().any(|wanted| name.starts_with(wanted.as_str()))
        })
        .collect();
    sources.sort();
    ensure!(!sources.is_empty(), "no workload is called so");
    Ok(sources)
}

/// Makes a context of `count` small files, a hundred a folder.
pub(crate) fn many_files(folder: &Path, count: usize) -> anyhow::Result<()> {
    const A_FOLDER: usize = 100;
    for start in (0..count).step_by(A_FOLDER) {
        let below = folder.join(format!("d{:04}", start / A_FOLDER));
        fs::create_dir_all(&below).context("cannot make a folder")?;
        for idx in start..count.min(start + A_FOLDER) {
            fs::write(below.join(format!("f{idx:06}")), format!("file {idx}\n"))
                .context("cannot write a file")?;
        }
    }
    fs::write(folder.join("Dockerfile"), "FROM scratch\nCOPY . /src\n")
        .context("cannot write a Dockerfile")
}

/// Makes a context whose Dockerfile has `count` RUN instructions.
pub(crate) fn many_steps(folder: &Path, count: usize) -> anyhow::Result<()> {
    fs::create_dir_all(folder).context("cannot make a folder")?;
    fs::write(folder.join("v"), "0\n").context("cannot write a file")?;
    let mut text = String::from("FROM 127.0.0.1:5000/library/busybox:latest\nCOPY v /v\n");
    for idx in 0..count {
        // Writing to a string does not fail.
        let _ = writeln!(text, "RUN echo {idx} > /f");
    }
    fs::write(folder.join("Dockerfile"), text).context("cannot write a Dockerfile")
}
