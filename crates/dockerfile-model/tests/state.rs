//! What is in force at an instruction, through the stages below.

use std::sync::Arc;

use dockerfile_model::{
    BaseImageFacts, InstructionId, Keyword, Model, ModelInput, Resolution, StageId,
};

fn model(text: &str) -> Model {
    Model::new(&dockerfile_syntax::parse(text), &ModelInput::default())
}

fn workdirs(text: &str) -> Vec<Option<String>> {
    let model = model(text);
    (0..model.instructions.len())
        .map(|idx| model.workdir_at(InstructionId(idx as u32)))
        .map(|workdir| workdir.map(Into::into))
        .collect()
}

#[test]
fn working_directories_go_on_in_the_stage_above() {
    let known = |path: &str| Some(path.to_owned());
    assert_eq!(
        workdirs(
            "WORKDIR /x\nFROM scratch AS a\nWORKDIR b\nWORKDIR ../c\nFROM a\nRUN x\nWORKDIR d\nRUN x\n"
        ),
        [
            None,
            known("/"),
            known("/"),
            known("/b"),
            known("/c"),
            known("/c"),
            known("/c"),
            known("/c/d"),
        ]
    );
}

#[test]
fn a_working_directory_below_an_unknown_one_is_unknown() {
    let text = "FROM a:1\nARG A\nWORKDIR b\nWORKDIR /$A\nWORKDIR c\nWORKDIR /d\nRUN x\n";
    assert_eq!(workdirs(text).pop(), Some(Some("/d".to_owned())));
    assert_eq!(workdirs(text).into_iter().flatten().count(), 1);
}

#[test]
fn the_last_instruction_of_a_kind_may_stand_in_a_stage_below() {
    let model = model("USER x\nFROM a:1 AS a\nUSER b\nFROM c:1\nUSER d\nFROM a\nRUN x\nUSER e\n");
    let user = |at: u32| {
        model
            .user_at(InstructionId(at))
            .map(|word| word.text.to_string())
    };
    let users: Vec<_> = (0..8).map(user).collect();
    let known = |name: &str| Some(name.to_owned());
    assert_eq!(
        users,
        [
            None,
            None,
            None,
            None,
            None,
            known("b"),
            known("b"),
            known("b")
        ]
    );
    let last = model.last_of_stage(Keyword::User, StageId(2));
    assert_eq!(last.map(|user| user.id), Some(InstructionId(7)));
}

#[test]
fn a_variable_is_looked_for_in_so_many_stages_only() {
    use std::fmt::Write as _;
    let mut text = "FROM a:1 AS s0\nARG A=1\n".to_owned();
    for stage in 1..=70 {
        let _ = writeln!(text, "FROM s{} AS s{stage}\nRUN x", stage - 1);
    }
    let model = model(&text);
    let resolved = |stage: u32| {
        let place = model.stage(StageId(stage)).expect("it exists").end;
        model.resolve("A", place, Some(StageId(stage)))
    };
    assert!(matches!(resolved(60), Resolution::Declared(_)));
    assert_eq!(resolved(70), Resolution::MaybeBaseImage);
}

#[test]
fn what_all_words_together_may_grow_has_a_limit() {
    let mut text = format!("FROM a:1\nENV A={}\n", "x".repeat(100_000));
    text.push_str(&"ENV B=$A\n".repeat(200));
    let model = model(&text);
    let values: Vec<_> = model
        .variables
        .iter()
        .filter(|variable| variable.name == "B")
        .map(|variable| variable.value.as_ref().map(dockerfile_model::SmolStr::len))
        .collect();
    assert_eq!(values.first(), Some(&Some(100_000)));
    assert_eq!(values.last(), Some(&None));
    // What is not known any more is used all the same.
    let uses = model
        .instructions
        .last()
        .map(dockerfile_model::Instruction::pairs);
    assert!(
        matches!(uses, Some([pair]) if pair.value.as_ref().is_some_and(dockerfile_model::Word::has_variables))
    );
}

#[test]
fn a_word_that_asks_for_a_variable_uses_it() {
    let model = model("ARG A\nFROM ${A:?no}\n");
    let from = model.instructions.last().and_then(|last| last.from());
    let image = from.and_then(|from| from.image.as_ref());
    assert!(image.is_some_and(|image| image.has_variables() && image.value.is_none()));
}

fn model_on(text: &str, facts: BaseImageFacts) -> Model {
    let mut input = ModelInput::default();
    input.base_images.insert("a:1".into(), Arc::new(facts));
    Model::new(&dockerfile_syntax::parse(text), &input)
}

#[test]
fn the_image_brings_variables_and_a_working_directory() {
    let facts = BaseImageFacts {
        workdir: Some("/srv".into()),
        environment: vec![("PATH".into(), "/bin".into())],
        ..BaseImageFacts::default()
    };
    let model = model_on("FROM a:1\nENV PATH=/x:$PATH\nWORKDIR b\nRUN x\n", facts);
    let run = InstructionId(3);
    assert_eq!(model.workdir_at(run).as_deref(), Some("/srv/b"));
    let Resolution::Declared(path) = model.resolve("PATH", run, Some(StageId(0))) else {
        panic!("it is declared");
    };
    let value = model.variable(path).and_then(|path| path.value.as_deref());
    assert_eq!(value, Some("/x:/bin"));
}

#[test]
fn facts_about_another_platform_do_not_count() {
    let facts = BaseImageFacts {
        platform: "linux/amd64".into(),
        ..BaseImageFacts::default()
    };
    for (flag, is_known) in [
        ("", true),
        ("--platform=$BUILDPLATFORM ", true),
        ("--platform=linux/amd64/v2 ", true),
        ("--platform=linux/arm64 ", false),
    ] {
        let model = model_on(&format!("FROM {flag}a:1\n"), facts.clone());
        assert_eq!(model.facts_of(StageId(0)).is_some(), is_known, "{flag}");
    }
}
