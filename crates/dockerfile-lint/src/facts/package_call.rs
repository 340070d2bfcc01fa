//! Calls of package managers, read once a file.
//!
//! Seen through wrappers (`sudo`, `env`, `exec` ...), with options before and behind the subcommand, and with the
//! words that name packages told from options and their values.

use dockerfile_model::{Instruction, Keyword, Script, ShellCommand, ShellWord};
use dockerfile_source::{TextEdit, TextLen, TextRange, TextSize};

use super::called_program::{CalledProgram, find_option};
use super::calls_by_name::CallsByName;
use super::mounted_folder::is_mounted;
use super::options::{Argument, arguments};
use super::package_action::{Action, Manager, is_python};
use super::program_call::ProgramCall;

/// One call of a package manager in a RUN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackageCall<'m> {
    pub manager: Manager,
    pub action: Action,
    pub instruction: &'m Instruction,
    pub script: &'m Script,
    /// The place of the command in the script.
    pub position: usize,
    pub command: &'m ShellCommand,
    pub program: &'m ShellWord,
    /// None for `yarn` alone.
    pub subcommand: Option<&'m ShellWord>,
    /// `module` or `group` in front of the subcommand of dnf, `global` in front of that of yarn.
    pub group: Option<&'m ShellWord>,
    /// Whether `xargs` adds packages that nobody can read in the file.
    pub is_fed: bool,
    words: &'m [ShellWord],
}

impl<'m> PackageCall<'m> {
    /// Returns the options, each with the next word where it takes it.
    pub(crate) fn options(
        &self,
    ) -> impl Iterator<Item = (&'m ShellWord, Option<&'m ShellWord>)> + use<'m> {
        arguments(self.words, self.manager.option_syntax()).filter_map(|argument| match argument {
            Argument::Option { word, value } => Some((word, value)),
            Argument::Operand(_) => None,
        })
    }

    /// Returns the operands behind the subcommand: what is to be installed, removed and so on.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &'m ShellWord> + use<'m> {
        let behind = self.subcommand_end();
        let takes_booleans = matches!(self.manager, Manager::Npm | Manager::Gem);
        let mut words = self.words;
        // What stands behind `--` is for the build of the gem.
        if self.manager == Manager::Gem
            && let Some(at) = words.iter().position(|word| word.value() == "--")
        {
            words = words.get(..at).unwrap_or(words);
        }
        arguments(words, self.manager.option_syntax()).filter_map(move |argument| match argument {
            Argument::Operand(word)
                if word.range.start() >= behind
                    && !(takes_booleans && matches!(word.value(), "true" | "false")) =>
            {
                Some(word)
            }
            _ => None,
        })
    }

    /// Returns the first of these options that is given.
    pub(crate) fn option(&self, options: &[&str]) -> Option<&'m ShellWord> {
        find_option(self.words, options)
    }

    pub(crate) fn has_option(&self, options: &[&str]) -> bool {
        self.option(options).is_some()
    }

    /// Returns whether an argument may hold options that nobody can read in the file: `apt-get $OPTIONS install`.
    pub(crate) fn may_hide_options(&self) -> bool {
        let behind = self.subcommand_end();
        self.words.iter().any(|word| {
            let text = word.text.trim_start_matches('"');
            text.starts_with('$')
                && (word.range.start() < behind || names_options(text) || text.starts_with("$@"))
        })
    }

    /// Returns whether an answer is fed to the questions of the program: `yes | apt-get install x`.
    pub(crate) fn reads_answers(&self) -> bool {
        self.command.join == dockerfile_model::Join::Pipe
            || self
                .command
                .redirections
                .iter()
                .any(|redirection| redirection.operator.starts_with('<'))
    }

    /// Returns whether a cache or a tmpfs is mounted over one of these folders, so that nothing of it gets into the
    /// layer.
    pub(crate) fn is_mounted(&self, folders: &[&str]) -> bool {
        folders
            .iter()
            .any(|folder| is_mounted(self.instruction, folder))
    }

    /// Returns the range from the program to the subcommand.
    pub(crate) fn range(&self) -> TextRange {
        TextRange::new(self.program.range.start(), self.subcommand_end())
    }

    /// Returns the word to point at: the subcommand, or the program where there is none.
    pub(crate) fn subcommand_or_program(&self) -> &'m ShellWord {
        self.subcommand.unwrap_or(self.program)
    }

    fn subcommand_end(&self) -> TextSize {
        self.subcommand_or_program()
            .range
            .end()
            .max(self.program.range.end())
    }

    /// Returns the edit that puts an option behind the subcommand. None where a continuation stands inside of it.
    pub(crate) fn insert_option(&self, option: &str) -> Option<TextEdit> {
        let word = self.subcommand?;
        let is_whole = word.range.len() == word.text.text_len() && !word.is_quoted;
        is_whole.then(|| TextEdit::insert(word.range.end(), format!(" {option}")))
    }

    /// Returns a command line that runs with the rights of this one.
    pub(crate) fn with_rights(&self, command: &str) -> String {
        match self.command.program() {
            Some(program @ ("sudo" | "doas")) => format!("{program} {command}"),
            _ => command.to_owned(),
        }
    }

    /// Returns the subcommand as it is written.
    pub(crate) fn subcommand_name(&self) -> &'m str {
        self.subcommand.map_or("", |word| word.value())
    }
}

