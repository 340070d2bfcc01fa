//! What each piece of the text is, for colours: the Dockerfile and the shell inside of it.

use dockerfile_source::{TextRange, TextSize};
use dockerfile_syntax::{Element, SyntaxKind as K, Token};

use crate::Analysis;
use crate::symbol::reference_range;

/// What a piece of text is. The order is that of the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenType {
    Keyword,
    Comment,
    String,
    Variable,
    Parameter,
    Operator,
    Number,
    Function,
    Class,
    Property,
    Macro,
}

/// What else can be said of it. The order is that of the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenModifier {
    Declaration,
    /// Inside of a shell command.
    Shell,
}

/// One piece of text on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SemanticToken {
    pub range: TextRange,
    pub token_type: TokenType,
    pub modifier: Option<TokenModifier>,
}

impl TokenType {
    /// All of them, in the order of the legend.
    pub const ALL: [TokenType; 11] = [
        TokenType::Keyword,
        TokenType::Comment,
        TokenType::String,
        TokenType::Variable,
        TokenType::Parameter,
        TokenType::Operator,
        TokenType::Number,
        TokenType::Function,
        TokenType::Class,
        TokenType::Property,
        TokenType::Macro,
    ];

    /// Returns the name that editors know.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenType::Keyword => "keyword",
            TokenType::Comment => "comment",
            TokenType::String => "string",
            TokenType::Variable => "variable",
            TokenType::Parameter => "parameter",
            TokenType::Operator => "operator",
            TokenType::Number => "number",
            TokenType::Function => "function",
            TokenType::Class => "class",
            TokenType::Property => "property",
            TokenType::Macro => "macro",
        }
    }
}

impl TokenModifier {
    /// All of them, in the order of the legend.
    pub const ALL: [TokenModifier; 2] = [TokenModifier::Declaration, TokenModifier::Shell];

    /// Returns the name that editors know, or one of ours.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenModifier::Declaration => "declaration",
            TokenModifier::Shell => "shell",
        }
    }
}

/// Returns the pieces of a range, in the order of the text; none reaches over a line end and no two overlap.
pub fn semantic_tokens(analysis: &Analysis, range: TextRange) -> Vec<SemanticToken> {
    let mut painter = Painter {
        analysis,
        tokens: Vec::new(),
        named: named_ranges(analysis, range),
        next_named: 0,
        command: CommandState::default(),
    };
    analysis.elements_in(range, |element, parent| painter.visit(element, parent));
    painter.tokens
}

/// Returns ranges that the model knows more of than the tree: stages, keys and programs; sorted.
fn named_ranges(analysis: &Analysis, range: TextRange) -> Vec<SemanticToken> {
    let mut named = Vec::new();
    let mut add = |range: TextRange, token_type, modifier| {
        if !range.is_empty() {
            named.push(SemanticToken {
                range,
                token_type,
                modifier,
            });
        }
    };
    let model = analysis.model();
    let touches = |other: TextRange| other.intersect(range).is_some();
    for stage in &model.stages {
        if let Some(name) = stage.name_range.filter(|name| touches(*name)) {
            add(name, TokenType::Class, Some(TokenModifier::Declaration));
        }
    }
    for reference in &model.stage_references {
        if reference.target.is_some()
            && touches(reference.range)
            && let Some(range) = reference_range(analysis, reference)
        {
            add(range, TokenType::Class, None);
        }
    }
    for variable in &model.variables {
        if touches(variable.range) {
            add(
                variable.range,
                TokenType::Variable,
                Some(TokenModifier::Declaration),
            );
        }
    }
    let first = model
        .instructions
        .partition_point(|each| each.range.end() < range.start());
    for instruction in model.instructions.iter().skip(first) {
        if instruction.range.start() > range.end() {
            break;
        }
        for option in instruction.mounts().flat_map(|mount| &mount.options) {
            let text = analysis.slice(option.range);
            let key = text.split('=').next().unwrap_or("");
            if key.eq_ignore_ascii_case(&option.key) {
                let range = TextRange::at(option.range.start(), TextSize::of(key));
                add(range, TokenType::Property, None);
            }
        }
        for command in instruction.scripts().flat_map(|script| &script.commands) {
            if let Some(program) = command.words.first() {
                add(
                    program.range,
                    TokenType::Function,
                    Some(TokenModifier::Shell),
                );
            }
        }
    }
    named.sort_by_key(|token| token.range.start());
    named
}

#[derive(Default)]
struct CommandState {
    /// The shell script that is being walked over.
    script: Option<TextRange>,
    /// Text that is done: the inside of a string or of a named range.
    done: TextSize,
}

struct Painter<'a> {
    analysis: &'a Analysis,
    tokens: Vec<SemanticToken>,
    named: Vec<SemanticToken>,
    next_named: usize,
    command: CommandState,
}

