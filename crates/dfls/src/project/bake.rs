//! The targets of a bake file, in HCL or JSON, as `docker buildx bake` reads it (buildx `docs/bake-reference.md`).
//!
//! Variables have their defaults. Functions, matrices and operators are not followed: what they make is not known.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, Object, ObjectKey};
use hcl_edit::structure::{Block, BlockLabel, Body};
use hcl_edit::template::{Element, Template};
use serde_json::{Map, Value};

/// A larger file is not read: objects are searched from end to end for each of their fields.
const MOST_HCL_BYTES: usize = 1 << 16;
/// A value that becomes larger is not known: each variable can double the one before.
const MOST_VALUE_BYTES: usize = 1 << 12;
/// How many variables in a row may stand for each other against the order of the file.
const MOST_ROUNDS: usize = 8;

type Variables = BTreeMap<String, String>;
type Targets = BTreeMap<String, Map<String, Value>>;

/// Returns the targets of a file in HCL, as a `build` of compose is written; what is not known is null. None for a broken file.
pub(super) fn hcl_builds(text: &str) -> Option<Vec<Value>> {
    if text.len() > MOST_HCL_BYTES {
        return None;
    }
    let body: Body = text.parse().ok()?;
    let defaults = body.get_blocks("variable").filter_map(|block| {
        let default = block.body.get_attribute("default")?;
        Some((label(block)?, &default.value))
    });
    let globals = body
        .attributes()
        .map(|attribute| (attribute.key.as_str(), &attribute.value));
    let definitions: Vec<_> = defaults.chain(globals).collect();
    let variables = variables(&definitions, text_of);
    let mut targets = Targets::new();
    for block in body.get_blocks("target") {
        let fields = block.body.attributes().map(|attribute| {
            let name = attribute.key.as_str().to_owned();
            (name, value_of(&attribute.value, &variables))
        });
        if let Some(name) = label(block) {
            inherit(targets.entry(name.to_owned()).or_default(), fields);
        }
    }
    Some(builds(&targets))
}

