//! The instructions.

use dockerfile_source::TextRange;

use super::{
    AstNode, Flag, Heredoc, JsonArray, Pair, Word, ast_nodes, child, children, token_text,
};
use crate::{HeredocOpener, Node, SyntaxKind, Token, find_openers};

ast_nodes! {
    AddInstruction = ADD_INSTRUCTION;
    ArgInstruction = ARG_INSTRUCTION;
    CmdInstruction = CMD_INSTRUCTION;
    CopyInstruction = COPY_INSTRUCTION;
    EntrypointInstruction = ENTRYPOINT_INSTRUCTION;
    EnvInstruction = ENV_INSTRUCTION;
    ExposeInstruction = EXPOSE_INSTRUCTION;
    FromInstruction = FROM_INSTRUCTION;
    HealthcheckInstruction = HEALTHCHECK_INSTRUCTION;
    LabelInstruction = LABEL_INSTRUCTION;
    MaintainerInstruction = MAINTAINER_INSTRUCTION;
    OnbuildInstruction = ONBUILD_INSTRUCTION;
    RunInstruction = RUN_INSTRUCTION;
    ShellInstruction = SHELL_INSTRUCTION;
    StopsignalInstruction = STOPSIGNAL_INSTRUCTION;
    UnknownInstruction = UNKNOWN_INSTRUCTION;
    UserInstruction = USER_INSTRUCTION;
    VolumeInstruction = VOLUME_INSTRUCTION;
    WorkdirInstruction = WORKDIR_INSTRUCTION;
}

/// Any instruction.
#[derive(Clone, Copy, Debug)]
pub struct Instruction<'t>(Node<'t>);

/// The arguments of an instruction, in the form they are written.
#[derive(Clone, Debug)]
pub enum Arguments<'t> {
    /// `["a", "b"]`.
    Json(JsonArray<'t>),
    /// A command for the shell: a SCRIPT node.
    Script(Node<'t>),
    /// Text that is not looked into: a command that no sh reads, or the rest of an unknown instruction.
    Opaque { text: String, range: TextRange },
    /// Words, pairs, or nothing.
    Words,
}

impl<'t> AstNode<'t> for Instruction<'t> {
    fn cast(node: Node<'t>) -> Option<Self> {
        node.kind().is_instruction().then_some(Instruction(node))
    }

    fn syntax(self) -> Node<'t> {
        self.0
    }
}

impl<'t> Instruction<'t> {
    pub fn kind(self) -> SyntaxKind {
        self.0.kind()
    }

    pub fn range(self) -> TextRange {
        self.0.range()
    }

    /// Returns the keyword as it is written.
    pub fn keyword(self) -> Option<String> {
        token_text(self.0, SyntaxKind::KEYWORD)
    }

    /// Returns where the keyword stands, up to its first continuation.
    pub fn keyword_range(self) -> TextRange {
        let start = self.0.range().start();
        self.0
            .token(SyntaxKind::KEYWORD)
            .map_or(TextRange::empty(start), Token::range)
    }

    /// Returns the flags; `--` alone is none.
    pub fn flags(self) -> impl Iterator<Item = Flag<'t>> + Clone {
        children::<Flag>(self.0).filter(|flag| flag.0.token(SyntaxKind::FLAG_NAME).is_some())
    }

    /// Returns the words that are arguments of their own: sources and destinations, ports, the value of USER.
    pub fn words(self) -> impl Iterator<Item = Word<'t>> + Clone {
        children(self.0)
    }

    /// Returns the pairs of ENV, LABEL and ARG.
    pub fn pairs(self) -> impl Iterator<Item = Pair<'t>> + Clone {
        children(self.0)
    }

    pub fn arguments(self) -> Arguments<'t> {
        if let Some(array) = child(self.0) {
            return Arguments::Json(array);
        }
        if let Some(script) = self.0.child(SyntaxKind::SCRIPT) {
            return Arguments::Script(script);
        }
        let range = self
            .0
            .tokens()
            .skip_while(|token| token.kind() != SyntaxKind::OPAQUE)
            .filter(|token| matches!(token.kind(), SyntaxKind::OPAQUE | SyntaxKind::SPLIT_REST))
            .map(Token::range)
            .reduce(TextRange::cover);
        match (token_text(self.0, SyntaxKind::OPAQUE), range) {
            (Some(text), Some(range)) => Arguments::Opaque { text, range },
            _ => Arguments::Words,
        }
    }

    /// Returns the bodies of the here-documents.
    pub fn heredocs(self) -> impl Iterator<Item = Heredoc<'t>> + Clone {
        children(self.0)
    }

    /// Returns the here-documents that the line opens, in the order of their bodies.
    pub fn heredoc_openers(self) -> Vec<HeredocOpener> {
        find_openers(&self.line())
    }

    /// Returns the instruction behind ONBUILD.
    pub fn trigger(self) -> Option<Instruction<'t>> {
        self.0.children().find_map(Instruction::cast)
    }

    /// Returns the joined line: the instruction without continuations, comments between them and here-documents.
    pub fn line(self) -> String {
        let mut line = String::new();
        for element in self.0.children_with_tokens() {
            match element {
                crate::Element::Token(token) if token.kind() == SyntaxKind::NEWLINE => break,
                crate::Element::Token(token) if token.kind().is_line_joint() => {}
                crate::Element::Token(token) => line.push_str(token.text()),
                crate::Element::Node(node) if node.kind() == SyntaxKind::HEREDOC => break,
                crate::Element::Node(node) => node.push_logical_text(&mut line),
            }
        }
        line
    }
}

impl<'t> FromInstruction<'t> {
    pub fn image(self) -> Option<Word<'t>> {
        child(self.0)
    }

    /// Returns the name behind `AS`.
    pub fn alias(self) -> Option<Word<'t>> {
        child(self.0.child(SyntaxKind::STAGE_ALIAS)?)
    }

    /// Returns `AS` as it is written.
    pub fn as_keyword(self) -> Option<Token<'t>> {
        self.0
            .child(SyntaxKind::STAGE_ALIAS)?
            .token(SyntaxKind::KEYWORD)
    }
}

impl HealthcheckInstruction<'_> {
    /// Returns `CMD` or `NONE`, as it is written.
    pub fn check_type(self) -> Option<String> {
        let keyword = self
            .0
            .tokens()
            .filter(|token| token.kind() == SyntaxKind::KEYWORD)
            .nth(1)?;
        Some(keyword.text().to_owned())
    }
}
