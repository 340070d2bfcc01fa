//! Instructions, lowered from the tree into plain data.

use dockerfile_source::TextRange;
use dockerfile_syntax::SyntaxKind;
use smol_str::SmolStr;

use crate::{RunMount, Script, StageId, Word};

/// The place of an instruction in the file, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstructionId(pub u32);

impl InstructionId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which instruction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    Unknown,
}

/// One instruction.
#[derive(Clone, Debug)]
pub struct Instruction {
    pub id: InstructionId,
    pub keyword: Keyword,
    /// The keyword as it is written.
    pub keyword_text: SmolStr,
    pub keyword_range: TextRange,
    /// From the keyword to the last character, here-documents included.
    pub range: TextRange,
    /// The stage it belongs to; none before the first FROM. FROM belongs to the stage that it starts.
    pub stage: Option<StageId>,
    pub flags: Vec<Flag>,
    pub body: Body,
    pub heredocs: Vec<HeredocFact>,
    /// Whether it stands behind ONBUILD: it runs in builds on top of this image, not in this one.
    pub is_trigger: bool,
}

/// The arguments of an instruction.
#[derive(Clone, Debug)]
pub enum Body {
    /// Boxed: it is rare, and twice as large as any other body.
    From(Box<From>),
    /// RUN, CMD and ENTRYPOINT.
    Command(Command),
    Healthcheck(Healthcheck),
    /// SHELL.
    Shell(Vec<JsonString>),
    /// COPY and ADD.
    Copy(Copy),
    /// ENV, LABEL and ARG.
    Pairs(Vec<Pair>),
    /// EXPOSE and VOLUME.
    Words(Vec<Word>),
    /// USER, WORKDIR, STOPSIGNAL and MAINTAINER.
    Value(Option<Word>),
    Onbuild(Option<Box<Instruction>>),
    Unknown,
}

#[derive(Clone, Debug)]
pub struct From {
    pub image: Option<Word>,
    pub alias: Option<Word>,
    /// `AS` as it is written.
    pub as_keyword: Option<(SmolStr, TextRange)>,
}

/// A command line, in the form it is written.
#[derive(Clone, Debug)]
pub enum Command {
    /// `["program", "argument"]`, with the range of the array.
    Exec(Vec<JsonString>, TextRange),
    /// A line, or a here-document, for sh.
    Shell(Script),
    /// A line for a shell that is not sh, or a here-document for an interpreter.
    Opaque { text: SmolStr, range: TextRange },
    /// Nothing.
    Missing,
}

#[derive(Clone, Debug)]
pub enum Healthcheck {
    None,
    Command(Command),
    /// Neither `CMD` nor `NONE`.
    Broken,
}

#[derive(Clone, Debug)]
pub struct Copy {
    pub sources: Vec<Word>,
    pub destination: Option<Word>,
    pub is_json: bool,
}

/// `KEY=VALUE`, `KEY VALUE` or `KEY`.
#[derive(Clone, Debug)]
pub struct Pair {
    pub key: Word,
    /// None for `KEY` alone. `KEY=` has an empty value.
    pub value: Option<Word>,
    pub has_equals: bool,
    pub range: TextRange,
}

/// `--name=value`.
#[derive(Clone, Debug)]
pub struct Flag {
    pub name: SmolStr,
    /// Where `--name` stands.
    pub name_range: TextRange,
    /// The value as the builder reads it; its range and text are as written.
    pub value: Option<Word>,
    pub range: TextRange,
    /// For `--mount`: the options.
    pub mount: Option<RunMount>,
}

/// A string of a JSON array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonString {
    pub value: SmolStr,
    /// Its quotes included.
    pub range: TextRange,
}

/// A here-document.
#[derive(Clone, Debug)]
pub struct HeredocFact {
    pub name: SmolStr,
    pub file_descriptor: u32,
    pub strips_tabs: bool,
    /// Whether the builder expands variables in it (COPY and ADD).
    pub expands: bool,
    /// Where `<<NAME` stands.
    pub opener_range: TextRange,
    pub body: HeredocBody,
}

#[derive(Clone, Debug)]
pub enum HeredocBody {
    /// A script for sh. Where it is all that RUN holds, the script is the command of the instruction too.
    Script(Script),
    Text {
        text: SmolStr,
        range: TextRange,
    },
}

