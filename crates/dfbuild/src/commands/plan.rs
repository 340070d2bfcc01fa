//! `dfbuild plan`.

use std::io::{self, Write as _};

use anyhow::Result;
use dockerfile_build::Fate;
use dockerfile_source::SourceFile;

use crate::arguments::PlanArguments;
use crate::dockerfile::prepare;
use crate::failure;
use crate::outcome::Outcome;
use crate::progress::number;

pub(crate) fn run(arguments: &PlanArguments) -> Result<Outcome> {
    let mut prepared = prepare(&arguments.input)?;
    prepared.request.names_changed_files = true;
    let request = &prepared.request;
    let source = SourceFile::new(request.dockerfile_name.clone(), request.dockerfile.clone());
    let forecast = match dockerfile_build::forecast(request) {
        Ok(forecast) => forecast,
        Err(error) => {
            failure::print(&error, &source)?;
            return Ok(Outcome::Failed);
        }
    };
    let mut out = io::stdout().lock();
    if arguments.json {
        let steps: Vec<_> = forecast
            .steps
            .iter()
            .map(|step| {
                let line = source.line_columns(step.range).0.line + 1;
                let fate = match &step.fate {
                    Fate::Cached { size, microseconds } => serde_json::json!({"fate": "cached", "size": size, "microseconds": microseconds}),
                    Fate::Runs { reason } => serde_json::json!({"fate": "runs", "reason": reason}),
                    Fate::Unknown { stage } => serde_json::json!({"fate": "unknown", "stage": stage}),
                };
                serde_json::json!({"step": number(step.step), "title": step.title, "line": line, "outlook": fate})
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&steps)?)?;
        return Ok(Outcome::Done);
    }
    for step in &forecast.steps {
        let line = source.line_columns(step.range).0.line + 1;
        let fate = match &step.fate {
            Fate::Cached { .. } => "cached".to_owned(),
            Fate::Runs { reason } => format!("runs: {reason}"),
            Fate::Unknown { stage } if stage.is_empty() => {
                "unknown until the steps before are built".to_owned()
            }
            Fate::Unknown { stage } => format!("unknown until `{stage}` is built"),
        };
        writeln!(out, "{line:>5}  {:<60}  {fate}", shortened(&step.title))?;
    }
    Ok(Outcome::Done)
}

fn shortened(title: &str) -> String {
    const WIDTH: usize = 60;
    if title.chars().count() <= WIDTH {
        return title.to_owned();
    }
    title.chars().take(WIDTH - 1).chain(['…']).collect()
}
