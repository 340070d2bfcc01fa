//! Commands, lists, compound commands, redirections.

use super::{check, check_document, dump_node};
use crate::SyntaxKind;

#[test]
fn a_simple_command_is_words_between_blanks() {
    check(
        "  apt-get  install -y a  ",
        "simple_command(apt-get install -y a)",
    );
    check("", "");
}

#[test]
fn lists_nest_only_where_there_is_an_operator() {
    check(
        "a; b & c",
        "simple_command(a) ; simple_command(b) & simple_command(c)",
    );
    check(
        "a && b || c | d; e",
        "and_or_list(simple_command(a) && simple_command(b) || pipeline(simple_command(c) | simple_command(d))) ; simple_command(e)",
    );
    check("a |& b", "pipeline(simple_command(a) |& simple_command(b))");
}

#[test]
fn a_bang_or_time_makes_a_pipeline() {
    check("! a", "pipeline(! simple_command(a))");
    check(
        "time -p a | b",
        "pipeline(time -p simple_command(a) | simple_command(b))",
    );
    check("time -f %e a", "simple_command(time -f %e a)");
    check(
        "coproc N { a; }",
        "pipeline(coproc N brace_group({ script(simple_command(a) ;) }))",
    );
    check("!a ! !", "simple_command(!a ! !)");
}

#[test]
fn assignments_stand_in_front_of_the_words_only() {
    check(
        "A=1 B+='x y' c D=2",
        "simple_command(assignment(A = 1) assignment(B += word(single_quoted:'x y')) c D=2)",
    );
    check("A= B", "simple_command(assignment(A =) B)");
    check(
        "a[$i]=#x b[1 ]",
        "simple_command(assignment(a text:[$i] = #x) b[1 ])",
    );
    check("export A=b", "simple_command(export A=b)");
}

#[test]
fn arrays_are_assigned_and_declared() {
    check(
        "a=(b \"c\" [2]=d)",
        r#"simple_command(assignment(a = array(( b word(double_quoted(" text:c ")) [2]=d ))))"#,
    );
    check(
        "declare -a a=(b)",
        "simple_command(declare -a word(text:a= array(( b ))))",
    );
    check_document(
        "a=(b # c\n d)",
        r"simple_command(assignment(a = array(( b # c \n d ))))",
    );
}

#[test]
fn a_redirection_holds_its_number_and_its_target() {
    check(
        "a >b 2>&1 <c&>>d",
        "simple_command(a redirection(> b) redirection(2 >& 1) redirection(< c) redirection(&>> d))",
    );
    check(
        "a 2 >b c2>d {e}<f",
        "simple_command(a 2 redirection(> b) c2 redirection(> d) redirection({e} < f))",
    );
    check(
        "> a b <<<c",
        "simple_command(redirection(> a) b redirection(<<< c))",
    );
    check(
        "if a; then b; fi >c 2>d",
        "if_command(if script(simple_command(a) ;) then script(simple_command(b) ;) fi redirection(> c) redirection(2 > d))",
    );
}

#[test]
fn a_comment_takes_the_rest_of_a_joined_line() {
    check("a b#c # d; e", "simple_command(a b#c) # d; e");
    check_document(
        "a # b; c\nd",
        r"simple_command(a) # b; c \n simple_command(d)",
    );
}

#[test]
fn groups_hold_scripts() {
    check(
        "(a; b) && { c; }",
        "and_or_list(subshell(( script(simple_command(a) ; simple_command(b)) )) && brace_group({ script(simple_command(c) ;) }))",
    );
    check("((a))", "arithmetic_command(arithmetic:((a)))");
    check(
        "((a); (b))",
        "subshell(( script(subshell(( script(simple_command(a)) )) ; subshell(( script(simple_command(b)) ))) ))",
    );
}

#[test]
fn conditions() {
    check(
        "if a; then b; elif c; then d; else e; fi",
        "if_command(if script(simple_command(a) ;) then script(simple_command(b) ;) elif script(simple_command(c) ;) then script(simple_command(d) ;) else script(simple_command(e) ;) fi)",
    );
    check(
        "if a; then (b) fi",
        "if_command(if script(simple_command(a) ;) then script(subshell(( script(simple_command(b)) ))) fi)",
    );
    check("echo if then fi", "simple_command(echo if then fi)");
}

#[test]
fn loops() {
    check(
        "while a; do b; done <c",
        "loop_command(while script(simple_command(a) ;) do script(simple_command(b) ;) done redirection(< c))",
    );
    check(
        "for a in b \"$c\"; do d; done",
        r#"for_command(for a in b word(double_quoted(" expansion($ c) ")) ; do script(simple_command(d) ;) done)"#,
    );
    check(
        "for a do b; done",
        "for_command(for a do script(simple_command(b) ;) done)",
    );
    check(
        "for ((i=0; i<3; i++)); do a; done",
        "for_command(for arithmetic:((i=0; i<3; i++)) ; do script(simple_command(a) ;) done)",
    );
    check(
        "for a in b; { c; }",
        "for_command(for a in b ; { script(simple_command(c) ;) })",
    );
}

