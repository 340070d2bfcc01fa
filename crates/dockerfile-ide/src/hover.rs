//! What is told about the place that the mouse points at.

use std::fmt::Write as _;

use dockerfile_model::{
    Base, HeredocBody, Instruction, Keyword, Origin, Resolution, StageId, VariableId,
};
use dockerfile_source::{TextRange, TextSize};

use crate::Analysis;
use crate::analysis::keyword_name;
use crate::document_symbol::{base_title, stage_title};
use crate::manual::{
    MOUNT_TYPES, flag_markdown, flag_page, instruction_markdown, instruction_page, mount_options,
};
use crate::symbol::{Symbol, symbol_at};
use crate::variable_uses::uses_of;

/// A text in Markdown about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    pub range: TextRange,
    pub markdown: String,
}

/// Returns what is known of the place at an offset.
pub fn hover(analysis: &Analysis, offset: TextSize) -> Option<Hover> {
    if let Some(hover) = rule_in_comment(analysis, offset) {
        return Some(hover);
    }
    let instruction = analysis.instruction_at(offset)?;
    if instruction.keyword_range.contains_inclusive(offset) {
        let page = instruction_page(instruction.keyword)?;
        let mut markdown = instruction_markdown(page);
        if let Some(state) = state_at(analysis, instruction) {
            markdown = format!("{markdown}\n\n---\n\n{state}");
        }
        return Some(Hover {
            range: instruction.keyword_range,
            markdown,
        });
    }
    variable(analysis, instruction, offset)
        .or_else(|| mount_option(analysis, instruction, offset))
        .or_else(|| stage(analysis, offset))
        .or_else(|| flag(instruction, offset))
        .or_else(|| image(analysis, instruction, offset))
        .or_else(|| source_file(analysis, instruction, offset))
        .or_else(|| heredoc(instruction, offset))
}

/// Returns the page of a rule whose name stands in a comment that silences it.
fn rule_in_comment(analysis: &Analysis, offset: TextSize) -> Option<Hover> {
    let line = analysis.line_at(offset);
    let text = analysis.slice(line);
    if !text.trim_start().starts_with('#') {
        return None;
    }
    let at = usize::from(offset - line.start());
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let before = text.get(..at)?;
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_part(*c))
        .last()
        .map_or(at, |(idx, _)| idx);
    let rest = text.get(start..)?;
    let name = rest.split(|c| !is_part(c)).next()?;
    let rule = dockerfile_lint::find_rules(name).into_iter().next()?;
    Some(Hover {
        range: TextRange::at(
            line.start() + TextSize::new(start as u32),
            TextSize::of(name),
        ),
        markdown: rule_markdown(rule),
    })
}

/// Returns the page of a rule with its name and code.
pub(crate) fn rule_markdown(rule: &dockerfile_lint::Rule) -> String {
    format!(
        "**{}** ({}, {})\n\n{}",
        rule.name,
        rule.code,
        rule.severity.as_str(),
        rule.documentation()
    )
}

/// Returns what is in force at an instruction: stage, folder, user, shell, variables.
fn state_at(analysis: &Analysis, instruction: &Instruction) -> Option<String> {
    let model = analysis.model();
    let stage = model.stage(instruction.stage?)?;
    if instruction.is_trigger {
        return None;
    }
    let mut lines = vec![format!(
        "In stage `{}`, on `{}`.",
        stage_title(stage),
        base_title(analysis, stage)
    )];
    if instruction.keyword == Keyword::From {
        let uses = model
            .stage_references
            .iter()
            .filter(|each| each.target == Some(stage.id))
            .count();
        lines.push(format!("Used by later steps: {uses}."));
        return Some(lines.join("  \n"));
    }
    let facts = model.facts_of(stage.id);
    let user = model
        .user_at(instruction.id)
        .map(|user| user.value_or_text().to_owned());
    let user = user.or_else(|| facts?.user.as_ref().map(ToString::to_string));
    lines.push(entry(
        "USER",
        user.as_deref(),
        "the base image's, `root` unless it says otherwise",
    ));
    let workdir = model
        .workdir_at(instruction.id)
        .map(|folder| folder.to_string());
    let workdir = workdir.or_else(|| facts?.workdir.as_ref().map(ToString::to_string));
    lines.push(entry(
        "WORKDIR",
        workdir.as_deref(),
        "the base image's, `/` unless it says otherwise",
    ));
    if let Some(shell) = model.shell_at(instruction.id) {
        let words: Vec<&str> = shell.iter().map(|word| word.value.as_str()).collect();
        lines.push(entry("SHELL", Some(&words.join(" ")), ""));
    }
    let variables = variables_in_force(analysis, instruction, stage.id);
    if !variables.is_empty() {
        lines.push(variables.join("  \n"));
    }
    Some(lines.join("  \n"))
}

