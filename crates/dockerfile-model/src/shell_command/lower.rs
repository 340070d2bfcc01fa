//! SCRIPT nodes to lists of commands.

use dockerfile_source::TextRange;
use dockerfile_syntax::{Element, Node, SyntaxKind, Token};
use smol_str::{SmolStr, SmolStrBuilder};

use super::{
    Join, Nesting, Redirection, Script, ScriptContext, ShellAssignment, ShellCommand, ShellWord,
};

/// Lowers one script after another in the same memory, so that every list gets just the size that it needs.
#[derive(Default)]
pub(crate) struct ScriptLowering {
    commands: Vec<ShellCommand>,
    /// The words of one command.
    words: Vec<ShellWord>,
    /// A text without its continuations.
    joined: String,
    pipelines: u32,
    has_errors: bool,
}

impl ScriptLowering {
    /// Lowers a SCRIPT node.
    pub(crate) fn script(&mut self, node: Node<'_>, context: ScriptContext) -> Script {
        self.pipelines = 0;
        self.has_errors = false;
        self.list(
            node,
            Place {
                nesting: Nesting::default(),
                join: Join::First,
                join_range: None,
                pipeline: 0,
            },
        );
        let mut nodes = node.children();
        let is_simple = matches!((nodes.next(), nodes.next()), (Some(only), None) if only.kind() == SyntaxKind::SIMPLE_COMMAND)
            && self.commands.len() == 1;
        Script {
            range: node.range(),
            context,
            text: self.logical_text(node),
            commands: self.commands.drain(..).collect(),
            is_simple,
            has_errors: self.has_errors,
        }
    }

    /// Returns the joined text of a node.
    fn logical_text(&mut self, node: Node<'_>) -> SmolStr {
        let whole = node.text();
        // What is left out ends with its line, or is an escape at the end of the file.
        if !whole.contains('\n') && !whole.trim_end().ends_with(['\\', '`']) {
            return SmolStr::new(whole);
        }
        let before = node.range().start();
        let joined = &mut self.joined;
        joined.clear();
        let mut position = 0;
        node.for_each_token(&mut |token| {
            if token.kind().is_line_joint() {
                let range = token.range() - before;
                let kept = whole.get(position..range.start().into());
                joined.push_str(kept.unwrap_or_default());
                position = range.end().into();
            }
        });
        let rest = whole.get(position..).unwrap_or_default();
        if joined.is_empty() {
            return SmolStr::new(rest);
        }
        joined.push_str(rest);
        SmolStr::new(joined.as_str())
    }
}

/// Where the next command stands.
#[derive(Clone, Copy)]
struct Place {
    nesting: Nesting,
    join: Join,
    join_range: Option<TextRange>,
    /// Commands in a substitution of one of its commands have other numbers.
    pipeline: u32,
}

impl Place {
    /// Returns the place of the first command of a list inside of this one.
    fn inside(self, change: impl FnOnce(&mut Nesting)) -> Place {
        let mut nesting = self.nesting;
        nesting.depth += 1;
        change(&mut nesting);
        Place {
            nesting,
            join: Join::First,
            join_range: None,
            pipeline: self.pipeline,
        }
    }
}

impl ScriptLowering {
    /// Lowers the commands of a SCRIPT or an AND_OR_LIST.
    fn list(&mut self, node: Node<'_>, mut place: Place) {
        for element in node.children_with_tokens() {
            match element {
                Element::Token(token) => {
                    let join = match token.kind() {
                        SyntaxKind::AND_AND => Join::And,
                        SyntaxKind::OR_OR => Join::Or,
                        SyntaxKind::AMP => Join::Background,
                        SyntaxKind::SEMICOLON => Join::Sequence,
                        SyntaxKind::NEWLINE if place.join == Join::First => {
                            if self.commands.is_empty() {
                                continue;
                            }
                            Join::Sequence
                        }
                        _ => continue,
                    };
                    place.join = join;
                    place.join_range = Some(token.range());
                }
                Element::Node(child) => {
                    self.pipelines += 1;
                    place.pipeline = self.pipelines;
                    self.command(child, place, false, false);
                    // Two commands on lines of their own have no operator between them.
                    place.join = Join::Sequence;
                    place.join_range = None;
                }
            }
        }
    }

