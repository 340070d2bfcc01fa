//! Text to tree: one function per production.

pub(crate) mod shell;

use crate::SyntaxError;
use crate::SyntaxKind::FILE;
use crate::emitter::Emitter;

pub(crate) struct Output<'s> {
    pub(crate) emitter: Emitter<'s>,
    pub(crate) errors: Vec<SyntaxError>,
    pub(crate) escape: char,
}

pub(crate) fn parse_file<'s>(mut emitter: Emitter<'s>, source: &'s str) -> Output<'s> {
    emitter.start_node(FILE);
    emitter.trivia_until(source.len());
    emitter.finish_node();
    Output {
        emitter,
        errors: Vec::new(),
        escape: '\\',
    }
}