/// Returns the calls of each script, in groups.
pub(crate) fn by_script<'c, 'm>(
    calls: &'c [PackageCall<'m>],
) -> impl Iterator<Item = &'c [PackageCall<'m>]> {
    calls.chunk_by(|left, right| std::ptr::eq(left.script, right.script))
}

/// Returns the place of the last command of a script that cleans up: one that names a part of a folder in its words, a
/// script called something with `clean`, or a call that `cleans` says yes to.
///
/// `calls` are the calls of one script.
pub(crate) fn last_cleanup(
    calls: &[PackageCall<'_>],
    parts: &[&str],
    cleans: impl Fn(&PackageCall<'_>) -> bool,
) -> Option<usize> {
    let commands = &calls.first()?.script.commands;
    let by_folder = commands.iter().rposition(|command| {
        let names_part = |word: &ShellWord| parts.iter().any(|part| word.text.contains(part));
        match command.words.split_first() {
            Some((program, arguments)) => {
                arguments.iter().any(names_part)
                    || program.text.rsplit('/').next().is_some_and(|name| {
                        name.contains("clean") && Manager::from_program(name).is_none()
                    })
            }
            None => false,
        }
    });
    let by_call = calls.iter().rfind(|call| cleans(call));
    by_folder.max(by_call.map(|call| call.position))
}

/// Returns whether a variable is named for the options that it holds.
fn names_options(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    ["OPT", "ARGS", "FLAG"]
        .iter()
        .any(|part| upper.contains(part))
}

/// Returns the calls of package managers in RUN instructions, in the order of the file.
pub(crate) fn package_calls<'m>(
    calls: &[ProgramCall<'m>],
    by_name: &CallsByName<'m>,
) -> Vec<PackageCall<'m>> {
    by_name
        .of_names(|name| Manager::from_program(name).is_some() || is_python(name))
        .into_iter()
        .filter_map(|at| calls.get(at as usize))
        .filter(|call| call.instruction.keyword == Keyword::Run)
        .filter_map(|call| {
            let (manager, words) = manager_of(&call.called)?;
            Some(read_call(call, manager, words))
        })
        .collect()
}

/// Returns the package manager that is called, and its arguments; `python -m pip` is pip.
fn manager_of<'m>(called: &CalledProgram<'m>) -> Option<(Manager, &'m [ShellWord])> {
    if let Some(manager) = Manager::from_program(called.name) {
        return Some((manager, called.arguments));
    }
    if !is_python(called.name) {
        return None;
    }
    let module = called
        .arguments
        .iter()
        .position(|word| word.value() == "-m")?;
    let [name, words @ ..] = called.arguments.get(module + 1..)? else {
        return None;
    };
    match name.value() {
        "pip" => Some((Manager::Pip, words)),
        "pipx" => Some((Manager::Pipx, words)),
        _ => None,
    }
}

