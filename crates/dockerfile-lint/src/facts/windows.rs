//! Whether a stage builds a Windows image, where paths have drive letters.

use dockerfile_model::{Base, Instruction, Model};

/// Returns whether the stage of an instruction may stand on a Windows image: its base image or its platform says so, or
/// nobody knows.
pub(crate) fn may_be_windows(model: &Model, instruction: &Instruction) -> bool {
    if model.escape == '`' {
        return true;
    }
    let Some(root) = instruction.stage.and_then(|stage| model.root_stage(stage)) else {
        return true;
    };
    let platform = model
        .instruction(root.from)
        .and_then(|from| from.flag("platform"))
        .and_then(|flag| flag.value.as_ref());
    if platform.is_some_and(|platform| platform.value_or_text().starts_with("windows")) {
        return true;
    }
    match &root.base {
        Base::Image(name) => ["windows", "nanoserver", "servercore"]
            .iter()
            .any(|part| name.contains(part)),
        Base::Scratch => false,
        _ => true,
    }
}

/// Returns whether a path starts with a drive letter: `C:\` or `c:/`.
pub(crate) fn has_drive_letter(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}