/// Returns the targets of a file in JSON, likewise; texts are templates there as well.
pub(super) fn json_builds(text: &str) -> Option<Vec<Value>> {
    let file: Value = serde_json::from_str(text).ok()?;
    let all = |key: &str| {
        file.get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    let defaults =
        all("variable").filter_map(|(name, fields)| Some((name.as_str(), fields.get("default")?)));
    let globals = file.as_object().into_iter().flatten();
    let globals = globals.map(|(name, value)| (name.as_str(), value));
    let definitions: Vec<_> = defaults.chain(globals).collect();
    let variables = variables(&definitions, |value, known| {
        super::scalar(&filled_in(value, known))
    });
    let targets: Targets = all("target")
        .filter_map(|(name, fields)| {
            let fields = fields.as_object()?.iter();
            let fields = fields.map(|(name, value)| (name.clone(), filled_in(value, &variables)));
            Some((name.clone(), fields.collect()))
        })
        .collect();
    Some(builds(&targets))
}

fn label(block: &Block) -> Option<&str> {
    block.labels.first().map(BlockLabel::as_str)
}

/// Returns the variables whose value is known.
fn variables<D: Copy>(
    definitions: &[(&str, D)],
    text_of: impl Fn(D, &Variables) -> Option<String>,
) -> Variables {
    let mut known = Variables::new();
    for _ in 0..MOST_ROUNDS {
        let before = known.len();
        for &(name, definition) in definitions {
            if known.contains_key(name) {
                continue;
            }
            let text = text_of(definition, &known);
            if let Some(text) = text.filter(|text| text.len() <= MOST_VALUE_BYTES) {
                known.insert(name.to_owned(), text);
            }
        }
        if known.len() == before {
            break;
        }
    }
    known
}

/// Returns the value of an expression as JSON.
fn value_of(expression: &Expression, variables: &Variables) -> Value {
    match expression {
        Expression::Array(items) => items.iter().map(|item| value_of(item, variables)).collect(),
        Expression::Object(object) => object_of(object, variables),
        other => text_of(other, variables).map_or(Value::Null, Value::String),
    }
}

fn object_of(object: &Object, variables: &Variables) -> Value {
    let fields = object.iter().filter_map(|(key, value)| {
        let name = match key {
            ObjectKey::Ident(name) => name.as_str().to_owned(),
            ObjectKey::Expression(Expression::Variable(name)) => name.as_str().to_owned(),
            ObjectKey::Expression(expression) => text_of(expression, variables)?,
        };
        Some((name, value_of(value.expr(), variables)))
    });
    fields.collect()
}

fn text_of(expression: &Expression, variables: &Variables) -> Option<String> {
    match expression {
        Expression::String(text) => Some(text.value().clone()),
        Expression::Number(number) => Some(number.value().to_string()),
        Expression::Bool(value) => Some(value.value().to_string()),
        Expression::Variable(name) => variables.get(name.as_str()).cloned(),
        Expression::Parenthesis(inner) => text_of(inner.inner(), variables),
        Expression::StringTemplate(template) => expand(template, variables),
        _ => None,
    }
}

fn expand(template: &Template, variables: &Variables) -> Option<String> {
    let mut text = String::new();
    for element in template {
        text += &match element {
            Element::Literal(literal) => literal.value().clone(),
            Element::Interpolation(variable) => text_of(&variable.expr, variables)?,
            Element::Directive(_) => return None,
        };
    }
    Some(text)
}

/// Returns a value of JSON with the variables in its texts replaced.
fn filled_in(value: &Value, variables: &Variables) -> Value {
    match value {
        Value::String(text) => {
            let template: Option<Template> = text.parse().ok();
            let text = template.and_then(|template| expand(&template, variables));
            text.map_or(Value::Null, Value::String)
        }
        Value::Array(items) => items
            .iter()
            .map(|item| filled_in(item, variables))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), filled_in(value, variables)))
            .collect(),
        other => other.clone(),
    }
}

/// Returns the targets with what they inherit.
///
/// One that others inherit from, or whose name begins with `_`, is only a pattern, unless it says itself what it builds.
fn builds(targets: &Targets) -> Vec<Value> {
    let inherited: BTreeSet<&str> = targets.values().flat_map(parents).collect();
    let is_build = |(name, fields): &(&String, &Map<String, Value>)| {
        let is_pattern = name.starts_with('_') || inherited.contains(name.as_str());
        !is_pattern || fields.contains_key("context") || fields.contains_key("dockerfile")
    };
    let mut whole = Targets::new();
    let names = targets.iter().filter(is_build).map(|(name, _)| name);
    names
        .filter_map(|name| complete(name, targets, &mut whole))
        .map(Value::Object)
        .collect()
}

fn parents(target: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let parents = target.get("inherits").and_then(Value::as_array);
    parents.into_iter().flatten().filter_map(Value::as_str)
}

/// Returns a target with all that it inherits; what comes later counts more. None for a circle.
fn complete(name: &str, targets: &Targets, whole: &mut Targets) -> Option<Map<String, Value>> {
    // In the order in which they are completed: parents first, each once.
    let mut open = vec![name];
    while let Some(&name) = open.last() {
        let missing = targets
            .get(name)
            .into_iter()
            .flat_map(parents)
            .find(|parent| !whole.contains_key(*parent));
        if let Some(parent) = missing {
            if open.contains(&parent) {
                return None;
            }
            open.push(parent);
            continue;
        }
        let mut target = Map::new();
        // A parent that stands elsewhere, as that of GitHub's metadata action, brings nothing.
        if let Some(own) = targets.get(name) {
            for parent in parents(own) {
                inherit(&mut target, whole.get(parent)?.clone());
            }
            inherit(&mut target, own.clone());
        }
        whole.insert(name.to_owned(), target);
        open.pop();
    }
    whole.get(name).cloned()
}

