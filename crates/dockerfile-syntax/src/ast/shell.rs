//! Shell scripts and their commands.

use std::borrow::Cow;

use super::{AstNode, Expansion, Heredoc, Word, ast_nodes, child, children};
use crate::{Element, Node, SyntaxKind, Token};

ast_nodes! {
    /// A list of commands: a whole body, or the inside of a compound command.
    Script = SCRIPT;
    /// Commands joined by `&&` and `||`.
    AndOrList = AND_OR_LIST;
    /// Commands joined by `|`, or one with `!`, `time` or `coproc` in front.
    Pipeline = PIPELINE;
    /// Assignments, words and redirections.
    SimpleCommand = SIMPLE_COMMAND;
    /// `(...)`.
    Subshell = SUBSHELL;
    /// `{ ...; }`.
    BraceGroup = BRACE_GROUP;
    /// `if ...; then ...; fi`.
    IfCommand = IF_COMMAND;
    /// `for` and `select`.
    ForCommand = FOR_COMMAND;
    /// `while` and `until`.
    LoopCommand = LOOP_COMMAND;
    /// `case ... esac`.
    CaseCommand = CASE_COMMAND;
    /// `pattern | pattern) ... ;;`.
    CaseItem = CASE_ITEM;
    /// `name() ...` or `function name ...`.
    FunctionDefinition = FUNCTION_DEFINITION;
    /// `[[ ... ]]`.
    ConditionalCommand = CONDITIONAL_COMMAND;
    /// `((...))`.
    ArithmeticCommand = ARITHMETIC_COMMAND;
    /// `name=value` in front of a command, or alone.
    Assignment = ASSIGNMENT;
    /// The `(...)` of `name=(...)`.
    Array = ARRAY;
    /// `> file`, `2>&1`, `<<EOF`.
    Redirection = REDIRECTION;
    /// `$(...)` or `` `...` ``.
    CommandSubstitution = COMMAND_SUBSTITUTION;
    /// `<(...)` or `>(...)`.
    ProcessSubstitution = PROCESS_SUBSTITUTION;
    /// `"..."`.
    DoubleQuoted = DOUBLE_QUOTED;
}

