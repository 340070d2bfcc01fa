//! The kinds of tokens and nodes.

macro_rules! syntax_kinds {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// What a token or a node is.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum SyntaxKind {
            $($(#[doc = $doc])* $name,)*
        }

        const ALL: &[SyntaxKind] = &[$(SyntaxKind::$name,)*];
    };
}

syntax_kinds! {
    // Trivia: what carries no meaning. A comment between two continuations is trivia wherever it stands.
    /// The byte order mark at the start of the file.
    BOM,
    /// Blanks within a line.
    WHITESPACE,
    /// `\n` or `\r\n`.
    NEWLINE,
    /// `#` up to the end of the line.
    COMMENT,
    /// A comment line inside of an instruction, with its indentation and its line end.
    COMMENT_LINE,
    /// A blank line inside of an instruction, with its line end.
    EMPTY_LINE,
    /// The escape character, blanks behind it and the line end: the line goes on.
    CONTINUATION,

    /// The rest of a token that a continuation cut in two.
    SPLIT_REST,
    /// Text that is not looked into.
    OPAQUE,

    // Dockerfile tokens.
    HASH,
    EQ,
    DIRECTIVE_NAME,
    DIRECTIVE_VALUE,
    /// The name of an instruction, `CMD` and `NONE` of HEALTHCHECK, `AS` of FROM.
    KEYWORD,
    /// The `--` of a flag, or `--` alone, which ends the flags.
    FLAG_DASHES,
    FLAG_NAME,
    L_BRACKET,
    R_BRACKET,
    COMMA,
    /// A string of a JSON array, with its quotes.
    JSON_STRING,
    /// The text of a here-document that is not a script.
    HEREDOC_TEXT,
    /// The line that ends a here-document, without its line end.
    HEREDOC_END,

    // Tokens of words, in Dockerfile words and in shell words.
    /// Characters that stand for themselves.
    TEXT,
    /// The escape character and the character it protects.
    ESCAPE,
    /// `'...'` as a whole.
    SINGLE_QUOTED,
    /// `"`, at both ends of a DOUBLE_QUOTED node.
    DOUBLE_QUOTE,
    /// The `$` of `$NAME`.
    DOLLAR,
    /// `${`.
    DOLLAR_BRACE,
    /// The `}` of `${NAME}`.
    R_BRACE,
    /// The name of a variable or a special parameter.
    NAME,
    /// `:-`, `#`, `//` and the like; `[...]`, `!` and `#` in front of a name as bash has them.
    EXPANSION_OPERATOR,

    // Shell tokens.
    /// `$'...'` as a whole.
    ANSI_C_QUOTED,
    /// `$(`.
    DOLLAR_PAREN,
    /// `` ` ``, at both ends of a backquoted COMMAND_SUBSTITUTION.
    BACKQUOTE,
    /// `$((...))`, `((...))` or `$[...]` as a whole.
    ARITHMETIC,
    /// `<(` or `>(`.
    PROCESS_PAREN,
    L_PAREN,
    R_PAREN,
    /// `&&`.
    AND_AND,
    /// `||`.
    OR_OR,
    /// `|`.
    PIPE,
    /// `|&`.
    PIPE_AMP,
    /// `&`.
    AMP,
    /// `;`.
    SEMICOLON,
    /// `;;`, `;&` or `;;&`.
    CASE_END,
    /// `!` in front of a pipeline.
    BANG,
    /// `if`, `then`, `{`, `}`, `[[`, `]]`, `function`, `time` and the like, where they are reserved.
    RESERVED_WORD,
    /// `>`, `<<`, `2>&` and the like, without the number in front.
    REDIRECTION_OPERATOR,
    /// The number in front of a redirection operator.
    IO_NUMBER,
    /// `=` or `+=` of an assignment.
    ASSIGNMENT_OPERATOR,

    // Nodes. All that follow are kinds of nodes, and none that come before.
    FILE,
    /// `# escape=...`, `# syntax=...` or `# check=...` at the top of the file.
    DIRECTIVE,
    ADD_INSTRUCTION,
    ARG_INSTRUCTION,
    CMD_INSTRUCTION,
    COPY_INSTRUCTION,
    ENTRYPOINT_INSTRUCTION,
    ENV_INSTRUCTION,
    EXPOSE_INSTRUCTION,
    FROM_INSTRUCTION,
    HEALTHCHECK_INSTRUCTION,
    LABEL_INSTRUCTION,
    MAINTAINER_INSTRUCTION,
    ONBUILD_INSTRUCTION,
    RUN_INSTRUCTION,
    SHELL_INSTRUCTION,
    STOPSIGNAL_INSTRUCTION,
    USER_INSTRUCTION,
    VOLUME_INSTRUCTION,
    WORKDIR_INSTRUCTION,
    /// A line whose first word is no instruction.
    UNKNOWN_INSTRUCTION,
    FLAG,
    WORD,
    /// `KEY=VALUE`, `KEY VALUE` (the legacy form of ENV and LABEL) or `KEY` (ARG).
    PAIR,
    JSON_ARRAY,
    /// `AS name` of FROM.
    STAGE_ALIAS,
    /// The body and the end of a here-document.
    HEREDOC,
    DOUBLE_QUOTED,
    /// `$NAME` or `${NAME...}`.
    EXPANSION,
    /// What the parser could not understand.
    ERROR,

    // Shell nodes.
    /// A list of commands: a whole body, or the inside of a compound command.
    SCRIPT,
    /// Commands joined with `&&` and `||`.
    AND_OR_LIST,
    /// Commands joined with `|`, or one with `!` or `time` in front.
    PIPELINE,
    SIMPLE_COMMAND,
    ASSIGNMENT,
    /// The `(...)` of a bash array assignment.
    ARRAY,
    REDIRECTION,
    SUBSHELL,
    BRACE_GROUP,
    IF_COMMAND,
    /// `for` and `select`.
    FOR_COMMAND,
    /// `while` and `until`.
    LOOP_COMMAND,
    CASE_COMMAND,
    CASE_ITEM,
    FUNCTION_DEFINITION,
    /// `[[ ... ]]`.
    CONDITIONAL_COMMAND,
    /// `((...))`.
    ARITHMETIC_COMMAND,
    /// `$(...)` or `` `...` ``.
    COMMAND_SUBSTITUTION,
    /// `<(...)` or `>(...)`.
    PROCESS_SUBSTITUTION,
}