/// Adds fields to a target: arguments one by one, all others as a whole.
fn inherit(target: &mut Map<String, Value>, fields: impl IntoIterator<Item = (String, Value)>) {
    for (name, value) in fields {
        match (target.get_mut(&name), value) {
            (Some(Value::Object(own)), Value::Object(more)) if name == "args" => own.extend(more),
            (_, value) => {
                target.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        # The versions.
        TAG = "v${MAJOR}"
        variable "MAJOR" { default = 3 }
        variable "FROM_ENVIRONMENT" {}
        function "twice" {
          params = [x]
          result = "${x}${x}"
        }
        group "default" { targets = ["app"] }
        target "_common" {
          args = { GO = "1.25", KIND = "slim" }
        }
        target "app" {
          inherits   = ["_common", "metadata"]
          context    = "src"
          args = {
            "KIND"  = "alpine"
            VERSION = "${TAG}-x"
            ALSO    = TAG
            ON      = true
            LOST    = FROM_ENVIRONMENT
            TWICE   = twice("a")
            WORDY   = TAG != "" ? TAG : "none"
          }
        }
        target "ready" {
          inherits = ["app"]
          dockerfile = "Dockerfile.${MAJOR}"
          args = { GO = null }
        }
    "#;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn targets_have_what_they_inherit() {
        let builds = hcl_builds(FILE).expect("a file");
        let mut wanted = json(
            r#"{"context": "src", "inherits": ["_common", "metadata"], "args": {"GO": "1.25", "KIND": "alpine",
                "VERSION": "v3-x", "ALSO": "v3", "ON": "true", "LOST": null, "TWICE": null, "WORDY": null}}"#,
        );
        assert_eq!(builds[0], wanted);
        wanted["inherits"] = json(r#"["app"]"#);
        wanted["dockerfile"] = json(r#""Dockerfile.3""#);
        wanted["args"]["GO"] = Value::Null;
        assert_eq!(builds[1], wanted);
        assert_eq!(builds.len(), 2, "the pattern is no build");
    }

    #[test]
    fn json_says_the_same() {
        let text = r#"{"variable": {"V": {"default": "3"}, "W": {}},
            "target": {"app": {"context": "a", "args": {"A": "x${V}", "B": "${W}", "C": 1}}}}"#;
        let builds = json_builds(text).expect("a file");
        let wanted = json(r#"{"context": "a", "args": {"A": "x3", "B": null, "C": 1}}"#);
        assert_eq!(builds, [wanted]);
    }

    #[test]
    fn hostile_files_end() {
        let mut doubling = "variable \"a0\" { default = \"xxxxxxxx\" }\n".to_owned();
        let mut diamonds = "target \"t0\" {}\n".to_owned();
        for n in 1..200 {
            let m = n - 1;
            doubling += &format!("variable \"a{n}\" {{ default = \"${{a{m}}}${{a{m}}}\" }}\n");
            diamonds += &format!("target \"t{n}\" {{ inherits = [\"t{m}\", \"t{m}\"] }}\n");
        }
        doubling += "target \"t\" { args = { A = a150, B = a2 } }\n";
        let builds = hcl_builds(&doubling).expect("a file");
        assert_eq!(builds[0]["args"]["A"], Value::Null);
        assert_eq!(builds[0]["args"]["B"], "x".repeat(32));
        assert_eq!(hcl_builds(&diamonds).expect("a file").len(), 1);
        let circle = "target \"a\" {\n inherits = [\"b\"]\n}\ntarget \"b\" {\n inherits = [\"a\"]\n context = \".\"\n}\n";
        assert_eq!(hcl_builds(circle), Some(Vec::new()));
        let deep = format!("a = {}", "[".repeat(60_000));
        for text in [
            "a",
            "target {",
            "\u{0}",
            deep.as_str(),
            &" ".repeat(1 << 17),
        ] {
            assert_eq!(hcl_builds(text), None);
        }
    }
}