impl Painter<'_> {
    fn visit(&mut self, element: Element<'_>, parent: K) {
        match element {
            Element::Node(node) if node.kind() == K::SCRIPT => {
                let is_outer = self
                    .command
                    .script
                    .is_none_or(|script| script.end() <= node.range().start());
                if is_outer {
                    self.command.script = Some(node.range());
                }
            }
            Element::Node(_) => {}
            Element::Token(token) => self.visit_token(token, parent),
        }
    }

    fn visit_token(&mut self, token: Token<'_>, parent: K) {
        let range = token.range();
        while let Some(named) = self.named.get(self.next_named) {
            if named.range.start() > range.start() {
                break;
            }
            self.next_named += 1;
            if named.range.end() > self.command.done && named.range.start() >= self.command.done {
                let named = *named;
                // A name that holds a variable or goes over a line is left to its pieces.
                let text = self.analysis.slice(named.range);
                let is_plain = !text.contains(['$', '\n', '"', '\'']);
                if is_plain {
                    self.push(named.range, named.token_type, named.modifier);
                    self.command.done = named.range.end();
                }
            }
        }
        if range.start() < self.command.done {
            return;
        }
        let in_shell = self
            .command
            .script
            .is_some_and(|script| script.contains_range(range));
        if let Some(token_type) = type_of(token, parent, in_shell) {
            let modifier = in_shell.then_some(TokenModifier::Shell);
            self.push(range, token_type, modifier);
        }
    }

    /// Adds a piece, one for each line that it reaches over.
    fn push(&mut self, range: TextRange, token_type: TokenType, modifier: Option<TokenModifier>) {
        let mut start = range.start();
        for line in self.analysis.slice(range).split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r', ' ', '\t']);
            if !content.is_empty() {
                self.tokens.push(SemanticToken {
                    range: TextRange::at(start, TextSize::of(content)),
                    token_type,
                    modifier,
                });
            }
            start += TextSize::of(line);
        }
    }
}

/// Returns what a token is by its kind and place.
fn type_of(token: Token<'_>, parent: K, in_shell: bool) -> Option<TokenType> {
    Some(match token.kind() {
        K::KEYWORD if parent != K::UNKNOWN_INSTRUCTION => TokenType::Keyword,
        K::RESERVED_WORD => TokenType::Keyword,
        K::COMMENT | K::COMMENT_LINE => TokenType::Comment,
        K::DIRECTIVE_NAME | K::DIRECTIVE_VALUE => TokenType::Macro,
        K::HASH if parent == K::DIRECTIVE => TokenType::Comment,
        K::FLAG_DASHES | K::FLAG_NAME => TokenType::Parameter,
        K::JSON_STRING
        | K::SINGLE_QUOTED
        | K::ANSI_C_QUOTED
        | K::DOUBLE_QUOTE
        | K::HEREDOC_TEXT => TokenType::String,
        K::TEXT | K::ESCAPE if parent == K::DOUBLE_QUOTED => TokenType::String,
        K::HEREDOC_END => TokenType::Operator,
        K::DOLLAR | K::DOLLAR_BRACE | K::R_BRACE | K::NAME => TokenType::Variable,
        K::EXPANSION_OPERATOR
        | K::AND_AND
        | K::OR_OR
        | K::PIPE
        | K::PIPE_AMP
        | K::AMP
        | K::SEMICOLON
        | K::CASE_END
        | K::BANG
        | K::REDIRECTION_OPERATOR
        | K::ASSIGNMENT_OPERATOR
        | K::CONTINUATION
        | K::L_PAREN
        | K::R_PAREN
        | K::DOLLAR_PAREN
        | K::PROCESS_PAREN
        | K::BACKQUOTE => TokenType::Operator,
        K::ARITHMETIC | K::IO_NUMBER => TokenType::Number,
        K::TEXT if in_shell && token.text().starts_with('-') && parent == K::WORD => {
            TokenType::Parameter
        }
        K::TEXT if is_number(token.text()) => TokenType::Number,
        _ => return None,
    })
}

fn is_number(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::analysis;

    fn tokens(text: &str) -> Vec<(&str, &'static str)> {
        let analysis = analysis(text);
        let all = TextRange::up_to(TextSize::of(text));
        semantic_tokens(&analysis, all)
            .into_iter()
            .map(|token| {
                let range = usize::from(token.range.start())..usize::from(token.range.end());
                (
                    text.get(range).expect("a range of the text"),
                    token.token_type.as_str(),
                )
            })
            .collect()
    }

    #[test]
    fn colours_the_dockerfile_and_the_shell() {
        assert_eq!(
            tokens("FROM a AS b\nRUN --network=none apt-get -y install \"$X\" && ls\n"),
            [
                ("FROM", "keyword"),
                ("AS", "keyword"),
                ("b", "class"),
                ("RUN", "keyword"),
                ("--", "parameter"),
                ("network", "parameter"),
                ("apt-get", "function"),
                ("-y", "parameter"),
                ("\"", "string"),
                ("$", "variable"),
                ("X", "variable"),
                ("\"", "string"),
                ("&&", "operator"),
                ("ls", "function"),
            ]
        );
    }

    #[test]
    fn no_token_reaches_over_a_line() {
        let text = "FROM a\nCOPY <<E /x\none\ntwo\nE\nRUN 'a\nb' \\\n  # c\n  d\n";
        assert!(tokens(text).iter().all(|(text, _)| !text.contains('\n')));
    }

    #[test]
    fn tokens_are_in_order_and_do_not_overlap() {
        let text = "FROM a AS b\nARG X=1\nENV Y=$X Z=\"a$X\"\nCOPY --from=b --chown=1:2 a b\nRUN --mount=type=bind,from=b,target=/x if a; then b; fi\n";
        let analysis = analysis(text);
        let tokens = semantic_tokens(&analysis, TextRange::up_to(TextSize::of(text)));
        assert!(
            tokens
                .windows(2)
                .all(|pair| matches!(pair, [a, b] if a.range.end() <= b.range.start()))
        );
    }
}
