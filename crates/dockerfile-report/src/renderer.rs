//! Findings of one file to bytes.

use std::io::{self, Write};

use codespan_reporting::term::{Chars, Config};
use dockerfile_source::{Diagnostic, SourceFile};

use crate::position::Positions;
use crate::{OutputFormat, concise, full, json};

/// Renders the findings of one file after the other; each thread has its own.
pub struct Renderer {
    format: OutputFormat,
    color: bool,
    config: Config,
}

impl Renderer {
    /// Returns a renderer; `color` matters to [`OutputFormat::Full`] only.
    pub fn new(format: OutputFormat, color: bool) -> Renderer {
        Renderer {
            format,
            color,
            config: Config {
                chars: Chars::box_drawing(),
                ..Config::default()
            },
        }
    }

    /// Writes the findings of a file, best sorted by position; a [`ReportWriter`](crate::ReportWriter) joins the results.
    pub fn render(
        &self,
        source: &SourceFile,
        diagnostics: &[Diagnostic],
        out: &mut impl Write,
    ) -> io::Result<()> {
        let mut positions = Positions::new(source);
        for (at, diagnostic) in diagnostics.iter().enumerate() {
            match self.format {
                OutputFormat::Full => full::write_finding(
                    &self.config,
                    self.color,
                    source,
                    &mut positions,
                    diagnostic,
                    out,
                )?,
                OutputFormat::Concise => {
                    concise::write_finding(source, &mut positions, diagnostic, out)?;
                }
                OutputFormat::Json => {
                    if at > 0 {
                        out.write_all(b",\n")?;
                    }
                    json::write_finding(source, &mut positions, diagnostic, out)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_source::{Applicability, Fix, Label, Severity, TextEdit, TextRange};

    use super::*;

    /// Returns the range of the only `needle` in `text`.
    fn range_of(text: &str, needle: &str) -> TextRange {
        let start = text.find(needle).expect("the needle is in the text");
        TextRange::new(
            (start as u32).into(),
            ((start + needle.len()) as u32).into(),
        )
    }

    fn finding(text: &str, needle: &str) -> Diagnostic {
        Diagnostic {
            rule: "untagged-base-image",
            code: "DF101",
            aliases: &["DL3006"],
            severity: Severity::Warning,
            message: "image `node` has no tag".to_owned(),
            range: range_of(text, needle),
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    fn render(format: OutputFormat, color: bool, text: &str, findings: &[Diagnostic]) -> String {
        let source = SourceFile::new("app/Dockerfile", text);
        let mut out = Vec::new();
        Renderer::new(format, color)
            .render(&source, findings, &mut out)
            .expect("memory");
        String::from_utf8(out).expect("UTF-8")
    }

    fn full(text: &str, finding: Diagnostic) -> String {
        render(OutputFormat::Full, false, text, &[finding])
    }

    #[test]
    fn full_underlines_the_range_and_says_what_to_do() {
        let text = "FROM node\nRUN npm ci\n";
        let mut finding = finding(text, "node");
        finding.help = Some("name a version:\nnode:22".to_owned());
        finding.fix = Some(Fix {
            title: "append `:22`".to_owned(),
            applicability: Applicability::Unsafe,
            edit: TextEdit::insert(9.into(), ":22"),
        });
        assert_eq!(
            full(text, finding),
            "\
warning[DF101]: image `node` has no tag
  ┌─ app/Dockerfile:1:6
  │
1 │ FROM node
  │      ^^^^
  │
  = help: name a version:
          node:22
  = fix: append `:22` (dflint check --fix --unsafe-fixes)
  = see: dflint explain untagged-base-image

"
        );
    }

    #[test]
    fn full_shows_labels_on_other_lines_with_a_break_between() {
        let text = "FROM a AS x\nRUN 1\nRUN 2\nRUN 3\nCOPY --from=y . .\n";
        let mut finding = finding(text, "y");
        finding.severity = Severity::Error;
        finding.labels.push(Label {
            range: range_of(text, "x"),
            message: "the only stage".to_owned(),
        });
        assert_eq!(
            full(text, finding),
            "\
error[DF101]: image `node` has no tag
  ┌─ app/Dockerfile:5:13
  │
1 │ FROM a AS x
  │           - the only stage
  ·
5 │ COPY --from=y . .
  │             ^
  │
  = see: dflint explain untagged-base-image

"
        );
    }

    #[test]
    fn full_calls_an_info_an_info() {
        let text = "FROM node\n";
        let mut finding = finding(text, "node");
        finding.severity = Severity::Info;
        finding.message = "note that".to_owned();
        assert!(full(text, finding).starts_with("info[DF101]: note that\n"));
    }

    #[test]
    fn full_keeps_a_short_heredoc_and_cuts_a_long_one() {
        let short = "RUN <<E\na\nE\n";
        assert_eq!(
            full(short, finding(short, "<<E\na\nE")),
            "\
warning[DF101]: image `node` has no tag
  ┌─ app/Dockerfile:1:5
  │  \n1 │   RUN <<E
  │ ╭─────^
2 │ │ a
3 │ │ E
  │ ╰─^
  │  \n  = see: dflint explain untagged-base-image

"
        );
        let body = format!("<<E\n{}E", "a\n".repeat(500));
        let long = format!("RUN {body}\n");
        assert_eq!(
            full(&long, finding(&long, &body)),
            "\
warning[DF101]: image `node` has no tag
  ┌─ app/Dockerfile:1:5
  │
1 │ RUN <<E
  │     ^^^ up to line 502
  │
  = see: dflint explain untagged-base-image

"
        );
    }

    #[test]
    fn full_lines_up_under_tabs_wide_characters_and_control_characters() {
        let text = "\u{feff}RUN\techo \"漢字\" \u{1b}[2J x\r\n";
        assert_eq!(
            full(text, finding(text, "x")),
            "\
warning[DF101]: image `node` has no tag
  ┌─ app/Dockerfile:1:20
  │
1 │ RUN echo \"漢字\" ␛[2J x
  │                      ^
  │
  = see: dflint explain untagged-base-image

"
        );
    }

    #[test]
    fn full_cuts_a_line_of_65_kib() {
        let text = format!("RUN {} foo {}\n", "a".repeat(40_000), "b".repeat(40_000));
        let printed = full(&text, finding(&text, "foo"));
        assert!(
            printed.lines().all(|line| line.chars().count() < 160),
            "{printed}"
        );
        assert!(printed.contains("app/Dockerfile:1:40006"), "{printed}");
    }

    #[test]
    fn full_colours_only_when_asked() {
        let text = "FROM node\n";
        let findings = [finding(text, "node")];
        let printed = render(OutputFormat::Full, true, text, &findings);
        assert!(
            printed.starts_with("\x1b[0;1;33mwarning[DF101]\x1b[0;1m: image"),
            "{printed:?}"
        );
        assert!(!render(OutputFormat::Full, false, text, &findings).contains('\x1b'));
    }

    #[test]
    fn concise_is_one_line_a_finding() {
        let text = "FROM é node\n";
        let mut second = finding(text, "node");
        second.message = "a\nb".to_owned();
        assert_eq!(
            render(
                OutputFormat::Concise,
                true,
                text,
                &[finding(text, "node"), second]
            ),
            "\
app/Dockerfile:1:8: warning[DF101] image `node` has no tag (untagged-base-image)
app/Dockerfile:1:8: warning[DF101] a␊b (untagged-base-image)
"
        );
    }

    #[test]
    fn json_has_every_member_and_both_kinds_of_position() {
        let text = "ARG é\nFROM node\n";
        let mut finding = finding(text, "node");
        finding.message = "a \"quote\"\n".to_owned();
        finding.labels.push(Label {
            range: range_of(text, "é"),
            message: "here".to_owned(),
        });
        finding.fix = Some(Fix {
            title: "append `:22`".to_owned(),
            applicability: Applicability::Safe,
            edit: TextEdit::insert(16.into(), ":22"),
        });
        assert_eq!(
            render(OutputFormat::Json, true, text, &[finding]),
            r#"{"file":"app/Dockerfile","rule":"untagged-base-image","code":"DF101","aliases":["DL3006"],"#.to_owned()
                + r#""severity":"warning","message":"a \"quote\"\n","help":null,"#
                + r#""range":{"start":{"offset":12,"line":2,"column":6},"end":{"offset":16,"line":2,"column":10}},"#
                + r#""labels":[{"message":"here","range":{"start":{"offset":4,"line":1,"column":5},"end":{"offset":6,"line":1,"column":6}}}],"#
                + r#""fix":{"title":"append `:22`","applicability":"safe","edits":["#
                + r#"{"range":{"start":{"offset":16,"line":2,"column":10},"end":{"offset":16,"line":2,"column":10}},"insert":":22"}]}}"#
        );
    }

    #[test]
    fn json_of_several_findings_is_separated() {
        let text = "FROM node\n";
        let printed = render(
            OutputFormat::Json,
            false,
            text,
            &[finding(text, "node"), finding(text, "FROM")],
        );
        let array: serde_json::Value =
            serde_json::from_str(&format!("[{printed}]")).expect("valid JSON");
        assert_eq!(array.as_array().map(Vec::len), Some(2));
    }
}
