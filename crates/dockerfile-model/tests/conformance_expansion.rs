//! BuildKit's answers about words, from the folder of oracles' answers; skipped when that folder is absent.
#![allow(clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use dockerfile_model::expansion::{Environment, Expander, ExpansionErrorKind, UnsetVariables};
use serde_json::Value;

/// Words of `lex_corners.jsonl` whose error we name otherwise, and why.
const DEVIATIONS: &[(&str, &str)] = &[(
    "${X",
    "BuildKit takes the end of the word for an unsupported modifier U+FFFD; we say that the brace is missing",
)];

/// The variables of a Windows host, whose names have no case.
struct WindowsVariables<'e>(&'e BTreeMap<String, String>);

impl Environment for WindowsVariables<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        Environment::get(self.0, &name.to_uppercase())
    }
}

/// Returns a file of oracles' answers, or says loudly that there is none.
fn conformance_file(path: &str) -> Option<String> {
    let root = std::env::var_os("DFLINT_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    let file = root.join(path);
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        eprintln!("SKIPPED: no conformance data at {}", file.display());
    }
    text
}

/// Returns what BuildKit says about the same fault.
fn buildkit_message(kind: &ExpansionErrorKind) -> String {
    use ExpansionErrorKind as Kind;
    match kind {
        Kind::UnterminatedSingleQuote => {
            "unexpected end of statement while looking for matching single-quote".to_owned()
        }
        Kind::UnterminatedDoubleQuote => {
            "unexpected end of statement while looking for matching double-quote".to_owned()
        }
        Kind::MissingClosingBrace => "syntax error: missing '}'".to_owned(),
        Kind::MissingSlash => "syntax error: missing '/' in ${}".to_owned(),
        Kind::BadSubstitution => "syntax error: bad substitution".to_owned(),
        Kind::UnsupportedModifier { modifier } => {
            format!("unsupported modifier ({modifier}) in substitution")
        }
        Kind::RequiredVariable {
            name,
            message,
            is_set,
        } => match (message.as_str(), is_set) {
            ("", false) => format!("{name}: is not allowed to be unset"),
            ("", true) => format!("{name}: is not allowed to be empty"),
            (message, _) => format!("{name}: {message}"),
        },
        other => other.to_string(),
    }
}

fn environment<'a>(pairs: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn strings(value: &Value) -> Vec<&str> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).collect()
}

/// Returns how our answers to one case differ from BuildKit's.
fn differences(case: &Value) -> Vec<String> {
    let word = case["word"].as_str().unwrap_or_default();
    let environment = environment(strings(&case["env"]));
    let escape = case["escape"].as_str().and_then(|text| text.chars().next());
    let mut expander = Expander::new(escape.unwrap_or('\\'), &environment);
    if case["skip_unset"] == true {
        expander.unset = UnsetVariables::Keep;
    }
    let expected = &case["expect"];
    let prefix = format!("failed to process \"{}\": ", word.replace('"', "\\\""));
    let error = expected["error"].as_str().map(|text| {
        let text = text.strip_prefix(prefix.as_str()).unwrap_or(text);
        text.to_owned()
    });

    let mut found = Vec::new();
    let mut compare = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            found.push(format!("{word}: {what} is {ours}, BuildKit says {theirs}"));
        }
    };
    match (expander.expand_word(word), &error) {
        (Ok(expansion), None) => {
            compare(
                "value",
                format!("{:?}", expansion.value),
                format!("{:?}", expected["result"].as_str().unwrap_or_default()),
            );
            let mut unmatched: Vec<&str> = expansion
                .variables
                .iter()
                .filter(|found| !found.is_set)
                .map(|found| found.name.as_str())
                .collect();
            unmatched.sort_unstable();
            unmatched.dedup();
            let mut theirs = strings(&expected["unmatched"]);
            theirs.sort_unstable();
            compare("unset", format!("{unmatched:?}"), format!("{theirs:?}"));
        }
        (ours, theirs) => {
            let ours = ours.map(|expansion| expansion.value.into_owned());
            let ours = ours.map_err(|error| buildkit_message(&error.kind));
            let theirs = theirs
                .as_ref()
                .map_or(Ok("a value"), |text| Err(text.as_str()));
            compare("outcome", format!("{ours:?}"), format!("{theirs:?}"));
        }
    }
    if error.is_none() {
        let ours = expander.expand_words(word).map(|expanded| expanded.words);
        let theirs = strings(&expected["words"]);
        compare(
            "words",
            format!("{:?}", ours.unwrap_or_default()),
            format!("{theirs:?}"),
        );
    }
    found
}

#[test]
fn corner_words_expand_as_in_buildkit() {
    let Some(text) = conformance_file("parser/lex_corners.jsonl") else {
        return;
    };
    let mut failures = Vec::new();
    let mut cases = 0;
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a JSON object on each line");
        cases += 1;
        let found = differences(&case);
        let is_known = DEVIATIONS.iter().any(|(word, _)| case["word"] == *word);
        if is_known {
            assert!(!found.is_empty(), "no longer a deviation: {case}");
        } else {
            failures.extend(found);
        }
    }
    eprintln!("{cases} corner words");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn variables_expand_as_in_buildkit() {
    let Some(text) = conformance_file("parser/shell/envVarTest") else {
        return;
    };
    let environment = environment(["PWD=/home", "SHELL=bash", "KOREAN=한국어", "NULL="]);
    let windows = WindowsVariables(&environment);
    let mut failures = Vec::new();
    let mut cases = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let &[platform, word, expected] = fields.as_slice() else {
            continue;
        };
        let expander = match platform {
            "W" => Expander::new('\\', &windows),
            _ => Expander::new('\\', &environment),
        };
        cases += 1;
        let ours = expander
            .expand_word(word)
            .map_or_else(|_| "error".to_owned(), |found| found.value.into_owned());
        if ours != expected {
            failures.push(format!("{word}: {ours:?}, BuildKit says {expected:?}"));
        }
    }
    eprintln!("{cases} words with variables");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn words_split_as_in_buildkit() {
    let Some(text) = conformance_file("parser/shell/wordsTest") else {
        return;
    };
    let mut environment = BTreeMap::new();
    let mut failures = Vec::new();
    let mut cases = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line
            .strip_prefix("ENV ")
            .and_then(|pair| pair.split_once('='))
        {
            environment.insert(name.trim().to_owned(), value.to_owned());
            continue;
        }
        let Some((word, expected)) = line.split_once('|') else {
            continue;
        };
        cases += 1;
        let ours = Expander::new('\\', &environment)
            .expand_words(word.trim())
            .map_or_else(|_| "error".to_owned(), |expanded| expanded.words.join(","));
        // The trailing blanks of the expectation count, those of the input do not.
        let expected = expected.strip_prefix(' ').unwrap_or(expected);
        if ours.trim_end() != expected.trim_end() {
            failures.push(format!("{word}: {ours:?}, BuildKit says {expected:?}"));
        }
    }
    eprintln!("{cases} texts to split");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
