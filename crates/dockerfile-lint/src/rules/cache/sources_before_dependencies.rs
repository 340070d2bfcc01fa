use dockerfile_model::{Instruction, InstructionId, Keyword, Model};
use dockerfile_source::TextRange;

use crate::RuleContext;
use crate::facts::blocks::blocks;
use crate::facts::copy_source::{CopySource, copy_sources, file_name};
use crate::facts::dependency_install::{
    DependencyInstall, Tool, dependency_install, fetches_for_go, may_install, named_folder,
};
use crate::facts::manifest_lines::{is_manifest, manifest_help};
use crate::facts::named_install::{is_installing, is_named_install};
use crate::facts::package_call::PackageCall;
use crate::facts::program_call::ProgramCall;
use crate::facts::source_copy::{
    SourceCopy, folder_of_command, is_manifest_folder, is_source_folder, resolve, source_copies,
};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds sources that are copied into the image before packages are installed.
    ///
    /// ## Why
    /// A step runs again when a file of an earlier COPY has changed.
    /// With the sources copied first, every edit of a source file installs all packages again.
    /// With the manifest copied first, the packages come from the cache until the manifest changes.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.13
    /// WORKDIR /app
    /// COPY . .
    /// RUN pip install -r requirements.txt
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// COPY . /app
    /// RUN apt-get update && apt-get install -y curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.13
    /// WORKDIR /app
    /// COPY requirements.txt ./
    /// RUN pip install -r requirements.txt
    /// COPY . .
    /// ```
    ///
    /// ## Limits
    /// Silent where the same tool has installed before the COPY already, where the RUN has a cache or bind mount, and where the command needs the sources: `pip install .`, `pip install -e .`, `cargo build`.
    /// `go build` counts where it builds a module: outside of the GOPATH, and with neither `-mod=vendor` nor the name of a file.
    /// Packages that are named on the command line count where the RUN does nothing but install.
    /// A manifest that refers to folders of the project (workspaces, `-e ./lib`, `file:../lib`) cannot be installed first; the file does not tell.
    /// On 22,777 public Dockerfiles it fires 1,979 times; of 80 read, 11 were wrong; 8 of them, for folders of manifests, of root file systems and of the GOPATH, are silent now.
    pub(crate) SOURCES_BEFORE_DEPENDENCIES {
        name: "sources-before-dependencies",
        code: "DF401",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// How many copies and manifests of a stage are looked at, so that a hostile file costs no more.
const LIMIT: usize = 16;

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let packages = ctx.package_calls();
    if ctx.program_calls().is_empty() {
        return;
    }
    let tools: Vec<_> = ctx.calls_of_names(may_install).collect();
    let (mut tools, mut packages) = (tools.as_slice(), packages);
    for block in blocks(model) {
        let Some(last) = block.last().map(|last| last.id) else {
            continue;
        };
        let tools_of_block = take_front(&mut tools, |call| call.instruction.id <= last);
        let packages_of_block = take_front(&mut packages, |call| call.instruction.id <= last);
        let has_triggers = block
            .iter()
            .any(|instruction| instruction.trigger().is_some());
        for is_trigger in [false, true] {
            if is_trigger && !has_triggers {
                continue;
            }
            let mut walk = Walk::new(model);
            let (mut tools, mut packages) = (tools_of_block, packages_of_block);
            for outer in block {
                let instruction = outer.trigger().unwrap_or(outer);
                if instruction.is_trigger != is_trigger {
                    continue;
                }
                match instruction.keyword {
                    Keyword::Copy | Keyword::Add => walk.copy(instruction),
                    Keyword::Run => {
                        let id = instruction.id;
                        take_front(&mut tools, |call| call.instruction.id < id);
                        take_front(&mut packages, |call| call.instruction.id < id);
                        let own_tools = take_front(&mut tools, |call| call.instruction.id <= id);
                        let own_packages =
                            take_front(&mut packages, |call| call.instruction.id <= id);
                        walk.run(ctx, instruction, own_tools, own_packages);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Returns the calls of one instruction.
fn of_instruction<'l, 'm>(
    calls: &'l [ProgramCall<'m>],
    id: InstructionId,
) -> &'l [ProgramCall<'m>] {
    let start = calls.partition_point(|call| call.instruction.id < id);
    let end = calls.partition_point(|call| call.instruction.id <= id);
    calls.get(start..end).unwrap_or(&[])
}

/// Takes the front of a list off it.
fn take_front<'l, T>(list: &mut &'l [T], is_taken: impl Fn(&T) -> bool) -> &'l [T] {
    let count = list.iter().take_while(|item| is_taken(item)).count();
    let (front, rest) = list.split_at(count);
    *list = rest;
    front
}

/// What a stage has copied and installed so far.
struct Walk<'m> {
    model: &'m Model,
    /// COPY and ADD whose copies were not looked at yet: most files need none of them.
    pending: Vec<&'m Instruction>,
    copies: Vec<SourceCopy<'m>>,
    /// The names of files that were copied one by one, and when.
    files: Vec<(&'m str, InstructionId)>,
    /// Tools that have installed before anything was copied.
    installed: Vec<Tool>,
    reported: Vec<(TextRange, Subject)>,
}

/// What is installed: one finding for each at one COPY.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Manifest(Tool),
    Named(&'static str),
}

impl<'m> Walk<'m> {
    fn new(model: &'m Model) -> Walk<'m> {
        Walk {
            model,
            pending: Vec::new(),
            copies: Vec::new(),
            files: Vec::new(),
            installed: Vec::new(),
            reported: Vec::new(),
        }
    }

    fn copy(&mut self, instruction: &'m Instruction) {
        self.pending.push(instruction);
    }

    fn look_at_copies(&mut self) {
        for instruction in std::mem::take(&mut self.pending) {
            if self.copies.len() < LIMIT {
                self.copies.extend(source_copies(self.model, instruction));
            }
            for (_, source) in copy_sources(instruction) {
                if let CopySource::Path(path) = source
                    && self.files.len() < LIMIT * 4
                {
                    self.files.push((file_name(path), instruction.id));
                }
            }
        }
    }

    fn run(
        &mut self,
        ctx: &mut RuleContext<'_>,
        instruction: &'m Instruction,
        tools: &[&ProgramCall<'m>],
        packages: &[PackageCall<'m>],
    ) {
        if tools.is_empty() && packages.is_empty() {
            return;
        }
        let is_mounted = instruction
            .mounts()
            .any(|mount| matches!(mount.mount_type().as_str(), "cache" | "bind"));
        for call in tools {
            if fetches_for_go(call) {
                self.installed.push(Tool::Go);
            }
            let Some(install) = dependency_install(call) else {
                continue;
            };
            let is_first = !self.installed.contains(&install.tool);
            if is_first && !is_mounted {
                self.look_at_copies();
                self.manifest_install(ctx, call, install);
            }
            if is_first {
                self.installed.push(install.tool);
            }
        }
        let has_copies = !self.copies.is_empty() || !self.pending.is_empty();
        if has_copies && !is_mounted {
            self.named_install(ctx, instruction, packages);
        }
    }

    /// Judges an installation of what a manifest lists.
    fn manifest_install(
        &mut self,
        ctx: &mut RuleContext<'_>,
        call: &ProgramCall<'m>,
        install: DependencyInstall<'m>,
    ) {
        let mut folder = folder_of_command(self.model, call);
        if let Some(named) = named_folder(call).filter(|_| install.tool != Tool::Pip) {
            folder = resolve(&folder, named);
        }
        let manifest = resolve(&folder, install.manifest);
        // What stands in the GOPATH may well be no module.
        if install.tool == Tool::Go && install.first_command.is_some() && is_in_gopath(&manifest) {
            return;
        }
        let name = file_name(install.manifest);
        let named_at = self
            .files
            .iter()
            .find(|(file, _)| is_manifest(file, name, install.files))
            .map(|(_, at)| *at);
        let culprit = self.copies.iter().find(|copy| {
            let brings_it = copy.context_path(&manifest).is_some();
            match (copy.is_whole_context, named_at) {
                (true, _) => brings_it || named_at.is_some(),
                (false, Some(_)) => is_source_folder(copy.path),
                (false, None) => {
                    brings_it && copy.destination != "/" && !is_manifest_folder(copy.path)
                }
            }
        });
        let Some(copy) = culprit.cloned() else {
            return;
        };
        let subject = Subject::Manifest(install.tool);
        if self.reported.contains(&(copy.range(), subject)) {
            return;
        }
        self.reported.push((copy.range(), subject));
        let is_there = named_at.is_some_and(|at| at < copy.instruction.id);
        let help = manifest_help(self.model, &copy, &manifest, install, is_there);
        let command = ctx.text(install.range).to_owned();
        report(ctx, &copy, install.range, &command, help);
    }

    /// Judges packages that are named on the command line of a RUN that does nothing else.
    fn named_install(
        &mut self,
        ctx: &mut RuleContext<'_>,
        instruction: &Instruction,
        packages: &[PackageCall<'m>],
    ) {
        let Some(install) = packages.iter().find(|call| is_named_install(call)) else {
            return;
        };
        self.look_at_copies();
        let culprit = self.copies.iter().find(|copy| {
            copy.is_whole_context && copy.destination != "/" && !copy.path.contains('*')
        });
        let Some(copy) = culprit.cloned() else {
            return;
        };
        let commands = &install.script.commands;
        let calls = of_instruction(ctx.program_calls(), instruction.id);
        let is_pure = calls.iter().all(|call| is_installing(call, packages))
            && commands.iter().all(|command| {
                !command.nesting.substitution
                    && command
                        .redirections
                        .iter()
                        .all(|redirection| redirection.operator.starts_with('>'))
            });
        let subject = Subject::Named(install.manager.name());
        if !is_pure || self.reported.contains(&(copy.range(), subject)) {
            return;
        }
        self.reported.push((copy.range(), subject));
        let command = ctx.text(install.range()).to_owned();
        let help = format!(
            "move the RUN with `{}` in front of this {}",
            one_line(&command),
            copy.instruction.keyword_text
        );
        report(ctx, &copy, install.range(), &command, help);
    }
}

fn report(
    ctx: &mut RuleContext<'_>,
    copy: &SourceCopy<'_>,
    install: TextRange,
    command: &str,
    help: String,
) {
    let command = one_line(command);
    ctx.report(
        copy.range(),
        format!(
            "`{}` is copied before `{command}`, so each change in it installs all packages again",
            copy.source.text
        ),
    )
    .label(install, "installs the packages")
    .help(help);
}

/// Returns whether a path of a Go package says that it belongs to no module.
fn is_in_gopath(path: &str) -> bool {
    path.contains("/go/src/") || path.contains("GOPATH") || path.contains("/src/github.com/")
}

/// Returns a command without the continuations in it.
fn one_line(command: &str) -> String {
    let words: Vec<_> = command
        .split_whitespace()
        .filter(|word| *word != "\\")
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::SOURCES_BEFORE_DEPENDENCIES as RULE;
    use crate::testing::{check_clean, check_fires, check_message, findings};

    #[track_caller]
    fn check_help(text: &str, expected: &str) {
        let helps: Vec<_> = findings(text, &RULE)
            .into_iter()
            .filter_map(|finding| finding.help)
            .collect();
        assert_eq!(helps, [expected], "in\n{text}");
    }

    #[test]
    fn the_whole_context_before_the_manifest() {
        for install in [
            "pip install -r requirements.txt",
            "npm ci",
            "yarn install",
            "bundle install",
            "go mod download",
            "composer install",
            "mvn package",
            "dotnet publish",
            "mix deps.get",
        ] {
            check_fires(
                &RULE,
                &format!("FROM a:1\nWORKDIR /app\nCOPY «.» .\nRUN {install}\n"),
            );
        }
    }

    #[test]
    fn go_build_downloads_the_modules() {
        check_help(
            "FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go build -o /app\n",
            "put `COPY go.mod go.sum ./` and `RUN go mod download` in front of this COPY",
        );
        for text in [
            "FROM golang:1.24\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN go build\n",
            "FROM golang:1.9\nCOPY . $GOPATH/src/a\nWORKDIR $GOPATH/src/a\nRUN go build\n",
            "FROM golang:1.9\nWORKDIR /go/src/a\nCOPY . .\nRUN go install\n",
            "FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go get -d ./... && go build\n",
        ] {
            check_clean(&RULE, text);
        }
    }

    #[test]
    fn a_folder_that_brings_the_manifest_counts() {
        check_fires(
            &RULE,
            "FROM a:1\nADD «app» /srv\nRUN pip install -r /srv/requirements.txt\n",
        );
        check_fires(
            &RULE,
            "FROM a:1\nCOPY «./web» /w\nRUN cd /w && npm install\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nCOPY conf /etc/app\nRUN cd /w && npm install\n",
        );
    }

    #[test]
    fn sources_beside_the_manifest_count() {
        check_fires(
            &RULE,
            "FROM a:1\nWORKDIR /app\nCOPY package.json ./\nCOPY «src» ./src\nRUN npm ci\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nWORKDIR /app\nCOPY package.json ./\nCOPY patches ./patches\nRUN npm ci\n",
        );
    }

    #[test]
    fn folders_of_manifests_and_of_the_system_are_no_sources() {
        check_clean(
            &RULE,
            "FROM a:1\nCOPY requirements /r\nRUN pip install -r /r/all.txt\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nCOPY rootfs /\nRUN cd /app && npm install\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nWORKDIR /a\nCOPY packages ./\nCOPY Gemfile ./\nRUN bundle install\n",
        );
    }

    #[test]
    fn the_manifest_first_is_right() {
        check_clean(
            &RULE,
            "FROM a:1\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\nRUN npm install\n",
        );
        check_clean(&RULE, "FROM a:1 AS a\nCOPY . .\nFROM a:1\nRUN npm ci\n");
    }

    #[test]
    fn mounts_and_installs_that_need_the_sources_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nCOPY . .\nRUN --mount=type=cache,target=/root/.npm npm ci\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nCOPY . .\nRUN pip install .\nRUN pip install -e . -r r.txt\nRUN cargo build\n",
        );
    }

    #[test]
    fn packages_of_the_system_do_not_need_the_sources() {
        check_fires(
            &RULE,
            "FROM a:1\nCOPY «.» /app\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
        );
        check_fires(&RULE, "FROM a:1\nCOPY «.» /app\nRUN pip install flask\n");
        check_clean(
            &RULE,
            "FROM a:1\nCOPY . /app\nRUN apt-get install -y gcc && make\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nCOPY . /app\nRUN apt-get install -y ./x.deb\nRUN xargs apt-get install -y < p.txt\nRUN apk add $(cat p.txt)\n",
        );
        check_clean(&RULE, "FROM a:1\nCOPY . /\nRUN apk add curl\n");
    }

    #[test]
    fn triggers_are_a_build_of_their_own() {
        check_fires(
            &RULE,
            "FROM a:1\nONBUILD COPY «.» .\nONBUILD RUN npm install\n",
        );
        check_clean(&RULE, "FROM a:1\nONBUILD COPY . .\nRUN npm install\n");
    }

    #[test]
    fn a_fragment_without_from_counts() {
        check_fires(&RULE, "COPY «.» .\nRUN pip install -r requirements.txt\n");
    }

    #[test]
    fn says_what_runs_again() {
        check_message(
            &RULE,
            "FROM a:1\nCOPY . .\nRUN npm --silent \\\n  ci\n",
            "`.` is copied before `npm --silent ci`, so each change in it installs all packages again",
        );
    }

    #[test]
    fn the_help_names_the_lines_to_write() {
        check_help(
            "FROM a:1\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements/prod.txt\n",
            "put `COPY requirements/prod.txt ./requirements/` and the RUN that installs in front of this COPY",
        );
        check_help(
            "FROM a:1\nCOPY . /app\nRUN cd /app/web && npm ci\n",
            "put `COPY web/package.json web/package-lock.json /app/web/` and the RUN that installs in front of this COPY",
        );
        check_help(
            "FROM a:1\nWORKDIR /s\nADD . .\nRUN mvn package\n",
            "put `COPY pom.xml ./` and `RUN mvn dependency:go-offline` in front of this ADD",
        );
        check_help(
            "FROM a:1\nWORKDIR /s\nCOPY Gemfile .\nCOPY . .\nRUN bundle\n",
            "move the RUN that installs in front of this COPY: the manifest is there already",
        );
        check_help(
            "FROM a:1\nCOPY . /app\nRUN apk add curl\n",
            "move the RUN with `apk add` in front of this COPY",
        );
    }
}
