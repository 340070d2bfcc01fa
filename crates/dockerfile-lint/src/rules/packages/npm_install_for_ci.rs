use dockerfile_model::{Instruction, InstructionId, Model, SmolStr, StageId};
use dockerfile_source::{TextEdit, TextLen, TextRange};

use crate::RuleContext;
use crate::facts::package_action::{Action, Manager};
use crate::facts::package_call::PackageCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds `npm install` where a lock file was copied.
    ///
    /// ## Why
    /// `npm install` takes newer versions where `package.json` and the lock file do not agree, and rewrites the lock file.
    /// `npm ci` installs exactly what the lock file says, fails where the two do not agree, and is faster.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// WORKDIR /app
    /// COPY package.json package-lock.json ./
    /// RUN npm install
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// WORKDIR /app
    /// COPY package.json package-lock.json ./
    /// RUN npm ci
    /// ```
    ///
    /// ## Fix
    /// Unsafe: writes `ci` for `install`; the build fails then where the lock file is out of date.
    ///
    /// ## Limits
    /// The lock file has to be named in full, by COPY, ADD or a bind mount: `COPY package*.json ./` may copy one or not.
    /// Silent where packages are named, with `--global`, `--no-package-lock` and `--package-lock-only`.
    /// On 22,777 public Dockerfiles it fires 96 times; of 30 read, none was wrong.
    pub(crate) NPM_INSTALL_FOR_CI {
        name: "npm-install-for-ci",
        code: "DF818",
        aliases: [],
        severity: Info,
        status: Preview,
        fix: Unsafe,
        check: check,
    }
}

const LOCK_FILES: &[&str] = &["package-lock.json", "npm-shrinkwrap.json"];

fn check(ctx: &mut RuleContext<'_>) {
    let mut copies = None;
    for call in ctx.package_calls() {
        if !installs_the_manifest(call) {
            continue;
        }
        let copies: &Vec<LockCopy> = copies.get_or_insert_with(|| lock_copies(ctx.model()));
        let Some((lock_range, lock)) = lock_file(ctx, copies, call.instruction) else {
            continue;
        };
        let word = call.subcommand_or_program();
        let is_whole = word.range.len() == word.text.text_len() && !word.is_quoted;
        let finding = ctx
            .report(
                word.range,
                format!(
                    "`npm {}` may install other versions than `{lock}` says",
                    word.value()
                ),
            )
            .label(lock_range, "the lock file is copied here")
            .help("write `npm ci`");
        if is_whole {
            finding.unsafe_fix("write `npm ci`", TextEdit::replace(word.range, "ci"));
        }
    }
}

fn installs_the_manifest(call: &PackageCall<'_>) -> bool {
    call.manager == Manager::Npm
        && call.action == Action::Install
        && call.packages().next().is_none()
        && !call.is_fed
        && !call.may_hide_options()
        && !call.has_option(&[
            "-g",
            "--global",
            "--location",
            "--no-package-lock",
            "--package-lock",
            "--package-lock-only",
        ])
}

/// A COPY or ADD of a lock file.
struct LockCopy {
    instruction: InstructionId,
    stage: StageId,
    range: TextRange,
    name: SmolStr,
}

/// Returns the copies of lock files, in the order of the file.
fn lock_copies(model: &Model) -> Vec<LockCopy> {
    let copies = model.instructions.iter().filter_map(|instruction| {
        let copy = instruction.copy()?;
        let (range, name) = copy
            .sources
            .iter()
            .find_map(|source| Some((source.range, lock_name(source.value_or_text())?)))?;
        Some(LockCopy {
            instruction: instruction.id,
            stage: instruction.stage?,
            range,
            name,
        })
    });
    copies.collect()
}

/// Returns where a lock file is named that a RUN can read, and its name.
fn lock_file(
    ctx: &RuleContext<'_>,
    copies: &[LockCopy],
    run: &Instruction,
) -> Option<(TextRange, SmolStr)> {
    let stage = run.stage?;
    let is_below = |copy: &&LockCopy| {
        copy.stage == stage || ctx.model().ancestry(stage).any(|one| one.id == copy.stage)
    };
    copies
        .iter()
        .take_while(|copy| copy.instruction < run.id)
        .find(is_below)
        .map(|copy| (copy.range, copy.name.clone()))
        .or_else(|| {
            run.mounts()
                .find_map(|mount| Some((mount.range, lock_name(mount.source()?)?)))
        })
}

fn lock_name(path: &str) -> Option<SmolStr> {
    let name = path.rsplit('/').next().unwrap_or(path);
    LOCK_FILES.contains(&name).then(|| SmolStr::new(name))
}

#[cfg(test)]
mod tests {
    use super::NPM_INSTALL_FOR_CI as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_subcommand() {
        check_fires(
            &RULE,
            "FROM node:22 AS a\nCOPY x/package-lock.json .\nFROM a\nRUN npm «i» --omit=dev\n",
        );
        check_fires(
            &RULE,
            "FROM node:22\nRUN --mount=type=bind,source=package-lock.json,target=package-lock.json npm «install»\n",
        );
    }

    #[test]
    fn no_lock_file_or_other_packages_leave_no_choice() {
        check_clean(
            &RULE,
            "FROM node:22\nCOPY package*.json ./\nRUN npm install\n",
        );
        check_clean(
            &RULE,
            "FROM node:22\nRUN npm install\nCOPY package-lock.json .\n",
        );
        check_clean(
            &RULE,
            "FROM node:22\nCOPY package-lock.json .\nRUN npm ci && npm i -g a && npm install b\n",
        );
    }

    #[test]
    fn writes_ci() {
        check_fix(
            &RULE,
            "FROM node:22\nCOPY package-lock.json .\nRUN npm install --omit=dev\n",
            "FROM node:22\nCOPY package-lock.json .\nRUN npm ci --omit=dev\n",
        );
    }
}
