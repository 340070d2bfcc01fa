//! What a formatter did to a file.

use dockerfile_model::means_the_same;
use dockerfile_syntax::ast::{Arguments, AstNode as _, File};
use dockerfile_syntax::{Parse, SyntaxErrorKind, parse};

/// How many files suffered what.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) refused: usize,
    pub(super) broken: usize,
    pub(super) refuses_own: usize,
    pub(super) unstable: usize,
    pub(super) changed: usize,
    pub(super) run_text: usize,
}

impl Tally {
    /// Counts one file, with what came out of it and what came out of that.
    pub(super) fn add(&mut self, before: &str, first: Option<&str>, second: Option<&str>) {
        let Some(first) = first else {
            self.refused += 1;
            return;
        };
        match second {
            None => self.refuses_own += 1,
            Some(second) => self.unstable += usize::from(first != second),
        }
        if before == first {
            return;
        }
        let (old, new) = (parse(before), parse(first));
        if !has_no_fatal_error(&new) {
            self.broken += 1;
        } else if !means_the_same(&old, &new) {
            self.changed += 1;
        }
        self.run_text += usize::from(commands(&old) != commands(&new));
    }
}

/// Returns whether the builder accepts a file.
pub(super) fn is_accepted(text: &str) -> bool {
    let parse = parse(text);
    has_no_fatal_error(&parse)
        && File::cast(parse.root()).is_some_and(|file| file.instructions().next().is_some())
}

fn has_no_fatal_error(parse: &Parse) -> bool {
    // What is wrong within a command is the shell's business.
    let is_fatal = |kind| !matches!(kind, SyntaxErrorKind::Deprecated | SyntaxErrorKind::Shell);
    !parse.errors().iter().any(|error| is_fatal(error.kind))
}

/// Returns the texts of the commands, as the builder joins them.
fn commands(parse: &Parse) -> Vec<String> {
    let Some(file) = File::cast(parse.root()) else {
        return Vec::new();
    };
    file.instructions()
        .filter_map(|instruction| match instruction.arguments() {
            Arguments::Script(script) => Some(script.logical_text().trim().to_owned()),
            Arguments::Opaque { text, .. } => Some(text.trim().to_owned()),
            _ => None,
        })
        .collect()
}
