//! One instruction of the tree to plain data.

use dockerfile_source::TextRange;
use dockerfile_syntax::ast::{self, Arguments, AstNode as _};
use dockerfile_syntax::{HeredocOpener, SyntaxKind};
use smol_str::SmolStr;

use super::Lowering;
use crate::run_mount::{MountOption, RunMount, split_options};
use crate::shell_command::{ScriptContext, ScriptLowering};
use crate::word::Pieces;
use crate::{
    Body, Command, Copy, Flag, From, Healthcheck, HeredocBody, HeredocFact, Instruction,
    JsonString, Keyword, Pair, Word,
};

impl Lowering<'_> {
    pub(super) fn lower(&mut self, syntax: ast::Instruction<'_>, is_trigger: bool) -> Instruction {
        let keyword = Keyword::from_kind(syntax.kind());
        Instruction {
            id: self.current,
            keyword,
            keyword_text: keyword_text(syntax),
            keyword_range: syntax.keyword_range(),
            range: syntax.range(),
            stage: self.stage,
            flags: syntax
                .flags()
                .map(|flag| self.flag(keyword, flag))
                .collect(),
            body: self.body(keyword, syntax),
            heredocs: heredocs(&mut self.scripts, syntax),
            is_trigger,
        }
    }

    fn body(&mut self, keyword: Keyword, syntax: ast::Instruction<'_>) -> Body {
        match keyword {
            Keyword::From => Body::From(Box::new(self.from(syntax))),
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint => {
                Body::Command(command(&mut self.scripts, syntax))
            }
            Keyword::Healthcheck => Body::Healthcheck(healthcheck(&mut self.scripts, syntax)),
            Keyword::Shell => Body::Shell(match syntax.arguments() {
                Arguments::Json(array) => json_strings(array),
                _ => Vec::new(),
            }),
            Keyword::Copy | Keyword::Add => Body::Copy(self.copy(syntax)),
            Keyword::Env | Keyword::Label | Keyword::Arg => Body::Pairs(
                syntax
                    .pairs()
                    .map(|pair| self.pair(keyword, pair))
                    .collect(),
            ),
            Keyword::Expose | Keyword::Volume => Body::Words(match syntax.arguments() {
                Arguments::Json(array) => self.json_words(array),
                _ => syntax.words().map(|word| self.word(word)).collect(),
            }),
            Keyword::User | Keyword::Workdir | Keyword::Stopsignal => {
                Body::Value(syntax.words().next().map(|word| self.word(word)))
            }
            Keyword::Maintainer => Body::Value(syntax.words().next().map(Word::unexpanded)),
            Keyword::Onbuild => Body::Onbuild(
                syntax
                    .trigger()
                    .map(|trigger| Box::new(self.lower(trigger, true))),
            ),
            Keyword::Unknown => Body::Unknown,
        }
    }

    fn from(&mut self, syntax: ast::Instruction<'_>) -> From {
        let Some(from) = ast::FromInstruction::cast(syntax.syntax()) else {
            return From {
                image: None,
                alias: None,
                as_keyword: None,
            };
        };
        From {
            image: from.image().map(|image| self.global_word(image)),
            alias: from.alias().map(Word::unexpanded),
            as_keyword: from
                .as_keyword()
                .map(|token| (SmolStr::new(token.text()), token.range())),
        }
    }

    fn copy(&mut self, syntax: ast::Instruction<'_>) -> Copy {
        let (mut words, is_json) = match syntax.arguments() {
            Arguments::Json(array) => (self.json_words(array), true),
            _ => (
                syntax
                    .words()
                    .map(|word| self.word(word))
                    .collect::<Vec<_>>(),
                false,
            ),
        };
        let destination = if words.len() > 1 { words.pop() } else { None };
        Copy {
            sources: words,
            destination,
            is_json,
        }
    }

    fn pair(&mut self, keyword: Keyword, pair: ast::Pair<'_>) -> Pair {
        let range = pair.syntax().range();
        let has_equals = pair.has_equals();
        let key = match pair.key() {
            Some(key) if keyword == Keyword::Arg => Word::unexpanded(key),
            Some(key) => self.word(key),
            // `=value`: an empty name.
            None => Word::literal(SmolStr::default(), TextRange::empty(range.start())),
        };
        let value = match pair.value() {
            Some(value) => Some(self.word(value)),
            None => {
                has_equals.then(|| Word::literal(SmolStr::default(), TextRange::empty(range.end())))
            }
        };
        Pair {
            key,
            value,
            has_equals,
            range,
        }
    }

    fn flag(&mut self, keyword: Keyword, flag: ast::Flag<'_>) -> Flag {
        let text = flag.text();
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text.as_str(), None),
        };
        let name = SmolStr::new(name.strip_prefix("--").unwrap_or(name));
        let is_mount = name == "mount" && keyword == Keyword::Run;
        Flag {
            value: value.map(|value| self.flag_value(keyword, &name, value, flag)),
            mount: value.filter(|_| is_mount).map(|value| mount(flag, value)),
            name,
            name_range: flag.name_range(),
            range: flag.syntax().range(),
        }
    }

    fn flag_value(
        &mut self,
        keyword: Keyword,
        name: &str,
        value: &str,
        flag: ast::Flag<'_>,
    ) -> Word {
        let Some(written) = flag.value() else {
            return Word::literal(
                SmolStr::default(),
                TextRange::empty(flag.syntax().range().end()),
            );
        };
        match (keyword, name) {
            (Keyword::From, "platform") => self.global_word(written),
            (Keyword::Copy | Keyword::Add, "chown" | "chmod" | "checksum") => self.word(written),
            _ => Word {
                value: Some(SmolStr::new(value)),
                ..Word::unexpanded(written)
            },
        }
    }

    fn json_words(&mut self, array: ast::JsonArray<'_>) -> Vec<Word> {
        json_strings(array)
            .into_iter()
            .map(|string| self.json_word(string))
            .collect()
    }
}

