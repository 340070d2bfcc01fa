//! The command line as a user meets it: one process a test.
//!
//! The tests select a rule by BuildKit's name for it (`ExposeProtoCasing`: `EXPOSE 80/TCP`, with a safe fix), so that new rules do
//! not change them.

mod bad_input;
mod discovery;
mod explain;
mod fixing;
mod formatting;
#[cfg(unix)]
mod images;
mod readme;
mod reporting;
mod scratch;
mod standard_input;
mod usage;
