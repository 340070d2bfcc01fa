//! Paths in the image: WORKDIR, VOLUME, and the destinations of COPY and ADD.

use dockerfile_model::{Instruction, Model, Word};

use super::windows::{has_drive_letter, may_be_windows};

/// Returns whether a path of an instruction is relative; none where a variable without a value leads it.
pub(crate) fn is_relative(model: &Model, instruction: &Instruction, word: &Word) -> Option<bool> {
    let path = match &word.value {
        Some(value) => value.as_str(),
        None => word.text.trim_start_matches(['"', '\'']),
    };
    if path.starts_with('$') || (path.is_empty() && word.has_variables()) {
        return None;
    }
    if path.starts_with('/') {
        return Some(false);
    }
    let is_windows_path = has_drive_letter(path) || path.starts_with('\\');
    Some(!(is_windows_path && may_be_windows(model, instruction)))
}
