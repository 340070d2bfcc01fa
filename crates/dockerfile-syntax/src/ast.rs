//! Typed views of the tree.
//!
//! An accessor returns `None` for what is not there: in a file that is being typed, that is normal.

mod instructions;
mod nodes;
mod shell;
mod shell_word;

pub use instructions::{
    AddInstruction, ArgInstruction, Arguments, CmdInstruction, CopyInstruction,
    EntrypointInstruction, EnvInstruction, ExposeInstruction, FromInstruction,
    HealthcheckInstruction, Instruction, LabelInstruction, MaintainerInstruction,
    OnbuildInstruction, RunInstruction, ShellInstruction, StopsignalInstruction,
    UnknownInstruction, UserInstruction, VolumeInstruction, WorkdirInstruction,
};
pub use nodes::{Directive, Expansion, File, Flag, Heredoc, JsonArray, JsonString, Pair, Word};
pub use shell::{
    AndOrList, ArithmeticCommand, Array, Assignment, BraceGroup, CaseCommand, CaseItem, Command,
    CommandSubstitution, ConditionalCommand, DoubleQuoted, ForCommand, FunctionDefinition,
    IfCommand, LoopCommand, Pipeline, ProcessSubstitution, Redirection, Script, SimpleCommand,
    Subshell,
};
pub use shell_word::WordPart;

use crate::{Node, SyntaxKind};

/// A node of a known kind.
pub trait AstNode<'t>: Sized + Copy {
    /// Returns the view of a node, when it is of this kind.
    fn cast(node: Node<'t>) -> Option<Self>;

    /// Returns the node itself.
    fn syntax(self) -> Node<'t>;
}

/// Declares typed nodes: a name, its kind, and accessors for its first child or all of its children of a type.
macro_rules! ast_nodes {
    ($($(#[doc = $doc:literal])* $name:ident = $kind:ident;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name<'t>(pub(super) $crate::Node<'t>);

            impl<'t> $crate::ast::AstNode<'t> for $name<'t> {
                fn cast(node: $crate::Node<'t>) -> Option<Self> {
                    (node.kind() == $crate::SyntaxKind::$kind).then_some($name(node))
                }

                fn syntax(self) -> $crate::Node<'t> {
                    self.0
                }
            }
        )*
    };
}
pub(crate) use ast_nodes;

/// Returns the children of one type.
pub(crate) fn children<'t, T: AstNode<'t>>(node: Node<'t>) -> impl Iterator<Item = T> + Clone {
    node.children().filter_map(T::cast)
}

/// Returns the first child of one type.
pub(crate) fn child<'t, T: AstNode<'t>>(node: Node<'t>) -> Option<T> {
    children(node).next()
}

/// Returns the text of the tokens of one kind and of the pieces that follow them, put together.
pub(crate) fn token_text(node: Node<'_>, kind: SyntaxKind) -> Option<String> {
    let mut text: Option<String> = None;
    for token in node.tokens() {
        if token.kind() == kind && text.is_none() {
            text = Some(token.text().to_owned());
        } else if token.kind() == SyntaxKind::SPLIT_REST
            && let Some(text) = &mut text
        {
            text.push_str(token.text());
        } else if text.is_some() && !token.kind().is_trivia() {
            break;
        }
    }
    text
}
