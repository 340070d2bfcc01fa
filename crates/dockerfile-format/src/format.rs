//! From a tree to edits: laid out, parsed again, proven.

use std::ops::Range;

use dockerfile_source::{TextEdit, TextRange};
use dockerfile_syntax::ast::{AstNode as _, File};
use dockerfile_syntax::{Parse, Parser};

use crate::file::{Piece, pieces};
use crate::line_ending::line_ending;
use crate::{Options, RunStyle, proof};

/// Each round costs a parse.
const MOST_ROUNDS: usize = 20;
const MOST_HALVES: usize = 100;

/// What formatting makes of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formatted {
    /// What changes: an edit for each instruction and for what stands between two of them.
    pub edit: TextEdit,
    /// The instructions that keep their text although the layout asks for another.
    pub kept: Vec<Kept>,
}

/// An instruction that was left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub range: TextRange,
    pub reason: KeptReason,
}

/// Why an instruction was left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptReason {
    /// It holds a syntax error.
    NotUnderstood,
    /// In its new layout it would read differently.
    Unproven,
}

impl KeptReason {
    /// Returns the reason as a clause.
    pub fn as_str(self) -> &'static str {
        match self {
            KeptReason::NotUnderstood => "it has a syntax error",
            KeptReason::Unproven => "another layout could not be proven to build the same",
        }
    }
}

/// Formats files one after another.
#[derive(Default)]
pub struct Formatter {
    parser: Parser,
}

impl Formatter {
    pub fn new() -> Formatter {
        Formatter::default()
    }

    /// Formats a text, or what lies within a range of it.
    pub fn format(&mut self, text: &str, options: &Options, range: Option<TextRange>) -> Formatted {
        let parse = self.parser.parse(text);
        let is_wanted = |piece: TextRange| range.is_none_or(|range| touches(piece, range));
        format_text(text, &parse, options, &mut self.parser, is_wanted)
    }
}

/// Formats a file.
pub fn format(parse: &Parse, options: &Options) -> Formatted {
    let text = parse.root().text();
    format_text(text, parse, options, &mut Parser::new(), |_| true)
}

/// Formats what lies within a range: the instructions that it touches, and the lines between them.
pub fn format_range(parse: &Parse, options: &Options, range: TextRange) -> Formatted {
    let text = parse.root().text();
    let is_wanted = |piece: TextRange| touches(piece, range);
    format_text(text, parse, options, &mut Parser::new(), is_wanted)
}

fn touches(piece: TextRange, range: TextRange) -> bool {
    piece.start() <= range.end() && range.start() <= piece.end()
}

/// Formats a text whose tree is known, with a parser to prove the result.
fn format_text(
    text: &str,
    parse: &Parse,
    options: &Options,
    parser: &mut Parser,
    is_wanted: impl Fn(TextRange) -> bool,
) -> Formatted {
    let ending = line_ending(text, options.line_ending);
    let allowed = proof::Allowed {
        exact_commands: options.run == RunStyle::Keep,
        laid_out_heredocs: options.lays_out_heredocs(),
    };
    let mut prove = |pieces: &[Piece]| {
        let new_text = apply(pieces, text)?;
        (new_text != text).then(|| proof::differences(parse, &parser.parse(&new_text), allowed))
    };
    let mut unproven: Vec<usize> = Vec::new();
    // Each round leaves more instructions alone.
    for _ in 0..MOST_ROUNDS {
        let keeps = |idx: usize| unproven.binary_search(&idx).is_ok();
        let mut pieces = pieces(parse, text, options, ending, &keeps);
        pieces.retain(|piece| is_wanted(piece.range));
        let before = unproven.len();
        match prove(&pieces) {
            None | Some(proof::Outcome::Same) => return formatted(pieces, text),
            Some(proof::Outcome::Instructions(found)) => unproven.extend(found),
            // A here-document that is read to another end shifts all that follows.
            Some(proof::Outcome::File) if before == 0 => unproven = with_heredocs(parse),
            Some(proof::Outcome::File) => {}
        }
        unproven.sort_unstable();
        unproven.dedup();
        if unproven.len() == before {
            return halved(pieces, text, prove);
        }
    }
    let keeps = |idx: usize| unproven.binary_search(&idx).is_ok();
    let mut pieces = pieces(parse, text, options, ending, &keeps);
    pieces.retain(|piece| is_wanted(piece.range));
    halved(pieces, text, prove)
}

