use dockerfile_model::{Instruction, Keyword};

use crate::RuleContext;
use crate::facts::copy_source::{CopySource, copy_sources, file_name};
use crate::facts::expensive_step::{ExpensiveStep, expensive_steps, first_step_behind};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ADD of a URL in front of steps that install packages.
    ///
    /// ## Why
    /// The builder asks for the file in every build, and when it has changed, all steps behind it run again.
    /// `master`, `latest` and plain names change without notice.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// ADD https://example.com/tool /usr/local/bin/tool
    /// RUN apt-get update && apt-get install -y curl
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get update && apt-get install -y curl
    /// ADD https://example.com/tool /usr/local/bin/tool
    /// ```
    ///
    /// ## Limits
    /// Silent with `--checksum`, where the file cannot change, for a URL with a version or a variable in it, and where the RUN that installs names the file.
    /// A file that the installation needs without naming it, such as a list of repositories, is reported wrongly, unless it goes to a folder of apt, apk or yum.
    /// On 22,777 public Dockerfiles it fires 59 times; of 40 read, 6 were keys or scripts that a later step may need.
    pub(crate) EARLY_URL_ADD {
        name: "early-url-add",
        code: "DF404",
        aliases: [],
        severity: Info,
        status: Preview,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let mut steps: Option<Vec<ExpensiveStep<'_>>> = None;
    for instruction in ctx.model().instructions_of(Keyword::Add) {
        if instruction.flag("checksum").is_some() {
            continue;
        }
        let remote = copy_sources(instruction)
            .find(|(word, source)| *source == CopySource::Remote && !has_version(&word.text));
        let Some((word, _)) = remote else {
            continue;
        };
        let steps =
            steps.get_or_insert_with(|| expensive_steps(ctx.program_calls(), ctx.package_calls()));
        let Some(step) = first_step_behind(steps, instruction).copied() else {
            continue;
        };
        let target = target_name(instruction, word.value_or_text());
        if is_of_package_manager(instruction) || ctx.text(step.instruction.range).contains(target) {
            continue;
        }
        ctx.report(
            word.range,
            "this download is added before packages are installed",
        )
        .label(step.range, "runs again when the download changes")
        .help("move this ADD below the installation, or pin the download with `--checksum`");
    }
}

/// Returns whether a URL says which version it means, so that the file behind it stays the same: `1.2`, or a variable.
fn has_version(url: &str) -> bool {
    let is_version = |window: &[u8]| matches!(window, [left, b'.', right] if left.is_ascii_digit() && right.is_ascii_digit());
    url.contains('$') || url.as_bytes().windows(3).any(is_version)
}

/// Returns the name that the file gets.
fn target_name<'m>(instruction: &'m Instruction, source: &'m str) -> &'m str {
    let destination = instruction
        .copy()
        .and_then(|copy| copy.destination.as_ref())
        .map_or("", |word| word.value_or_text());
    let is_folder = destination.ends_with('/') || matches!(destination, "." | "");
    file_name(if is_folder { source } else { destination })
}

/// Returns whether a file goes where package managers look for repositories and keys.
fn is_of_package_manager(instruction: &Instruction) -> bool {
    instruction
        .copy()
        .and_then(|copy| copy.destination.as_ref())
        .is_some_and(|word| {
            ["/apt/", "/apk/", "/yum", "/pki/", "keyring", "/dnf"]
                .iter()
                .any(|part| word.value_or_text().contains(part))
        })
}

#[cfg(test)]
mod tests {
    use super::EARLY_URL_ADD as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn fires_in_front_of_installations() {
        check_fires(&RULE, "FROM a:1\nADD «https://a/b» /c\nRUN apk add d\n");
    }

    #[test]
    fn pinned_files_local_files_and_late_ones_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nADD --checksum=sha256:0 https://a/b /c\nADD x.tar /y\nRUN apk add d\nADD https://a/b /c\nFROM a:1\nADD https://a/v1.2/b https://a/$V/b /c/\nRUN apk add d\n",
        );
    }

    #[test]
    fn files_that_the_installation_needs_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nADD https://a/setup.sh /tmp/\nRUN sh /tmp/setup.sh && apt-get install b\nFROM a:1\nADD https://a/k /etc/apt/keyrings/k\nRUN apt-get install b\n",
        );
    }

    #[test]
    fn says_what_is_wrong() {
        check_message(
            &RULE,
            "FROM a:1\nADD https://a/b /c\nRUN apk add d\n",
            "this download is added before packages are installed",
        );
    }
}
