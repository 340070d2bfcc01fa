use std::sync::Arc;

use dockerfile_model::{AccountNames, BaseImageFacts, FileKind, LayerFiles};
use dockerfile_source::SourceFile;
use test_support::cursor;

use super::*;
use crate::{ContextEntry, IgnoreFileFact, KnownImage, Outside};

fn outside() -> Outside {
    let entry = |path: &str, is_folder| ContextEntry {
        path: path.to_owned(),
        is_folder,
    };
    let mut outside = Outside {
        context: Arc::new(vec![
            entry("app", true),
            entry("app/main.py", false),
            entry("requirements.txt", false),
            entry("secret.key", false),
        ]),
        images: vec![KnownImage {
            name: "debian".to_owned(),
            tags: vec!["12".to_owned()],
        }],
        ..Outside::default()
    };
    let path = |path: &str| {
        (
            path.to_owned(),
            FileKind::File {
                is_executable: true,
            },
        )
    };
    let mut files = LayerFiles::new([
        path("/usr/bin/sh"),
        path("/usr/bin/ls"),
        ("/bin".to_owned(), FileKind::Link("usr/bin".into())),
        path("/etc/passwd"),
    ]);
    files.users = AccountNames::Known(vec!["root".into(), "server".into()]);
    let facts = BaseImageFacts {
        files: Some(Arc::new(files)),
        ..BaseImageFacts::default()
    };
    let images = &mut outside.lint.input.base_images;
    images.insert("known:1".into(), Arc::new(facts));
    outside.lint.ignore_file = IgnoreFileFact::Present("*.key\n".to_owned());
    outside
}

fn items(fixture: &str) -> (String, Vec<CompletionItem>) {
    let (text, offset) = cursor(fixture);
    let analysis = Analysis::new(
        SourceFile::new("Dockerfile", text.clone()),
        Arc::new(outside()),
    );
    (text, completions(&analysis, offset))
}

#[track_caller]
fn offers(fixture: &str, labels: &[&str]) {
    let (_, items) = items(fixture);
    for label in labels {
        assert!(
            items.iter().any(|item| item.label == *label),
            "`{label}` is not in {:?}",
            items.iter().map(|item| &item.label).collect::<Vec<_>>()
        );
    }
}

#[track_caller]
fn withholds(fixture: &str, labels: &[&str]) {
    let (_, items) = items(fixture);
    for label in labels {
        assert!(
            !items.iter().any(|item| item.label == *label),
            "`{label}` is offered"
        );
    }
}

/// Takes an item and compares the text.
#[track_caller]
fn applies(fixture: &str, label: &str, expected: &str) {
    let (text, items) = items(fixture);
    let item = items
        .iter()
        .find(|item| item.label == label)
        .expect("it is offered");
    let edit = dockerfile_source::TextEdit::replace(item.replace, item.insert.clone());
    assert_eq!(edit.apply(&text).as_deref(), Some(expected));
}

#[test]
fn offers_instructions_at_the_start_of_a_line() {
    offers("FROM a\n$0", &["RUN", "COPY", "RUN apt-get install"]);
    offers("FROM a\nR$0", &["RUN"]);
    offers("FROM a\nR$0\nCMD x\n", &["RUN"]);
    offers("$0", &["FROM", "ARG"]);
    withholds("$0", &["RUN"]);
    offers("FROM a\nONBUILD $0", &["RUN"]);
    applies("from a\nr$0\n", "run", "from a\nrun ${1:command}\n");
}

#[test]
fn offers_flags_and_their_values() {
    offers("FROM a\nRUN --$0", &["--mount", "--network"]);
    offers(
        "FROM a\nCOPY --$0 a b\n",
        &["--from", "--link", "--parents", "--chmod"],
    );
    withholds("FROM a\nCOPY --link --$0\n", &["--link"]);
    offers("FROM --platform=$0", &["linux/arm64"]);
    offers("FROM a\nRUN --network=$0 x\n", &["none"]);
    applies(
        "FROM a AS b\nFROM c\nCOPY --from=$0 x y\n",
        "b",
        "FROM a AS b\nFROM c\nCOPY --from=b x y\n",
    );
    applies("FROM a\nRUN --mo$0", "--mount", "FROM a\nRUN --mount=");
}

