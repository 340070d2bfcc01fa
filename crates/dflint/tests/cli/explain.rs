//! `dflint explain`.

use crate::scratch::Scratch;

#[test]
fn prints_the_page_by_name_code_or_alias() {
    let scratch = Scratch::new(&[]);
    let by_alias = scratch.run(&["explain", "exposeprotocasing"]);
    assert_eq!(by_alias.code, 0);
    let list = scratch.run(&["explain", "--list"]);
    let row = list
        .stdout
        .lines()
        .find(|row| row.contains("ExposeProtoCasing"))
        .expect("a row");
    for word in row.split_whitespace().take(2) {
        assert_eq!(scratch.run(&["explain", word]).stdout, by_alias.stdout);
    }
    assert_eq!(scratch.run(&["explain"]).stdout, list.stdout);
}

#[test]
fn an_unknown_rule_gets_a_suggestion() {
    let output = Scratch::new(&[]).run(&["explain", "ExposeProtCasing"]);
    assert_eq!(output.code, 2);
    assert_eq!(
        output.stderr,
        "error: no rule is called `ExposeProtCasing`; did you mean `ExposeProtoCasing`?\n"
    );
}
