//! A RUN that is a chain of commands with `&&`, or a list of them in a here-document.

use dockerfile_model::{Command, HeredocBody, Instruction, ScriptContext};
use dockerfile_source::TextRange;
use dockerfile_syntax::{Element, Node, SyntaxKind};

use crate::Analysis;

/// A RUN whose script is a plain sequence: each command runs only when the one before it succeeded.
pub(super) struct Chain<'a> {
    /// The text of each command, on one line where it was one with continuations.
    pub(super) commands: Vec<ChainCommand<'a>>,
    pub(super) script: TextRange,
}

pub(super) struct ChainCommand<'a> {
    pub(super) node: Node<'a>,
    /// As the shell reads it.
    pub(super) text: String,
}

/// Returns the outermost script node that stands in a range.
fn script_node(analysis: &Analysis, range: TextRange) -> Option<Node<'_>> {
    let path = analysis.nodes_at(range.start());
    path.into_iter()
        .find(|node| node.kind() == SyntaxKind::SCRIPT && range.contains_range(node.range()))
}

/// Returns the commands of a RUN that is one line with `&&` only.
pub(super) fn chain<'a>(analysis: &'a Analysis, instruction: &Instruction) -> Option<Chain<'a>> {
    let Some(Command::Shell(script)) = instruction.command() else {
        return None;
    };
    if script.context != ScriptContext::Line
        || script.has_errors
        || !instruction.heredocs.is_empty()
    {
        return None;
    }
    let node = script_node(analysis, script.range)?;
    let mut items = meaningful(node);
    let first = items.next()?;
    if items.next().is_some() {
        return None;
    }
    let first = first.into_node()?;
    let list: Vec<Element<'a>> = if first.kind() == SyntaxKind::AND_OR_LIST {
        meaningful(first).collect()
    } else {
        vec![Element::Node(first)]
    };
    let mut commands = Vec::new();
    for element in list {
        match element {
            Element::Node(node) => commands.push(command(node)?),
            Element::Token(token) if token.kind() == SyntaxKind::AND_AND => {}
            Element::Token(_) => return None,
        }
    }
    Some(Chain {
        commands,
        script: node.range(),
    })
}

/// Returns the commands of a here-document that stops at the first failure (`set -e` in its first line).
pub(super) fn stopping_document<'a>(
    analysis: &'a Analysis,
    instruction: &Instruction,
) -> Option<(Chain<'a>, bool)> {
    let Some(Command::Shell(line)) = instruction.command() else {
        return None;
    };
    let [heredoc] = instruction.heredocs.as_slice() else {
        return None;
    };
    let HeredocBody::Script(script) = &heredoc.body else {
        return None;
    };
    let is_alone = line.range == script.range || line.commands.iter().all(super::is_opener);
    if script.has_errors || line.has_errors || !is_alone {
        return None;
    }
    let node = script_node(analysis, script.range)?;
    let mut commands = Vec::new();
    for element in meaningful(node) {
        match element {
            Element::Node(node) => commands.push(command(node)?),
            Element::Token(token) if matches!(token.kind(), SyntaxKind::SEMICOLON) => {}
            Element::Token(_) => return None,
        }
    }
    let first = commands.first()?;
    let traces = match first.text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["set", "-e"] => false,
        ["set", "-ex" | "-xe"] => true,
        _ => return None,
    };
    commands.remove(0);
    let script = node.range();
    (!commands.is_empty()).then_some((Chain { commands, script }, traces))
}

/// Returns a command that means the same in a chain and behind `set -e`: a simple one, or a pipeline of simple ones.
fn command(node: Node<'_>) -> Option<ChainCommand<'_>> {
    let is_simple = match node.kind() {
        SyntaxKind::SIMPLE_COMMAND => true,
        SyntaxKind::PIPELINE => meaningful(node).all(|element| match element {
            Element::Node(node) => node.kind() == SyntaxKind::SIMPLE_COMMAND,
            Element::Token(token) => {
                matches!(token.kind(), SyntaxKind::PIPE | SyntaxKind::PIPE_AMP)
            }
        }),
        _ => false,
    };
    let mut has_comment = false;
    node.for_each_token(&mut |token| {
        has_comment |= matches!(token.kind(), SyntaxKind::COMMENT | SyntaxKind::COMMENT_LINE);
    });
    (is_simple && !has_comment).then(|| ChainCommand {
        node,
        text: one_line(&node.logical_text()),
    })
}

/// Takes the blanks out that indented a continued line. Text in quotes is left alone.
fn one_line(text: &str) -> String {
    if text.contains(['\'', '"', '\\', '`']) {
        return text.trim().to_owned();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn meaningful(node: Node<'_>) -> impl Iterator<Item = Element<'_>> + Clone {
    node.children_with_tokens()
        .filter(|element| !element.kind().is_trivia())
}

/// Returns whether a command leaves something behind in the shell that the next one sees.
pub(super) fn changes_shell(command: &dockerfile_model::ShellCommand) -> bool {
    let is_builtin = command.is(&[
        "cd", "pushd", "popd", "export", "set", "unset", "umask", "ulimit", ".", "source", "trap",
        "alias", "eval", "exec", "exit", "read", "local", "declare", "typeset", "readonly",
        "shopt", "shift", "wait", "hash", "return",
    ]);
    is_builtin || command.words.is_empty() || command.nesting.function
}
