//! What is said of scripts that the shell would refuse.

use super::{ShellContext, check_faults, parse};

#[test]
fn a_quote_that_is_not_closed_is_shown_where_it_opens() {
    check_faults("a 'b", &["2..3 ': `'` is never closed"]);
    check_faults("a \"b $(c", &["5..7 $(: `$(` is never closed"]);
    check_faults("a $(b 'c)", &["6..7 ': `'` is never closed"]);
    check_faults("a ${b", &["2..4 ${: `${` is never closed"]);
    check_faults("a $(b", &["2..4 $(: `$(` is never closed"]);
    check_faults("a `b", &["2..3 `: a backquote is never closed"]);
    check_faults("a $'b\\'", &["2..4 $': `$'` is never closed"]);
    check_faults(
        "`a 'b` 'c",
        &["3..4 ': `'` is never closed", "7..8 ': `'` is never closed"],
    );
}

#[test]
fn operators_need_commands_on_both_sides() {
    check_faults("a &&", &["2..4 &&: `&&` has no command after it"]);
    check_faults("a && || b", &["2..4 &&: `&&` has no command after it"]);
    check_faults("a | # b", &["2..3 |: `|` has no command after it"]);
    check_faults("&& a", &["0..2 &&: `&&` has no command in front of it"]);
    check_faults("a; ; b", &["3..4 ;: `;` has no command in front of it"]);
    check_faults("a & && b", &["4..6 &&: `&&` has no command in front of it"]);
    check_faults("a && ; b", &["2..4 &&: `&&` has no command after it"]);
    check_faults("! && a", &["0..1 !: `!` has no command after it"]);
    check_faults(
        "a | ! b",
        &["4..5 !: `!` can only stand in front of a whole pipeline"],
    );
}

#[test]
fn words_that_close_nothing_are_strays() {
    check_faults("a; then b", &["3..7 then: `then` without `if`"]);
    check_faults("fi; a", &["0..2 fi: `fi` without `if`"]);
    check_faults(
        "a; done; }; esac; else",
        &[
            "3..7 done: `done` without `for`, `while` or `until`",
            "9..10 }: `}` without `{`",
            "12..16 esac: `esac` without `case`",
            "18..22 else: `else` without an `if` and its `then`",
        ],
    );
    check_faults("a)", &["1..2 ): `)` without `(`"]);
    check_faults("a;; b", &["1..3 ;;: `;;` outside of `case`"]);
}

#[test]
fn commands_that_are_not_closed_are_shown_where_they_open() {
    check_faults("if a; then b", &["0..2 if: `if` is never closed by `fi`"]);
    check_faults(
        "if a; b; fi",
        &["0..2 if: `if` waits for its `then`, and `fi` comes first"],
    );
    check_faults(
        "if a; then b; done",
        &[
            "0..2 if: `if` is never closed by `fi`",
            "14..18 done: `done` without `for`, `while` or `until`",
        ],
    );
    check_faults(
        "while a; do if b; then c; done",
        &["12..14 if: `if` waits for its `fi`, and `done` comes first"],
    );
    check_faults(
        "while a; b; done",
        &["0..5 while: `while` waits for its `do`, and `done` comes first"],
    );
    check_faults(
        "for a in b; c; done; d",
        &["0..3 for: `for` waits for its `do`, and `c` comes first"],
    );
    check_faults(
        "for a in b; do c",
        &["0..3 for: `for` is never closed by `done`"],
    );
    check_faults("{ a }", &["0..1 {: `{` is never closed by `}`"]);
    check_faults("(a; b", &["0..1 (: `(` is never closed by `)`"]);
    check_faults(
        "case a in b) c",
        &["0..4 case: `case` is never closed by `esac`"],
    );
    check_faults(
        "case a b) c;; esac",
        &["0..4 case: `case` waits for its `in`, and `b` comes first"],
    );
    check_faults(
        "if a; then case b in c) d; fi",
        &["11..15 case: `case` waits for its `esac`, and `fi` comes first"],
    );
    check_faults("[[ a", &["0..2 [[: `[[` is never closed by `]]`"]);
    check_faults(
        "a=(b; c",
        &["2..3 (: `(` waits for its `)`, and `;` comes first"],
    );
}

#[test]
fn compound_commands_need_commands_inside() {
    check_faults(
        "if a; then fi",
        &["6..10 then: `then` has no command after it"],
    );
    check_faults(
        "while; do a; done",
        &["5..6 ;: `;` has no command in front of it"],
    );
    check_faults("()", &["0..1 (: `(` has no command after it"]);
    check_faults("{ }", &["0..1 {: `{` has no command after it"]);
    check_faults("f()", &["0..1 f: the function `f` has no body"]);
}

#[test]
fn what_cannot_stand_here_is_left_out_up_to_the_next_separator() {
    check_faults("a (b) c && d", &["2..3 (: `(` cannot stand here"]);
    check_faults(
        "(a) b; c",
        &["4..5 b: `b` stands behind a command that has ended"],
    );
    check_faults("echo a=(b)", &["7..8 (: `(` cannot stand here"]);
    check_faults("a > && b", &["2..3 >: `>` has no target"]);
    check_faults(
        "for $a in b; do c; done",
        &["4..6 $a: `$a` cannot be the variable of `for`"],
    );
    check_faults(
        "case a in b c) d;; esac",
        &["10..11 b: the pattern `b` has no `)` behind it"],
    );
}

#[test]
fn the_rest_goes_on_behind_a_fault() {
    let script = parse("a; fi; b (c); d", ShellContext::LogicalLine);
    assert_eq!(
        script.dump(),
        "simple_command(a) ; error(fi) ; simple_command(b) error(( c )) ; simple_command(d)"
    );
}

#[test]
fn a_here_document_without_end_takes_the_rest() {
    let script = parse("cat <<EOF\na\n", ShellContext::Document);
    assert_eq!(
        script.faults(),
        ["6..9 EOF: here-document `EOF` has no end"]
    );
    assert_eq!(
        script.dump(),
        r"simple_command(cat redirection(<< EOF)) \n heredoc(heredoc_text:a\n)"
    );
}

#[test]
fn too_deep_nesting_is_said_once() {
    let text = "(".repeat(200);
    let script = parse(&text, ShellContext::LogicalLine);
    assert_eq!(
        script.faults(),
        ["100..101 (: commands are nested too deep to be read"]
    );
}
