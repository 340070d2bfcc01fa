//! One version of a file, with all that is known of it.

use std::sync::Arc;

use dockerfile_model::{Instruction, Keyword, Model};
use dockerfile_source::{SourceFile, TextRange, TextSize};
use dockerfile_syntax::{Element, Node, Parse, Parser};

use crate::Outside;

/// One version of a file: its text, its tree, what it means, and what is known beyond it. Never changes.
#[derive(Debug)]
pub struct Analysis {
    source: Arc<SourceFile>,
    parse: Parse,
    model: Model,
    outside: Arc<Outside>,
}

impl Analysis {
    pub fn new(source: impl Into<Arc<SourceFile>>, outside: Arc<Outside>) -> Analysis {
        let source = source.into();
        let parse = Parser::new().parse(source.text());
        let model = Model::new(&parse, &outside.lint.input);
        Analysis {
            source,
            parse,
            model,
            outside,
        }
    }

    pub fn source(&self) -> &SourceFile {
        &self.source
    }

    pub fn text(&self) -> &str {
        self.source.text()
    }

    pub fn parse(&self) -> &Parse {
        &self.parse
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    pub fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Returns the text of a range; nothing for a range outside of the text.
    pub(crate) fn slice(&self, range: TextRange) -> &str {
        self.text()
            .get(usize::from(range.start())..usize::from(range.end()))
            .unwrap_or("")
    }

    /// Returns the last instruction that starts at or before an offset, ended or not.
    pub(crate) fn instruction_before(&self, offset: TextSize) -> Option<&Instruction> {
        let instructions = &self.model.instructions;
        let count = instructions.partition_point(|each| each.range.start() <= offset);
        instructions.get(count.checked_sub(1)?)
    }

    /// Returns the instruction that holds an offset, its end included; what stands behind ONBUILD is an instruction too.
    pub(crate) fn instruction_at(&self, offset: TextSize) -> Option<&Instruction> {
        let found = self.instruction_before(offset)?;
        if !found.range.contains_inclusive(offset) {
            return None;
        }
        match found.trigger() {
            Some(trigger) if trigger.range.contains_inclusive(offset) => Some(trigger),
            _ => Some(found),
        }
    }

    /// Returns the nodes that hold an offset, the file first. Where two meet, the left one counts unless it is trivia.
    pub(crate) fn nodes_at(&self, offset: TextSize) -> Vec<Node<'_>> {
        let mut path = vec![self.parse.root()];
        while let Some(node) = path.last() {
            let inner = node
                .children()
                .skip_while(|child| child.range().end() < offset)
                .take_while(|child| child.range().start() <= offset);
            // A node that starts at the cursor is what the user points at; one that ends there comes second.
            let Some(next) = inner
                .clone()
                .find(|child| child.range().contains(offset))
                .or_else(|| inner.clone().last())
            else {
                break;
            };
            path.push(next);
        }
        path
    }

    /// Returns the line that holds an offset, without its line end.
    pub(crate) fn line_at(&self, offset: TextSize) -> TextRange {
        let index = self.source.line_index();
        let range = index
            .line_range(index.line(offset))
            .unwrap_or_else(|| TextRange::empty(offset));
        let line = self.slice(range);
        let content = line.trim_end_matches(['\n', '\r']);
        TextRange::at(range.start(), TextSize::of(content))
    }

    /// Returns the elements of the syntax that lie in or touch a range, each with the kind of its parent.
    pub(crate) fn elements_in(
        &self,
        range: TextRange,
        mut visit: impl FnMut(Element<'_>, dockerfile_syntax::SyntaxKind),
    ) {
        crate::walk::walk(self.parse.root(), range, &mut visit);
    }

    /// Returns the instruction whose script holds an offset, for instructions that a shell runs.
    pub(crate) fn is_in_script(&self, offset: TextSize) -> bool {
        self.instruction_at(offset).is_some_and(|instruction| {
            instruction
                .scripts()
                .any(|script| script.range.contains_inclusive(offset))
        })
    }
}

/// Returns the keyword as the reference writes it.
pub(crate) fn keyword_name(keyword: Keyword) -> &'static str {
    match keyword {
        Keyword::Add => "ADD",
        Keyword::Arg => "ARG",
        Keyword::Cmd => "CMD",
        Keyword::Copy => "COPY",
        Keyword::Entrypoint => "ENTRYPOINT",
        Keyword::Env => "ENV",
        Keyword::Expose => "EXPOSE",
        Keyword::From => "FROM",
        Keyword::Healthcheck => "HEALTHCHECK",
        Keyword::Label => "LABEL",
        Keyword::Maintainer => "MAINTAINER",
        Keyword::Onbuild => "ONBUILD",
        Keyword::Run => "RUN",
        Keyword::Shell => "SHELL",
        Keyword::Stopsignal => "STOPSIGNAL",
        Keyword::User => "USER",
        Keyword::Volume => "VOLUME",
        Keyword::Workdir => "WORKDIR",
        Keyword::Unknown => "",
    }
}

#[cfg(test)]
pub(crate) fn analysis(text: &str) -> Analysis {
    Analysis::new(
        SourceFile::new("Dockerfile", text),
        Arc::new(Outside::default()),
    )
}
