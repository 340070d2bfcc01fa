//! Which shell reads the commands of the current stage.
//!
//! The SHELL instruction, the stages that inherit it, and the default of Windows images decide whether a body is read
//! as sh or stays one opaque token.

use rustc_hash::FxHashMap;

/// The shell of the current stage and of the named stages before it.
#[derive(Default)]
pub(super) struct ShellTracker {
    windows_escape: bool,
    is_foreign: bool,
    stage_name: Option<String>,
    named_stages: FxHashMap<String, bool>,
}

impl ShellTracker {
    /// Takes note of `# escape=`: the backtick is there for Windows paths.
    pub(super) fn set_escape(&mut self, escape: char) {
        self.windows_escape = escape == '`';
        self.is_foreign = self.windows_escape;
    }

    /// Starts a stage on `image`, which may be the name of an earlier stage.
    pub(super) fn from(&mut self, image: &str, alias: Option<&str>) {
        if let Some(name) = self.stage_name.take() {
            self.named_stages.insert(name, self.is_foreign);
        }
        let image = image.to_lowercase();
        self.is_foreign = match self.named_stages.get(&image) {
            Some(is_foreign) => *is_foreign,
            None => self.windows_escape || is_windows_image(&image),
        };
        self.stage_name = alias.map(str::to_lowercase);
    }

    /// Takes note of `SHELL ["program", ...]`.
    pub(super) fn shell(&mut self, program: &str) {
        self.is_foreign = !is_posix_shell(program);
    }

    /// Returns whether commands of the current stage are sh commands.
    pub(super) fn is_posix(&self) -> bool {
        !self.is_foreign
    }
}

/// Returns whether a program reads the language of sh.
pub(super) fn is_posix_shell(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    matches!(
        name,
        "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh" | "busybox"
    )
}

fn is_windows_image(image: &str) -> bool {
    ["windows/", "nanoserver", "servercore", "windowsservercore"]
        .iter()
        .any(|part| image.contains(part))
}
