//! `dfbuild run`.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, bail};
use dockerfile_build::{
    BuildError, Connection, ContainerRequest, Failure, Stream, Volume, run_container,
    user_namespace,
};
use dockerfile_report::visible;
use oci_image::config::RunConfig;

use super::build::{access, hosts, passed};
use crate::arguments::RunArguments;
use crate::interrupt;
use crate::outcome::Outcome;
use crate::paths;
use crate::stored_image::{find, open_store};
use crate::terminal::{Terminal, copy};

/// What `docker run` ends with when it is at fault itself.
const OWN_FAULT: u8 = 125;
/// What a shell says of a program whose reader is gone.
const BROKEN_PIPE: u8 = 141;

pub(crate) fn run(arguments: &RunArguments) -> Result<Outcome> {
    if arguments.interactive && arguments.tty && !io::stdin().is_terminal() {
        bail!("`-it` needs a terminal, and standard input is none; `-i` alone takes a pipe");
    }
    let store = paths::store(&arguments.store);
    let (image, words) = arguments.words.split_first().context("no image")?;
    if image.starts_with('-') && image.len() > 1 {
        bail!("`{image}` is no option of `dfbuild run`, and no image can be called so");
    }
    let found = find(&open_store(&store)?, image)?;
    let words = command(arguments, &found.image.config.config, words)?;
    let request = ContainerRequest {
        store,
        image: found.image,
        words,
        environment: variables(&arguments.environment)?,
        user: arguments.user.clone(),
        folder: arguments.workdir.clone(),
        volumes: volumes(&arguments.volumes)?,
        network: access(arguments.network),
        extra_hosts: hosts(&arguments.add_host)?,
        limits: arguments.limits.limits(),
        copies_layers: arguments.without_overlay,
    };
    if !user_namespace::is_privileged() {
        return Ok(passed(user_namespace::reexec_as_root()?));
    }
    interrupt::listen()?;
    let (result, is_unread) = if arguments.tty {
        (with_terminal(&request, arguments.interactive)?, false)
    } else {
        with_pipes(&request, arguments.interactive)?
    };
    match result {
        Ok(code) => Ok(Outcome::Passed(u8::try_from(code).unwrap_or(u8::MAX))),
        Err(error) if error.failure == Failure::Cancelled => Ok(if is_unread {
            Outcome::Passed(BROKEN_PIPE)
        } else {
            Outcome::Cancelled
        }),
        Err(error) => told(&error),
    }
}

/// Runs it with a terminal of its own.
fn with_terminal(request: &ContainerRequest, has_input: bool) -> Result<Result<i32, BuildError>> {
    let (mut terminal, inner) = Terminal::open().context("cannot make a terminal")?;
    terminal
        .relay(has_input)
        .context("cannot use the terminal")?;
    let result = run_container(
        request,
        Connection::Terminal(inner),
        &mut |_, _| {},
        &|| {
            terminal.follow_size();
            interrupt::is_interrupted()
        },
    );
    terminal.finish();
    Ok(result)
}

/// Runs it between pipes; says whether nobody reads its output any more.
///
/// A pipe even for a file: the command could open the file itself by `/proc/self/fd/0`, and for writing.
fn with_pipes(
    request: &ContainerRequest,
    has_input: bool,
) -> Result<(Result<i32, BuildError>, bool)> {
    let connection = if has_input {
        let (read, mut write) = io::pipe().context("cannot make a pipe")?;
        // It may wait for ever when the command has ended, and goes with this process.
        thread::spawn(move || copy(&mut io::stdin(), &mut write));
        Connection::Input(read.into())
    } else {
        Connection::Output
    };
    let is_unread = AtomicBool::new(false);
    let mut output = |stream: Stream, bytes: &[u8]| {
        let written = match stream {
            Stream::Output => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Stream::Error => io::stderr().write_all(bytes),
        };
        if written.is_err() {
            is_unread.store(true, Ordering::Relaxed);
        }
    };
    let result = run_container(request, connection, &mut output, &|| {
        is_unread.load(Ordering::Relaxed) || interrupt::is_interrupted()
    });
    let is_unread = is_unread.load(Ordering::Relaxed);
    Ok((result, is_unread))
}

