//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use dockerfile_report::OutputFormat;
use dockerfile_source::Severity;

/// Finds and fixes mistakes in Dockerfiles.
#[derive(Parser)]
#[command(
    name = "dflint",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check Dockerfiles, and repair them with `--fix`.
    ///
    /// Exit code: 0 when there is nothing to report, 1 when there are findings, 2 when something could not be read or
    /// written or the command line is wrong.
    Check(CheckArguments),
    /// Format Dockerfiles in place.
    ///
    /// Every change is proven: what could not be shown to build the same keeps its text. With `run = "keep"` the text of
    /// commands stays as it is, byte for byte, and with it the build cache.
    ///
    /// Exit code: 0 when all is well, 1 when `--check` or `--diff` found something to change, 2 when something could not
    /// be read or written or the command line or the configuration is wrong.
    Format(FormatArguments),
    /// Explain a rule: what it finds, why it matters, what to write instead.
    Explain(ExplainArguments),
}

#[derive(Args)]
#[command(group = ArgGroup::new("fixing").multiple(true))]
pub(crate) struct CheckArguments {
    /// Files and folders to check, `-` for standard input [default: the current folder].
    ///
    /// A file is checked whatever its name is. In a folder and below it, files are found by name: Dockerfile,
    /// Dockerfile.*, *.Dockerfile and the same with Containerfile, except for templates and backups.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Apply the safe fixes.
    #[arg(long, help_heading = "Fixing", group = "fixing")]
    pub(crate) fix: bool,

    /// Show what `--fix` would change as a diff, and write nothing.
    #[arg(long, help_heading = "Fixing", group = "fixing")]
    pub(crate) diff: bool,

    /// With `--fix` or `--diff`: take fixes that may change what is built, too.
    #[arg(long, help_heading = "Fixing", requires = "fixing")]
    pub(crate) unsafe_fixes: bool,

    /// Check these rules only: names, codes, aliases (such as DL3006), or `all`.
    #[arg(
        long,
        value_name = "RULE",
        value_delimiter = ',',
        help_heading = "Rules"
    )]
    pub(crate) select: Vec<String>,

    /// Do not check these rules.
    #[arg(
        long,
        value_name = "RULE",
        value_delimiter = ',',
        help_heading = "Rules"
    )]
    pub(crate) ignore: Vec<String>,

    /// Check rules that are new and may still change, too.
    #[arg(long, help_heading = "Rules")]
    pub(crate) preview: bool,

    /// Look into the store of `dfbuild` for what is in the images that a file names.
    ///
    /// Off without it: the same file has the same findings on every machine.
    #[cfg(all(target_os = "linux", feature = "images"))]
    #[arg(long, help_heading = "Rules")]
    pub(crate) images: bool,

    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = Format::Full, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output_format: Format,

    /// When to use colours; `auto` means on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: Color,

    /// Print how often each rule fired, in place of the findings.
    #[arg(long, help_heading = "Output", conflicts_with = "diff")]
    pub(crate) statistics: bool,

    /// Print the findings and nothing else.
    #[arg(long, short, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// The least severity that makes the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Info, value_name = "SEVERITY", help_heading = "Output")]
    pub(crate) fail_on: FailOn,

    /// The name of the file that comes on standard input.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) stdin_filename: Option<PathBuf>,

    /// Check files that .gitignore excludes, too.
    #[arg(long, help_heading = "Input")]
    pub(crate) no_gitignore: bool,

    /// How many threads to use [default: one a processor].
    #[arg(long, short, value_name = "N", help_heading = "Input")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

#[derive(Args)]
pub(crate) struct FormatArguments {
    /// Files and folders to format, `-` for standard input [default: the current folder].
    ///
    /// The same files as `dflint check` takes.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Name the files that are not formatted, and write nothing.
    #[arg(long)]
    pub(crate) check: bool,

    /// Show what would change as a diff, and write nothing.
    #[arg(long)]
    pub(crate) diff: bool,

    /// Format these lines only, counted from 1: START:END, START: or :END.
    #[arg(long, value_name = "START:END", value_parser = line_range)]
    pub(crate) range: Option<LineRange>,

    /// How commands are laid out, whatever the configuration says.
    #[arg(long, value_enum, value_name = "STYLE", help_heading = "Style")]
    pub(crate) run: Option<Run>,

    /// Columns that a line may have, whatever the configuration says.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Style")]
    pub(crate) line_width: Option<u16>,

    /// Use this configuration file, and none that is found.
    #[arg(long, value_name = "FILE", help_heading = "Style")]
    pub(crate) config: Option<PathBuf>,

    /// Say which instructions keep their text, and why.
    #[arg(long, short, help_heading = "Output", conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Print problems and nothing else.
    #[arg(long, short, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// When to use colours; `auto` means on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: Color,

    /// The name of the file that comes on standard input.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub(crate) stdin_filename: Option<PathBuf>,

    /// Format files that .gitignore excludes, too.
    #[arg(long, help_heading = "Input")]
    pub(crate) no_gitignore: bool,

    /// How many threads to use [default: one a processor].
    #[arg(long, short, value_name = "N", help_heading = "Input")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

/// How commands are laid out.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Run {
    /// One step a line.
    Pretty,
    /// As they are, byte for byte: the build cache stays.
    Keep,
}

/// Lines from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineRange {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

fn line_range(text: &str) -> Result<LineRange, String> {
    let (first, last) = text
        .split_once(':')
        .ok_or("two line numbers are needed, as in 3:7")?;
    let number = |text: &str, missing: u32| match text {
        "" => Ok(missing),
        _ => text
            .parse::<u32>()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("`{text}` is not the number of a line; lines count from 1")),
    };
    let range = LineRange {
        first: number(first, 1)?,
        last: number(last, u32::MAX)?,
    };
    if range.first > range.last {
        return Err("the first line is behind the last".to_owned());
    }
    Ok(range)
}

#[derive(Args)]
pub(crate) struct ExplainArguments {
    /// The name, the code or an alias of a rule; none lists all rules.
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,

    /// List all rules.
    #[arg(long, conflicts_with = "rule")]
    pub(crate) list: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// The lines of the file with the range underlined.
    Full,
    /// One line a finding.
    Concise,
    /// One array of objects; offsets are bytes from 0, lines and columns count from 1, columns in code points.
    Json,
}

impl From<Format> for OutputFormat {
    fn from(format: Format) -> OutputFormat {
        match format {
            Format::Full => OutputFormat::Full,
            Format::Concise => OutputFormat::Concise,
            Format::Json => OutputFormat::Json,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Info,
    Warning,
    Error,
    Never,
}

impl FailOn {
    /// Returns `true` when a run whose worst finding is this one has failed.
    pub(crate) fn counts(self, worst: Severity) -> bool {
        match self {
            FailOn::Info => true,
            FailOn::Warning => worst >= Severity::Warning,
            FailOn::Error => worst >= Severity::Error,
            FailOn::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn ranges_of_lines_are_read() {
        let range = |first, last| Ok(LineRange { first, last });
        assert_eq!(line_range("3:7"), range(3, 7));
        assert_eq!(line_range("3:"), range(3, u32::MAX));
        assert_eq!(line_range(":7"), range(1, 7));
        for wrong in ["3", "0:1", "7:3", "a:b", "-1:2"] {
            assert!(line_range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fails_from_the_named_severity_on() {
        assert!(FailOn::Info.counts(Severity::Info));
        assert!(!FailOn::Warning.counts(Severity::Info));
        assert!(FailOn::Warning.counts(Severity::Error));
        assert!(!FailOn::Never.counts(Severity::Error));
    }
}
