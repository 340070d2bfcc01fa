//! The keys of `dflint.toml`.

use dockerfile_format::{
    BlankLines, HeredocStyle, Indent, KeywordCase, LineEnding, Options, RunStyle,
};
use serde::Deserialize;

/// A whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) format: Format,
}

/// `[format]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Format {
    indent_style: Option<IndentStyle>,
    indent_width: Option<Width<16>>,
    line_width: Option<Width<1000>>,
    keyword_case: Option<Case>,
    line_ending: Option<Ending>,
    blank_lines: Option<Blank>,
    run: Option<Run>,
    heredocs: Option<Heredocs>,
}

/// A number of columns from 1 to `MOST`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
struct Width<const MOST: u16>(u16);

impl<const MOST: u16> TryFrom<i64> for Width<MOST> {
    type Error = String;

    fn try_from(value: i64) -> Result<Self, String> {
        match u16::try_from(value) {
            Ok(width) if (1..=MOST).contains(&width) => Ok(Width(width)),
            _ => Err(format!(
                "{value} is not a number of columns from 1 to {MOST}"
            )),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum IndentStyle {
    Space,
    Tab,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Case {
    Upper,
    Lower,
    Preserve,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ending {
    Auto,
    Lf,
    Crlf,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Blank {
    Preserve,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Run {
    Pretty,
    Keep,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Heredocs {
    Keep,
    Pretty,
}

impl Format {
    /// Writes what is set over what was.
    pub(crate) fn apply(&self, options: &mut Options) {
        if self.indent_style.is_some() || self.indent_width.is_some() {
            options.indent = self.indent(options.indent);
        }
        if let Some(Width(width)) = self.line_width {
            options.line_width = width;
        }
        if let Some(case) = self.keyword_case {
            options.keyword_case = match case {
                Case::Upper => KeywordCase::Upper,
                Case::Lower => KeywordCase::Lower,
                Case::Preserve => KeywordCase::Preserve,
            };
        }
        if let Some(ending) = self.line_ending {
            options.line_ending = match ending {
                Ending::Auto => LineEnding::Auto,
                Ending::Lf => LineEnding::Lf,
                Ending::Crlf => LineEnding::CrLf,
            };
        }
        if let Some(blank) = self.blank_lines {
            options.blank_lines = match blank {
                Blank::Preserve => BlankLines::Preserve,
                Blank::Always => BlankLines::Always,
                Blank::Never => BlankLines::Never,
            };
        }
        if let Some(run) = self.run {
            options.run = match run {
                Run::Pretty => RunStyle::Pretty,
                Run::Keep => RunStyle::Keep,
            };
        }
        if let Some(heredocs) = self.heredocs {
            options.heredocs = match heredocs {
                Heredocs::Keep => HeredocStyle::Keep,
                Heredocs::Pretty => HeredocStyle::Pretty,
            };
        }
    }

    fn indent(&self, old: Indent) -> Indent {
        let is_tab = match self.indent_style {
            Some(style) => style == IndentStyle::Tab,
            None => old == Indent::Tab && self.indent_width.is_none(),
        };
        if is_tab {
            return Indent::Tab;
        }
        match (self.indent_width, old) {
            (Some(Width(width)), _) => Indent::Spaces(width as u8),
            (None, Indent::Spaces(width)) => Indent::Spaces(width),
            (None, Indent::Tab) => Indent::Spaces(4),
        }
    }
}
