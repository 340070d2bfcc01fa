//! Where a name is declared, where it is used, and what it would take to change it.

use dockerfile_source::{TextEdit, TextRange, TextSize};

use crate::Analysis;
use crate::symbol::{Symbol, declarations_with, reference_range, symbol_at, uses_meaning};

/// One place where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    pub range: TextRange,
    pub access: Access,
}

/// What happens at a place where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    Declaration,
    Use,
}

/// Why a name cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenameProblem {
    NotHere,
    /// The new name is not one that the builder takes.
    BadName,
    /// Something else has the new name already.
    Taken,
}

impl RenameProblem {
    /// Returns the reason as a sentence without a period.
    pub fn as_str(&self) -> &'static str {
        match self {
            RenameProblem::NotHere => "there is no stage, variable or here-document to rename here",
            RenameProblem::BadName => "the builder does not take that name",
            RenameProblem::Taken => "something else in this file has that name already",
        }
    }
}

/// Returns where the name at an offset is declared.
pub fn definition(analysis: &Analysis, offset: TextSize) -> Vec<TextRange> {
    let Some((symbol, _)) = symbol_at(analysis, offset) else {
        return Vec::new();
    };
    match symbol {
        Symbol::Stage(id) => {
            let stage = analysis.model().stage(id);
            let from = stage.and_then(|stage| analysis.model().instruction(stage.from));
            let range = stage
                .and_then(|stage| stage.name_range)
                .or_else(|| Some(from?.keyword_range));
            range.into_iter().collect()
        }
        Symbol::Variable(id) => {
            let variable = analysis.model().variable(id);
            variable
                .map(|variable| variable.range)
                .into_iter()
                .collect()
        }
        Symbol::Undeclared(_) => Vec::new(),
        Symbol::Heredoc([opener, _]) => vec![opener],
    }
}

/// Returns all places that mean the same as the name at an offset, in the order of the file.
pub fn references(analysis: &Analysis, offset: TextSize) -> Vec<Occurrence> {
    symbol_at(analysis, offset)
        .map(|(symbol, _)| occurrences(analysis, &symbol))
        .unwrap_or_default()
}

fn occurrences(analysis: &Analysis, symbol: &Symbol) -> Vec<Occurrence> {
    let model = analysis.model();
    let mut found: Vec<Occurrence> = Vec::new();
    let mut add = |range, access| found.push(Occurrence { range, access });
    match symbol {
        Symbol::Stage(id) => {
            if let Some(range) = model.stage(*id).and_then(|stage| stage.name_range) {
                add(range, Access::Declaration);
            }
            for reference in &model.stage_references {
                if reference.target == Some(*id)
                    && let Some(range) = reference_range(analysis, reference)
                {
                    add(range, Access::Use);
                }
            }
        }
        Symbol::Variable(id) => {
            let declarations = declarations_with(analysis, *id);
            let mut name = "";
            for variable in declarations.iter().filter_map(|id| model.variable(*id)) {
                add(variable.range, Access::Declaration);
                name = &variable.name;
            }
            for each in uses_meaning(analysis, name, &declarations) {
                add(each.range, Access::Use);
            }
        }
        Symbol::Undeclared(name) => {
            for each in uses_meaning(analysis, name, &[]) {
                add(each.range, Access::Use);
            }
        }
        Symbol::Heredoc([opener, end]) => {
            add(*opener, Access::Declaration);
            add(*end, Access::Use);
        }
    }
    found.sort_by_key(|occurrence| (occurrence.range.start(), occurrence.access));
    found.dedup_by_key(|occurrence| occurrence.range);
    found
}

/// Returns where the name at an offset stands, if it can be changed.
pub fn prepare_rename(analysis: &Analysis, offset: TextSize) -> Option<TextRange> {
    let (symbol, range) = symbol_at(analysis, offset)?;
    is_renamable(analysis, &symbol, range).then_some(range)
}

fn is_renamable(analysis: &Analysis, symbol: &Symbol, range: TextRange) -> bool {
    match symbol {
        // What only the base image or the builder knows by this name keeps it.
        Symbol::Undeclared(_) => false,
        Symbol::Stage(id) => {
            let stage = analysis.model().stage(*id);
            stage.is_some_and(|stage| stage.name.is_some()) && !is_number(analysis.slice(range))
        }
        Symbol::Variable(_) | Symbol::Heredoc(_) => true,
    }
}

/// Returns the edit that gives the name at an offset another one, everywhere.
pub fn rename(
    analysis: &Analysis,
    offset: TextSize,
    new_name: &str,
) -> Result<TextEdit, RenameProblem> {
    let (symbol, range) = symbol_at(analysis, offset).ok_or(RenameProblem::NotHere)?;
    if !is_renamable(analysis, &symbol, range) {
        return Err(RenameProblem::NotHere);
    }
    check_name(analysis, &symbol, new_name)?;
    let mut edit = TextEdit::builder();
    for occurrence in occurrences(analysis, &symbol) {
        let written = analysis.slice(occurrence.range);
        let is_stage_number = matches!(symbol, Symbol::Stage(_)) && is_number(written);
        // A number goes on meaning the stage; a variable that gives the name cannot be written over.
        if is_stage_number || written.contains('$') {
            continue;
        }
        edit.replace(occurrence.range, new_name);
    }
    edit.finish().map_err(|_| RenameProblem::NotHere)
}