/// Finds out by halves which pieces can be changed, when the comparison cannot say whose fault the difference is.
fn halved(
    mut pieces: Vec<Piece>,
    text: &str,
    mut prove: impl FnMut(&[Piece]) -> Option<proof::Outcome>,
) -> Formatted {
    let originals: Vec<String> = pieces
        .iter()
        .map(|piece| text.get(crate::file::span(piece.range)).unwrap_or_default())
        .map(str::to_owned)
        .collect();
    // What is not in its piece waits here: the new text of what is not proven, the old text of what is.
    let mut others = originals;
    let swap = |pieces: &mut [Piece], others: &mut [String], range: Range<usize>| {
        for idx in range {
            if let (Some(piece), Some(other)) = (pieces.get_mut(idx), others.get_mut(idx)) {
                std::mem::swap(&mut piece.text, other);
            }
        }
    };
    let all = 0..pieces.len();
    swap(&mut pieces, &mut others, all.clone());
    let mut waiting = vec![all];
    let mut rounds = 0;
    while let Some(range) = waiting.pop() {
        rounds += 1;
        swap(&mut pieces, &mut others, range.clone());
        let is_proven =
            rounds <= MOST_HALVES && matches!(prove(&pieces), None | Some(proof::Outcome::Same));
        if is_proven {
            continue;
        }
        swap(&mut pieces, &mut others, range.clone());
        if range.len() > 1 && rounds <= MOST_HALVES {
            let middle = range.start + range.len() / 2;
            waiting.push(middle..range.end);
            waiting.push(range.start..middle);
        } else {
            for piece in pieces.get_mut(range).into_iter().flatten() {
                piece.kept = piece.kept.or(Some(KeptReason::Unproven));
            }
        }
    }
    for piece in &mut pieces {
        piece.kept = piece.kept.filter(|_| piece.instruction.is_some());
    }
    formatted(pieces, text)
}

/// Returns the instructions that hold `<<`, by index.
fn with_heredocs(parse: &Parse) -> Vec<usize> {
    let Some(file) = File::cast(parse.root()) else {
        return Vec::new();
    };
    file.instructions()
        .enumerate()
        .filter(|(_, instruction)| instruction.syntax().text().contains("<<"))
        .map(|(idx, _)| idx)
        .collect()
}

fn apply(pieces: &[Piece], text: &str) -> Option<String> {
    let mut new_text = String::with_capacity(text.len() + text.len() / 8);
    let mut end = 0;
    for piece in pieces {
        let span = crate::file::span(piece.range);
        new_text.push_str(text.get(end..span.start)?);
        new_text.push_str(&piece.text);
        end = span.end;
    }
    new_text.push_str(text.get(end..)?);
    Some(new_text)
}

fn formatted(pieces: Vec<Piece>, text: &str) -> Formatted {
    let kept = kept(&pieces);
    let mut builder = TextEdit::builder();
    for piece in pieces {
        let old = text.get(crate::file::span(piece.range)).unwrap_or_default();
        if old != piece.text {
            let (range, insert) = narrowed(old, &piece.text, piece.range);
            builder.replace(range, insert);
        }
    }
    Formatted {
        edit: builder.finish().unwrap_or_default(),
        kept,
    }
}

/// Cuts off what an edit would replace by itself, at both ends.
fn narrowed(old: &str, new: &str, range: TextRange) -> (TextRange, String) {
    let count =
        |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
    let mut start = count(&mut old.bytes().zip(new.bytes()));
    while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
        start -= 1;
    }
    let (old, new) = (
        old.get(start..).unwrap_or(""),
        new.get(start..).unwrap_or(""),
    );
    let mut end = count(&mut old.bytes().rev().zip(new.bytes().rev()));
    while !old.is_char_boundary(old.len() - end) || !new.is_char_boundary(new.len() - end) {
        end -= 1;
    }
    let insert = new.get(..new.len() - end).unwrap_or("").to_owned();
    let range = TextRange::new(
        range.start() + dockerfile_source::TextSize::new(start as u32),
        range.end() - dockerfile_source::TextSize::new(end as u32),
    );
    (range, insert)
}

fn kept(pieces: &[Piece]) -> Vec<Kept> {
    pieces
        .iter()
        .filter_map(|piece| {
            Some(Kept {
                range: piece.range,
                reason: piece.kept?,
            })
        })
        .collect()
}