/// Any command, simple or not.
#[derive(Clone, Copy, Debug)]
pub enum Command<'t> {
    AndOrList(AndOrList<'t>),
    Pipeline(Pipeline<'t>),
    Simple(SimpleCommand<'t>),
    Subshell(Subshell<'t>),
    BraceGroup(BraceGroup<'t>),
    If(IfCommand<'t>),
    For(ForCommand<'t>),
    Loop(LoopCommand<'t>),
    Case(CaseCommand<'t>),
    Function(FunctionDefinition<'t>),
    Conditional(ConditionalCommand<'t>),
    Arithmetic(ArithmeticCommand<'t>),
}

impl<'t> AstNode<'t> for Command<'t> {
    fn cast(node: Node<'t>) -> Option<Self> {
        Some(match node.kind() {
            SyntaxKind::AND_OR_LIST => Command::AndOrList(AndOrList(node)),
            SyntaxKind::PIPELINE => Command::Pipeline(Pipeline(node)),
            SyntaxKind::SIMPLE_COMMAND => Command::Simple(SimpleCommand(node)),
            SyntaxKind::SUBSHELL => Command::Subshell(Subshell(node)),
            SyntaxKind::BRACE_GROUP => Command::BraceGroup(BraceGroup(node)),
            SyntaxKind::IF_COMMAND => Command::If(IfCommand(node)),
            SyntaxKind::FOR_COMMAND => Command::For(ForCommand(node)),
            SyntaxKind::LOOP_COMMAND => Command::Loop(LoopCommand(node)),
            SyntaxKind::CASE_COMMAND => Command::Case(CaseCommand(node)),
            SyntaxKind::FUNCTION_DEFINITION => Command::Function(FunctionDefinition(node)),
            SyntaxKind::CONDITIONAL_COMMAND => Command::Conditional(ConditionalCommand(node)),
            SyntaxKind::ARITHMETIC_COMMAND => Command::Arithmetic(ArithmeticCommand(node)),
            _ => return None,
        })
    }

    fn syntax(self) -> Node<'t> {
        match self {
            Command::AndOrList(command) => command.0,
            Command::Pipeline(command) => command.0,
            Command::Simple(command) => command.0,
            Command::Subshell(command) => command.0,
            Command::BraceGroup(command) => command.0,
            Command::If(command) => command.0,
            Command::For(command) => command.0,
            Command::Loop(command) => command.0,
            Command::Case(command) => command.0,
            Command::Function(command) => command.0,
            Command::Conditional(command) => command.0,
            Command::Arithmetic(command) => command.0,
        }
    }
}

impl<'t> Command<'t> {
    /// Returns the redirections of the command itself; those of a list or a pipeline belong to the commands in it.
    pub fn redirections(self) -> impl Iterator<Item = Redirection<'t>> + Clone {
        children(self.syntax())
    }
}

impl<'t> Script<'t> {
    pub fn commands(self) -> impl Iterator<Item = Command<'t>> + Clone {
        children(self.0)
    }

    /// Returns the bodies of here-documents that stand in the script itself.
    pub fn heredocs(self) -> impl Iterator<Item = Heredoc<'t>> + Clone {
        children(self.0)
    }
}

impl<'t> AndOrList<'t> {
    pub fn commands(self) -> impl Iterator<Item = Command<'t>> + Clone {
        children(self.0)
    }

    /// Returns `&&` and `||`, each of them behind the command of the same place.
    pub fn operators(self) -> impl Iterator<Item = Token<'t>> + Clone {
        self.0
            .tokens()
            .filter(|token| matches!(token.kind(), SyntaxKind::AND_AND | SyntaxKind::OR_OR))
    }
}

impl<'t> Pipeline<'t> {
    pub fn commands(self) -> impl Iterator<Item = Command<'t>> + Clone {
        children(self.0)
    }

    /// Returns whether `!` turns the result around.
    pub fn is_negated(self) -> bool {
        let bangs = self
            .0
            .tokens()
            .filter(|token| token.kind() == SyntaxKind::BANG);
        bangs.count() % 2 == 1
    }
}

impl<'t> SimpleCommand<'t> {
    pub fn assignments(self) -> impl Iterator<Item = Assignment<'t>> + Clone {
        children(self.0)
    }

    /// Returns the program and its arguments.
    pub fn words(self) -> impl Iterator<Item = Word<'t>> + Clone {
        children(self.0)
    }

    pub fn redirections(self) -> impl Iterator<Item = Redirection<'t>> + Clone {
        children(self.0)
    }

    /// Returns the program; none where there are assignments or redirections only.
    pub fn program(self) -> Option<Word<'t>> {
        child(self.0)
    }
}

impl<'t> Subshell<'t> {
    pub fn script(self) -> Option<Script<'t>> {
        child(self.0)
    }
}

impl<'t> BraceGroup<'t> {
    pub fn script(self) -> Option<Script<'t>> {
        child(self.0)
    }
}

impl<'t> IfCommand<'t> {
    /// Returns what stands behind `if` and each `elif`.
    pub fn conditions(self) -> impl Iterator<Item = Script<'t>> + Clone {
        scripts_behind(self.0, &["if", "elif"])
    }

    /// Returns what stands behind each `then`.
    pub fn bodies(self) -> impl Iterator<Item = Script<'t>> + Clone {
        scripts_behind(self.0, &["then"])
    }

    pub fn else_body(self) -> Option<Script<'t>> {
        scripts_behind(self.0, &["else"]).next()
    }
}

impl<'t> LoopCommand<'t> {
    /// Returns whether the loop goes on while its condition fails.
    pub fn is_until(self) -> bool {
        let keyword = self.0.token(SyntaxKind::RESERVED_WORD);
        keyword.is_some_and(|keyword| keyword.text().starts_with('u'))
    }

    pub fn condition(self) -> Option<Script<'t>> {
        scripts_behind(self.0, &["while", "until"]).next()
    }

    pub fn body(self) -> Option<Script<'t>> {
        scripts_behind(self.0, &["do"]).next()
    }
}

