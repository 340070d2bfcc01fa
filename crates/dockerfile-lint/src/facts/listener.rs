//! Which port and address a well-known server listens on, as its command line says.

use dockerfile_source::TextRange;

use super::command_line::{Argument, CommandLine, unwrapped};
use super::server_table::{JAVA, SERVERS, Server};

/// A server on a command line.
pub(crate) struct Listener<'m> {
    pub(crate) server: &'static Server,
    /// The word that makes it a server: the program, or its subcommand.
    pub(crate) anchor: Argument<'m>,
    /// As a person would call it: `flask run`.
    pub(crate) name: String,
    pub(crate) port: Setting<u16>,
    pub(crate) host: Setting<&'m str>,
}

/// What a command line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting<T> {
    /// Nothing.
    Default,
    /// This, there. The range is the exact part or the word around it.
    Given(T, TextRange),
    /// Something that cannot be known from the file.
    Unknown,
}

/// Returns the server that a command line starts, if it is a well-known one.
pub(crate) fn listener<'m>(line: &CommandLine<'m>) -> Option<Listener<'m>> {
    let words = unwrapped(&line.words);
    let (program, arguments) = words.split_first()?;
    let name = program.file_name()?;
    if name == "java" {
        return Some(read(&JAVA, *program, "java".to_owned(), arguments));
    }
    // django-admin takes what manage.py takes; `python -m http.server` is a module.
    let name = if name == "django-admin" {
        "manage.py"
    } else {
        name
    };
    SERVERS
        .iter()
        .filter(|server| server.program == name)
        .find_map(|server| {
            if server.subcommands.is_empty() {
                return Some(read(server, *program, name.to_owned(), arguments));
            }
            let at = arguments.iter().position(|word| {
                word.value
                    .is_some_and(|value| server.subcommands.contains(&value))
            })?;
            let anchor = *arguments.get(at)?;
            let name = format!("{name} {}", anchor.text);
            Some(read(server, anchor, name, arguments.get(at + 1..)?))
        })
}

fn read<'m>(
    server: &'static Server,
    anchor: Argument<'m>,
    name: String,
    arguments: &[Argument<'m>],
) -> Listener<'m> {
    let mut listener = Listener {
        server,
        anchor,
        name,
        port: Setting::Default,
        host: Setting::Default,
    };
    let mut rest = arguments;
    while let Some((word, behind)) = rest.split_first() {
        rest = behind;
        if !word.is_option() {
            listener.operand(word);
            continue;
        }
        let Some((option, value)) = split_option(server, word, behind.first()) else {
            continue;
        };
        if matches!(value, Value::Next(_)) {
            rest = behind.get(1..).unwrap_or(&[]);
        }
        listener.option(option, value);
    }
    listener
}

/// The value of an option: a part of its word, or the next word.
#[derive(Clone, Copy)]
enum Value<'w, 'm> {
    Part(&'w Argument<'m>, usize),
    Next(Option<&'w Argument<'m>>),
}

impl<'m> Value<'_, 'm> {
    fn text(self) -> Option<&'m str> {
        match self {
            Value::Part(word, at) => word.value?.get(at..),
            Value::Next(word) => word?.value,
        }
    }

    /// Returns where a part of the value stands, or the word around it.
    fn range(self, part: std::ops::Range<usize>) -> Option<TextRange> {
        match self {
            Value::Part(word, at) => Some(
                word.part(at + part.start..at + part.end)
                    .unwrap_or(word.range),
            ),
            Value::Next(word) => word.map(|word| word.part(part).unwrap_or(word.range)),
        }
    }
}

/// Returns the option of a server that a word gives, and its value.
fn split_option<'w, 'm>(
    server: &'static Server,
    word: &'w Argument<'m>,
    next: Option<&'w Argument<'m>>,
) -> Option<(&'static str, Value<'w, 'm>)> {
    let known = [
        server.port_options,
        server.host_options,
        server.bind_options,
        server.other_options,
    ];
    known
        .into_iter()
        .flatten()
        .copied()
        .filter_map(|option| {
            let behind = word.text.strip_prefix(option)?;
            let is_letter = option.len() == 2;
            if behind.is_empty() {
                Some((option, Value::Next(next)))
            } else if behind.starts_with('=') {
                Some((option, Value::Part(word, option.len() + 1)))
            } else if is_letter {
                Some((option, Value::Part(word, option.len())))
            } else {
                None
            }
        })
        .max_by_key(|(option, _)| option.len())
}

impl<'m> Listener<'m> {
    fn option(&mut self, option: &str, value: Value<'_, 'm>) {
        let server = self.server;
        if server.other_options.contains(&option) {
            self.host = Setting::Unknown;
            self.port = Setting::Unknown;
        } else if server.bind_options.contains(&option) {
            self.bind(value);
        } else if server.host_options.contains(&option) {
            self.host = setting(
                value.text(),
                value.range(0..value.text().map_or(0, str::len)),
            );
        } else if server.port_options.contains(&option) {
            let text = value.text();
            // `serve` takes `tcp://0.0.0.0:80` and more; a number is enough here.
            self.port = setting(
                text.and_then(|text| text.parse().ok()),
                value.range(0..text.map_or(0, str::len)),
            );
        }
    }

