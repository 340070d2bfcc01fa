use std::path::Path;

use dockerfile_model::{
    Base, Command, Instruction, JsonString, Keyword, Model, ShellWord, StageId,
};
use dockerfile_source::{TextRange, TextSize, edit_distance};

use super::is_written_plainly;
use crate::RuleContext;
use crate::facts::blocks::blocks;
use crate::facts::created_path::{CreatedPath, created_paths};
use crate::facts::known_images::known_image;
use crate::facts::shell_program::base_name;
use crate::facts::start_command::last_of;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds a path in CMD or ENTRYPOINT that is almost the path of something the stage creates.
    ///
    /// ## Why
    /// `COPY . /opt/sour_code` and `ENTRYPOINT flask --app /opt/source_code/app.py` build without a word.
    /// The container stops at its start, because the file is somewhere else.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.13
    /// COPY . /opt/sour_code
    /// CMD ["python", "/opt/source_code/app.py"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.13
    /// COPY . /opt/source_code
    /// CMD ["python", "/opt/source_code/app.py"]
    /// ```
    ///
    /// ## Limits
    /// Looks at COPY, ADD, WORKDIR and `mkdir` of the stage and of the stages below it.
    /// A path that the base image may hold, that another instruction names, or that a copied folder may hold is not judged.
    /// A script in another folder than the one that it is started from is found on base images that are known, where no RUN speaks of it.
    /// Short names and names that differ in their digits alone are not judged.
    /// On 22,777 public Dockerfiles it fires twice, both times rightly.
    pub(crate) START_PATH_MISMATCH {
        name: "start-path-mismatch",
        code: "DF212",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// Folders that the system keeps its own programs in.
const SYSTEM_FOLDERS: [&str; 4] = ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"];

/// Names that every image may have.
const SYSTEM_NAMES: [&str; 8] = [
    "home", "root", "local", "share", "sbin", "lib64", "games", "boot",
];

/// How the names of scripts end that come from the project.
const SCRIPTS: [&str; 5] = [".sh", ".py", ".js", ".rb", ".jar"];

const MOST_WORDS: usize = 64;

/// A path that a container is started with.
struct StartPath<'m> {
    path: &'m str,
    range: TextRange,
}

/// A created path that a start path comes near to.
struct NearPath<'c> {
    created: &'c CreatedPath,
    distance: usize,
    /// The start path with the part that is meant.
    meant: String,
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for place in blocks(model) {
        let starts = [Keyword::Entrypoint, Keyword::Cmd]
            .into_iter()
            .filter_map(|keyword| last_of(place, keyword));
        let mut created = None;
        for start in starts {
            for path in start_paths(start).take(MOST_WORDS) {
                let created = created.get_or_insert_with(|| created_paths(model, place));
                let Some(created) = created else { break };
                check_path(ctx, model, place, created, &path);
            }
        }
    }
}

fn start_paths(start: &Instruction) -> impl Iterator<Item = StartPath<'_>> {
    let strings = match start.command() {
        Some(Command::Exec(strings, _)) => strings.as_slice(),
        _ => &[],
    };
    let commands = match start.command() {
        Some(Command::Shell(script)) => script.commands.as_slice(),
        _ => &[],
    };
    let words = commands.iter().flat_map(|command| {
        let values = command
            .assignments
            .iter()
            .filter_map(|assignment| assignment.value.as_ref());
        values.chain(&command.words)
    });
    strings
        .iter()
        .filter_map(path_of_string)
        .chain(words.filter_map(path_of_word))
}

fn path_of_string(string: &JsonString) -> Option<StartPath<'_>> {
    let (at, path) = find_path(&string.value)?;
    let range = if is_written_plainly(string) {
        let start = string.range.start() + TextSize::new(at as u32 + 1);
        TextRange::at(start, TextSize::new(path.len() as u32))
    } else {
        string.range
    };
    Some(StartPath { path, range })
}

fn path_of_word(word: &ShellWord) -> Option<StartPath<'_>> {
    let (at, path) = find_path(word.literal()?)?;
    let is_plain = word.text == word.value() && usize::from(word.range.len()) == word.text.len();
    let range = if is_plain {
        let start = word.range.start() + TextSize::new(at as u32);
        TextRange::at(start, TextSize::new(path.len() as u32))
    } else {
        word.range
    };
    Some(StartPath { path, range })
}

/// Returns the absolute path that a word is, or that stands behind its `=`.
fn find_path(word: &str) -> Option<(usize, &str)> {
    let at = if word.starts_with('/') {
        0
    } else {
        word.find("=/")? + 1
    };
    let path = word.get(at..)?;
    let is_path = path.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'+' | b'@')
    });
    (is_path && !path.contains("//") && !path.contains("/.")).then_some((at, path))
}

