//! RUN: which program with which words, variables and mounts (BuildKit `dispatchRun`).

use dockerfile_model::{Command, HeredocFact, Instruction};
use dockerfile_source::{TextRange, TextSize};

use super::copy::{heredoc_text, raw_heredoc_text};
use super::evaluate::Evaluator;
use super::run_mount::RunMount;
use super::{Operation, OperationKind};
use crate::error::BuildError;
use crate::request::NetworkAccess;

/// One RUN.
#[derive(Clone, Debug)]
pub(crate) struct RunOperation {
    /// The program and its words; for the shell form the shell comes first.
    pub(crate) words: Vec<String>,
    /// A script that stands in the Dockerfile and names its interpreter: found at `/dev/pipes/NAME`.
    pub(crate) script: Option<(String, String)>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) folder: String,
    /// `USER[:GROUP]`, names or numbers; empty means root.
    pub(crate) user: String,
    pub(crate) mounts: Vec<RunMount>,
    pub(crate) network: Network,
    pub(crate) is_insecure: bool,
    /// Names that commands of a shell form go by, with the place of each command: to find the one that failed.
    pub(crate) commands: Vec<CommandPlace>,
    pub(crate) keyword_range: TextRange,
}

/// What of the network a command sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// What the whole build was given.
    Default,
    None,
    Host,
}

/// A simple command of a shell form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandPlace {
    pub(crate) words: Vec<String>,
    pub(crate) range: TextRange,
}

impl Evaluator<'_> {
    pub(super) fn run(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let (words, script) = self.run_words(instruction);
        let mounts = instruction
            .mounts()
            .map(|mount| self.mount(mount))
            .collect::<Result<Vec<_>, _>>()?;
        let (network, is_insecure) = self.confinement(instruction)?;
        let environment = self
            .variables
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let shown = words.join(" ");
        let operation = RunOperation {
            commands: self.command_places(instruction),
            words,
            script,
            environment,
            folder: match self.config.config.working_dir.as_str() {
                "" => "/".to_owned(),
                folder => folder.to_owned(),
            },
            user: self.config.config.user.clone(),
            mounts,
            network,
            is_insecure,
            keyword_range: self.place(instruction.keyword_range),
        };
        self.operations.push(Operation {
            range: self.place(instruction.range),
            title: Self::run_title(instruction),
            kind: OperationKind::Run(Box::new(operation)),
        });
        let arguments = self.history_arguments();
        self.add_history(format!("RUN {arguments}{shown} # buildkit"), false);
        Ok(())
    }

    fn run_words(&self, instruction: &Instruction) -> (Vec<String>, Option<(String, String)>) {
        let text = match instruction.command() {
            Some(Command::Exec(..)) => return (self.command_words(instruction.command()), None),
            Some(Command::Shell(script)) => script.text.as_str(),
            Some(Command::Opaque { text, .. }) => text.as_str(),
            Some(Command::Missing) | None => "",
        };
        let [first, ..] = instruction.heredocs.as_slice() else {
            return (self.with_shell(text), None);
        };
        if !is_lone_heredoc(text) {
            return (
                self.with_shell(&with_heredocs(text, &instruction.heredocs)),
                None,
            );
        }
        let content = heredoc_text(first);
        if content.starts_with("#!") && self.config.os != "windows" {
            let words = self.with_shell(&format!("/dev/pipes/{}", first.name));
            return (words, Some((first.name.to_string(), content)));
        }
        (self.with_shell(&content), None)
    }

    fn confinement(&self, instruction: &Instruction) -> Result<(Network, bool), BuildError> {
        let flag = |name: &str| {
            let value = instruction.flag(name)?.value.as_ref()?;
            Some((value.value_or_text().to_owned(), value.range))
        };
        let network = match flag("network") {
            None => Network::Default,
            Some((value, range)) => match value.as_str() {
                "default" | "" => Network::Default,
                "none" => Network::None,
                "host" if self.may_use_host_network() => Network::Host,
                "host" => {
                    return Err(self
                        .fault(
                            range,
                            "this build may not use the network of the host".to_owned(),
                        )
                        .help("allow it with `--allow network.host`"));
                }
                _ => {
                    return Err(self
                        .fault(range, format!("`{value}` is no network"))
                        .help("there are default, none and host"));
                }
            },
        };
        let is_insecure = match flag("security") {
            None => false,
            Some((value, range)) => match value.as_str() {
                "sandbox" | "" => false,
                // CVE-2024-23653: nobody gets more rights than the user granted.
                "insecure" if self.request.allow_insecure => true,
                "insecure" => {
                    return Err(self
                        .fault(range, "this build may not run anything insecure".to_owned())
                        .help("allow it with `--allow security.insecure`"));
                }
                _ => {
                    return Err(self
                        .fault(range, format!("`{value}` is no kind of security"))
                        .help("there are sandbox and insecure"));
                }
            },
        };
        Ok((network, is_insecure))
    }

    /// Nobody gets more of the network than the user gave (BuildKit's entitlement `network.host`).
    fn may_use_host_network(&self) -> bool {
        self.request.network == NetworkAccess::Host || self.request.allow_host_network
    }

    /// Returns `|2 A=1 B= ` where arguments of the build are in sight (`runCommandString`).
    fn history_arguments(&self) -> String {
        let mut shown: Vec<(&str, String)> = Vec::new();
        for (name, value) in &self.build_arguments {
            let value = self
                .variables
                .value(name)
                .or(value.as_deref())
                .unwrap_or("");
            let text = format!("{name}={value}");
            match shown.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => *old = text,
                None => shown.push((name, text)),
            }
        }
        if shown.is_empty() {
            return String::new();
        }
        let texts: Vec<_> = shown.iter().map(|(_, text)| text.as_str()).collect();
        format!("|{} {} ", texts.len(), texts.join(" "))
    }

    fn run_title(instruction: &Instruction) -> String {
        let text = match instruction.command() {
            Some(Command::Exec(words, _)) => words
                .iter()
                .map(|word| word.value.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            Some(Command::Shell(script)) => script.text.to_string(),
            Some(Command::Opaque { text, .. }) => text.to_string(),
            Some(Command::Missing) | None => String::new(),
        };
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("RUN {line}").trim_end().to_owned()
    }

    fn command_places(&self, instruction: &Instruction) -> Vec<CommandPlace> {
        instruction
            .scripts()
            .flat_map(|script| &script.commands)
            .map(|command| {
                let words: Vec<String> = command
                    .words
                    .iter()
                    .map(|word| word.text.to_string())
                    .collect();
                CommandPlace {
                    words,
                    range: self.place(first_line(command.range, self.dockerfile.text())),
                }
            })
            .collect()
    }
}

