//! Checks that the tests of rules are made of.

use std::sync::Arc;

use dockerfile_model::{AccountNames, BaseImageFacts, FileKind, LayerFiles, ModelInput, SmolStr};
use dockerfile_source::{Applicability, Diagnostic, SourceFile};

use crate::{IgnoreFileFact, Options, Rule, Selection, check};

/// Rules whose pages speak of an image that somebody has looked at: `alpine:3.22`.
const FACT_RULES: [&str; 5] = [
    "command-not-in-image",
    "missing-start-file",
    "missing-copy-source",
    "missing-shell",
    "variable-set-by-base",
];

/// Returns a layer: `d/` is a folder, `l>t` a link, `x*` a program, anything else a file.
pub(crate) fn layer(paths: &[&str]) -> LayerFiles {
    LayerFiles::new(paths.iter().map(|item| {
        if let Some((path, target)) = item.split_once('>') {
            return (path.to_owned(), FileKind::Link(target.into()));
        }
        let kind = match item.as_bytes().last() {
            Some(b'/') => FileKind::Directory { is_opaque: false },
            last => FileKind::File {
                is_executable: last == Some(&b'*'),
            },
        };
        (item.trim_end_matches(['*', '/']).to_owned(), kind)
    }))
}

/// Returns facts about an image with these files and users, and groups of the same names.
pub(crate) fn image(paths: &[&str], users: &[&str]) -> BaseImageFacts {
    let mut files = layer(paths);
    let names: Vec<SmolStr> = users.iter().map(|name| SmolStr::new(*name)).collect();
    files.users = AccountNames::Known(names.clone());
    files.groups = AccountNames::Known(names);
    BaseImageFacts {
        files: Some(Arc::new(files)),
        ..BaseImageFacts::default()
    }
}

/// Returns what a caller says who knows one image.
pub(crate) fn with_image(name: &str, facts: BaseImageFacts) -> ModelInput {
    let mut input = ModelInput::default();
    input.base_images.insert(name.into(), Arc::new(facts));
    input
}

/// Returns the image that the examples on the pages of rules stand on: a small Alpine Linux.
pub(crate) fn example_image() -> BaseImageFacts {
    let mut image = image(
        &[
            "/bin/",
            "/bin/busybox*",
            "/bin/sh>/bin/busybox",
            "/bin/ls>/bin/busybox",
            "/bin/mkdir>/bin/busybox",
            "/bin/touch>/bin/busybox",
            "/sbin/apk*",
            "/etc/passwd",
            "/usr/bin/wget>/bin/busybox",
            "/usr/share/zoneinfo/UTC",
        ],
        &["nobody", "root"],
    );
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    image.environment = vec![
        ("PATH".into(), path.into()),
        ("LANG".into(), "C.UTF-8".into()),
    ];
    image
}

/// Checks that a rule finds exactly the texts that are marked `«like this»` where `image:1` is the example image.
#[track_caller]
pub(crate) fn check_fires_on_image(rule: &Rule, marked: &str) {
    let mut options = only(rule);
    options.input = with_image("image:1", example_image());
    check_fires_with(&options, marked);
}

/// Checks that a rule finds nothing where `image:1` is the example image.
#[track_caller]
pub(crate) fn check_clean_on_image(rule: &Rule, text: &str) {
    let mut options = only(rule);
    options.input = with_image("image:1", example_image());
    let found = check(&SourceFile::new("Dockerfile", text), &options);
    assert!(found.is_empty(), "{found:#?}\nin\n{text}");
}

/// Returns options with one rule on, and the ignore file that the examples on its page speak of: an empty one, where they
/// speak of none.
pub(crate) fn only(rule: &Rule) -> Options {
    let ignore_file = match rule.name {
        "ignored-copy-source" => IgnoreFileFact::Present("node_modules\n".to_owned()),
        "copy-without-ignore-file" => IgnoreFileFact::Absent,
        _ => IgnoreFileFact::Present(String::new()),
    };
    let mut selection = Selection::none();
    selection.set_rule(rule, true);
    let mut input = ModelInput::default();
    if FACT_RULES.contains(&rule.name) {
        input = with_image("alpine:3.22", example_image());
    }
    Options {
        selection,
        input,
        ignore_file,
    }
}