fn check_path(
    ctx: &mut RuleContext<'_>,
    model: &Model,
    place: &[Instruction],
    created: &[CreatedPath],
    start: &StartPath<'_>,
) {
    let best = created
        .iter()
        .filter_map(|candidate| near(start.path, created, candidate))
        .min_by_key(|near| near.distance);
    let Some(best) = best else {
        check_folder(ctx, model, place, created, start);
        return;
    };
    let differing = differing_part(start.path, &best.created.path).unwrap_or(start.path);
    if is_named_elsewhere(ctx, model, place, differing) {
        return;
    }
    report(ctx, start, best.created, &best.meant);
}

fn report(ctx: &mut RuleContext<'_>, start: &StartPath<'_>, created: &CreatedPath, meant: &str) {
    ctx.report(
        start.range,
        format!("nothing in this file creates `{}`", start.path),
    )
    .label(created.range, format!("this creates `{}`", created.path))
    .help(format!("did you mean `{meant}`?"));
}

/// Judges a script that is started from another folder than the one that it is copied to.
fn check_folder(
    ctx: &mut RuleContext<'_>,
    model: &Model,
    place: &[Instruction],
    created: &[CreatedPath],
    start: &StartPath<'_>,
) {
    let name = base_name(start.path);
    let is_script = SCRIPTS.iter().any(|ending| name.ends_with(ending)) && name.len() > 5;
    let may_exist = created.iter().any(|other| {
        let is_above = Path::new(start.path).starts_with(other.path.as_str());
        other.path == start.path || (is_above && other.is_tree)
    });
    let stage = place.first().and_then(|instruction| instruction.stage);
    let is_known = stage.is_some_and(|stage| match model.root_base(stage) {
        Some(Base::Scratch) => true,
        Some(Base::Image(image)) => known_image(image).is_some(),
        _ => false,
    });
    if !is_script || may_exist || !is_known || name == "docker-entrypoint.sh" {
        return;
    }
    let mut copies = created
        .iter()
        .filter(|other| !other.is_tree && base_name(&other.path) == name);
    let (Some(only), None) = (copies.next(), copies.next()) else {
        return;
    };
    if !is_in_run(ctx, model, stage, name) {
        report(ctx, start, only, &only.path);
    }
}

/// Returns whether a RUN of a stage, or of those below it, speaks of a name: it may move the file.
fn is_in_run(ctx: &RuleContext<'_>, model: &Model, stage: Option<StageId>, name: &str) -> bool {
    let all = stage
        .into_iter()
        .flat_map(|stage| model.ancestry(stage))
        .flat_map(|stage| model.stage_instructions(stage.id));
    all.filter(|instruction| instruction.keyword == Keyword::Run)
        .any(|instruction| ctx.text(instruction.range).contains(name))
}

fn parts(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').filter(|part| !part.is_empty())
}

/// Returns the one part of a path in which it differs from the start of another.
fn differing_part<'p>(path: &'p str, created: &str) -> Option<&'p str> {
    let mut differing = parts(path)
        .zip(parts(created))
        .filter(|(part, created)| part != created);
    let first = differing.next()?;
    differing.next().is_none().then_some(first.0)
}

fn near<'c>(
    path: &str,
    created: &[CreatedPath],
    candidate: &'c CreatedPath,
) -> Option<NearPath<'c>> {
    let depth = parts(&candidate.path).count();
    let is_deep_enough = parts(path).count() >= depth;
    if !is_deep_enough || SYSTEM_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
        return None;
    }
    let written = differing_part(path, &candidate.path)?;
    let at = parts(path)
        .zip(parts(&candidate.path))
        .position(|(part, created)| part != created)?;
    let meant = parts(&candidate.path).nth(at)?;
    let distance = slip(written, meant)?;
    let may_exist = created.iter().any(|other| {
        let shared = parts(path)
            .zip(parts(&other.path))
            .take_while(|(part, other)| part == other)
            .count();
        let is_above = shared == parts(&other.path).count() && shared <= at && other.is_tree;
        shared > at || is_above
    });
    if may_exist {
        return None;
    }
    let words: Vec<_> = parts(path)
        .enumerate()
        .map(|(idx, part)| if idx == at { meant } else { part })
        .collect();
    Some(NearPath {
        created: candidate,
        distance,
        meant: format!("/{}", words.join("/")),
    })
}

