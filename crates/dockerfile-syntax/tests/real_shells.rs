//! The shell grammar against real shells: what bash or dash takes is no error in the tree, and what neither takes is.

mod script_mutant;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use dockerfile_syntax::ast::{Arguments, AstNode, File, Instruction};
use dockerfile_syntax::{Parser, SyntaxErrorKind};

use crate::script_mutant::Random;

const MUTANTS: usize = 4000;
/// Few enough that a person reads them.
const SHOWN_FAULTS: usize = 20;

/// What shells read, each text once, and what the parser says of it.
type Bodies = BTreeMap<String, Vec<String>>;

static BODIES: LazyLock<Option<Bodies>> = LazyLock::new(bodies_of_corpus);

/// Returns the commands of all real files, or says loudly what is missing.
fn bodies() -> Option<&'static Bodies> {
    const WHAT: &str = "the comparison with real shells";
    let bodies = BODIES.as_ref();
    if bodies.is_none() {
        test_support::skipped(WHAT, "corpus/open.tar.zst");
    } else if !["bash", "dash"].iter().all(|shell| takes(shell, "true")) {
        test_support::skipped(WHAT, "corpus/open.tar.zst and, in PATH, bash and dash");
        return None;
    }
    bodies
}

#[test]
fn what_a_shell_takes_is_no_error() {
    let Some(bodies) = bodies() else { return };
    assert!(bodies.len() > 65_000, "{} bodies", bodies.len());
    let faults: Vec<_> = bodies
        .iter()
        .filter(|(body, errors)| !errors.is_empty() && takes_either(body))
        .collect();
    assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
}

#[test]
fn what_no_shell_takes_is_an_error() {
    let Some(bodies) = bodies() else { return };
    let accepted = bodies.iter().filter(|(_, errors)| errors.is_empty());
    // A here-document without an end would take in all that is put behind it.
    let (alone, together): (Vec<_>, Vec<_>) = accepted
        .map(|(body, _)| body.as_str())
        .partition(|body| body.contains("<<"));
    let mut missed = refused_by("dash", &refused_by("bash", &together));
    missed.extend(alone.into_iter().filter(|body| !takes_either(body)));
    assert!(missed.is_empty(), "{} missed: {missed:#?}", missed.len());
}

/// Real commands with pieces put in and left out: most are broken, and bash takes more of them than one would think.
#[test]
fn what_bash_takes_of_broken_commands_is_no_error() {
    let Some(bodies) = bodies() else { return };
    let bodies: Vec<&str> = bodies.keys().map(String::as_str).collect();
    let mut random = Random::new(1);
    let faults: Vec<_> = (0..MUTANTS)
        .map(|_| random.mutant(&bodies))
        .filter(|mutant| !is_read_later(mutant))
        .map(|mutant| (errors_of_script(&mutant), mutant))
        .filter(|(errors, mutant)| !errors.is_empty() && takes("bash", mutant))
        .take(SHOWN_FAULTS)
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Returns whether `bash -n` passes over something that it reads when it runs the script, or reads it by other rules.
fn is_read_later(script: &str) -> bool {
    // The inside of backquotes; a carriage return, which is a character of a word for bash.
    // FIXME: `&` at the end of a line that goes on and `&` on the next are `&&`; here they are two tokens.
    let is_cut = |operator: char| script.contains(&format!("{operator}\\\n"));
    script.contains(['`', '\r']) || "&|;<>".chars().any(is_cut)
}

fn bodies_of_corpus() -> Option<Bodies> {
    let folder = test_support::open_corpus()?.join("all");
    let mut bodies = Bodies::new();
    let mut parser = Parser::new();
    for entry in fs::read_dir(folder).expect("the corpus has the folder") {
        let path = entry.expect("the folder can be listed").path();
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        let parse = parser.parse(&text);
        let Some(file) = File::cast(parse.root()) else {
            continue;
        };
        for instruction in file.instructions() {
            let errors = parse
                .errors()
                .iter()
                .filter(|error| error.kind == SyntaxErrorKind::Shell)
                .filter(|error| instruction.range().contains_range(error.range))
                .map(|error| error.message.clone());
            if let Some(body) = body(instruction) {
                bodies.insert(body, errors.collect());
            }
        }
    }
    Some(bodies)
}

/// Returns what a shell reads of an instruction: the joined line with its here-documents, or the here-document alone.
fn body(instruction: Instruction<'_>) -> Option<String> {
    if let Some(trigger) = instruction.trigger() {
        return body(trigger);
    }
    let Arguments::Script(line) = instruction.arguments() else {
        return None;
    };
    let documents: Vec<_> = instruction.heredocs().collect();
    if let [document] = documents.as_slice()
        && let Some(script) = document.script()
    {
        return Some(script.to_string());
    }
    let mut body = line.logical_text();
    for document in documents {
        body.push('\n');
        body.push_str(&document.syntax().to_string());
    }
    Some(body)
}

/// Returns what is wrong with a script that stands in a here-document.
fn errors_of_script(script: &str) -> Vec<String> {
    let text = format!("RUN <<'END OF SCRIPT'\n{script}\nEND OF SCRIPT\n");
    let parse = dockerfile_syntax::parse(&text);
    let errors = parse.errors().iter();
    errors
        .filter(|error| error.kind == SyntaxErrorKind::Shell)
        .map(|error| error.message.clone())
        .collect()
}

/// Returns the scripts that a shell does not take.
///
/// Many are given to it at once, each in parentheses; only where it does not take them all, it gets half of them.
fn refused_by<'b>(shell: &str, bodies: &[&'b str]) -> Vec<&'b str> {
    if let [] | [_] = bodies {
        let refused = bodies.iter().filter(|body| !takes(shell, body));
        return refused.copied().collect();
    }
    let together = format!("(\n{}\n)\n", bodies.join("\n)\n(\n"));
    if takes(shell, &together) {
        return Vec::new();
    }
    let (left, right) = bodies.split_at(bodies.len() / 2);
    [refused_by(shell, left), refused_by(shell, right)].concat()
}

fn takes_either(script: &str) -> bool {
    takes("bash", script) || takes("dash", script)
}

/// Returns whether a shell, which does not run the script, says nothing about its syntax.
fn takes(shell: &str, script: &str) -> bool {
    let name = format!("{shell}-{:?}.sh", std::thread::current().id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, script).expect("the folder for temporary files can be written to");
    let output = Command::new(shell)
        .arg("-n")
        .arg(&path)
        .stdin(Stdio::null())
        .output();
    output.is_ok_and(|output| output.status.success() && output.stderr.is_empty())
}
