//! What holds for every text there is.

use dockerfile_format::{
    BlankLines, HeredocStyle, Indent, KeptReason, KeywordCase, LineEnding, Options, RunStyle,
    format, format_on_enter, format_range,
};
use dockerfile_source::{TextRange, TextSize};
use dockerfile_syntax::ast::{AstNode as _, File};
use dockerfile_syntax::{Parse, SyntaxKind, parse};
use proptest::prelude::*;

/// Instructions and pieces of them that mean something to the formatter.
const PIECES: &[&str] = &[
    "FROM a\n",
    "from a as b\n",
    "RUN ",
    "run a && b\n",
    "RUN a;b\n",
    "COPY a b\n",
    "ENV A b\n",
    "ENV A=b C=d\n",
    "LABEL a=\"b \\\n c\" ",
    "ARG A\n",
    "CMD [\"a\",\"b\"]\n",
    "CMD ",
    "ENTRYPOINT ",
    "HEALTHCHECK --interval=1s CMD ",
    "ONBUILD ",
    "SHELL [\"bash\"]\n",
    "EXPOSE 80 \\\n 443\n",
    "FOO x\n",
    "--mount=type=cache ",
    "-- ",
    "a ",
    "bb ",
    "c=d ",
    "\"e  f\" ",
    "'g  h' ",
    "$A ",
    "${B:-c} ",
    "$(d  e) ",
    "`f` ",
    "> /g ",
    "2>&1 ",
    "apt-get install -y ",
    "a-rather-long-word-that-fills-the-line-a-rather-long-word-that-fills-the-line ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\\\n",
    "\\\n    ",
    "\\ \r\n",
    "\\\n# c\n",
    "\\\n  #d e\n  ",
    "\\\n\\\n",
    "\\\n\n",
    "`\n",
    "\\",
    "# c\n",
    "  #c\n",
    "# escape=`\n",
    "# syntax=x\n",
    "# dflint format: off\n",
    "# dflint format: on\n",
    "# dflint format: skip\n",
    "\u{feff}",
    "<<EOF ",
    "<<-'E' ",
    "<<EOF\n",
    "EOF\n",
    "\tE\n",
    "&& ",
    "|| ",
    "| ",
    "; ",
    "& ",
    "! ",
    "( ",
    ") ",
    "{ ",
    "} ",
    "if ",
    "then ",
    "else ",
    "fi ",
    "for i in ",
    "while ",
    "do ",
    "done ",
    "case a in ",
    "a) ",
    ";; ",
    "esac ",
    "f() ",
    "[[ a ]] ",
    "((1)) ",
    "<(a) ",
    "#",
    "\"",
    "'",
    "[",
    "]",
    ",",
    "é😀\u{a0}",
];

fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..60);
    pieces.prop_map(|pieces| pieces.concat())
}

/// Texts that begin as Dockerfiles do and go on with one command.
fn commands() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[20..]), 0..40);
    pieces.prop_map(|pieces| format!("FROM a\nRUN a {}\nUSER b\n", pieces.concat()))
}

fn all_options() -> impl Strategy<Value = Options> {
    let indent = prop_oneof![Just(Indent::Tab), (0_u8..9).prop_map(Indent::Spaces)];
    let case = prop::sample::select(&[
        KeywordCase::Upper,
        KeywordCase::Lower,
        KeywordCase::Preserve,
    ][..]);
    let ending = prop::sample::select(&[LineEnding::Auto, LineEnding::Lf, LineEnding::CrLf][..]);
    let blank = prop::sample::select(&[
        BlankLines::Preserve,
        BlankLines::Always,
        BlankLines::Never,
    ][..]);
    let run = prop::sample::select(&[RunStyle::Pretty, RunStyle::Keep][..]);
    let heredocs = prop::sample::select(&[HeredocStyle::Keep, HeredocStyle::Pretty][..]);
    (indent, 0_u16..130, case, ending, blank, run, heredocs).prop_map(
        |(indent, line_width, keyword_case, line_ending, blank_lines, run, heredocs)| Options {
            indent,
            line_width,
            keyword_case,
            line_ending,
            blank_lines,
            run,
            heredocs,
        },
    )
}

fn formatted(text: &str, options: &Options) -> String {
    let formatted = format(&parse(text), options);
    formatted.edit.apply(text).expect("the edits fit")
}

/// Checks what holds for every text under every choice.
fn check(text: &str, options: &Options) {
    let once = formatted(text, options);
    let twice = formatted(&once, options);
    assert_eq!(twice, once, "twice is once: {text:?}");
    let (before, after) = (parse(text), parse(&once));
    assert_eq!(before.escape(), after.escape(), "{text:?}");
    assert_eq!(comments(&before), comments(&after), "{text:?}");
    if options.run == RunStyle::Keep {
        assert_eq!(commands_of(&before), commands_of(&after), "{text:?}");
    }
}

/// Returns all comments, without the blanks around them and behind their mark.
fn comments(parse: &Parse) -> Vec<String> {
    let mut found = Vec::new();
    parse.root().for_each_token(&mut |token| {
        if matches!(
            token.kind(),
            SyntaxKind::COMMENT | SyntaxKind::COMMENT_LINE
        ) {
            let text = token.text().trim().trim_start_matches('#').trim();
            found.push(text.to_owned());
        }
    });
    found
}

