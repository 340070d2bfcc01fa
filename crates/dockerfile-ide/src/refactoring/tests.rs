use test_support::cursor;

use super::*;
use crate::analysis::analysis;

fn titles(fixture: &str) -> Vec<String> {
    let (text, offset) = cursor(fixture);
    actions(&analysis(&text), TextRange::empty(offset))
        .into_iter()
        .map(|action| action.title)
        .collect()
}

#[track_caller]
fn check(fixture: &str, title: &str, expected: &str) {
    let (text, offset) = cursor(fixture);
    let actions = actions(&analysis(&text), TextRange::empty(offset));
    let action = actions
        .iter()
        .find(|action| action.title.starts_with(title))
        .unwrap_or_else(|| panic!("only {:?}", titles(fixture)));
    assert_eq!(action.edit.apply(&text).as_deref(), Some(expected));
}

#[track_caller]
fn refuses(fixture: &str, title: &str) {
    assert!(
        !titles(fixture).iter().any(|each| each.starts_with(title)),
        "{title} is offered"
    );
}

#[test]
fn converts_a_line_to_a_heredoc_and_back() {
    let line = "FROM a\nRUN$0 a b \\\n    && c | d\nCMD x\n";
    let document = "FROM a\nRUN <<EOF\nset -e\na b\nc | d\nEOF\nCMD x\n";
    check(line, "Convert to a here", document);
    check(
        &document.replacen("RUN", "RUN$0", 1),
        "Convert to a line",
        &line.replace("$0", ""),
    );
}

#[test]
fn keeps_what_means_something_else_in_a_heredoc() {
    refuses("FROM a\nRUN$0 a || b\n", "Convert to a here");
    refuses("FROM a\nRUN$0 a; b\n", "Convert to a here");
    refuses("FROM a\nRUN$0 a && ! b\n", "Convert to a here");
    refuses("FROM a\nRUN$0 a && (b; c)\n", "Convert to a here");
    refuses("FROM a\nRUN$0 <<E\na\nb\nE\n", "Convert to a line");
    refuses(
        "FROM a\nRUN$0 <<E\nset -e\na || b\nE\n",
        "Convert to a line",
    );
}

#[test]
fn merges_and_splits_run() {
    let two = "FROM a\nRUN$0 --network=none a\nRUN --network=none b\n";
    check(two, "Merge", "FROM a\nRUN --network=none a \\\n    && b\n");
    check(
        "FROM a\nRUN --network=none a \\\n    && b$0\n",
        "Split",
        &two.replace("$0", ""),
    );
}

#[test]
fn does_not_merge_or_split_where_the_shell_remembers() {
    refuses("FROM a\nRUN$0 cd /x\nRUN b\n", "Merge");
    refuses("FROM a\nRUN$0 a\n# why\nRUN b\n", "Merge");
    refuses("FROM a\nRUN$0 a || c\nRUN b\n", "Merge");
    refuses("FROM a\nRUN$0 --network=none a\nRUN b\n", "Merge");
    refuses("FROM a\nRUN cd /x && b$0\n", "Split");
}

#[test]
fn sorts_packages() {
    check(
        "FROM a\nRUN apt-get update && apt-get install$0 -y b \\\n  a\n",
        "Sort",
        "FROM a\nRUN apt-get update && apt-get install -y a \\\n  b\n",
    );
    refuses("FROM a\nRUN apk add$0 --virtual .d b a\n", "Sort");
    refuses("FROM a\nRUN apk add$0 a b\n", "Sort");
}

#[test]
fn inlines_an_argument() {
    check(
        "ARG V$0=12\nFROM debian:${V}\nFROM debian:$V-slim\n",
        "Inline `V`",
        "FROM debian:12\nFROM debian:12-slim\n",
    );
    refuses("FROM a\nARG V$0=1\nRUN echo $V\n", "Inline");
    refuses("ARG V$0\nFROM a:$V\n", "Inline");
}

#[test]
fn extracts_a_stage() {
    check(
        "FROM a AS b\nRUN x\n# y\nRUN$0 y\nFROM c\nCOPY --from=b d e\n",
        "Extract",
        "FROM a AS b-base\nRUN x\n\nFROM b-base AS b\n# y\nRUN y\nFROM c\nCOPY --from=b d e\n",
    );
    check(
        "FROM a\nRUN x\nRUN$0 y\n",
        "Extract",
        "FROM a AS final-base\nRUN x\n\nFROM final-base\nRUN y\n",
    );
    refuses("FROM a\nRUN$0 x\n", "Extract");
    refuses(
        "FROM a\nRUN x\nRUN$0 y\nFROM b\nCOPY --from=0 c d\n",
        "Extract",
    );
    refuses("FROM a\nONBUILD RUN x\nRUN$0 y\n", "Extract");
}
