//! One line of a terminal: pieces with a colour, cut to the width.

/// How a piece looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Dim,
    Blue,
    Yellow,
    Red,
}

impl Style {
    fn start(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Dim => "\x1b[2m",
            Style::Blue => "\x1b[34m",
            Style::Yellow => "\x1b[33m",
            Style::Red => "\x1b[31m",
        }
    }
}

/// A line without control characters: whoever makes it has taken them out.
#[derive(Clone, Debug, Default)]
pub(crate) struct StyledLine {
    pieces: Vec<(Style, String)>,
    /// What stands at the right end.
    end: Option<(Style, String)>,
}

impl StyledLine {
    pub(crate) fn new(style: Style, text: &str) -> StyledLine {
        let mut line = StyledLine::default();
        line.push(style, text);
        line
    }

    pub(crate) fn push(&mut self, style: Style, text: &str) {
        self.pieces.push((style, text.to_owned()));
    }

    pub(crate) fn end_with(&mut self, style: Style, text: &str) {
        self.end = Some((style, text.to_owned()));
    }

    /// Returns the line in at most so many columns, without its end.
    pub(crate) fn render(&self, columns: usize, color: bool) -> String {
        let end_width = self.end.as_ref().map_or(0, |(_, text)| width(text));
        let gap = if end_width > 0 { 2 } else { 0 };
        let room = columns.saturating_sub(end_width + gap);
        let total: usize = self.pieces.iter().map(|(_, text)| width(text)).sum();
        let is_cut = total > room;
        let limit = room.saturating_sub(usize::from(is_cut));
        let mut out = String::with_capacity(columns + 16);
        let mut used = 0;
        for (style, text) in &self.pieces {
            let start = if color { style.start() } else { "" };
            out.push_str(start);
            for character in text.chars() {
                if used + column_count(character) > limit {
                    break;
                }
                out.push(character);
                used += column_count(character);
            }
            if !start.is_empty() {
                out.push_str("\x1b[0m");
            }
        }
        if is_cut && room > 0 {
            out.push('…');
            used += 1;
        }
        let Some((style, text)) = &self.end else {
            return out;
        };
        if columns <= end_width + gap {
            return out;
        }
        out.extend(std::iter::repeat_n(
            ' ',
            columns.saturating_sub(used + end_width),
        ));
        let start = if color { style.start() } else { "" };
        out.push_str(start);
        out.push_str(text);
        if !start.is_empty() {
            out.push_str("\x1b[0m");
        }
        out
    }
}

/// Returns how many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(column_count).sum()
}

/// Returns how many columns a character takes, for the scripts that matter (UAX 11, UAX 44).
fn column_count(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> StyledLine {
        let mut line = StyledLine::new(Style::Blue, " => RUN make 漢字 all");
        line.end_with(Style::Plain, "1.5s");
        line
    }

    #[test]
    fn the_end_stands_at_the_right() {
        assert_eq!(line().render(30, false), " => RUN make 漢字 all     1.5s");
    }

    #[test]
    fn a_long_line_is_cut_and_the_end_stays() {
        assert_eq!(line().render(20, false), " => RUN make …  1.5s");
        assert_eq!(line().render(22, false), " => RUN make 漢…  1.5s");
    }

    #[test]
    fn no_width_is_too_small() {
        for columns in 0..40 {
            assert!(
                width(&line().render(columns, false)) <= columns,
                "{columns}"
            );
        }
    }

    #[test]
    fn colours_end_where_they_should() {
        assert_eq!(
            line().render(22, true),
            "\x1b[34m => RUN make 漢\x1b[0m…  1.5s"
        );
    }
}