fn keyword_text(syntax: ast::Instruction<'_>) -> SmolStr {
    let mut tokens = syntax.syntax().tokens();
    match (tokens.next(), tokens.next()) {
        // A blank ends the keyword: no continuation cuts it in two.
        (Some(keyword), Some(blank))
            if keyword.kind() == SyntaxKind::KEYWORD && blank.kind() == SyntaxKind::WHITESPACE =>
        {
            SmolStr::new(keyword.text())
        }
        _ => SmolStr::from(syntax.keyword().unwrap_or_default()),
    }
}

fn mount(flag: ast::Flag<'_>, value: &str) -> RunMount {
    let node = flag.syntax();
    let written = node.logical_text();
    // Offsets in the value are offsets in the flag only where nothing was taken off.
    let value_start = written.find('=').map_or(0, |at| at + 1);
    let is_plain = written.get(value_start..) == Some(value);
    let pieces = Pieces::new(node);
    let options = split_options(value)
        .into_iter()
        .map(|(start, field)| {
            let (key, option_value) = match field.split_once('=') {
                Some((key, value)) => (key, Some(SmolStr::new(value))),
                None => (field.as_str(), None),
            };
            let logical = value_start + start..value_start + start + field.len();
            MountOption {
                key: SmolStr::new(key.to_lowercase()),
                value: option_value,
                range: if is_plain {
                    pieces.file_range(logical)
                } else {
                    node.range()
                },
            }
        })
        .collect();
    RunMount {
        range: node.range(),
        options,
    }
}

fn json_strings(array: ast::JsonArray<'_>) -> Vec<JsonString> {
    array
        .strings()
        .into_iter()
        .map(|string| JsonString {
            value: SmolStr::new(string.value),
            range: string.range,
        })
        .collect()
}

fn command(scripts: &mut ScriptLowering, syntax: ast::Instruction<'_>) -> Command {
    match syntax.arguments() {
        Arguments::Json(array) => Command::Exec(json_strings(array), array.syntax().range()),
        Arguments::Script(script) => Command::Shell(scripts.script(script, ScriptContext::Line)),
        Arguments::Opaque { text, range } => Command::Opaque {
            text: SmolStr::new(text),
            range,
        },
        Arguments::Words => Command::Missing,
    }
}

fn healthcheck(scripts: &mut ScriptLowering, syntax: ast::Instruction<'_>) -> Healthcheck {
    let check_type = ast::HealthcheckInstruction::cast(syntax.syntax())
        .and_then(ast::HealthcheckInstruction::check_type);
    match check_type
        .map(|check_type| check_type.to_ascii_uppercase())
        .as_deref()
    {
        Some("NONE") => Healthcheck::None,
        Some("CMD") => Healthcheck::Command(command(scripts, syntax)),
        _ => Healthcheck::Broken,
    }
}

fn heredocs(scripts: &mut ScriptLowering, syntax: ast::Instruction<'_>) -> Vec<HeredocFact> {
    let mut bodies = syntax.heredocs().peekable();
    if bodies.peek().is_none() {
        return Vec::new();
    }
    let openers = syntax.heredoc_openers();
    let pieces = Pieces::new(syntax.syntax());
    openers
        .into_iter()
        .zip(bodies)
        .map(|(opener, body)| heredoc(scripts, &pieces, &opener, body))
        .collect()
}

fn heredoc(
    scripts: &mut ScriptLowering,
    pieces: &Pieces,
    opener: &HeredocOpener,
    body: ast::Heredoc<'_>,
) -> HeredocFact {
    HeredocFact {
        name: SmolStr::new(&opener.name),
        file_descriptor: opener.file_descriptor,
        strips_tabs: opener.strips_tabs,
        expands: opener.expands,
        opener_range: pieces.file_range(opener.range.clone()),
        body: match body.script() {
            Some(script) => HeredocBody::Script(scripts.script(script, ScriptContext::Heredoc)),
            None => HeredocBody::Text {
                text: SmolStr::new(body.body()),
                range: body
                    .syntax()
                    .token(SyntaxKind::HEREDOC_TEXT)
                    .map_or_else(|| body.syntax().range(), dockerfile_syntax::Token::range),
            },
        },
    }
}