/// Returns the part of a range before its first line end: a snippet of one line says enough.
fn first_line(range: TextRange, text: &str) -> TextRange {
    let bytes = text.get(usize::from(range.start())..usize::from(range.end()));
    let line = bytes.and_then(|text| text.split(['\n', '\r']).next());
    let line = line.map_or("", |line| line.trim_end_matches(['\\', '`', ' ', '\t']));
    TextRange::at(range.start(), TextSize::of(line))
}

/// Returns whether a command is nothing but `<<NAME` (BuildKit `parser.ParseHeredoc`).
fn is_lone_heredoc(text: &str) -> bool {
    let text = text.trim_start_matches(|character: char| character.is_ascii_digit());
    text.strip_prefix("<<")
        .map(|rest| rest.strip_prefix('-').unwrap_or(rest))
        .is_some_and(|name| !name.is_empty() && !name.contains(['<', ' ', '\t', '\n']))
}

/// Returns a command with its heredocs behind it, as a shell reads them.
fn with_heredocs(text: &str, heredocs: &[HeredocFact]) -> String {
    let mut full = text.to_owned();
    for heredoc in heredocs {
        full.push('\n');
        full.push_str(raw_heredoc_text(heredoc));
        full.push_str(&heredoc.name);
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_lone_heredoc() {
        for text in ["<<EOF", "<<-EOF", "0<<'EOF'", "<<\"A-b\""] {
            assert!(is_lone_heredoc(text), "{text}");
        }
        for text in ["cat <<EOF", "<<A <<B", "<<", "<<EOF > x", "python3 <<EOF"] {
            assert!(!is_lone_heredoc(text), "{text}");
        }
    }
}
