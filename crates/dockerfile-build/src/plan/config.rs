//! Instructions that change the configuration only.

use dockerfile_model::{Body, Command, Healthcheck, Instruction, JsonString, Keyword, Word};
use dockerfile_syntax::parse_go_duration;
use oci_image::config;

use super::environment::set_in_list;
use super::evaluate::Evaluator;
use super::{golang, ports, signal};
use crate::error::{BuildError, Failure};

impl Evaluator<'_> {
    /// Does an instruction that makes no files; returns `false` where it is none of these.
    pub(super) fn configure(&mut self, instruction: &Instruction) -> Result<bool, BuildError> {
        match instruction.keyword {
            Keyword::Env => self.env(instruction)?,
            Keyword::Label => self.label(instruction)?,
            Keyword::Arg => self.arg(instruction)?,
            Keyword::Cmd => self.cmd(instruction),
            Keyword::Entrypoint => self.entrypoint(instruction),
            Keyword::Healthcheck => self.healthcheck(instruction)?,
            Keyword::Expose => self.expose(instruction)?,
            Keyword::Volume => self.volume(instruction)?,
            Keyword::User => self.user(instruction)?,
            Keyword::Stopsignal => self.stopsignal(instruction)?,
            Keyword::Shell => self.shell(instruction),
            Keyword::Maintainer => self.maintainer(instruction),
            Keyword::Onbuild => {
                let trigger = self.dockerfile.trigger_text(instruction);
                self.config.config.on_build.extend(trigger);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn env(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let pairs = self.expanded_pairs(instruction)?;
        let mut history = "ENV".to_owned();
        for (name, value) in pairs {
            history.push_str(&format!(" {name}={value}"));
            self.variables.set(&name, &value);
            set_in_list(&mut self.config.config.env, &name, &value);
        }
        self.add_history(history, true);
        Ok(())
    }

    fn label(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let mut history = "LABEL".to_owned();
        for (name, value) in self.expanded_pairs(instruction)? {
            history.push_str(&format!(" {name}={value}"));
            self.config.config.labels.insert(name, value);
        }
        self.add_history(history, true);
        Ok(())
    }

    /// All words of one instruction see the variables of before it.
    fn expanded_pairs(
        &self,
        instruction: &Instruction,
    ) -> Result<Vec<(String, String)>, BuildError> {
        let expand = |word: &Word| self.expand(word);
        instruction
            .pairs()
            .iter()
            .map(|pair| {
                let name = expand(&pair.key)?;
                let value = pair.value.as_ref().map_or(Ok(String::new()), expand)?;
                Ok((name, value))
            })
            .collect()
    }

    fn arg(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let mut history = "ARG".to_owned();
        for pair in instruction.pairs() {
            let name = pair.key.text.to_string();
            let value = match (super::global::given(self.request, &name), &pair.value) {
                (Some(given), _) => Some(given.to_owned()),
                (None, Some(default)) => Some(self.expand(default)?),
                (None, None) => self.global.value(&name).map(str::to_owned),
            };
            history.push(' ');
            history.push_str(&name);
            if let Some(value) = &value {
                history.push_str(&format!("={value}"));
                self.variables.set(&name, value);
            }
            self.build_arguments.push((name, value));
        }
        self.add_history(history, true);
        Ok(())
    }

    fn cmd(&mut self, instruction: &Instruction) {
        let words = self.command_words(instruction.command());
        self.add_history(format!("CMD {}", golang::quoted_list(&words)), true);
        self.config.config.cmd = words;
        self.config.config.args_escaped = true;
        self.has_own_cmd = true;
    }

    fn entrypoint(&mut self, instruction: &Instruction) {
        let words = self.command_words(instruction.command());
        self.add_history(format!("ENTRYPOINT {}", golang::quoted_list(&words)), true);
        self.config.config.entrypoint = words;
        if !self.has_own_cmd {
            self.config.config.cmd.clear();
        }
    }

    /// Returns the words of an exec form, or the shell with the text of a shell form.
    pub(super) fn command_words(&self, command: Option<&Command>) -> Vec<String> {
        match command {
            Some(Command::Exec(words, _)) => strings(words),
            Some(Command::Shell(script)) => self.with_shell(script.text.as_str()),
            Some(Command::Opaque { text, .. }) => self.with_shell(text.as_str()),
            Some(Command::Missing) | None => Vec::new(),
        }
    }

    pub(super) fn with_shell(&self, text: &str) -> Vec<String> {
        let mut words = self.config.config.shell.clone();
        if words.is_empty() {
            words = match self.config.os.as_str() {
                "windows" => vec!["cmd".to_owned(), "/S".to_owned(), "/C".to_owned()],
                _ => vec!["/bin/sh".to_owned(), "-c".to_owned()],
            };
        }
        words.push(text.to_owned());
        words
    }

    fn healthcheck(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let test = match &instruction.body {
            Body::Healthcheck(Healthcheck::None) => vec!["NONE".to_owned()],
            Body::Healthcheck(Healthcheck::Command(Command::Exec(words, _))) => {
                let mut test = vec!["CMD".to_owned()];
                test.extend(strings(words));
                test
            }
            Body::Healthcheck(Healthcheck::Command(Command::Shell(script))) => {
                vec!["CMD-SHELL".to_owned(), script.text.to_string()]
            }
            Body::Healthcheck(Healthcheck::Command(Command::Opaque { text, .. })) => {
                vec!["CMD-SHELL".to_owned(), text.to_string()]
            }
            _ => Vec::new(),
        };
        let duration = |name: &str| {
            let value = instruction.flag(name).and_then(|flag| flag.value.as_ref());
            value
                .map_or(Ok(0), |word| parse_go_duration(word.value_or_text()))
                .map_err(|error| self.fault(instruction.range, format!("`--{name}`: {error}")))
        };
        let retries = instruction
            .flag("retries")
            .and_then(|flag| flag.value.as_ref()?.value_or_text().parse().ok());
        let check = config::Healthcheck {
            test,
            interval: duration("interval")?,
            timeout: duration("timeout")?,
            start_period: duration("start-period")?,
            start_interval: duration("start-interval")?,
            retries: retries.unwrap_or(0),
        };
        self.add_history(
            format!(
                "HEALTHCHECK {{Test:{} Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} Retries:{}}}",
                golang::list(&check.test),
                golang::duration(check.interval),
                golang::duration(check.timeout),
                golang::duration(check.start_period),
                golang::duration(check.start_interval),
                check.retries
            ),
            true,
        );
        self.config.config.healthcheck = Some(check);
        Ok(())
    }

    fn expose(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let mut exposed = Vec::new();
        // BuildKit sorts the words before it reads them (`instructions/parse.go`, `parseExpose`).
        let mut words: Vec<&Word> = instruction.words().iter().collect();
        words.sort_by(|one, other| one.text.cmp(&other.text));
        for word in words {
            for port in self.expand_to_words(word)? {
                let ports = ports::exposed_ports(&port)
                    .map_err(|message| self.fault(word.range, message))?;
                exposed.extend(ports);
            }
        }
        self.add_history(format!("EXPOSE {}", golang::list(&exposed)), true);
        self.config.config.exposed_ports.extend(exposed);
        Ok(())
    }

    fn volume(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let mut volumes = Vec::new();
        for word in instruction.words() {
            let volume = self.expand(word)?;
            if volume.is_empty() {
                return Err(self.fault(word.range, "a volume needs a path".to_owned()));
            }
            volumes.push(volume);
        }
        self.add_history(format!("VOLUME {}", golang::list(&volumes)), true);
        self.config.config.volumes.extend(volumes);
        Ok(())
    }

    fn user(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let user = self.expanded_value(instruction)?;
        self.add_history(format!("USER {user}"), true);
        self.config.config.user = user;
        Ok(())
    }

    fn stopsignal(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let text = self.expanded_value(instruction)?;
        if !signal::is_signal(&text) {
            let range = instruction
                .value()
                .map_or(instruction.range, |word| word.range);
            return Err(self
                .fault(range, format!("`{text}` is no signal"))
                .help("write a name such as `SIGTERM`, or a number"));
        }
        self.add_history(format!("STOPSIGNAL {text}"), true);
        self.config.config.stop_signal = text;
        Ok(())
    }

    fn shell(&mut self, instruction: &Instruction) {
        if let Body::Shell(words) = &instruction.body {
            let words = strings(words);
            self.add_history(format!("SHELL {}", golang::list(&words)), true);
            self.config.config.shell = words;
        }
    }

    fn maintainer(&mut self, instruction: &Instruction) {
        let name = instruction
            .value()
            .map_or("", |word| word.text.as_str())
            .to_owned();
        self.add_history(format!("MAINTAINER {name}"), true);
        self.config.author = name;
    }

    pub(super) fn expanded_value(&self, instruction: &Instruction) -> Result<String, BuildError> {
        instruction
            .value()
            .map_or(Ok(String::new()), |word| self.expand(word))
    }

    pub(super) fn fault(&self, range: dockerfile_source::TextRange, message: String) -> BuildError {
        BuildError::new(Failure::Dockerfile, message).at(self.place(range), "")
    }
}

fn strings(words: &[JsonString]) -> Vec<String> {
    words.iter().map(|word| word.value.to_string()).collect()
}
