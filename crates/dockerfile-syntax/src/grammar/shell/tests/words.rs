//! Words: quotes, expansions, substitutions.

use super::{check, check_document};

#[test]
fn quotes_are_parts_of_a_word() {
    check(
        r#"a'b c'"d \"e\f"\g$'h\'i'$"j""#,
        r#"simple_command(word(text:a single_quoted:'b c' double_quoted(" text:d  escape:\" text:e\f ") escape:\g ansi_c_quoted:$'h\'i' double_quoted($" text:j ")))"#,
    );
    check(
        "'' \"\" \\",
        r#"simple_command(word(single_quoted:'') word(double_quoted(" ")) \)"#,
    );
}

#[test]
fn a_lone_dollar_is_text() {
    check(
        r#"a$ "b$" $.c"#,
        r#"simple_command(word(text:a text:$) word(double_quoted(" text:b text:$ ")) word(text:$ text:.c))"#,
    );
}

#[test]
fn variables() {
    check(
        "$a$1$?${b}\"$c-\"",
        r#"simple_command(word(expansion($ a) expansion($ 1) expansion($ ?) expansion(${ b }) double_quoted(" expansion($ c) text:- ")))"#,
    );
}

#[test]
fn parameters_have_operators_and_words() {
    check(
        "${a:-b c} ${a##*/} ${a}",
        "simple_command(word(expansion(${ a expansion_operator::- b c })) word(expansion(${ a expansion_operator:## */ })) word(expansion(${ a })))",
    );
    check(
        "${a/b/c} ${a//\\//\"/\"} ${a:1:2} ${a^^}",
        r#"simple_command(word(expansion(${ a expansion_operator:/ b expansion_operator:/ c })) word(expansion(${ a expansion_operator:// word(escape:\/) expansion_operator:/ word(double_quoted(" text:/ ")) })) word(expansion(${ a expansion_operator:: 1 expansion_operator:: 2 })) word(expansion(${ a expansion_operator:^^ })))"#,
    );
    check(
        "${#a} ${!b} ${#} ${#?} ${!c*} ${d[@]} ${#e[$i]} ${f@Q}",
        "simple_command(word(expansion(${ expansion_operator:# a })) word(expansion(${ expansion_operator:! b })) word(expansion(${ # })) word(expansion(${ expansion_operator:# ? })) word(expansion(${ expansion_operator:! c expansion_operator:* })) word(expansion(${ d expansion_operator:[@] })) word(expansion(${ expansion_operator:# e expansion_operator:[$i] })) word(expansion(${ f expansion_operator:@Q })))",
    );
    check(
        "${a:-${b:-'}'}} \"${a:-it's}\" \"${a%'}'}\"",
        r#"simple_command(word(expansion(${ a expansion_operator::- word(expansion(${ b expansion_operator::- word(single_quoted:'}') })) })) word(double_quoted(" expansion(${ a expansion_operator::- it's }) ")) word(double_quoted(" expansion(${ a expansion_operator:% word(single_quoted:'}') }) ")))"#,
    );
    check(
        "${} ${ a }",
        "simple_command(word(expansion(${ })) word(expansion(${  a  })))",
    );
}

#[test]
fn substitutions_hold_scripts() {
    check(
        "a $(b | c) \"$(d \"e\" f)\"",
        r#"simple_command(a word(command_substitution($( script(pipeline(simple_command(b) | simple_command(c))) ))) word(double_quoted(" command_substitution($( script(simple_command(d word(double_quoted(" text:e ")) f)) )) ")))"#,
    );
    check(
        "`a b` `c \\`d\\``",
        r"simple_command(word(command_substitution(` script(simple_command(a b)) `)) word(command_substitution(` opaque:c \`d\` `)))",
    );
    check(
        "diff <(a) >(b)",
        "simple_command(diff word(process_substitution(<( script(simple_command(a)) ))) word(process_substitution(>( script(simple_command(b)) ))))",
    );
    check(
        "$(<a) $()",
        "simple_command(word(command_substitution($( script(simple_command(redirection(< a))) ))) word(command_substitution($( script() ))))",
    );
}

#[test]
fn arithmetic_stays_in_one_piece() {
    check(
        "$((a+(b*c))) $[1+1] \"$((1))\"",
        r#"simple_command(word(arithmetic:$((a+(b*c)))) word(arithmetic:$[1+1]) word(double_quoted(" arithmetic:$((1)) ")))"#,
    );
    check(
        "$((a); b) $((a) )",
        "simple_command(word(command_substitution($( script(subshell(( script(simple_command(a)) )) ; simple_command(b)) ))) word(command_substitution($( script(subshell(( script(simple_command(a)) ))) ))))",
    );
    check("$[a", "simple_command(word(text:$[ text:a))");
}

#[test]
fn bash_patterns_stay_in_one_word() {
    check(
        "ls @(a|b c)*.!($d) {a,b}",
        "simple_command(ls word(text:@ text:(a|b c) text:*.! text:( expansion($ d) text:)) {a,b})",
    );
}

#[test]
fn a_hash_inside_of_a_word_is_text() {
    check(
        "a#b $a#b ''#c A=#d",
        "simple_command(a#b word(expansion($ a) text:#b) word(single_quoted:'' text:#c) A=#d)",
    );
}

#[test]
fn continuations_stand_inside_of_words_in_documents() {
    check_document(
        "a\\\nb \"c\\\nd\" ${e:-\\\nf} g\\\n#h",
        r#"simple_command(word(text:a \\n text:b) word(double_quoted(" text:c \\n text:d ")) word(expansion(${ e expansion_operator::- word(\\n text:f) })) word(text:g \\n text:#h))"#,
    );
    check_document(
        "\"a\nb\" 'c\nd'",
        r#"simple_command(word(double_quoted(" text:a\nb ")) word(single_quoted:'c\nd'))"#,
    );
}

#[test]
fn a_carriage_return_is_a_character_of_a_word() {
    check(
        "a\rb\r",
        "simple_command(word(text:a text:\r text:b text:\r))",
    );
    check_document(
        "a\r\nb\\\r\n c # d\r\n",
        r"simple_command(a) \n simple_command(b \\n c) # d \n",
    );
}