#[test]
fn cases() {
    check(
        "case $a in b|'c') d;; (*) e; esac",
        "case_command(case word(expansion($ a)) in case_item(b | word(single_quoted:'c') ) script(simple_command(d)) ;;) case_item(( * ) script(simple_command(e) ;)) esac)",
    );
    check("case a in esac", "case_command(case a in esac)");
    check(
        "x $(case a in b) c;; esac)",
        "simple_command(x word(command_substitution($( script(case_command(case a in case_item(b ) script(simple_command(c)) ;;) esac)) ))))",
    );
}

#[test]
fn functions() {
    check(
        "f() { a; } >b",
        "function_definition(f ( ) brace_group({ script(simple_command(a) ;) } redirection(> b)))",
    );
    check(
        "function f { a; }; f",
        "function_definition(function f brace_group({ script(simple_command(a) ;) })) ; simple_command(f)",
    );
    check(
        "f ( ) (a)",
        "function_definition(f ( ) subshell(( script(simple_command(a)) )))",
    );
}

#[test]
fn double_brackets_hold_words_and_operators() {
    check(
        "[[ -f a && ! ( $b == c* || d < e ) ]]",
        "conditional_command([[ -f a && ! ( word(expansion($ b)) == c* || d < e ) ]])",
    );
    check(
        "[[ $a =~ ^(b| c)+$ ]] && d",
        "and_or_list(conditional_command([[ word(expansion($ a)) =~ ^(b| c)+$ ]]) && simple_command(d))",
    );
}

#[test]
fn line_ends_part_commands_in_documents() {
    check_document(
        "a\n\nb &&\n# c\n  d\n",
        r"simple_command(a) \n \n and_or_list(simple_command(b) && \n # c \n simple_command(d)) \n",
    );
    check_document(
        "if a\nthen b\r\nfi",
        r"if_command(if script(simple_command(a) \n) then script(simple_command(b) \n) fi)",
    );
    check_document(
        "a \\\n  b\\\nc\\\n",
        r"simple_command(a \\n word(text:b \\n text:c)) \\n",
    );
}

#[test]
fn lines_that_do_not_count_stand_where_they_are_in_the_file() {
    let parse = crate::parse("RUN a &\\\n& \\\n  # c\n  b\\\nd 'e\\\n f' |\\\n  g\n");
    assert_eq!(parse.errors(), []);
    let run = parse.root().child(SyntaxKind::RUN_INSTRUCTION);
    let script = run.and_then(|run| run.child(SyntaxKind::SCRIPT));
    let mut dump = String::new();
    dump_node(script.expect("RUN has a script"), &mut dump);
    assert_eq!(
        dump,
        "script(and_or_list(simple_command(a) & \\\\n split_rest:& \\\\n comment_line:  # c\\n \
         pipeline(simple_command(word(text:b \\\\n text:d) \
         word(single_quoted:'e \\\\n split_rest: f')) | \\\\n simple_command(g))))"
    );
}

#[test]
fn here_documents_stand_behind_their_line() {
    check_document(
        "cat <<A <<-'B' | c\n$(x\nA\n\ty\n\tB\nd",
        "pipeline(simple_command(cat redirection(<< A) redirection(<<- word(single_quoted:'B'))) | simple_command(c)) \\n heredoc(heredoc_text:$(x\\n heredoc_end:A) \\n heredoc(heredoc_text:\ty\\n heredoc_end:B) \\n simple_command(d)",
    );
    check_document(
        "x $(cat <<EOF\na)\nEOF\n) y",
        r"simple_command(x word(command_substitution($( script(simple_command(cat redirection(<< EOF)) \n heredoc(heredoc_text:a)\n heredoc_end:EOF) \n) ))) y)",
    );
    check_document(
        "x $(cat <<EOF\na\nEOF) y",
        r"simple_command(x word(command_substitution($( script(simple_command(cat redirection(<< EOF)) \n heredoc(heredoc_text:a\n heredoc_end:EOF)) ))) y)",
    );
    check_document(
        "cat <<E\nb\\\nE\nE\n",
        r"simple_command(cat redirection(<< E)) \n heredoc(heredoc_text:b\\nE\n heredoc_end:E) \n",
    );
    check(
        "cat <<EOF > a",
        "simple_command(cat redirection(<< EOF) redirection(> a))",
    );
}