fn read_call<'m>(
    call: &ProgramCall<'m>,
    manager: Manager,
    words: &'m [ShellWord],
) -> PackageCall<'m> {
    let mut operands = arguments(words, manager.option_syntax()).filter_map(|argument| {
        match argument {
            // A variable in front of the subcommand stands for options.
            Argument::Operand(word) if !word.has_expansion() => Some(word),
            _ => None,
        }
    });
    let mut subcommand = operands.next();
    let mut next = operands.next();
    let is_group = |word: &str| {
        (manager.is_dnf() && matches!(word, "module" | "group" | "groups"))
            || (manager == Manager::Yarn && word == "global")
    };
    let group = subcommand.filter(|word| next.is_some() && is_group(word.value()));
    if group.is_some() {
        subcommand = next;
        next = operands.next();
    }
    PackageCall {
        manager,
        action: manager.action(subcommand.map(ShellWord::value), next.map(ShellWord::value)),
        instruction: call.instruction,
        script: call.script,
        position: call.position,
        command: call.command,
        program: call.called.word,
        subcommand,
        group,
        is_fed: call.called.is_fed,
        words,
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_model::{Model, ModelInput};

    use super::*;
    use crate::facts::program_call::commands;

    fn calls(model: &Model) -> Vec<PackageCall<'_>> {
        let calls = commands(model).calls;
        package_calls(&calls, &CallsByName::new(&calls))
    }

    /// Checks manager, subcommand and packages of each call, joined with blanks.
    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        let parse = dockerfile_syntax::parse(&format!("FROM a:1\nRUN {body}\n"));
        let model = Model::new(&parse, &ModelInput::default());
        let found: Vec<_> = calls(&model)
            .iter()
            .map(|call| {
                let mut line = format!("{} {:?}", call.manager.name(), call.action);
                for package in call.packages() {
                    line.push(' ');
                    line.push_str(package.value());
                }
                line
            })
            .collect();
        assert_eq!(found, expected, "in {body}");
    }

    #[test]
    fn options_stand_on_both_sides_of_the_subcommand() {
        check("apt-get -y install a b", &["apt-get Install a b"]);
        check(
            "apt-get -o A=b -qqt stable install -y --no-install-recommends a",
            &["apt-get Install a"],
        );
        check("npm --prefix x ci", &["npm CleanInstall"]);
        check("dnf --setopt=a=b -c file install a", &["dnf Install a"]);
        check(
            "pip --no-input install --index-url u a -r r.txt",
            &["pip Install a"],
        );
    }

    #[test]
    fn wrappers_and_assignments_are_seen_through() {
        check(
            "DEBIAN_FRONTEND=noninteractive apt-get install a && sudo -E env A=b apk add -t v c",
            &["apt-get Install a", "apk Install c"],
        );
        check("python3 -u -m pip install a", &["pip Install a"]);
    }

    #[test]
    fn groups_and_bare_yarn_have_a_subcommand_too() {
        check("dnf module install -y a:1", &["dnf Install a:1"]);
        check(
            "yarn && yarn global add a",
            &["yarn Install", "yarn Install a"],
        );
    }

    #[test]
    fn a_variable_before_the_subcommand_stands_for_options() {
        check(
            "apt-get $OPTIONS install $PACKAGES a",
            &["apt-get Install $PACKAGES a"],
        );
    }

    #[test]
    fn calls_behind_onbuild_count() {
        let parse = dockerfile_syntax::parse("FROM a:1\nONBUILD RUN gem i a\n");
        let model = Model::new(&parse, &ModelInput::default());
        assert_eq!(calls(&model).len(), 1);
    }
}
