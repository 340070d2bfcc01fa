//! The last step: the process becomes the program.

use std::ffi::CString;
use std::io;

use nix::errno::Errno;
use nix::unistd::execve;

use crate::error::Fault;
use crate::job::Job;

/// Becomes the program; returns only with the reason why that did not go.
pub(super) fn execute(job: &Job) -> Fault {
    let Some(name) = job.words.first() else {
        return Fault::of_command("there is no command to run");
    };
    let text = |text: &str| {
        CString::new(text)
            .map_err(|_| Fault::of_command("a word of the command has a zero byte in it"))
    };
    let words = match job
        .words
        .iter()
        .map(|word| text(word))
        .collect::<Result<Vec<_>, _>>()
    {
        Ok(words) => words,
        Err(fault) => return fault,
    };
    let variables = job
        .environment
        .iter()
        .map(|(name, value)| text(&format!("{name}={value}")));
    let variables = match variables.collect::<Result<Vec<_>, _>>() {
        Ok(variables) => variables,
        Err(fault) => return fault,
    };
    let mut denied = false;
    for candidate in candidates(name, &job.environment) {
        let Ok(path) = CString::new(candidate) else {
            continue;
        };
        let Err(error) = execve(&path, &words, &variables);
        match error {
            Errno::ENOENT | Errno::ENOTDIR => {}
            Errno::EACCES => denied = true,
            Errno::ENOEXEC => {
                return Fault::of_command(format!(
                    "`{name}` cannot be executed on this machine: it is made for another processor, or a script without `#!`"
                ));
            }
            other => {
                return Fault::system(format!("cannot execute `{name}`"), &io::Error::from(other));
            }
        }
    }
    if denied {
        return Fault::of_command(format!("`{name}` may not be executed: permission denied"));
    }
    if name.contains('/') {
        return Fault::of_command(missing(name));
    }
    Fault::of_command(format!("`{name}` is not in the image, or not in its PATH"))
}

fn missing(name: &str) -> String {
    // A file that is there and cannot be found: its interpreter is what is missing.
    if std::path::Path::new(name).exists() {
        return format!(
            "`{name}` is there, but the interpreter or the loader that it names is not in the image"
        );
    }
    format!("`{name}` is not in the image")
}

fn candidates(name: &str, environment: &[(String, String)]) -> Vec<String> {
    if name.contains('/') {
        return vec![name.to_owned()];
    }
    let path = environment.iter().rev().find(|(name, _)| name == "PATH");
    let folders = path.map_or("", |(_, value)| value.as_str()).split(':');
    folders
        .filter(|folder| !folder.is_empty())
        .map(|folder| format!("{folder}/{name}"))
        .collect()
}