impl<'t> ForCommand<'t> {
    /// Returns the variable; none in `for ((...))`.
    pub fn variable(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::NAME)
    }

    /// Returns the words behind `in`.
    pub fn words(self) -> impl Iterator<Item = Word<'t>> + Clone {
        children(self.0)
    }

    pub fn body(self) -> Option<Script<'t>> {
        scripts_behind(self.0, &["do", "{"]).next()
    }
}

impl<'t> CaseCommand<'t> {
    /// Returns the word that is compared with the patterns.
    pub fn subject(self) -> Option<Word<'t>> {
        child(self.0)
    }

    pub fn items(self) -> impl Iterator<Item = CaseItem<'t>> + Clone {
        children(self.0)
    }
}

impl<'t> CaseItem<'t> {
    pub fn patterns(self) -> impl Iterator<Item = Word<'t>> + Clone {
        children(self.0)
    }

    pub fn body(self) -> Option<Script<'t>> {
        child(self.0)
    }
}

impl<'t> FunctionDefinition<'t> {
    pub fn name(self) -> Option<Word<'t>> {
        child(self.0)
    }

    pub fn body(self) -> Option<Command<'t>> {
        child(self.0)
    }
}

impl<'t> ConditionalCommand<'t> {
    /// Returns the operands, and the operators that are words, such as `-f` and `==`.
    pub fn words(self) -> impl Iterator<Item = Word<'t>> + Clone {
        children(self.0)
    }
}

impl<'t> Assignment<'t> {
    pub fn name(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::NAME)
    }

    /// Returns `=` or `+=`.
    pub fn operator(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::ASSIGNMENT_OPERATOR)
    }

    /// Returns the value; none where it is empty or an array.
    pub fn value(self) -> Option<Word<'t>> {
        child(self.0)
    }

    pub fn array(self) -> Option<Array<'t>> {
        child(self.0)
    }
}

impl<'t> Array<'t> {
    pub fn elements(self) -> impl Iterator<Item = Word<'t>> + Clone {
        children(self.0)
    }
}

impl<'t> Redirection<'t> {
    /// Returns the number, or bash's `{name}`, in front of the operator.
    pub fn file_descriptor(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::IO_NUMBER)
    }

    pub fn operator(self) -> Option<Token<'t>> {
        self.0.token(SyntaxKind::REDIRECTION_OPERATOR)
    }

    pub fn target(self) -> Option<Word<'t>> {
        child(self.0)
    }
}

impl<'t> CommandSubstitution<'t> {
    /// Returns the commands; none in backquotes with a backslash between them, which are not looked into.
    pub fn script(self) -> Option<Script<'t>> {
        child(self.0)
    }
}

impl<'t> ProcessSubstitution<'t> {
    pub fn script(self) -> Option<Script<'t>> {
        child(self.0)
    }
}

/// Returns the scripts that follow one of these reserved words.
fn scripts_behind<'t>(
    node: Node<'t>,
    keywords: &'static [&'static str],
) -> impl Iterator<Item = Script<'t>> + Clone {
    let mut keyword = Cow::Borrowed("");
    node.children_with_tokens()
        .filter_map(move |element| match element {
            Element::Token(token) => {
                match token.kind() {
                    SyntaxKind::RESERVED_WORD => keyword = Cow::Borrowed(token.text()),
                    // A continuation may stand inside of the word.
                    SyntaxKind::SPLIT_REST => keyword.to_mut().push_str(token.text()),
                    _ => {}
                }
                None
            }
            Element::Node(node) => {
                Script::cast(node).filter(|_| keywords.contains(&keyword.as_ref()))
            }
        })
}

impl<'t> Expansion<'t> {
    /// Returns `#` or `!` in front of the name.
    pub fn prefix(self) -> Option<Token<'t>> {
        let name = self.name().map(|name| name.range().start());
        self.0
            .token(SyntaxKind::EXPANSION_OPERATOR)
            .filter(|operator| name.is_some_and(|name| operator.range().start() < name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Parse, parse};

    fn script(parse: &Parse) -> Script<'_> {
        let run = parse.root().child(SyntaxKind::RUN_INSTRUCTION);
        run.and_then(child).expect("RUN has a script")
    }