impl Instruction {
    /// Returns the flag of a name.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }

    /// Returns the `--mount` flags.
    pub fn mounts(&self) -> impl Iterator<Item = &RunMount> {
        self.flags.iter().filter_map(|flag| flag.mount.as_ref())
    }

    /// Returns the scripts that a shell runs for this instruction: the command line, and here-documents that are
    /// scripts.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        let command = match &self.body {
            Body::Command(Command::Shell(script))
            | Body::Healthcheck(Healthcheck::Command(Command::Shell(script))) => Some(script),
            _ => None,
        };
        let documents = self
            .heredocs
            .iter()
            .filter_map(|heredoc| match &heredoc.body {
                HeredocBody::Script(script) => Some(script),
                HeredocBody::Text { .. } => None,
            });
        command.into_iter().chain(documents)
    }

    /// Returns the command line of RUN, CMD, ENTRYPOINT or HEALTHCHECK CMD.
    pub fn command(&self) -> Option<&Command> {
        match &self.body {
            Body::Command(command) | Body::Healthcheck(Healthcheck::Command(command)) => {
                Some(command)
            }
            _ => None,
        }
    }

    pub fn copy(&self) -> Option<&Copy> {
        match &self.body {
            Body::Copy(copy) => Some(copy),
            _ => None,
        }
    }

    /// Returns the pairs of ENV, LABEL and ARG.
    pub fn pairs(&self) -> &[Pair] {
        match &self.body {
            Body::Pairs(pairs) => pairs,
            _ => &[],
        }
    }

    /// Returns the words of EXPOSE and VOLUME.
    pub fn words(&self) -> &[Word] {
        match &self.body {
            Body::Words(words) => words,
            _ => &[],
        }
    }

    /// Returns the value of USER, WORKDIR, STOPSIGNAL and MAINTAINER.
    pub fn value(&self) -> Option<&Word> {
        match &self.body {
            Body::Value(value) => value.as_ref(),
            _ => None,
        }
    }

    pub fn from(&self) -> Option<&From> {
        match &self.body {
            Body::From(from) => Some(from),
            _ => None,
        }
    }

    /// Returns the instruction behind ONBUILD.
    pub fn trigger(&self) -> Option<&Instruction> {
        match &self.body {
            Body::Onbuild(trigger) => trigger.as_deref(),
            _ => None,
        }
    }
}

impl Keyword {
    /// How many there are.
    pub const COUNT: usize = Keyword::Unknown as usize + 1;

    pub fn from_kind(kind: SyntaxKind) -> Keyword {
        match kind {
            SyntaxKind::ADD_INSTRUCTION => Keyword::Add,
            SyntaxKind::ARG_INSTRUCTION => Keyword::Arg,
            SyntaxKind::CMD_INSTRUCTION => Keyword::Cmd,
            SyntaxKind::COPY_INSTRUCTION => Keyword::Copy,
            SyntaxKind::ENTRYPOINT_INSTRUCTION => Keyword::Entrypoint,
            SyntaxKind::ENV_INSTRUCTION => Keyword::Env,
            SyntaxKind::EXPOSE_INSTRUCTION => Keyword::Expose,
            SyntaxKind::FROM_INSTRUCTION => Keyword::From,
            SyntaxKind::HEALTHCHECK_INSTRUCTION => Keyword::Healthcheck,
            SyntaxKind::LABEL_INSTRUCTION => Keyword::Label,
            SyntaxKind::MAINTAINER_INSTRUCTION => Keyword::Maintainer,
            SyntaxKind::ONBUILD_INSTRUCTION => Keyword::Onbuild,
            SyntaxKind::RUN_INSTRUCTION => Keyword::Run,
            SyntaxKind::SHELL_INSTRUCTION => Keyword::Shell,
            SyntaxKind::STOPSIGNAL_INSTRUCTION => Keyword::Stopsignal,
            SyntaxKind::USER_INSTRUCTION => Keyword::User,
            SyntaxKind::VOLUME_INSTRUCTION => Keyword::Volume,
            SyntaxKind::WORKDIR_INSTRUCTION => Keyword::Workdir,
            _ => Keyword::Unknown,
        }
    }
}