fn entry(name: &str, value: Option<&str>, otherwise: &str) -> String {
    match value {
        Some(value) => format!("{name} `{value}`"),
        None => format!("{name} {otherwise}"),
    }
}

const MOST_VARIABLES: usize = 12;

/// Returns the variables that the file sets for an instruction, the nearest declaration of each.
fn variables_in_force(
    analysis: &Analysis,
    instruction: &Instruction,
    stage: StageId,
) -> Vec<String> {
    let model = analysis.model();
    let mut seen: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for ancestor in model.ancestry(stage).take(64) {
        let own = model.variables.iter().rev().filter(|variable| {
            variable.stage == Some(ancestor.id)
                && (ancestor.id != stage || variable.instruction < instruction.id)
        });
        for variable in own {
            if seen.contains(&variable.name.as_str()) {
                continue;
            }
            if lines.len() == MOST_VARIABLES {
                lines.push("...".to_owned());
                return lines;
            }
            seen.push(&variable.name);
            let origin = match variable.origin {
                Origin::Env => "ENV",
                Origin::Arg | Origin::GlobalArg => "ARG",
            };
            lines.push(match &variable.value {
                Some(value) => format!("{origin} `{}={value}`", variable.name),
                None => format!("{origin} `{}`", variable.name),
            });
        }
    }
    lines
}

fn variable(analysis: &Analysis, instruction: &Instruction, offset: TextSize) -> Option<Hover> {
    let model = analysis.model();
    let mut uses = Vec::new();
    uses_of(analysis, instruction, &mut uses);
    let found = uses
        .into_iter()
        .filter(|each| each.whole.contains_inclusive(offset))
        .min_by_key(|each| each.whole.len());
    let Some(found) = found else {
        let (id, range) = crate::symbol::declarations_of(analysis, instruction.id)
            .find(|(_, range)| range.contains_inclusive(offset))?;
        return Some(Hover {
            range,
            markdown: declared(analysis, id)?,
        });
    };
    let name = &found.name;
    let markdown = match found.resolution {
        Resolution::Declared(id) => declared(analysis, id)?,
        Resolution::GlobalOnly(id) => format!(
            "`{name}` is empty here: a stage needs an `ARG {name}` of its own to get it.\n\n{}",
            declared(analysis, id)?
        ),
        Resolution::Predefined => format!("`{name}` is set by the builder."),
        Resolution::BaseImage => {
            let value = instruction
                .stage
                .and_then(|stage| model.facts_of(stage))
                .and_then(|facts| facts.environment.iter().find(|(known, _)| known == name))
                .map(|(_, value)| value.as_str())
                .unwrap_or_default();
            format!("`{name}={value}`, set by the base image.")
        }
        Resolution::MaybeBaseImage => {
            format!("`{name}` is not set in this file; the base image may set it.")
        }
        Resolution::Undeclared => format!("`{name}` is not set: it is empty here."),
    };
    Some(Hover {
        range: found.whole,
        markdown,
    })
}

/// Returns what a declaration says and where it stands.
fn declared(analysis: &Analysis, id: VariableId) -> Option<String> {
    let model = analysis.model();
    let variable = model.variable(id)?;
    let keyword = match variable.origin {
        Origin::Env => "ENV",
        Origin::Arg | Origin::GlobalArg => "ARG",
    };
    let line = analysis.source().line_index().line(variable.range.start()) + 1;
    let value = match (&variable.value, variable.has_value) {
        (Some(value), _) => format!("{keyword} {}={value}", variable.name),
        (None, _) => format!("{keyword} {}", variable.name),
    };
    let place = match variable.stage.and_then(|stage| model.stage(stage)) {
        Some(stage) => format!("Line {line}, in stage `{}`.", stage_title(stage)),
        None => format!("Line {line}, before the first FROM."),
    };
    let note = match (variable.origin, variable.has_value, &variable.value) {
        (Origin::Env, true, None) => " Its value depends on what is not known here.",
        (Origin::Env, ..) => "",
        (_, true, Some(_)) => " The default; `--build-arg` can set another value.",
        (_, true, None) => " Its default depends on what is not known here.",
        (_, false, _) => " It has no default: `--build-arg` sets it.",
    };
    Some(format!("```dockerfile\n{value}\n```\n\n{place}{note}"))
}