    fn texts<'t, T: AstNode<'t>>(nodes: impl Iterator<Item = T>) -> Vec<String> {
        nodes
            .map(|node| node.syntax().logical_text().trim().to_owned())
            .collect()
    }

    #[test]
    fn a_simple_command_has_assignments_words_and_redirections() {
        let parse = parse("RUN A=1 B+=(2 3) cmd -x \"$y\" >out 2>&1\n");
        let Some(Command::Simple(command)) = script(&parse).commands().next() else {
            panic!("the command is a simple one");
        };
        assert_eq!(texts(command.assignments()), ["A=1", "B+=(2 3)"]);
        assert_eq!(texts(command.words()), ["cmd", "-x", "\"$y\""]);
        assert_eq!(texts(command.redirections()), [">out", "2>&1"]);
        assert_eq!(texts(command.program().into_iter()), ["cmd"]);
        let second = command.assignments().nth(1).expect("there are two");
        assert_eq!(second.operator().map(Token::text), Some("+="));
        assert_eq!(
            texts(second.array().into_iter().flat_map(Array::elements)),
            ["2", "3"]
        );
        let descriptor = command
            .redirections()
            .nth(1)
            .and_then(Redirection::file_descriptor);
        assert_eq!(descriptor.map(Token::text), Some("2"));
    }

    #[test]
    fn lists_and_pipelines_name_their_commands() {
        let parse = parse("RUN ! a | b && c || d; e\n");
        let mut commands = script(&parse).commands();
        let Some(Command::AndOrList(list)) = commands.next() else {
            panic!("the first command is a list");
        };
        assert_eq!(texts(list.commands()), ["! a | b", "c", "d"]);
        let operators: Vec<_> = list.operators().map(Token::text).collect();
        assert_eq!(operators, ["&&", "||"]);
        let Some(Command::Pipeline(pipeline)) = list.commands().next() else {
            panic!("the first command of the list is a pipeline");
        };
        assert!(pipeline.is_negated());
        assert_eq!(texts(pipeline.commands()), ["a", "b"]);
        assert_eq!(texts(commands), ["e"]);
    }

    #[test]
    fn an_if_command_tells_its_conditions_from_its_bodies() {
        let parse = parse("RUN if a; th\\\nen b; elif c; then d; else e; fi >f\n");
        let Some(Command::If(command)) = script(&parse).commands().next() else {
            panic!("the command is an if");
        };
        assert_eq!(texts(command.conditions()), ["a;", "c;"]);
        assert_eq!(texts(command.bodies()), ["b;", "d;"]);
        assert_eq!(texts(command.else_body().into_iter()), ["e;"]);
        assert_eq!(texts(Command::If(command).redirections()), [">f"]);
    }

    #[test]
    fn loops_cases_and_functions_have_their_parts() {
        let parse = parse(
            "RUN until a; do b; done; for c in d e; do f; done; case $g in h|i) j;; esac; k() { l; }\n",
        );
        let mut commands = script(&parse).commands();
        let Some(Command::Loop(until)) = commands.next() else {
            panic!("the first command is a loop");
        };
        assert!(until.is_until());
        assert_eq!(texts(until.condition().into_iter()), ["a;"]);
        assert_eq!(texts(until.body().into_iter()), ["b;"]);
        let Some(Command::For(for_command)) = commands.next() else {
            panic!("the second command is a for");
        };
        assert_eq!(for_command.variable().map(Token::text), Some("c"));
        assert_eq!(texts(for_command.words()), ["d", "e"]);
        assert_eq!(texts(for_command.body().into_iter()), ["f;"]);
        let Some(Command::Case(case)) = commands.next() else {
            panic!("the third command is a case");
        };
        assert_eq!(texts(case.subject().into_iter()), ["$g"]);
        let item = case.items().next().expect("there is an item");
        assert_eq!(texts(item.patterns()), ["h", "i"]);
        assert_eq!(texts(item.body().into_iter()), ["j"]);
        let Some(Command::Function(function)) = commands.next() else {
            panic!("the last command is a function");
        };
        assert_eq!(texts(function.name().into_iter()), ["k"]);
        assert_eq!(texts(function.body().into_iter()), ["{ l; }"]);
    }
}
