//! Prints diagnostics: for a person at a terminal, for `grep`, and for programs.
//!
//! Invariants:
//! - No I/O of its own: everything is written to a caller's `impl Write`, and colour only when the caller says so.
//! - The same findings give the same bytes, whatever the number of threads that rendered them: a [`Renderer`] renders one
//!   file at a time, and a [`ReportWriter`] joins the pieces in the order it is given.
//! - Text from a Dockerfile reaches a terminal only without control characters (`visible`).
//! - Time is linear in the number of findings, whatever the length of a line.

#![forbid(unsafe_code)]

mod output_format;
mod renderer;
mod report_writer;

mod concise;
mod full;
mod json;
mod plain_snippet;

mod excerpt;
mod position;
mod styled_writer;
mod visible;

mod statistics;
mod summary;
mod unified_diff;

pub use output_format::OutputFormat;
pub use renderer::Renderer;
pub use report_writer::ReportWriter;
pub use statistics::Statistics;
pub use summary::Summary;
pub use unified_diff::diff;
pub use visible::visible;