fn mount_option(analysis: &Analysis, instruction: &Instruction, offset: TextSize) -> Option<Hover> {
    let mount = instruction
        .mounts()
        .find(|mount| mount.range.contains_inclusive(offset))?;
    let option = mount
        .options
        .iter()
        .find(|option| option.range.contains_inclusive(offset) && option.range != mount.range)?;
    let mount_type = mount.mount_type();
    let value = option.value.as_deref().unwrap_or_default();
    if option.key == "type"
        && let Some((name, text)) = MOUNT_TYPES.iter().find(|(name, _)| *name == value)
    {
        return Some(Hover {
            range: option.range,
            markdown: format!("**type={name}**\n\n{text}"),
        });
    }
    if option.key == "from" {
        return stage(analysis, offset);
    }
    let key = match option.key.as_str() {
        "dst" | "destination" => "target",
        "src" => "source",
        "readwrite" => "rw",
        "readonly" => "ro",
        other => other,
    };
    let page = mount_options(&mount_type).find(|page| page.name == key)?;
    Some(Hover {
        range: option.range,
        markdown: format!(
            "**{}** (mount of type {mount_type})\n\n{}",
            page.name, page.text
        ),
    })
}

fn stage(analysis: &Analysis, offset: TextSize) -> Option<Hover> {
    let (Symbol::Stage(id), range) = symbol_at(analysis, offset)? else {
        return None;
    };
    let model = analysis.model();
    let stage = model.stage(id)?;
    let line = analysis
        .source()
        .line_index()
        .line(model.instruction(stage.from)?.range.start())
        + 1;
    let steps = model.stage_instructions(id).len().saturating_sub(1);
    Some(Hover {
        range,
        markdown: format!(
            "Stage `{}` (number {}), on `{}`: line {line}, {steps} instructions.",
            stage_title(stage),
            id.index(),
            base_title(analysis, stage)
        ),
    })
}

fn flag(instruction: &Instruction, offset: TextSize) -> Option<Hover> {
    let flag = instruction
        .flags
        .iter()
        .find(|flag| flag.name_range.contains_inclusive(offset))?;
    let page = flag_page(instruction.keyword, &flag.name)?;
    Some(Hover {
        range: flag.name_range,
        markdown: flag_markdown(page),
    })
}

fn image(analysis: &Analysis, instruction: &Instruction, offset: TextSize) -> Option<Hover> {
    let word = instruction.from()?.image.as_ref()?;
    if !word.range.contains_inclusive(offset) {
        return None;
    }
    let stage = analysis.model().stage(instruction.stage?)?;
    let markdown = match &stage.base {
        Base::Scratch => "`scratch`: nothing at all, an empty file system.".to_owned(),
        Base::Image(name) => {
            let mut text = match dockerfile_model::ImageRef::parse(name) {
                Ok(image) => format!("`{}`", image.canonical()),
                Err(_) => format!("`{name}`"),
            };
            if let Some(page) = crate::document_link::image_page(name) {
                let _ = write!(text, "\n\n[{page}]({page})");
            }
            if let Some(facts) = analysis.model().facts_of(stage.id) {
                for (what, value) in [("USER", &facts.user), ("WORKDIR", &facts.workdir)] {
                    if let Some(value) = value {
                        let _ = write!(text, "  \n{what} `{value}`");
                    }
                }
                for (name, value) in facts.environment.iter().take(MOST_VARIABLES) {
                    let _ = write!(text, "  \nENV `{name}={value}`");
                }
            }
            text
        }
        _ => return None,
    };
    Some(Hover {
        range: word.range,
        markdown,
    })
}

