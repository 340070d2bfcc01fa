//! Rules about the images that stages stand on.

mod constant_platform;
mod invalid_default_arg_in_from;
mod invalid_image_name;
mod latest_base_image;
mod missing_from;
mod redundant_target_platform;
mod undefined_arg_in_from;
mod untagged_base_image;

use dockerfile_model::{Model, Origin, Resolution, Word};
use dockerfile_source::{TextRange, TextSize};

use crate::Rule;
use crate::context::Finding;
use crate::facts::known_images::known_image;

pub(crate) const RULES: &[&Rule] = &[
    &missing_from::MISSING_FROM,
    &untagged_base_image::UNTAGGED_BASE_IMAGE,
    &latest_base_image::LATEST_BASE_IMAGE,
    &invalid_image_name::INVALID_IMAGE_NAME,
    &constant_platform::CONSTANT_PLATFORM,
    &redundant_target_platform::REDUNDANT_TARGET_PLATFORM,
    &invalid_default_arg_in_from::INVALID_DEFAULT_ARG_IN_FROM,
    &undefined_arg_in_from::UNDEFINED_ARG_IN_FROM,
];

/// What template languages and build scripts put where a name is to come.
const PLACEHOLDER_MARKS: [&str; 8] = ["{", "}", "%", "<%", "@@", "#", "((", "__"];

/// A name that is meant as a variable is looked for among so many.
const MOST_ARGUMENTS: usize = 64;

/// Points at the defaults that a word of FROM takes its value from.
fn label_defaults<'f>(finding: Finding<'f>, model: &Model, word: &Word) -> Finding<'f> {
    word.uses
        .iter()
        .filter_map(|used| match used.resolution {
            Resolution::Declared(id) => model.variable(id),
            _ => None,
        })
        .filter(|variable| variable.has_value)
        .fold(finding, |finding, variable| {
            finding.label(
                variable.range,
                format!("the default of `{}` is taken", variable.name),
            )
        })
}

/// Returns where a part of the value of a word stands: exact for a word that is read as it is written, else the word.
fn part_of_word(word: &Word, at: std::ops::Range<usize>) -> TextRange {
    if !is_written_plainly(word) || at.end > word.text.len() {
        return word.range;
    }
    let offset = |at: usize| word.range.start() + TextSize::new(at as u32);
    TextRange::new(offset(at.start), offset(at.end))
}

/// Returns whether a word is read as it is written: no quote, no variable, no continuation inside.
fn is_written_plainly(word: &Word) -> bool {
    word.value.as_ref() == Some(&word.text) && usize::from(word.range.len()) == word.text.len()
}

/// Returns whether a name is there to be replaced before the build.
fn is_placeholder(model: &Model, name: &str) -> bool {
    let is_marked = PLACEHOLDER_MARKS.iter().any(|mark| name.contains(mark))
        || (name.len() > 1 && name.starts_with('@') && name.ends_with('@'));
    // `FROM BASEIMAGE`, for a script to replace.
    let is_shouted = name.chars().any(char::is_uppercase)
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_marked
        || (is_shouted
            && global_argument(model, name).is_none()
            && known_image(&name.to_lowercase()).is_none())
}

fn global_argument<'m>(model: &'m Model, name: &str) -> Option<&'m str> {
    model
        .variables
        .iter()
        .take_while(|variable| variable.origin == Origin::GlobalArg)
        .take(MOST_ARGUMENTS)
        .find(|variable| variable.name.as_str() == name)
        .map(|variable| variable.name.as_str())
}
