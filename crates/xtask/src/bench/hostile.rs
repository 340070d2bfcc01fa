//! `cargo xtask bench hostile`: files made to be slow, at one size and at twice that size, through every rule alone.
//!
//! What is linear takes twice the time for twice the file. A rule that takes much more is a way to stop a server.

use std::hint::black_box;

use clap::Args;
use dockerfile_lint::{Options, Rule, Selection, check_model, rules};
use dockerfile_model::{Model, ModelInput};
use dockerfile_source::SourceFile;

use super::hostile_files::{KINDS, text_of};
use crate::command::{self, cargo};
use crate::cpu_clock;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct HostileArgs {
    /// How many lines the smaller file of each kind has.
    #[arg(long, default_value_t = 10_000)]
    lines: usize,
    /// Measures one kind of file only, by name.
    #[arg(long)]
    only: Option<String>,
}

/// A growth above this is worth a look: 2 is linear.
const SUSPICIOUS: f64 = 2.8;
/// Less than this is noise.
const NOISE_SECONDS: f64 = 0.030;

pub(crate) fn hostile(workspace: &Workspace, args: &HostileArgs) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        // Figures of a debug build mislead: the same command again, optimised.
        let lines = args.lines.to_string();
        let arguments = ["run", "--release", "--quiet", "--package", "xtask", "--"];
        let mut command = cargo(&workspace.root, &arguments);
        command.args(["bench", "hostile", "--lines", &lines]);
        if let Some(only) = &args.only {
            command.args(["--only", only]);
        }
        return command::run(&mut command);
    }
    println!(
        "{}, files of {} and of {} lines; what grows by more than {SUSPICIOUS} is listed",
        cpu_clock::COUNTS,
        args.lines,
        args.lines * 2
    );
    for (name, head, line) in KINDS {
        if args.only.as_ref().is_none_or(|only| only == name) {
            let small = SourceFile::new("Dockerfile", text_of(head, *line, args.lines));
            let large = SourceFile::new("Dockerfile", text_of(head, *line, args.lines * 2));
            measure(name, &small, &large);
        }
    }
    Ok(())
}

fn measure(name: &str, small: &SourceFile, large: &SourceFile) {
    let every_rule: Vec<&'static Rule> = rules().to_vec();
    let all = Options {
        selection: Selection::all(),
        ..Options::default()
    };
    let whole = |file: &SourceFile| {
        cpu_clock::seconds(|| {
            black_box(dockerfile_lint::check(black_box(file), &all));
        })
    };
    let (first, second) = (whole(small), whole(large));
    let speed = large.text().len() as f64 / 1e6 / second;
    println!(
        "{name:<24} {:>9.1} ms {:>9.1} ms  {speed:>6.1} MB/s",
        first * 1e3,
        second * 1e3
    );
    let mut steps = vec![
        (
            "  parse".to_owned(),
            parse_seconds(small),
            parse_seconds(large),
        ),
        (
            "  model".to_owned(),
            model_seconds(small),
            model_seconds(large),
        ),
    ];
    let of_small = rule_seconds(small, &every_rule);
    let of_large = rule_seconds(large, &every_rule);
    let names = every_rule.iter().map(|rule| rule.name);
    let names = std::iter::once("suppressions").chain(names);
    for ((name, first), second) in names.zip(of_small).zip(of_large) {
        steps.push((format!("  {name}"), first, second));
    }
    for (step, first, second) in steps {
        if second > NOISE_SECONDS && second > first * SUSPICIOUS {
            println!(
                "{step:<34} {:>9.1} ms {:>9.1} ms  x{:.1}",
                first * 1e3,
                second * 1e3,
                second / first
            );
        }
    }
}

fn parse_seconds(file: &SourceFile) -> f64 {
    cpu_clock::seconds(|| {
        black_box(dockerfile_syntax::parse(file.text()));
    })
}

fn model_seconds(file: &SourceFile) -> f64 {
    let parse = dockerfile_syntax::parse(file.text());
    cpu_clock::seconds(|| {
        black_box(Model::new(&parse, &ModelInput::default()));
    })
}

fn rule_seconds(file: &SourceFile, every_rule: &[&'static Rule]) -> Vec<f64> {
    let parse = dockerfile_syntax::parse(file.text());
    let model = Model::new(&parse, &ModelInput::default());
    let seconds = |selection: Selection| {
        let options = Options {
            selection,
            ..Options::default()
        };
        let once = || {
            cpu_clock::seconds(|| {
                black_box(check_model(file, &parse, &model, &options));
            })
        };
        once().min(once())
    };
    // Comments that silence are read whatever the rules are.
    let suppressions = seconds(Selection::none());
    let of_rules = every_rule.iter().map(|rule| {
        let mut selection = Selection::none();
        selection.set(rule.code, true).expect("the rule exists");
        seconds(selection) - suppressions
    });
    std::iter::once(suppressions).chain(of_rules).collect()
}
