//! What a user may choose. Everything else is decided.

/// How a file shall look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub indent: Indent,
    /// Columns that a line may have before it is broken where it can be.
    pub line_width: u16,
    pub keyword_case: KeywordCase,
    pub line_ending: LineEnding,
    pub blank_lines: BlankLines,
    pub run: RunStyle,
    pub heredocs: HeredocStyle,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            indent: Indent::Spaces(4),
            line_width: 100,
            keyword_case: KeywordCase::Upper,
            line_ending: LineEnding::Auto,
            blank_lines: BlankLines::Preserve,
            run: RunStyle::Pretty,
            heredocs: HeredocStyle::Keep,
        }
    }
}

impl Options {
    /// Returns whether here-documents that are scripts get a layout.
    pub(crate) fn lays_out_heredocs(&self) -> bool {
        self.heredocs == HeredocStyle::Pretty && self.run == RunStyle::Pretty
    }
}

/// What one step of indentation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indent {
    Spaces(u8),
    Tab,
}

/// How instructions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeywordCase {
    Upper,
    Lower,
    Preserve,
}

/// How lines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnding {
    /// As most lines of the file do.
    Auto,
    Lf,
    CrLf,
}

/// Blank lines between instructions. Stages always stand apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlankLines {
    /// Those of the author, one at most.
    Preserve,
    /// One between instructions of different kinds.
    Always,
    /// None within a stage.
    Never,
}

/// What may happen to commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStyle {
    /// One step a line. The builder hashes the text of RUN with its blanks, so a changed layout builds the layer anew.
    Pretty,
    /// The command text stays as it is, byte for byte, and with it the build cache.
    Keep,
}

/// What may happen to here-documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeredocStyle {
    /// They stay as they are.
    Keep,
    /// Scripts for sh and bash are indented by their structure.
    Pretty,
}