/// Returns what one rule finds.
pub(crate) fn findings(text: &str, rule: &Rule) -> Vec<Diagnostic> {
    check(&SourceFile::new("Dockerfile", text), &only(rule))
}

/// Returns the codes of what one rule finds.
pub(crate) fn codes(text: &str, rule: &Rule) -> Vec<&'static str> {
    findings(text, rule)
        .into_iter()
        .map(|finding| finding.code)
        .collect()
}

/// Checks that a rule finds exactly the texts that are marked `«like this»`, in order.
#[track_caller]
pub(crate) fn check_fires(rule: &Rule, marked: &str) {
    check_fires_with(&only(rule), marked);
}

#[track_caller]
fn check_fires_with(options: &Options, marked: &str) {
    let mut text = String::new();
    let mut expected = Vec::new();
    let mut rest = marked;
    while let Some((before, behind)) = rest.split_once('«') {
        text.push_str(before);
        let (inside, behind) = behind.split_once('»').expect("every « has its »");
        expected.push((text.len(), inside.to_owned()));
        text.push_str(inside);
        rest = behind;
    }
    text.push_str(rest);
    assert!(!expected.is_empty(), "the text marks no finding");
    let source = SourceFile::new("Dockerfile", text.clone());
    let found: Vec<_> = check(&source, options)
        .into_iter()
        .map(|finding| {
            (
                usize::from(finding.range.start()),
                source.slice(finding.range).to_owned(),
            )
        })
        .collect();
    assert_eq!(found, expected, "in\n{text}");
}

/// Checks that a rule finds nothing.
#[track_caller]
pub(crate) fn check_clean(rule: &Rule, text: &str) {
    let found = findings(text, rule);
    assert!(found.is_empty(), "{found:#?}\nin\n{text}");
}

/// Checks the message of the only finding.
#[track_caller]
pub(crate) fn check_message(rule: &Rule, text: &str, message: &str) {
    let found = findings(text, rule);
    let messages: Vec<_> = found
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(messages, [message], "in\n{text}");
}

/// Checks what the fixes of a rule make of a text, all of them applied at once, and that the rule is silent then.
#[track_caller]
pub(crate) fn check_fix(rule: &Rule, before: &str, after: &str) {
    let mut builder = dockerfile_source::TextEdit::builder();
    let mut count = 0;
    for finding in findings(before, rule) {
        if let Some(fix) = finding
            .fix
            .filter(|fix| fix.applicability >= Applicability::Unsafe)
        {
            count += 1;
            for indel in fix.edit.indels() {
                builder.replace(indel.delete, indel.insert.clone());
            }
        }
    }
    assert!(count > 0, "no fix is offered for\n{before}");
    let edit = builder
        .finish()
        .expect("the fixes of one rule do not overlap");
    let fixed = edit.apply(before).expect("the edit lies in the text");
    assert_eq!(fixed, after);
    let left = findings(&fixed, rule);
    assert!(
        left.iter().all(|finding| finding.fix.is_none()),
        "the fix does not silence the rule: {left:#?}"
    );
}

/// Returns the examples of a rule's page: those under `## Bad` and those under `## Good`.
pub(crate) fn examples(rule: &Rule) -> (Vec<String>, Vec<String>) {
    let page = rule.documentation();
    let section = |heading: &str| -> Vec<String> {
        let Some((_, behind)) = page.split_once(heading) else {
            return Vec::new();
        };
        let body = behind.split("\n## ").next().unwrap_or("");
        body.split("```dockerfile\n")
            .skip(1)
            .filter_map(|fence| fence.split("```").next())
            .map(str::to_owned)
            .collect()
    };
    (section("## Bad"), section("## Good"))
}

/// Returns the first command of a RUN with this line.
pub(crate) fn shell_command(line: &str) -> dockerfile_model::ShellCommand {
    let parse = dockerfile_syntax::parse(&format!("FROM a:1\nRUN {line}\n"));
    let model = dockerfile_model::Model::new(&parse, &ModelInput::default());
    model
        .instructions
        .iter()
        .flat_map(dockerfile_model::Instruction::scripts)
        .find_map(|script| script.commands.first())
        .expect("the line holds a command")
        .clone()
}