fn told(error: &BuildError) -> Result<Outcome> {
    let mut out = io::stderr().lock();
    writeln!(out, "error: {}", visible(&error.message))?;
    if let Some(help) = &error.help {
        writeln!(out, "  = help: {}", visible(help))?;
    }
    let code = match error.failure {
        Failure::Command { code } => u8::try_from(code).unwrap_or(OWN_FAULT),
        _ => OWN_FAULT,
    };
    Ok(Outcome::Passed(code))
}

/// Returns what runs: the words of the user take the place of CMD, and with `--entrypoint` nothing of the image is left.
fn command(arguments: &RunArguments, config: &RunConfig, words: &[String]) -> Result<Vec<String>> {
    let (first, default) = match arguments.entrypoint.as_deref() {
        None => (config.entrypoint.clone(), config.cmd.clone()),
        Some("") => (Vec::new(), Vec::new()),
        Some(program) => (vec![program.to_owned()], Vec::new()),
    };
    let rest = if words.is_empty() {
        default
    } else {
        words.to_vec()
    };
    let all = [first, rest].concat();
    if all.is_empty() {
        bail!("the image has neither CMD nor ENTRYPOINT: say what to run");
    }
    Ok(all)
}

fn variables(texts: &[String]) -> Result<Vec<(String, String)>> {
    let mut variables = Vec::new();
    for text in texts {
        match text.split_once('=') {
            Some(("", _)) => bail!("`{text}` is not of the form --env NAME[=VALUE]"),
            Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
            // As Docker: a variable that is not set is not handed on.
            None => variables.extend(env::var(text).ok().map(|value| (text.clone(), value))),
        }
    }
    Ok(variables)
}

fn volumes(texts: &[String]) -> Result<Vec<Volume>> {
    let volume = |text: &String| {
        let mut parts = text.splitn(3, ':');
        let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
            bail!("`{text}` is not of the form --volume PATH:TARGET[:ro]");
        };
        let is_read_only = match parts.next() {
            None | Some("rw") => false,
            Some("ro") => true,
            Some(other) => bail!("`{other}` is no option of a volume; there are ro and rw"),
        };
        if source.is_empty() || !target.starts_with('/') {
            bail!("`{text}`: a path of this machine and an absolute path in the image are needed");
        }
        let source =
            std::path::absolute(source).with_context(|| format!("cannot find `{source}`"))?;
        if !source.exists() {
            bail!("`{}` of --volume does not exist", source.display());
        }
        Ok(Volume {
            source,
            target: PathBuf::from(target),
            is_read_only,
        })
    };
    texts.iter().map(volume).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn parsed(line: &str) -> RunArguments {
        let words = ["dfbuild", "run"].into_iter().chain(line.split(' '));
        match Arguments::parse_from(words).command {
            Command::Run(arguments) => *arguments,
            other => panic!("{other:?}"),
        }
    }

    fn words(line: &str) -> Vec<String> {
        let arguments = parsed(line);
        let config = RunConfig {
            entrypoint: vec!["entry".to_owned()],
            cmd: vec!["cmd".to_owned()],
            ..RunConfig::default()
        };
        command(&arguments, &config, arguments.words.get(1..).unwrap()).unwrap_or_default()
    }

    #[test]
    fn options_behind_the_image_are_the_commands() {
        let arguments = parsed("--rm -it -e A=1 app --rm -x");
        assert!(arguments.rm && arguments.tty && arguments.interactive);
        assert_eq!(arguments.words, ["app", "--rm", "-x"]);
    }

    #[test]
    fn words_replace_cmd_and_entrypoint_replaces_both() {
        assert_eq!(words("app"), ["entry", "cmd"]);
        assert_eq!(words("app a b"), ["entry", "a", "b"]);
        assert_eq!(words("--entrypoint sh app"), ["sh"]);
        assert_eq!(words("--entrypoint sh app -c x"), ["sh", "-c", "x"]);
    }

    #[test]
    fn volumes_are_read() {
        let read = |text: &str| volumes(&[text.to_owned()]);
        let volume = &read("/tmp:/x:ro").expect("a volume")[0];
        assert!(volume.is_read_only && volume.target == *"/x");
        for text in ["/tmp", "/tmp:x", ":/x", "/tmp:/x:bad", "/no/such/path:/x"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