/// Returns how far apart two names are, when they are near enough for a slip of the fingers.
fn slip(written: &str, meant: &str) -> Option<usize> {
    let shorter = written.len().min(meant.len());
    if shorter < 4 || written.len().max(meant.len()) > 64 || SYSTEM_NAMES.contains(&written) {
        return None;
    }
    let is_letter = |character: &char| character.is_ascii_alphabetic();
    if written
        .chars()
        .filter(is_letter)
        .eq(meant.chars().filter(is_letter))
    {
        return None;
    }
    let distance = edit_distance(written, meant);
    let allowed = if shorter < 8 { 1 } else { 2 };
    (distance <= allowed).then_some(distance)
}

/// Returns whether another instruction of the stage, or of those below it, speaks of a name.
fn is_named_elsewhere(
    ctx: &RuleContext<'_>,
    model: &Model,
    place: &[Instruction],
    name: &str,
) -> bool {
    let stage = place.first().and_then(|instruction| instruction.stage);
    let below = stage
        .into_iter()
        .flat_map(|stage| model.ancestry(stage).skip(1))
        .flat_map(|stage| model.stage_instructions(stage.id));
    place.iter().chain(below).any(|instruction| {
        !matches!(
            instruction.keyword,
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck | Keyword::Label
        ) && ctx.text(instruction.range).contains(name)
    })
}

#[cfg(test)]
mod tests {
    use super::START_PATH_MISMATCH as RULE;
    use crate::testing::{check_clean, check_fires, findings};

    #[test]
    fn points_at_the_path_in_exec_form() {
        check_fires(
            &RULE,
            "FROM a\nCOPY . /opt/sour_code\nCMD [\"python\", \"«/opt/source_code/app.py»\"]\n",
        );
        check_fires(
            &RULE,
            "FROM a\nCOPY entrypoint.sh /\nENTRYPOINT [\"«/entrypont.sh»\"]\n",
        );
    }

    #[test]
    fn points_at_the_path_in_shell_form() {
        check_fires(
            &RULE,
            "FROM a\nCOPY . /opt/sour_code\nENTRYPOINT FLASK_APP=«/opt/source_code/app.py» flask run\n",
        );
    }

    #[test]
    fn shows_the_path_that_is_created() {
        let text = "FROM a\nWORKDIR /service\nCMD [\"x\", \"--dir=/servcie/data\"]\n";
        let found = findings(text, &RULE);
        let helps: Vec<_> = found
            .iter()
            .filter_map(|found| found.help.as_deref())
            .collect();
        assert_eq!(helps, ["did you mean `/service/data`?"]);
    }

    #[test]
    fn a_script_in_another_folder_is_meant() {
        check_fires(
            &RULE,
            "FROM debian:12\nCOPY start.sh /app/start.sh\nCMD «/start.sh» --all\n",
        );
        check_fires(
            &RULE,
            "FROM debian:12\nWORKDIR /app\nCOPY server.py .\nCMD [\"python\", \"«/server.py»\"]\n",
        );
        for text in [
            "FROM debian:12\nCOPY start.sh /app/start.sh\nRUN ln -s /app/start.sh /\nCMD /start.sh\n",
            "FROM debian:12\nCOPY start.sh /app/start.sh\nCOPY . /\nCMD /start.sh\n",
            "FROM who/knows\nCOPY start.sh /app/start.sh\nCMD /start.sh\n",
            "FROM debian:12\nCOPY a/start.sh /app/start.sh\nCMD /app/start.sh\n",
        ] {
            check_clean(&RULE, text);
        }
    }

    #[test]
    fn a_path_that_may_exist_is_fine() {
        for text in [
            "FROM a\nCOPY . /opt/sour_code\nRUN git clone x /opt/source_code\nCMD [\"/opt/source_code/a\"]\n",
            "FROM a\nCOPY . /\nCOPY run.sh /start.sh\nCMD [\"/strat.sh\"]\n",
            "FROM a\nCOPY source_code /opt/source_code\nCOPY x /opt/sour_code\nCMD [\"/opt/source_code/a\"]\n",
            "FROM a\nCOPY x.py /app1234/x.py\nCMD [\"/app1235/x.py\"]\n",
            "FROM a\nCOPY x.py /app/x.py\nCMD [\"/apps/x.py\", \"/other/y\"]\n",
            "FROM a\nCOPY python.sh /usr/bin/python.sh\nCMD [\"/usr/bin/pythons.sh\"]\n",
            "FROM a\nARG D\nCOPY x $D\nCOPY . /opt/sour_code\nCMD [\"/opt/source_code/a\"]\n",
        ] {
            check_clean(&RULE, text);
        }
    }
}