/// Returns what the builder hashes of each RUN: the command and the here-documents.
fn commands_of(parse: &Parse) -> Vec<String> {
    let file = File::cast(parse.root()).expect("the root is a file");
    let runs = file
        .instructions()
        .filter(|instruction| instruction.kind() == SyntaxKind::RUN_INSTRUCTION);
    runs.map(|run| {
        let node = run.syntax();
        let text: Vec<String> = node
            .children()
            .filter(|child| child.kind() == SyntaxKind::SCRIPT)
            .map(|child| child.logical_text().trim().to_owned())
            .chain(run.heredocs().map(|heredoc| heredoc.syntax().to_string()))
            .collect();
        text.join("\n")
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_formatted_once_and_for_all(text in any::<String>()) {
        check(&text, &Options::default());
    }

    #[test]
    fn any_dockerfile_is_formatted_once_and_for_all(text in texts()) {
        check(&text, &Options::default());
    }

    #[test]
    fn any_command_is_formatted_once_and_for_all(text in commands()) {
        check(&text, &Options::default());
    }

    #[test]
    fn any_choice_is_formatted_once_and_for_all(text in prop_oneof![texts(), commands()], options in all_options()) {
        check(&text, &options);
    }

    #[test]
    fn a_range_leaves_what_lies_outside(text in texts(), from in 0_usize..300, len in 0_usize..50) {
        let parse = parse(&text);
        let clamp = |at: usize| TextSize::new(at.min(text.len()) as u32);
        let range = TextRange::new(clamp(from), clamp(from + len));
        // What is left alone goes with the gaps around it.
        prop_assume!(!text.contains("format: off"));
        let part = format_range(&parse, &Options::default(), range);
        let file = File::cast(parse.root()).expect("the root is a file");
        let is_touched = |other: TextRange| other.start() <= range.end() && range.start() <= other.end();
        for indel in part.edit.indels() {
            for instruction in file.instructions().filter(|instruction| !is_touched(instruction.range())) {
                let shared = instruction.range().intersect(indel.delete);
                prop_assert!(shared.is_none_or(TextRange::is_empty), "{indel:?} in {text:?}");
            }
        }
        part.edit.apply(&text).expect("the edits fit");
    }

    #[test]
    fn a_new_line_never_panics(text in texts(), at in 0_usize..400) {
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let edit = format_on_enter(&parse(&text), TextSize::new(at as u32), &Options::default());
        if let Some(edit) = edit {
            edit.apply(&text).expect("the edit fits");
        }
    }
}

#[test]
fn hostile_texts_are_formatted_soon() {
    let many = 1000;
    let nested = |open: &str, inner: &str, close: &str| {
        format!("FROM a\nRUN {}{inner}{}\n", open.repeat(many), close.repeat(many))
    };
    let texts = [
        String::new(),
        "\u{feff}".to_owned(),
        "\0".repeat(many),
        "FROM a\nRUN \0 \0\n".to_owned(),
        format!("FROM a\nRUN {}\n", "a".repeat(65_500)),
        format!("FROM a\nRUN {}\n", "a ".repeat(65_500)),
        format!("FROM a\nRUN {}b\n", "a && ".repeat(20_000)),
        format!("FROM a\nRUN {}b\n", "a; ".repeat(20_000)),
        format!("FROM a\nRUN {}b\n", "a | ".repeat(20_000)),
        format!("FROM a\nRUN {}b\n", "a || ".repeat(20_000)),
        format!("FROM a\nRUN apt-get install {}b\n", "a ".repeat(20_000)),
        nested("( ", "a", " )"),
        nested("{ ", "a", "; }"),
        nested("if a; then ", "b", "; fi"),
        nested("if a; then \\\n", "b", "; \\\n fi"),
        nested("for a in b; do ", "c", "; done"),
        nested("case a in b) ", "c", ";; esac"),
        nested("$(", "a", ")"),
        nested("a | ( ", "b", " )"),
        nested("a && { ", "b", "; }"),
        nested("f() { ", "b", "; }"),
        nested("a \\\n && ( ", "b", " \\\n )"),
        "RUN a\n".repeat(10_000),
        "FROM a\n".repeat(10_000),
        "# a\n".repeat(10_000),
        "\n".repeat(10_000),
        "\\\n".repeat(10_000),
        format!("FROM a\nRUN {}", "\\\n".repeat(10_000)),
        format!("FROM a\nRUN a {}", "\\\n# c\n".repeat(10_000)),
        "FROM a\rRUN b\r".repeat(many),
        format!("FROM a\nCMD {}{}\n", "[".repeat(many), "]".repeat(many)),
        format!("FROM a\nCMD [{}\"b\"]\n", "\"a\",".repeat(10_000)),
        format!("FROM a\nENV {}\n", "A=b ".repeat(10_000)),
        format!("FROM a\nCOPY {}b\n", "a ".repeat(10_000)),
        "RUN <<EOF\n".repeat(many),
        format!("FROM a\nRUN {}\n{}", "<<A ".repeat(many), "A\n".repeat(many)),
        format!("{}RUN a\n", "ONBUILD ".repeat(many)),
        "ENV A b c\n".repeat(many),
    ];
    for text in texts {
        check(&text, &Options::default());
        let keep = Options {
            run: RunStyle::Keep,
            ..Options::default()
        };
        check(&text, &keep);
    }
}

#[test]
fn one_instruction_that_is_not_proven_costs_no_other() {
    // Two stages whose instructions are all in need of a layout, and one that is not understood.
    let text = format!("from a\n{}RUN <<EOF\n{}", "run   b\n".repeat(50), "run   c\n".repeat(50));
    let formatted = format(&parse(&text), &Options::default());
    let unproven = formatted
        .kept
        .iter()
        .filter(|kept| kept.reason == KeptReason::Unproven);
    assert_eq!(unproven.count(), 0);
    let new_text = formatted.edit.apply(&text).expect("the edits fit");
    assert_eq!(new_text.matches("RUN b\n").count(), 50);
}