impl SyntaxKind {
    /// Returns whether tokens of this kind carry no meaning.
    pub fn is_trivia(self) -> bool {
        matches!(
            self,
            SyntaxKind::BOM
                | SyntaxKind::WHITESPACE
                | SyntaxKind::NEWLINE
                | SyntaxKind::COMMENT
                | SyntaxKind::COMMENT_LINE
                | SyntaxKind::EMPTY_LINE
                | SyntaxKind::CONTINUATION
        )
    }

    /// Returns whether tokens of this kind are not part of the joined line of an instruction.
    pub fn is_line_joint(self) -> bool {
        matches!(
            self,
            SyntaxKind::CONTINUATION | SyntaxKind::COMMENT_LINE | SyntaxKind::EMPTY_LINE
        )
    }

    /// Returns the kind whose number as a `u16` is `number`.
    #[inline]
    pub(crate) fn from_number(number: u32) -> SyntaxKind {
        let kind = ALL.get(number as usize);
        kind.copied().unwrap_or(SyntaxKind::ERROR)
    }

    /// Returns whether this is a kind of node, and not of token.
    pub(crate) fn is_node(self) -> bool {
        self >= SyntaxKind::FILE
    }

    /// Returns whether nodes of this kind are instructions, unknown ones included.
    pub fn is_instruction(self) -> bool {
        (SyntaxKind::ADD_INSTRUCTION..=SyntaxKind::UNKNOWN_INSTRUCTION).contains(&self)
    }
}

/// A kind fits into a byte.
const _: () = assert!(ALL.len() <= 256);

impl From<SyntaxKind> for rowan::SyntaxKind {
    fn from(kind: SyntaxKind) -> rowan::SyntaxKind {
        rowan::SyntaxKind(kind as u16)
    }
}

impl From<rowan::SyntaxKind> for SyntaxKind {
    fn from(kind: rowan::SyntaxKind) -> SyntaxKind {
        SyntaxKind::from_number(u32::from(kind.0))
    }
}

/// Ties the tree library to our kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dockerfile {}

impl rowan::Language for Dockerfile {
    type Kind = SyntaxKind;

    fn kind_from_raw(raw: rowan::SyntaxKind) -> SyntaxKind {
        raw.into()
    }

    fn kind_to_raw(kind: SyntaxKind) -> rowan::SyntaxKind {
        kind.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_way_through_the_tree_library() {
        for &kind in ALL {
            assert_eq!(SyntaxKind::from(rowan::SyntaxKind::from(kind)), kind);
        }
    }
}