    /// Reads `host:port`, `:port` or `host`.
    fn bind(&mut self, value: Value<'_, 'm>) {
        let Some(text) = value.text() else {
            self.host = Setting::Unknown;
            self.port = Setting::Unknown;
            return;
        };
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        if text.contains('/') || host.contains("unix") || text.starts_with("fd:") {
            self.host = Setting::Unknown;
            self.port = Setting::Unknown;
            return;
        }
        // Several addresses are one too many to judge.
        self.host = match self.host {
            Setting::Default => setting(Some(host), value.range(0..host.len())),
            _ => Setting::Unknown,
        };
        self.port = match self.port {
            Setting::Default if port.is_empty() => Setting::Default,
            Setting::Default => setting(
                port.parse().ok(),
                value.range(text.len() - port.len()..text.len()),
            ),
            _ => Setting::Unknown,
        };
    }

    fn operand(&mut self, word: &Argument<'m>) {
        let Some(value) = word.value else {
            // It may hold any option.
            if word.text.starts_with(['$', '"']) {
                self.host = Setting::Unknown;
                self.port = match self.port {
                    Setting::Default => Setting::Unknown,
                    given => given,
                };
            }
            return;
        };
        if !self.server.takes_operand {
            return;
        }
        if let Ok(port) = value.parse() {
            self.port = setting(
                Some(port),
                Some(word.part(0..value.len()).unwrap_or(word.range)),
            );
        } else if value.contains(':') {
            self.bind(Value::Part(word, 0));
        }
    }
}

fn setting<T>(value: Option<T>, range: Option<TextRange>) -> Setting<T> {
    match (value, range) {
        (Some(value), Some(range)) => Setting::Given(value, range),
        _ => Setting::Unknown,
    }
}

/// Returns whether only the container itself reaches an address.
pub(crate) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "::1" | "[::1]") || host.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use dockerfile_model::{Model, ModelInput};

    use super::*;
    use crate::facts::command_line::command_line;

    fn listens(text: &str) -> Option<(Option<u16>, Option<String>)> {
        let text = format!("FROM a\nCMD {text}\n");
        let parse = dockerfile_syntax::parse(&text);
        let model = Model::new(&parse, &ModelInput::default());
        let line = command_line(&model, model.final_stage()?.id)?;
        let found = listener(&line)?;
        let port = match found.port {
            Setting::Given(port, _) => Some(port),
            Setting::Default => Some(found.server.default_port),
            Setting::Unknown => None,
        };
        let host = match found.host {
            Setting::Given(host, _) => Some(host.to_owned()),
            Setting::Default => Some("default".to_owned()),
            Setting::Unknown => None,
        };
        Some((port, host))
    }

    fn both(port: u16, host: &str) -> (Option<u16>, Option<String>) {
        (Some(port), Some(host.to_owned()))
    }

    #[test]
    fn reads_options_in_all_their_forms() {
        let uvicorn = "[\"uvicorn\", \"a:b\", \"--host\", \"0.0.0.0\", \"--port=8080\"]";
        assert_eq!(listens(uvicorn), Some(both(8080, "0.0.0.0")));
        assert_eq!(
            listens("[\"gunicorn\", \"-b0.0.0.0:80\", \"a:b\"]"),
            Some(both(80, "0.0.0.0"))
        );
        assert_eq!(
            listens("[\"gunicorn\", \"--bind\", \":80\"]"),
            Some(both(80, ""))
        );
        assert_eq!(listens("[\"flask\", \"run\"]"), Some(both(5000, "default")));
        assert_eq!(
            listens("[\"flask\", \"--app\", \"x\", \"run\", \"-p\", \"80\"]"),
            Some(both(80, "default"))
        );
        assert_eq!(
            listens("[\"java\", \"-Dserver.port=9000\", \"-jar\", \"x\"]"),
            Some(both(9000, "default"))
        );
        assert_eq!(
            listens("[\"python\", \"-m\", \"http.server\", \"80\"]"),
            Some(both(80, "default"))
        );
        assert_eq!(
            listens("[\"python\", \"manage.py\", \"runserver\", \"0.0.0.0:80\"]"),
            Some(both(80, "0.0.0.0"))
        );
    }

    #[test]
    fn what_a_variable_or_a_file_says_is_unknown() {
        assert_eq!(
            listens("uvicorn a:b --port $PORT"),
            Some((None, Some("default".to_owned())))
        );
        assert_eq!(listens("uvicorn a:b $OPTIONS"), Some((None, None)));
        assert_eq!(
            listens("[\"gunicorn\", \"-c\", \"x.py\"]"),
            Some((None, None))
        );
        assert_eq!(
            listens("[\"gunicorn\", \"-b\", \"unix:/x\"]"),
            Some((None, None))
        );
    }

    #[test]
    fn other_programs_are_no_servers() {
        assert_eq!(
            listens("[\"python\", \"app.py\", \"--port\", \"80\"]"),
            None
        );
        assert_eq!(listens("[\"flask\", \"db\", \"upgrade\"]"), None);
    }
}