#[test]
fn offers_options_of_mounts() {
    offers("FROM a\nRUN --mount=$0", &["type=cache", "type=secret"]);
    offers("FROM a\nRUN --mount=type=$0", &["cache"]);
    offers(
        "FROM a\nRUN --mount=type=cache,$0 x\n",
        &["target", "sharing"],
    );
    withholds("FROM a\nRUN --mount=type=cache,$0 x\n", &["size", "env"]);
    applies(
        "FROM a\nRUN --mount=type=cache,sharing=$0 x\n",
        "locked",
        "FROM a\nRUN --mount=type=cache,sharing=locked x\n",
    );
}

#[test]
fn offers_files_of_the_context_that_are_not_ignored() {
    offers("FROM a\nCOPY $0", &["app/", "requirements.txt"]);
    withholds("FROM a\nCOPY $0", &["secret.key", "app/main.py"]);
    applies(
        "FROM a\nCOPY app/$0 /x\n",
        "app/main.py",
        "FROM a\nCOPY app/main.py /x\n",
    );
    offers("FROM a\nCOPY ./$0", &["./app/"]);
    offers("FROM a\nWORKDIR /w\nCOPY a $0", &["./"]);
}

#[test]
fn offers_stages_images_and_tags() {
    offers("FROM a AS b\nFROM $0", &["b", "debian", "scratch"]);
    offers("FROM debian:$0", &["debian:12"]);
    offers("FROM a $0", &["AS"]);
}

#[test]
fn offers_variables_in_scope() {
    offers("ARG V=1\nFROM a:$$0", &["V", "TARGETARCH"]);
    offers("FROM a\nENV X=1\nRUN echo $$0\n", &["X", "PATH"]);
    withholds("FROM a\nENV X=1\nFROM b\nRUN echo $$0\n", &["X"]);
    applies(
        "FROM a\nENV X=1\nRUN echo ${$0\n",
        "X",
        "FROM a\nENV X=1\nRUN echo ${X}\n",
    );
    offers("FROM a\nRUN Y=1 && echo $$0\n", &["Y"]);
}

#[test]
fn offers_users_ports_signals_and_shells() {
    offers("FROM a\nRUN useradd me\nUSER $0", &["me", "root"]);
    offers("FROM a\nEXPOSE $0", &["8080"]);
    offers("FROM a\nSTOPSIGNAL $0", &["SIGTERM"]);
    offers("FROM a\nSHELL $0", &["[\"/bin/sh\", \"-c\"]"]);
    offers("FROM a\nHEALTHCHECK $0", &["CMD", "NONE", "--interval"]);
}

#[test]
fn offers_directives_and_rules_in_comments() {
    offers("# $0\nFROM a\n", &["syntax=", "dflint ignore="]);
    offers("# syntax=$0\nFROM a\n", &["docker/dockerfile:1"]);
    offers(
        "FROM a\n# dflint ignore=$0\nRUN x\n",
        &["untagged-base-image"],
    );
    offers("# check=skip=$0\nFROM a\n", &["StageNameCasing"]);
}

#[test]
fn goes_on_over_continuations() {
    offers("FROM a\nCOPY \\\n  --$0\n", &["--link"]);
    offers("FROM a\nRUN a \\\n  && b\n$0", &["COPY"]);
    offers("FROM a\nRUN <<E\nx\nE\n$0", &["COPY"]);
}

#[test]
fn every_documentation_key_has_a_text() {
    for fixture in [
        "FROM a\n$0",
        "FROM a\nRUN --$0",
        "FROM a\nRUN --mount=$0",
        "# dflint ignore=$0\n",
    ] {
        for item in items(fixture).1 {
            if !item.documentation.is_empty() {
                assert!(
                    completion_documentation(&item.documentation).is_some(),
                    "{}",
                    item.documentation
                );
            }
        }
    }
}

#[test]
fn paths_of_an_image_are_those_of_the_folder_that_is_typed() {
    let stage = "FROM known:1 AS a\nFROM scratch\nCOPY --from=a ";
    offers(&format!("{stage}/$0"), &["/bin/", "/etc/", "/usr/"]);
    offers(&format!("{stage}/bin/$0"), &["/bin/ls", "/bin/sh"]);
    offers(
        "FROM scratch\nCOPY --from=known:1 /etc/p$0",
        &["/etc/passwd"],
    );
    withholds(
        "FROM scratch\nCOPY --from=known:1 /etc/p$0",
        &["/usr/bin/sh"],
    );
    offers("FROM known:1\nWORKDIR /u$0", &["/usr/"]);
}

#[test]
fn users_of_an_image_are_offered() {
    offers("FROM known:1\nUSER $0", &["server", "root"]);
    withholds("FROM other:1\nUSER $0", &["server"]);
}
