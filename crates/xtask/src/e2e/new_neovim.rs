//! Neovim 0.10 on a Debian that has an older one: packages of the next release, unpacked into a folder of their own.
//!
//! Nothing of the system changes. The mirror is the one that the machine's own apt uses, and the keys are those of its keyring.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::command::{output, run};

const RELEASE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Neovim and the libraries that it needs, down to the one of C.
const PACKAGES: &[&str] = &[
    "neovim",
    "neovim-runtime",
    "libc6",
    "libgcc-s1",
    "libluajit-5.1-2",
    "libluajit-5.1-common",
    "libmsgpack-c2",
    "libstdc++6",
    "libtree-sitter0.22",
    "libunibilium4",
    "libuv1t64",
    "libvterm0",
    "lua-lpeg",
    "lua-luv",
];

/// Returns a program that starts it, fetched when `folder` does not have it yet.
pub(super) fn new_neovim(folder: &Path) -> anyhow::Result<PathBuf> {
    let program = folder.join("nvim");
    if program.is_file() {
        return Ok(program);
    }
    if env::consts::ARCH != "x86_64" || !Path::new(KEYRING).is_file() {
        bail!("this is no Debian on x86-64");
    }
    let mirror = mirror()?;
    let (state, packages, root) = (
        folder.join("apt"),
        folder.join("packages"),
        folder.join("root"),
    );
    for each in [
        &state.join("lists/partial"),
        &state.join("cache/archives/partial"),
        &packages,
        &root,
    ] {
        fs::create_dir_all(each).with_context(|| format!("cannot make {}", each.display()))?;
    }
    let settings = settings(&state, &mirror)?;
    run(apt(&settings).args(["-qq", "update"]))?;
    let names = PACKAGES.iter().map(|name| format!("{name}/{RELEASE}"));
    run(apt(&settings)
        .args(["-qq", "download"])
        .args(names)
        .current_dir(&packages))?;
    for entry in fs::read_dir(&packages).context("cannot list the packages")? {
        let package = entry.context("cannot list the packages")?.path();
        run(Command::new("dpkg").arg("-x").arg(&package).arg(&root))?;
    }
    write_launcher(&program, &root)?;
    Ok(program)
}

/// Returns the address that apt gets this system's packages from.
fn mirror() -> anyhow::Result<String> {
    let known = output(
        Command::new("apt-get")
            .args(["indextargets", "--format", "$(ORIGIN) $(REPO_URI)"])
            .arg("Created-By: Packages"),
    )?;
    known
        .lines()
        .filter_map(|line| line.strip_prefix("Debian "))
        .find(|address| !address.contains("security"))
        .map(str::to_owned)
        .context("apt knows no mirror of Debian (`apt-get update` first)")
}

/// Writes settings that keep apt away from the state of the system; how it reaches the mirror stays as it is.
fn settings(state: &Path, mirror: &str) -> anyhow::Result<PathBuf> {
    let sources = state.join("sources.list");
    let source = format!("deb [signed-by={KEYRING}] {mirror} {RELEASE} main\n");
    fs::write(&sources, source).context("cannot write the sources of apt")?;
    let status = state.join("status");
    fs::write(&status, "").context("cannot write the state of apt")?;
    let settings = state.join("apt.conf");
    let text = format!(
        "Dir::Etc::sourcelist \"{}\";\nDir::Etc::sourceparts \"/dev/null\";\nDir::State \"{1}\";\nDir::State::lists \"{1}/lists\";\n\
         Dir::State::status \"{2}\";\nDir::Cache \"{1}/cache\";\nAPT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n",
        sources.display(),
        state.display(),
        status.display(),
    );
    fs::write(&settings, text).context("cannot write the settings of apt")?;
    Ok(settings)
}

fn apt(settings: &Path) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("-c").arg(settings);
    command
}

/// Writes a script that starts it with its own loader: the one of the system is too old for its libraries.
fn write_launcher(program: &Path, root: &Path) -> anyhow::Result<()> {
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let text = format!(
        "#!/bin/sh\nVIMRUNTIME='{0}/usr/share/nvim/runtime' exec '{1}/ld-linux-x86-64.so.2' --library-path '{1}' '{0}/usr/bin/nvim' \"$@\"\n",
        root.display(),
        libraries.display(),
    );
    fs::write(program, text).context("cannot write the launcher")?;
    run(Command::new("chmod").arg("+x").arg(program))
}
