//! Which argument is being typed.

use dockerfile_source::{TextRange, TextSize};

use crate::Analysis;
use crate::manual::{first_sentence, instruction_page};

/// The forms of an instruction, and which one and which part of it is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Each with the ranges of its parameters, in bytes of the form.
    pub forms: Vec<(String, Vec<TextRange>)>,
    pub active_form: usize,
    pub active_parameter: usize,
    pub documentation: String,
}

/// Returns the forms of the instruction that is being typed at an offset.
pub fn signature_help(analysis: &Analysis, offset: TextSize) -> Option<Signature> {
    let context = crate::completion::Context::new(analysis, offset)?;
    let page = instruction_page(context.keyword?)?;
    if context.is_in_keyword {
        return None;
    }
    let typed = context.before.trim_start();
    let is_json = typed.starts_with('[')
        || context
            .arguments()
            .next()
            .is_some_and(|word| word.starts_with('['));
    let active_form = page
        .forms
        .iter()
        .position(|form| form.contains("[\"") == is_json && !form.contains("<<"))
        .unwrap_or(0);
    let forms: Vec<(String, Vec<TextRange>)> = page
        .forms
        .iter()
        .map(|form| ((*form).to_owned(), parameters(form)))
        .collect();
    let parameters = forms.get(active_form).map_or(0, |(_, each)| each.len());
    let has_flags = page
        .forms
        .get(active_form)
        .is_some_and(|form| form.contains("FLAGS") || form.contains("--"));
    let is_flag = context.word().starts_with("--") && context.arguments().next().is_none();
    let position = if is_flag {
        0
    } else {
        context.arguments().count() + usize::from(has_flags)
    };
    Some(Signature {
        active_parameter: position.min(parameters.saturating_sub(1)),
        forms,
        active_form,
        documentation: first_sentence(page.text).to_owned(),
    })
}

/// Returns where the words of a form stand, its keyword left out.
fn parameters(form: &str) -> Vec<TextRange> {
    let mut ranges = Vec::new();
    let mut start = 0;
    for (idx, word) in form.split(' ').enumerate() {
        if idx > 0 && word != "..." {
            let start = TextSize::new(start as u32);
            ranges.push(TextRange::at(start, TextSize::of(word)));
        }
        start += word.len() + 1;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use test_support::cursor;

    use super::*;
    use crate::analysis::analysis;

    fn active(fixture: &str) -> Option<String> {
        let (text, offset) = cursor(fixture);
        let signature = signature_help(&analysis(&text), offset)?;
        let (form, parameters) = signature.forms.get(signature.active_form)?;
        let range = parameters.get(signature.active_parameter)?;
        let range = usize::from(range.start())..usize::from(range.end());
        form.get(range).map(str::to_owned)
    }

    #[test]
    fn says_which_argument_is_typed() {
        assert_eq!(active("FROM a\nCOPY --li$0\n").as_deref(), Some("[FLAGS]"));
        assert_eq!(active("FROM a\nCOPY $0\n").as_deref(), Some("SOURCE..."));
        assert_eq!(
            active("FROM a\nCOPY a $0\n").as_deref(),
            Some("DESTINATION")
        );
        assert_eq!(
            active("FROM a\nUSER $0").as_deref(),
            Some("NAME|UID[:GROUP|GID]")
        );
        assert_eq!(active("FROM a\nUS$0"), None);
    }
}
