//! `cargo xtask bench lsp`: how long the language server takes to answer, and how that compares with others.
//!
//! Times are those of a client: from the first byte of a message to the last of the answer.

mod client;
mod forecast;
mod servers;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;

use self::client::Client;
use self::servers::Server;
use super::stopwatch::median;
use crate::page_section;
use crate::workspace::Workspace;

/// The lines of the files that are measured.
const SIZES: [usize; 3] = [20, 1_000, 10_000];
/// A server that takes longer in all is asked no more.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(clap::Args)]
pub(crate) struct LspArgs {
    /// Edits for each size; other servers get fewer where they are slow.
    #[arg(long, default_value_t = 200)]
    edits: usize,
    /// Files in the context of the forecast.
    #[arg(long, default_value_t = 50_000)]
    files: usize,
    /// Writes the table into docs/comparison.md.
    #[arg(long)]
    write: bool,
}

const HEAD: &str = "# Language servers compared

A client of our own measures from the first byte of a message to the last of the answer, in milliseconds, one server after the other at each size.
The file has stages of ten lines, as people write them; each edit inserts or removes one letter in the middle, and is over when the diagnostics of its version are there.
*completion*, *hover* and *tokens* (a difference, where the server has that) are medians after each edit; *ratio* is the edit's median against ours.

| server | lines | start | edit, median | edit, p99 | ratio | completion | hover | tokens | RSS, MiB |
|---|---|---|---|---|---|---|---|---|---|
";

/// What one server needs for one file, in milliseconds.
#[derive(Default)]
struct Row {
    start: f64,
    edit: Vec<f64>,
    completion: Vec<f64>,
    hover: Vec<f64>,
    tokens: Vec<f64>,
    memory: f64,
}

pub(crate) fn lsp(workspace: &Workspace, args: &LspArgs) -> anyhow::Result<()> {
    let servers = servers::all(workspace)?;
    let mut page = HEAD.to_owned();
    print!("{HEAD}");
    for lines in SIZES {
        let mut ours = None;
        for server in &servers {
            let row = match measure(server, lines, args.edits) {
                Ok(row) => {
                    let edit = median(&row.edit);
                    let ratio = *ours.get_or_insert(edit);
                    written(server, lines, &row, edit / ratio)
                }
                Err(error) => format!("| {} | {lines} | {error:#} |\n", server.name),
            };
            print!("{row}");
            page.push_str(&row);
        }
    }
    if let Some(server) = servers.first() {
        let forecast = forecast::forecast(workspace, server, args.files)?;
        println!("\n{forecast}");
        page.push_str(&format!("\n{forecast}\n"));
    }
    if args.write {
        let path = workspace.path("docs/comparison.md");
        page_section::replace(&path, "cargo xtask bench lsp --write", &page)?;
    }
    Ok(())
}

/// Returns a row of the table.
fn written(server: &Server, lines: usize, row: &Row, ratio: f64) -> String {
    let ms = |values: &[f64]| {
        if values.is_empty() {
            "-".to_owned()
        } else {
            format!("{:.2}", median(values))
        }
    };
    format!(
        "| {} | {lines} | {:.1} | {:.2} | {:.2} | {ratio:.1} | {} | {} | {} | {:.0} |\n",
        server.name,
        row.start,
        median(&row.edit),
        percentile(&row.edit),
        ms(&row.completion),
        ms(&row.hover),
        ms(&row.tokens),
        row.memory,
    )
}

fn percentile(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * 99 / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// A file with stages as people write them, each of ten lines.
fn text(lines: usize) -> String {
    let stage = |number: usize| {
        format!(
            "FROM debian:12 AS stage{number}\nARG VERSION=1.{number}\nENV NAME=value{number} PATH=/opt/bin:$PATH\n\
             WORKDIR /srv/app\nCOPY --chown=1000:1000 package.json /srv/app/\nRUN apt-get update && apt-get install -y curl \\\n    \
             ca-certificates git\nRUN curl -fsSL https://example.com/$VERSION.tar.gz | tar -xz && make install\n\
             EXPOSE 8080\nCMD [\"node\", \"server.js\"]\n"
        )
    };
    (0..lines / 10).map(stage).collect()
}

fn measure(server: &Server, lines: usize, edits: usize) -> anyhow::Result<Row> {
    let uri = "file:///tmp/dfls-bench/Dockerfile";
    let begin = Instant::now();
    let mut client = Client::spawn(&server.command)?;
    let capabilities = client.initialize(json!({}), None)?;
    let mut row = Row {
        start: begin.elapsed().as_secs_f64() * 1000.0,
        ..Row::default()
    };
    let text = text(lines);
    // The second RUN of a stage in the middle of the file.
    let line = lines / 20 * 10 + 7;
    let column = text
        .lines()
        .nth(line)
        .context("the file is too short")?
        .len();
    client.open(uri, &text)?;
    client.diagnostics(1, PATIENCE)?;
    let place = json!({"line": line, "character": column});
    let behind = json!({"line": line, "character": column + 1});
    let all = Instant::now();
    let mut version = 1;
    let mut result_id = None;
    let has = |name: &str| capabilities.get(name).is_some_and(|value| !value.is_null());
    while row.edit.len() < edits && (row.edit.len() < 3 || all.elapsed() < PATIENCE) {
        version += 1;
        let is_insert = version % 2 == 0;
        let (end, inserted) = if is_insert {
            (&place, "x")
        } else {
            (&behind, "")
        };
        let change = json!({"range": {"start": place, "end": end}, "text": inserted});
        let full = || {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if let (true, Some(line)) = (is_insert, lines.get_mut(line)) {
                line.push('x');
            }
            json!({"text": lines.join("\n") + "\n"})
        };
        let change = if server.takes_changes { change } else { full() };
        let begin = Instant::now();
        client.change(uri, version, &change)?;
        client.diagnostics(version, PATIENCE)?;
        row.edit.push(begin.elapsed().as_secs_f64() * 1000.0);
        let document = json!({"uri": uri});
        if has("completionProvider") {
            let place = json!({"line": line, "character": 0});
            let params = json!({"textDocument": document, "position": place});
            row.completion
                .push(client.timed("textDocument/completion", &params)?.0);
        }
        if has("hoverProvider") {
            let place = json!({"line": line, "character": 1});
            let params = json!({"textDocument": document, "position": place});
            row.hover
                .push(client.timed("textDocument/hover", &params)?.0);
        }
        // Ten are enough: one server takes half a minute for each.
        if has("semanticTokensProvider")
            && row.tokens.len() < 10
            && lines <= server.most_token_lines
        {
            let (method, params) = match &result_id {
                Some(id) => (
                    "textDocument/semanticTokens/full/delta",
                    json!({"textDocument": document, "previousResultId": id}),
                ),
                None => (
                    "textDocument/semanticTokens/full",
                    json!({"textDocument": document}),
                ),
            };
            let (time, answer) = client.timed(method, &params)?;
            let is_first = result_id.is_none();
            result_id = answer
                .get("resultId")
                .cloned()
                .filter(|id| server.has_delta && !id.is_null());
            // The first one is no difference.
            if !is_first || !server.has_delta {
                row.tokens.push(time);
            }
        }
    }
    row.memory = client.memory();
    Ok(row)
}