    fn command(&mut self, node: Node<'_>, place: Place, is_piped: bool, is_negated: bool) {
        match node.kind() {
            SyntaxKind::SIMPLE_COMMAND => self.simple_command(node, place, is_piped, is_negated),
            SyntaxKind::AND_OR_LIST => self.list(node, place),
            SyntaxKind::PIPELINE => self.pipeline(node, place),
            SyntaxKind::SUBSHELL => self.compound(node, place, |nesting| nesting.subshell = true),
            SyntaxKind::BRACE_GROUP => self.compound(node, place, |_| {}),
            SyntaxKind::FUNCTION_DEFINITION => self.compound(node, place, |nesting| {
                nesting.function = true;
                nesting.conditional = true;
            }),
            SyntaxKind::IF_COMMAND | SyntaxKind::LOOP_COMMAND => self.conditional(node, place),
            SyntaxKind::FOR_COMMAND | SyntaxKind::CASE_COMMAND | SyntaxKind::CASE_ITEM => {
                self.compound(node, place, |nesting| nesting.conditional = true);
            }
            SyntaxKind::ERROR => self.has_errors = true,
            _ => self.substitutions(node, place),
        }
    }

    fn pipeline(&mut self, node: Node<'_>, place: Place) {
        let is_negated = node.token(SyntaxKind::BANG).is_some();
        let is_piped = node.children().nth(1).is_some();
        let mut place = place;
        for element in node.children_with_tokens() {
            match element {
                Element::Token(token)
                    if matches!(token.kind(), SyntaxKind::PIPE | SyntaxKind::PIPE_AMP) =>
                {
                    place.join = Join::Pipe;
                    place.join_range = Some(token.range());
                }
                Element::Token(_) => {}
                Element::Node(child) => self.command(child, place, is_piped, is_negated),
            }
        }
    }

    /// Lowers what stands in a compound command: lists, words with substitutions, redirections.
    fn compound(&mut self, node: Node<'_>, place: Place, change: impl Fn(&mut Nesting) + Copy) {
        for child in node.children() {
            match child.kind() {
                SyntaxKind::SCRIPT | SyntaxKind::AND_OR_LIST => {
                    self.list(child, place.inside(change));
                }
                SyntaxKind::WORD | SyntaxKind::REDIRECTION => self.substitutions(child, place),
                _ => self.command(child, place.inside(change), false, false),
            }
        }
    }

    /// Lowers `if` and loops: what stands before `then` or `do` is a condition.
    fn conditional(&mut self, node: Node<'_>, place: Place) {
        let mut is_condition = true;
        for element in node.children_with_tokens() {
            match element {
                Element::Token(token) if token.kind() == SyntaxKind::RESERVED_WORD => {
                    is_condition = matches!(token.text(), "if" | "elif" | "while" | "until");
                }
                Element::Token(_) => {}
                Element::Node(child) if child.kind() == SyntaxKind::SCRIPT => {
                    let inner = place.inside(|nesting| {
                        nesting.condition = is_condition;
                        nesting.conditional |= !is_condition;
                    });
                    self.list(child, inner);
                }
                Element::Node(child) => self.command(child, place, false, false),
            }
        }
    }

    fn simple_command(&mut self, node: Node<'_>, place: Place, is_piped: bool, is_negated: bool) {
        let mut command = ShellCommand {
            range: node.range(),
            assignments: Vec::new(),
            words: Vec::new(),
            redirections: Vec::new(),
            join: place.join,
            join_range: place.join_range,
            pipeline: place.pipeline,
            is_piped,
            is_negated,
            nesting: place.nesting,
            has_expansion: false,
            has_capital_word: false,
        };
        let mut has_substitutions = false;
        for child in node.children() {
            match child.kind() {
                SyntaxKind::WORD => {
                    let word = self.word(child);
                    has_substitutions |= word.has_expansion();
                    command.has_capital_word |= starts_with_capital(&word.text);
                    self.words.push(word);
                }
                SyntaxKind::ASSIGNMENT => {
                    let assignment = self.assignment(child);
                    has_substitutions |= assignment
                        .value
                        .as_ref()
                        .is_some_and(ShellWord::has_expansion);
                    command.assignments.push(assignment);
                }
                SyntaxKind::REDIRECTION => {
                    let redirection = self.redirection(child);
                    has_substitutions |= redirection
                        .target
                        .as_ref()
                        .is_some_and(ShellWord::has_expansion);
                    command.redirections.push(redirection);
                }
                SyntaxKind::ERROR => self.has_errors = true,
                _ => has_substitutions = true,
            }
        }
        command.words = self.words.drain(..).collect();
        command.has_expansion = has_substitutions;
        self.commands.push(command);
        if has_substitutions {
            for child in node.children() {
                self.substitutions(child, place);
            }
        }
    }

