//! What a compose or bake file says of the build of a Dockerfile: the context and the build arguments.
//!
//! What stands there is a hint: a broken file says nothing, and neither does a value that depends on more than the file.

mod bake;
mod compose;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

/// In the order in which they count (compose-spec `spec.md`, "Compose file"); bake comes last.
const NAMES: [&str; 6] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
    "docker-bake.json",
    "docker-bake.hcl",
];
/// How many folders above the Dockerfile are looked into.
const HIGHEST: usize = 6;
/// A file that is larger is not written by hand.
const MOST_BYTES: u64 = 1 << 20;

/// How a Dockerfile is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProjectBuild {
    pub(crate) context: PathBuf,
    /// Those that all builds of the Dockerfile have in common.
    pub(crate) arguments: BTreeMap<String, String>,
}

/// Returns how the project builds a Dockerfile: by the nearest compose or bake file that names it.
pub(crate) fn build_of(dockerfile: &Path) -> Option<ProjectBuild> {
    let folders = dockerfile.ancestors().skip(1).take(HIGHEST);
    for folder in folders {
        let mut files = NAMES.iter().map(|name| folder.join(name));
        let found = files.find_map(|file| build_in(&file, folder, dockerfile));
        if found.is_some() {
            return found;
        }
        // A project ends where its repository does.
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

fn read(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    if !found.is_file() || found.len() > MOST_BYTES {
        return None;
    }
    fs::read_to_string(path).ok()
}

fn build_in(file: &Path, folder: &Path, dockerfile: &Path) -> Option<ProjectBuild> {
    let text = read(file)?;
    let builds = match file.extension()?.to_str()? {
        "hcl" => bake::hcl_builds(&text),
        "json" => bake::json_builds(&text),
        _ => compose::builds(&text),
    }?;
    builds
        .iter()
        .filter_map(|build| read_build(build, folder, dockerfile))
        .reduce(common)
}

/// Reads a `build` of compose, or a target of bake; none if it is not one of this Dockerfile.
fn read_build(build: &Value, folder: &Path, dockerfile: &Path) -> Option<ProjectBuild> {
    // What is there and is no text is a fault, not the default.
    let field = |key: &str, default| build.get(key).map_or(Some(default), Value::as_str);
    let context = match build {
        Value::String(short) => short,
        Value::Object(_) => field("context", ".")?,
        _ => return None,
    };
    // A repository or an archive is no folder.
    if context.contains("://") || context.starts_with("git@") {
        return None;
    }
    let context = plain(&folder.join(context));
    let own = field("dockerfile", "Dockerfile")?;
    (plain(&context.join(own)) == plain(dockerfile)).then(|| ProjectBuild {
        context,
        arguments: arguments(build.get("args").unwrap_or(&Value::Null)),
    })
}

/// Reads arguments, of which compose has a map or a list; without those whose value is not known.
fn arguments(args: &Value) -> BTreeMap<String, String> {
    let map = args.as_object().into_iter().flatten();
    let map = map.filter_map(|(name, value)| Some((name.clone(), scalar(value)?)));
    let list = args.as_array().into_iter().flatten();
    let list = list
        .filter_map(|pair| pair.as_str()?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    map.chain(list).collect()
}

/// Returns a value as compose hands it on; `3.10` is a number there as well, and becomes `3.1`.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns what two builds of the same Dockerfile have in common; the first one's context.
fn common(first: ProjectBuild, second: ProjectBuild) -> ProjectBuild {
    let mut arguments = first.arguments;
    arguments.retain(|name, value| second.arguments.get(name) == Some(value));
    ProjectBuild {
        context: first.context,
        arguments,
    }
}

/// Returns a path without `.` and `..`, as it is written: links are not followed.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    #[test]
    fn compose_names_context_and_arguments() {
        let text = "services:\n  api:\n    build:\n      context: ..\n      dockerfile: docker/Dockerfile\n      target: run\n      args:\n        VERSION: 3\n        PYTHON: 3.11\n        DEBUG: true\n        USER: ${USER}\n        EMPTY:\n  db:\n    image: postgres:16\n";
        let folder = project(&[("docker/compose.yaml", text)]);
        let build = build_of(&folder.path().join("docker/Dockerfile")).expect("a build");
        assert_eq!(build.context, folder.path());
        let pairs: Vec<_> = build.arguments.into_iter().collect();
        let wanted = [("DEBUG", "true"), ("PYTHON", "3.11"), ("VERSION", "3")];
        assert_eq!(
            pairs,
            wanted.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn short_forms_count() {
        let text = "services:\n  web: {build: ./web}\n  worker:\n    build: {context: worker, args: [A=1, B]}\n";
        let folder = project(&[("docker-compose.yml", text)]);
        let web = build_of(&folder.path().join("web/Dockerfile")).expect("a build");
        assert_eq!(web.context, folder.path().join("web"));
        let worker = build_of(&folder.path().join("worker/Dockerfile")).expect("a build");
        assert_eq!(worker.arguments.get("A").map(String::as_str), Some("1"));
        assert_eq!(build_of(&folder.path().join("other/Dockerfile")), None);
    }

    #[test]
    fn what_two_services_share_is_known() {
        let text = "services:\n  a:\n    build: {context: ., target: x, args: {A: 1, B: 1}}\n  b:\n    build: {context: ., target: y, args: {A: 1, B: 2}}\n";
        let folder = project(&[("compose.yml", text)]);
        let build = build_of(&folder.path().join("Dockerfile")).expect("a build");
        assert_eq!(build.arguments.keys().collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn bake_files_count() {
        let json = r#"{"target": {"app": {"context": "src", "dockerfile": "../Dockerfile", "args": {"A": "b"}}}}"#;
        let hcl = "target \"app\" {\n  context = \"src\"\n  dockerfile = \"../Dockerfile\"\n  args = { A = \"b\" }\n}\n";
        for (name, text) in [("docker-bake.json", json), ("docker-bake.hcl", hcl)] {
            let folder = project(&[(name, text)]);
            let build = build_of(&folder.path().join("Dockerfile")).expect("a build");
            assert_eq!(build.context, folder.path().join("src"));
            assert_eq!(build.arguments.get("A").map(String::as_str), Some("b"));
        }
    }

    #[test]
    fn what_is_odd_in_one_service_costs_the_others_nothing() {
        let text = "x-base: &base\n  args: {A: b}\nservices:\n  odd: [1]\n  odder: {build: {context: [x], args: 7}}\n  app:\n    build:\n      <<: *base\n      context: .\n";
        let folder = project(&[("compose.yaml", text)]);
        let build = build_of(&folder.path().join("Dockerfile")).expect("a build");
        assert_eq!(build.arguments.get("A").map(String::as_str), Some("b"));
    }

    #[test]
    fn broken_and_foreign_files_say_nothing() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..30 {
            let below = format!("*a{}, ", level - 1).repeat(9);
            bomb += &format!("a{level}: &a{level} [{below}]\n");
        }
        bomb += "services: {a: {build: .}}\n";
        for text in [
            "",
            "services: [",
            "services: 3",
            "\u{0}",
            "- a",
            bomb.as_str(),
            "services: {a: {build: 'https://example.com/r.git'}}",
        ] {
            let folder = project(&[("compose.yaml", text)]);
            let found = build_of(&folder.path().join("Dockerfile"));
            assert_eq!(found, None, "{text:?}");
        }
    }

    #[test]
    fn a_repository_is_the_end_of_a_project() {
        let text = "services: {a: {build: {context: ., dockerfile: in/Dockerfile}}}";
        let folder = project(&[("compose.yaml", text), ("in/.git/HEAD", "")]);
        assert_eq!(build_of(&folder.path().join("in/Dockerfile")), None);
    }
}
