//! What holds for every text.

use proptest::prelude::*;

use super::{ShellContext, parse};

const CONTEXTS: [ShellContext; 2] = [ShellContext::LogicalLine, ShellContext::Document];

fn check_lossless(text: &str) {
    for context in CONTEXTS {
        let script = parse(text, context);
        assert_eq!(script.root().to_string(), text);
        for error in &script.errors {
            assert!(
                usize::from(error.range.end()) <= text.len(),
                "{text:?} {error:?}"
            );
        }
    }
}

/// Text made of what the grammar looks at.
fn shell_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b=",
        "c+=",
        "d[1]=",
        "é",
        "1",
        "=",
        " ",
        " ",
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\\",
        "\\\n",
        "'",
        "\"",
        "`",
        "$",
        "$'",
        "$\"",
        "$x",
        "${",
        "${x",
        "${#",
        "${!",
        ":-",
        "//",
        "/",
        "#",
        "%",
        "[",
        "]",
        "}",
        "{",
        "{ ",
        " }",
        "$(",
        "$((",
        "((",
        "))",
        "$[",
        "(",
        ")",
        "<(",
        ">(",
        ";",
        ";;",
        ";&",
        "&",
        "&&",
        "|",
        "||",
        "|&",
        "<",
        ">",
        "2>",
        "{f}>",
        "<<E",
        "<<-E",
        "\nE\n",
        "E",
        "<<<",
        "&>",
        "!",
        " ! ",
        "if ",
        " then ",
        " elif ",
        " else ",
        " fi",
        "for ",
        " in ",
        " do ",
        " done",
        "while ",
        "case ",
        " esac",
        "select ",
        "function ",
        "f() ",
        "time ",
        "coproc ",
        "[[ ",
        " ]]",
        " =~ ",
        "@(",
        "?(",
        "# c",
        "declare a=(",
        "-p",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_in_the_tree_byte_for_byte(text in any::<String>()) {
        check_lossless(&text);
    }

    #[test]
    fn any_shell_like_text_is_in_the_tree_byte_for_byte(text in shell_text()) {
        check_lossless(&text);
    }
}

#[test]
fn hostile_nesting_ends_in_one_fault_and_no_overflow() {
    for opener in [
        "(",
        "((",
        "$(",
        "$((",
        "${a:-",
        "\"$(",
        "\"${a:-",
        "<(",
        "{ ",
        "if ",
        "while ",
        "f()",
        "case a in b) ",
        "[[ (",
        "a=(",
        "a[",
        "$[",
        "@(",
        "`",
        "! ",
        "time ",
        "coproc ",
        "function f ",
        "a=b ",
        "x && (",
        "[[ a =~ (",
    ] {
        let text = opener.repeat(1_000_000 / opener.len());
        for context in CONTEXTS {
            let script = parse(&text, context);
            assert!(script.root().to_string() == text, "{opener}");
            assert!(script.errors.len() <= super::super::faults::MOST_ERRORS);
        }
    }
}

#[test]
fn text_that_is_looked_at_in_vain_is_read_in_linear_time() {
    for piece in [
        "$((a) ", "$((a); ", "a[b ", "a[b;", "${a[b} ", "((a); ", "$[a ", "'a\" $((", "<<A\n",
        "\\\n", "#a\n",
    ] {
        let text = piece.repeat(300_000 / piece.len());
        for context in CONTEXTS {
            assert!(parse(&text, context).root().to_string() == text, "{piece}");
        }
    }
}
