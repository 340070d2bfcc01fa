//! Which stage a name or a number means, as BuildKit's `dockerfile2llb/convert.go` looks them up.

use dockerfile_model::{Base, Model, ModelInput, StageId};

fn model(text: &str) -> Model {
    Model::new(&dockerfile_syntax::parse(text), &ModelInput::default())
}

fn targets(text: &str) -> Vec<Option<u32>> {
    let model = model(text);
    let references = model.stage_references.iter();
    references
        .map(|reference| reference.target.map(|stage| stage.0))
        .collect()
}

fn bases(text: &str) -> Vec<Base> {
    model(text)
        .stages
        .into_iter()
        .map(|stage| stage.base)
        .collect()
}

#[test]
fn copy_takes_a_name_in_any_case_or_a_number() {
    let text = "FROM a:1 AS Build\nFROM a:1\nCOPY --from=BUILD /a /\nCOPY --from=0 /a /\nCOPY --from=+0 /a /\n";
    assert_eq!(targets(text), [Some(0), Some(0), Some(0)]);
}

#[test]
fn a_mount_takes_names_only() {
    let text = "FROM a:1 AS Build\nFROM a:1\nRUN --mount=from=bUILD,target=/x true\nRUN --mount=from=0,target=/x true\n";
    assert_eq!(targets(text), [Some(0), None]);
}

#[test]
fn the_last_stage_of_a_name_counts() {
    let text = "FROM a:1 AS b\nFROM a:2 AS b\nFROM a:3\nCOPY --from=b /a /\nRUN --mount=from=b,target=/x true\n";
    assert_eq!(targets(text), [Some(1), Some(1)]);
}

#[test]
fn a_later_stage_of_the_name_hides_the_earlier_one() {
    let text = "FROM a:1 AS b\nFROM a:3\nCOPY --from=b /a /\nRUN --mount=from=b,target=/x true\nFROM a:2 AS b\n";
    assert_eq!(targets(text), [None, None]);
}

#[test]
fn its_own_stage_and_later_ones_are_no_source() {
    let text = "FROM a:1 AS b\nCOPY --from=b /a /\nCOPY --from=0 /a /\nCOPY --from=1 /a /\nCOPY --from=c /a /\nFROM a:1 AS c\n";
    assert_eq!(targets(text), [None; 4]);
}

#[test]
fn from_takes_the_last_stage_of_the_name_before_it() {
    let text = "FROM a:1 AS b\nFROM b AS b\nFROM b\nFROM a:2 AS b\n";
    let stage = |number| Base::Stage(StageId(number));
    let image = |name: &str| Base::Image(name.into());
    assert_eq!(
        bases(text),
        [image("a:1"), stage(0), stage(1), image("a:2")]
    );
}

#[test]
fn from_takes_no_numbers() {
    assert_eq!(
        bases("FROM a:1\nFROM 0\n"),
        [Base::Image("a:1".into()), Base::Image("0".into())]
    );
}

#[test]
fn from_finds_names_in_lower_case_only() {
    let model = model("FROM a:1 AS Build\nFROM build\nFROM Build\n");
    let of_stages = |what: fn(&dockerfile_model::Stage) -> bool| {
        model.stages.iter().map(what).collect::<Vec<_>>()
    };
    let is_on_first = |stage: &dockerfile_model::Stage| stage.base == Base::Stage(StageId(0));
    assert_eq!(of_stages(is_on_first), [false, true, true]);
    assert_eq!(
        of_stages(|stage| stage.is_base_miscased),
        [false, false, true]
    );
}

#[test]
fn a_stage_may_be_called_scratch() {
    let text = "FROM a:1 AS scratch\nFROM scratch\n";
    assert_eq!(
        bases(text),
        [Base::Image("a:1".into()), Base::Stage(StageId(0))]
    );
    assert_eq!(bases("FROM scratch\n"), [Base::Scratch]);
}