    /// Lowers the commands of the substitutions below a node.
    fn substitutions(&mut self, node: Node<'_>, place: Place) {
        for child in node.children() {
            match child.kind() {
                SyntaxKind::SCRIPT => {
                    self.list(child, place.inside(|nesting| nesting.substitution = true));
                }
                SyntaxKind::ERROR => self.has_errors = true,
                _ => self.substitutions(child, place),
            }
        }
    }

    fn word(&mut self, node: Node<'_>) -> ShellWord {
        let mut elements = node.children_with_tokens();
        if let (Some(Element::Token(token)), None) = (elements.next(), elements.next())
            && token.kind() == SyntaxKind::TEXT
        {
            return ShellWord::plain(SmolStr::new(token.text()), node.range());
        }
        let mut literal = Some(SmolStrBuilder::new());
        let mut is_quoted = false;
        push_literal(node, false, &mut literal, &mut is_quoted);
        ShellWord::new(
            self.logical_text(node),
            node.range(),
            literal.map(SmolStrBuilder::finish),
            is_quoted,
        )
    }

    fn assignment(&mut self, node: Node<'_>) -> ShellAssignment {
        ShellAssignment {
            name: node
                .token(SyntaxKind::NAME)
                .map_or_else(SmolStr::default, |token| SmolStr::new(token.text())),
            value: node.child(SyntaxKind::WORD).map(|word| self.word(word)),
            range: node.range(),
        }
    }

    fn redirection(&mut self, node: Node<'_>) -> Redirection {
        let operator = node.token(SyntaxKind::REDIRECTION_OPERATOR);
        Redirection {
            operator: operator.map_or_else(SmolStr::default, |token| SmolStr::new(token.text())),
            file_descriptor: node
                .token(SyntaxKind::IO_NUMBER)
                .and_then(|token| token.text().parse().ok()),
            target: node.child(SyntaxKind::WORD).map(|word| self.word(word)),
            range: node.range(),
        }
    }
}

fn starts_with_capital(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
}

/// Appends the value of the parts of a word, or gives up at the first expansion.
fn push_literal(
    node: Node<'_>,
    in_quotes: bool,
    literal: &mut Option<SmolStrBuilder>,
    is_quoted: &mut bool,
) {
    for element in node.children_with_tokens() {
        match element {
            Element::Token(token) => push_token(token, in_quotes, literal, is_quoted),
            Element::Node(child) if child.kind() == SyntaxKind::DOUBLE_QUOTED => {
                *is_quoted = true;
                push_literal(child, true, literal, is_quoted);
            }
            Element::Node(_) => *literal = None,
        }
    }
}

fn push_token(
    token: Token<'_>,
    in_quotes: bool,
    literal: &mut Option<SmolStrBuilder>,
    is_quoted: &mut bool,
) {
    let text = token.text();
    let piece = match token.kind() {
        SyntaxKind::TEXT | SyntaxKind::WHITESPACE | SyntaxKind::NEWLINE => text,
        SyntaxKind::SINGLE_QUOTED => {
            *is_quoted = true;
            let inner = text.strip_prefix('\'').unwrap_or(text);
            inner.strip_suffix('\'').unwrap_or(inner)
        }
        SyntaxKind::ESCAPE => {
            let escaped = text.get(1..).unwrap_or("");
            let keeps_backslash = in_quotes && !matches!(escaped, "$" | "`" | "\"" | "\\" | "\n");
            if keeps_backslash { text } else { escaped }
        }
        SyntaxKind::ANSI_C_QUOTED
        | SyntaxKind::ARITHMETIC
        | SyntaxKind::OPAQUE
        | SyntaxKind::SPLIT_REST => {
            *literal = None;
            return;
        }
        _ => return,
    };
    if let Some(builder) = literal {
        builder.push_str(piece);
    }
}
