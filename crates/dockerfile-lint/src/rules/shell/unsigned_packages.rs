use dockerfile_model::{Keyword, ShellWord};

use crate::RuleContext;
use crate::facts::program_call::ProgramCall;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds packages that are installed without a check of their signature.
    ///
    /// ## Why
    /// The signature is what tells a package of the distribution from one that somebody put in its place.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM debian:12
    /// RUN apt-get install -y --allow-unauthenticated curl
    /// ```
    ///
    /// ```dockerfile
    /// FROM alpine:3.20
    /// RUN apk add --no-cache --allow-untrusted /tmp/tool.apk
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM alpine:3.20
    /// COPY vendor.rsa.pub /etc/apk/keys/
    /// RUN apk add --no-cache /tmp/tool.apk
    /// ```
    ///
    /// ## Limits
    /// Knows the options of apk, apt, dnf, yum, rpm and zypper, and `[trusted=yes]` and `gpgcheck=0` in text that `echo` or `printf` writes.
    /// `[trusted=yes]` for a repository of local files is fine.
    /// A package of your own without a signature fires too: sign it, or ignore the rule there.
    /// On 22,777 public Dockerfiles it fires 489 times; of 50 read, none was wrong, but 9 of them install a package that the same file has built or downloaded by name.
    pub(crate) UNSIGNED_PACKAGES {
        name: "unsigned-packages",
        code: "DF907",
        aliases: ["CKV2_DOCKER_7", "CKV2_DOCKER_8", "CKV2_DOCKER_9", "CKV2_DOCKER_10"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for call in ctx.calls_of(PROGRAMS) {
        if call.instruction.keyword != Keyword::Run {
            continue;
        }
        let Some((word, what)) = culprit(call) else {
            continue;
        };
        ctx.report(
            word.range,
            format!("`{what}` accepts packages without a valid signature"),
        )
        .help("remove it, and add the key that the packages are signed with");
    }
}

/// The programs that `culprit` knows.
const PROGRAMS: &[&str] = &[
    "apk",
    "apt-get",
    "apt",
    "aptitude",
    "dnf",
    "yum",
    "microdnf",
    "yum-config-manager",
    "rpm",
    "zypper",
    "echo",
    "printf",
];

/// Returns the word that turns the check off, and the part of it to name.
fn culprit<'m>(call: &ProgramCall<'m>) -> Option<(&'m ShellWord, &'m str)> {
    let option = |options: &[&str]| {
        let word = call.called.option(options)?;
        Some((word, word.value()))
    };
    let containing = |part: &'static str| {
        let word = call
            .called
            .arguments
            .iter()
            .find(|word| word.text.contains(part))?;
        Some((word, part))
    };
    match call.called.name {
        "apk" => option(&["--allow-untrusted"]),
        "apt-get" | "apt" | "aptitude" => option(&[
            "--allow-unauthenticated",
            "--force-yes",
            "--allow-insecure-repositories",
        ])
        .or_else(|| {
            ["AllowUnauthenticated", "AllowInsecureRepositories"]
                .into_iter()
                .find_map(containing)
                .filter(|(word, _)| !word.text.contains("false") && !word.text.ends_with("=0"))
        }),
        "dnf" | "yum" | "microdnf" | "yum-config-manager" => {
            option(&["--nogpgcheck", "--no-gpgchecks"]).or_else(|| {
                ["gpgcheck=0", "gpgcheck=false", "gpgcheck=no"]
                    .into_iter()
                    .find_map(containing)
            })
        }
        "rpm" => option(&["--nosignature", "--nodigest"]),
        "zypper" => option(&["--no-gpg-checks", "--no-gpgcheck"]),
        "echo" | "printf" => ["trusted=yes", "allow-insecure=yes", "gpgcheck=0"]
            .into_iter()
            .find_map(containing)
            .filter(|(word, _)| !word.text.contains("file:")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::UNSIGNED_PACKAGES as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn points_at_the_option() {
        check_fires(
            &RULE,
            "FROM a:1\nRUN apk add «--allow-untrusted» a && apt-get -y «--force-yes» install b && yum install -y «--nogpgcheck» c\n",
        );
        check_fires(
            &RULE,
            "FROM a:1\nRUN rpm -i «--nosignature» a && zypper «--no-gpg-checks» in b && apt-get -o «APT::Get::AllowUnauthenticated=true» install c\n",
        );
        check_fires(
            &RULE,
            "FROM a:1\nRUN echo «'deb [trusted=yes] http://x.example /'» > /etc/apt/sources.list.d/x.list\n",
        );
    }

    #[test]
    fn checks_that_stay_on_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nRUN apk add a && sed -i s/gpgcheck=0/gpgcheck=1/ x && echo 'deb [trusted=yes] file:/repo ./' > y\n",
        );
        check_clean(
            &RULE,
            "FROM a:1\nRUN dnf install -y a --setopt=gpgcheck=1\n",
        );
    }

    #[test]
    fn names_the_option() {
        check_message(
            &RULE,
            "FROM a:1\nRUN apk add --allow-untrusted a\n",
            "`--allow-untrusted` accepts packages without a valid signature",
        );
    }
}