fn check_name(analysis: &Analysis, symbol: &Symbol, new_name: &str) -> Result<(), RenameProblem> {
    let model = analysis.model();
    match symbol {
        Symbol::Stage(id) => {
            let lower = new_name.to_ascii_lowercase();
            // BuildKit `instructions/parse.go`, `validStageName`.
            let is_valid = lower.starts_with(|first: char| first.is_ascii_lowercase())
                && lower
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c));
            if !is_valid || matches!(lower.as_str(), "scratch" | "context") {
                return Err(RenameProblem::BadName);
            }
            let is_taken = model
                .stages
                .iter()
                .any(|stage| stage.id != *id && stage.name.as_deref() == Some(lower.as_str()));
            // A name that is an image elsewhere in the file would become this stage.
            let is_image = model
                .stages
                .iter()
                .any(|stage| matches!(&stage.base, dockerfile_model::Base::Image(name) if name.eq_ignore_ascii_case(&lower)));
            if is_taken || is_image {
                return Err(RenameProblem::Taken);
            }
        }
        Symbol::Variable(_) | Symbol::Undeclared(_) => {
            if !is_variable_name(new_name) {
                return Err(RenameProblem::BadName);
            }
            let is_declared = model.variables.iter().any(|each| each.name == new_name);
            let is_used = crate::variable_uses::all_uses(analysis)
                .iter()
                .any(|each| each.name == new_name);
            if is_declared || is_used {
                return Err(RenameProblem::Taken);
            }
        }
        Symbol::Heredoc(_) => {
            let is_valid = !new_name.is_empty()
                && new_name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_valid {
                return Err(RenameProblem::BadName);
            }
            // A line of the text that is the new name would end it.
            if analysis.text().lines().any(|line| line.trim() == new_name) {
                return Err(RenameProblem::Taken);
            }
        }
    }
    Ok(())
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use test_support::{check_annotations, cursor};

    use super::*;
    use crate::analysis::analysis;

    /// The references of the name at the mark are those that are annotated.
    fn check_references(fixture: &str) {
        check_annotations(&fixture.replace("$0", ""), |text| {
            let marked = test_support::annotations(fixture).0;
            let offset = cursor(&marked).1;
            references(&analysis(text), offset)
                .into_iter()
                .map(|each| {
                    let access = match each.access {
                        Access::Declaration => "declared",
                        Access::Use => "used",
                    };
                    (each.range, access.to_owned())
                })
                .collect()
        });
    }

    fn check_rename(fixture: &str, new_name: &str, expected: &str) {
        let (text, offset) = cursor(fixture);
        let edit = rename(&analysis(&text), offset, new_name).expect("it can be renamed");
        assert_eq!(edit.apply(&text).as_deref(), Some(expected));
    }

    #[test]
    fn finds_the_uses_of_a_stage() {
        check_references(
            "\
FROM a AS build
          ^^^^^ declared
FROM bu$0ild AS next
     ^^^^^ used
COPY --from=0 x y
            ^ used
RUN --mount=from=build,target=/x true
                 ^^^^^ used
",
        );
    }

    #[test]
    fn finds_the_uses_of_a_variable_in_words_and_in_the_shell() {
        check_references(
            "\
ARG V=1
    ^ declared
FROM a:$V
        ^ used
ARG $0V
    ^ declared
RUN echo $V \"${V:-2}\"
          ^ used
               ^ used
FROM b
RUN echo $V
          ^ used
",
        );
    }

    #[test]
    fn a_variable_of_the_shell_is_not_the_one_of_the_file() {
        check_references("FROM a\nENV X$0=1\n    ^ declared\nRUN X=2; echo $X\n");
    }

    #[test]
    fn goes_to_the_declaration() {
        let (text, offset) = cursor("FROM a AS b\nFROM c\nCOPY --from=$0b x y\n");
        let analysis = analysis(&text);
        let found = definition(&analysis, offset);
        assert_eq!(
            found.first().map(|range| u32::from(range.start())),
            Some(10)
        );
    }

    #[test]
    fn renames_stages_variables_and_heredocs() {
        check_rename(
            "FROM a AS b\nFROM b\nCOPY --from=$0b x y\n",
            "c",
            "FROM a AS c\nFROM c\nCOPY --from=c x y\n",
        );
        check_rename(
            "FROM a\nENV V$0=1\nENV W=${V}2 V=3\nRUN echo $V\nFROM b\nENV V=2\n",
            "X",
            "FROM a\nENV X=1\nENV W=${X}2 X=3\nRUN echo $X\nFROM b\nENV V=2\n",
        );
        check_rename(
            "FROM a\nCOPY <<E$0 /x\nt\nE\n",
            "F",
            "FROM a\nCOPY <<F /x\nt\nF\n",
        );
    }

    #[test]
    fn refuses_names_that_are_taken_or_wrong() {
        let (text, offset) = cursor("FROM a AS b$0\nFROM c AS d\n");
        let analysis = analysis(&text);
        assert_eq!(rename(&analysis, offset, "d"), Err(RenameProblem::Taken));
        assert_eq!(rename(&analysis, offset, "1d"), Err(RenameProblem::BadName));
        assert_eq!(rename(&analysis, offset, "c"), Err(RenameProblem::Taken));
    }
}
