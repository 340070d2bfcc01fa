//! What holds for every text there is.

use dockerfile_source::{TextLen, TextRange};
use dockerfile_syntax::ast::{AstNode, File};
use dockerfile_syntax::{Parser, parse};
use proptest::prelude::*;

/// Pieces that mean something to one of the grammars.
const PIECES: [&str; 74] = [
    "FROM ",
    "RUN ",
    "COPY ",
    "ADD ",
    "ENV ",
    "LABEL ",
    "ARG ",
    "CMD ",
    "ENTRYPOINT ",
    "HEALTHCHECK ",
    "ONBUILD ",
    "SHELL ",
    "USER ",
    "EXPOSE ",
    "VOLUME ",
    "NONE",
    "as ",
    "a",
    "b=c",
    "--mount=type=cache",
    "--",
    "--x",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\\\n",
    "\\ \n",
    "`\n",
    "\\",
    "`",
    "#",
    "# c\n",
    "# escape=`\n",
    "# syntax=x\n",
    "\u{feff}",
    "<<",
    "<<EOF",
    "<<-'E'",
    "EOF\n",
    "E\n",
    "[",
    "]",
    "\"",
    "'",
    ",",
    "[\"a\", \"b\"]",
    "$",
    "${",
    "}",
    "${a:-",
    "${a/b/c}",
    "$(",
    ")",
    "((",
    "))",
    "(",
    "{",
    ";",
    "&&",
    "||",
    "|",
    "&",
    ">",
    "<",
    "if ",
    "then ",
    "fi",
    "for ",
    "do ",
    "done",
    "case ",
    "é😀\u{a0}",
];

fn check(text: &str) {
    let parsed = parse(text);
    assert_eq!(parsed.text(), text, "the tree is lossless");
    let whole = TextRange::up_to(text.text_len());
    for error in parsed.errors() {
        assert!(whole.contains_range(error.range), "{error:?}");
        let start = usize::from(error.range.start());
        let end = usize::from(error.range.end());
        assert!(text.get(start..end).is_some(), "{error:?} cuts a character");
    }
    let file = File::cast(parsed.root()).expect("the root is a file");
    for instruction in file.instructions() {
        let _ = (
            instruction.keyword(),
            instruction.line(),
            instruction.heredoc_openers(),
        );
        let _ = instruction
            .flags()
            .map(dockerfile_syntax::ast::Flag::text)
            .count();
        for heredoc in instruction.heredocs() {
            let _ = heredoc.body();
        }
    }
}

/// Found by chance: the builder reads the name of the flag without the backslash.
#[test]
fn an_escape_in_the_name_of_a_flag_comes_back() {
    check("FROM --\\\u{feff}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_text_comes_back(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn every_text_of_our_words_comes_back(pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..60)) {
        check(&pieces.concat());
    }

    #[test]
    fn a_parser_that_has_parsed_before_says_the_same(pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40)) {
        let text = pieces.concat();
        let mut parser = Parser::new();
        parser.parse("FROM a\nRUN b c d\n");
        prop_assert!(parser.parse(&text) == parse(&text));
    }
}

#[test]
fn hostile_texts_end_soon_and_in_one_piece() {
    let many = 300_000;
    for piece in [
        "(",
        ")",
        "{ ",
        "$(",
        "${a:-",
        "`",
        "\"",
        "'",
        "\\",
        "\\\n",
        "[",
        "[\"a\",",
        "<<A ",
        "if ",
        "case a in ",
        "((",
        "$((",
        "&&",
        "a=(",
        "ONBUILD ",
        "--x ",
        "# c\n",
        "\r",
        "\u{feff}",
        "a|",
        "{",
        "<<<",
        "${a/",
        "\"$(",
        "é",
        "for ",
        "while ",
        "! ",
        "then ",
        "function a ",
        "[[ ",
    ] {
        check(&format!("FROM a\nRUN {}", piece.repeat(many / piece.len())));
        check(&format!(
            "FROM a\nENV A={}",
            piece.repeat(many / piece.len())
        ));
        check(&format!(
            "FROM a\nRUN <<E\n{}\nE\n",
            piece.repeat(many / piece.len())
        ));
        check(&piece.repeat(many / piece.len()));
    }
    check(&"RUN a \\\n".repeat(many / 8));
    check(&"RUN <<A\nA\n".repeat(many / 10));
    check(&format!(
        "RUN {}\n{}",
        "<<A ".repeat(many / 4),
        "text\n".repeat(many / 5)
    ));
}