/// Returns which files of the context a source of COPY takes.
fn source_file(analysis: &Analysis, instruction: &Instruction, offset: TextSize) -> Option<Hover> {
    let copy = instruction.copy()?;
    if instruction.flag("from").is_some() || analysis.outside().context.is_empty() {
        return None;
    }
    let source = copy
        .sources
        .iter()
        .find(|source| source.range.contains_inclusive(offset))?;
    let value = source.value.as_deref()?;
    let pattern = value.trim_start_matches("./").trim_matches('/');
    let takes = |path: &str| {
        matches!(pattern, "" | ".")
            || path == pattern
            || path
                .strip_prefix(pattern)
                .is_some_and(|rest| rest.starts_with('/'))
            || dockerfile_model::go_match(pattern, path).unwrap_or(false)
    };
    let files = analysis
        .outside()
        .context
        .iter()
        .filter(|entry| !entry.is_folder && takes(&entry.path));
    let paths: Vec<&str> = files.map(|entry| entry.path.as_str()).collect();
    let mut markdown = match paths.len() {
        0 => "Matches no file of the build context.".to_owned(),
        1 => "Matches one file of the build context:".to_owned(),
        count => format!("Matches {count} files of the build context:"),
    };
    for path in paths.iter().take(8) {
        let _ = write!(markdown, "\n- `{path}`");
    }
    if paths.len() > 8 {
        markdown.push_str("\n- ...");
    }
    Some(Hover {
        range: source.range,
        markdown,
    })
}

fn heredoc(instruction: &Instruction, offset: TextSize) -> Option<Hover> {
    let heredoc = instruction
        .heredocs
        .iter()
        .find(|heredoc| heredoc.opener_range.contains_inclusive(offset))?;
    let what = match (&heredoc.body, heredoc.expands) {
        (HeredocBody::Script(_), _) => "a script for the shell",
        (HeredocBody::Text { .. }, true) => "a text whose variables the builder replaces",
        (HeredocBody::Text { .. }, false) => "a text that is taken as it is",
    };
    Some(Hover {
        range: heredoc.opener_range,
        markdown: format!(
            "Here-document `{}` of {}: {what}.",
            heredoc.name,
            keyword_name(instruction.keyword)
        ),
    })
}

#[cfg(test)]
mod tests {
    use test_support::cursor;

    use super::*;
    use crate::analysis::analysis;

    #[track_caller]
    fn check(fixture: &str, parts: &[&str]) {
        let (text, offset) = cursor(fixture);
        let hover = hover(&analysis(&text), offset).expect("something is known");
        for part in parts {
            assert!(
                hover.markdown.contains(part),
                "{part} in {}",
                hover.markdown
            );
        }
    }

    #[test]
    fn explains_instructions_and_flags() {
        check("FROM a\nCO$0PY a b\n", &["COPY [FLAGS]", "--link"]);
        check("FROM a\nCOPY --li$0nk a b\n", &["layer of their own"]);
        check(
            "FROM a\nRUN --mount=type=cac$0he,target=/x true\n",
            &["from build to build"],
        );
        check(
            "FROM a\nRUN --mount=type=cache,tar$0get=/x true\n",
            &["Where it is mounted"],
        );
    }

    #[test]
    fn says_what_is_in_force() {
        check(
            "FROM a AS b\nUSER me\nWORKDIR /x\nENV A=1\nR$0UN true\n",
            &["stage `b`", "USER `me`", "WORKDIR `/x`", "ENV `A=1`"],
        );
    }

    #[test]
    fn says_what_a_variable_holds_and_where_it_comes_from() {
        check("FROM a\nENV V=1\nRUN echo $$0V\n", &["ENV V=1", "Line 2"]);
        check(
            "ARG V=1\nFROM a\nRUN echo $V$0\n",
            &["empty here", "ARG V=1"],
        );
        check("FROM a\nARG V$0=1\n", &["--build-arg"]);
    }

    #[test]
    fn explains_stages_images_and_rules() {
        check("FROM a AS b\nFROM c\nCOPY --from=b$0 x y\n", &["Stage `b`"]);
        check("FROM debian$0:12\n", &["docker.io/library/debian:12"]);
        check(
            "# dflint ignore=untagged-base$0-image\nFROM a\n",
            &["untagged-base-image"],
        );
    }
}
