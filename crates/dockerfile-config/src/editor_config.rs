//! The properties of `.editorconfig` that say something about Dockerfiles (<https://spec.editorconfig.org>).

use std::path::Path;

use dockerfile_format::{Indent, LineEnding, Options};
use ec4rs::property::{EndOfLine, IndentSize, IndentStyle, MaxLineLen, TabWidth};

use crate::ConfigError;

/// Writes what `.editorconfig` says about a file over the options. The path is absolute.
pub(crate) fn apply(path: &Path, options: &mut Options) -> Result<(), ConfigError> {
    let mut properties = ec4rs::properties_of(path).map_err(|error| ConfigError::EditorConfig {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })?;
    properties.use_fallbacks();
    let width = match properties.get::<IndentSize>() {
        Ok(IndentSize::Value(width)) => Some(width),
        _ => match properties.get::<TabWidth>() {
            Ok(TabWidth::Value(width)) => Some(width),
            Err(_) => None,
        },
    };
    let spaces = |width: usize| u8::try_from(width.clamp(1, 16)).unwrap_or(4);
    match (properties.get::<IndentStyle>(), width) {
        (Ok(IndentStyle::Tabs), _) => options.indent = Indent::Tab,
        (_, Some(width)) => options.indent = Indent::Spaces(spaces(width)),
        _ => {}
    }
    if let Ok(MaxLineLen::Value(width)) = properties.get::<MaxLineLen>() {
        options.line_width = u16::try_from(width.clamp(1, 1000)).unwrap_or(options.line_width);
    }
    match properties.get::<EndOfLine>() {
        Ok(EndOfLine::Lf) => options.line_ending = LineEnding::Lf,
        Ok(EndOfLine::CrLf) => options.line_ending = LineEnding::CrLf,
        _ => {}
    }
    Ok(())
}
