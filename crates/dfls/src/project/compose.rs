//! The builds of a compose file, as `docker compose` reads it (compose-spec `build.md`, `interpolation.md`).

use serde_json::Value;

/// Returns the `build` of each service; what depends on the environment is null. None for a broken file.
pub(super) fn builds(text: &str) -> Option<Vec<Value>> {
    // Looked through as it is: what is odd in one service costs the others nothing.
    let file: Value = serde_saphyr::from_str(text).ok()?;
    let services = file.get("services").and_then(Value::as_object);
    let services = services.into_iter().flat_map(|all| all.values());
    let builds = services.filter_map(|service| service.get("build"));
    Some(builds.map(interpolated).collect())
}

/// Returns a value with the variables in its texts replaced.
fn interpolated(value: &Value) -> Value {
    match value {
        Value::String(text) => interpolate(text).map_or(Value::Null, Value::String),
        Value::Array(values) => values.iter().map(interpolated).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), interpolated(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Returns a text without variables: each has the default that stands beside it (`${V:-x}`, `${V-x}`), for the environment of
/// a server is not that of a shell. None if one has no default.
fn interpolate(text: &str) -> Option<String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result += before;
        rest = if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            after
        } else {
            let (variable, after) = after.strip_prefix('{')?.split_once('}')?;
            let (name, default) = variable.split_once('-')?;
            let name = name.strip_suffix(':').unwrap_or(name);
            let is_name = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(is_name) || default.contains('$') {
                return None;
            }
            result += default;
            after
        };
    }
    Some(result + rest)
}

#[cfg(test)]
mod tests {
    use super::interpolate;

    #[test]
    fn a_default_stands_for_the_environment() {
        for (text, wanted) in [
            ("plain", Some("plain")),
            ("python:${V:-3.11}-${KIND-slim}", Some("python:3.11-slim")),
            ("$$HOME", Some("$HOME")),
            ("${V:-}", Some("")),
            ("${V}", None),
            ("$V", None),
            ("${V:?missing}", None),
            ("${V:-${W}}", None),
            ("${V", None),
            ("a$", None),
        ] {
            assert_eq!(interpolate(text).as_deref(), wanted, "{text}");
        }
    }
}
