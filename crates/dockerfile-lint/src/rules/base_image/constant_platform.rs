use dockerfile_model::Keyword;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds FROM with a platform that is written out.
    ///
    /// ## Why
    /// A constant platform builds for that platform alone, whatever `docker build --platform` asks for.
    /// On other machines the stage runs under emulation, slowly, and nobody sees why.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM --platform=linux/amd64 alpine:3.22 AS build
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM --platform=$BUILDPLATFORM alpine:3.22 AS build
    /// FROM --platform=linux/amd64 alpine:3.22 AS tools-amd64
    /// FROM alpine:3.22
    /// ```
    ///
    /// ## Limits
    /// A stage whose name holds the operating system or the architecture says that it means it, and is fine, as for BuildKit.
    /// Whether the image exists for other platforms is not known.
    /// On 22,777 public Dockerfiles it fires 72 times; of 50 read, none was wrong, but most authors will have meant it: hence the low severity.
    pub(crate) CONSTANT_PLATFORM {
        name: "constant-platform",
        code: "DF111",
        aliases: ["DL3029", "FromPlatformFlagConstDisallowed"],
        severity: Info,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for stage in &model.stages {
        let flag = model
            .instruction(stage.from)
            .filter(|instruction| instruction.keyword == Keyword::From)
            .and_then(|instruction| instruction.flag("platform"));
        let Some(written) = flag.and_then(|flag| flag.value.as_ref()) else {
            continue;
        };
        let Some(platform) = written
            .value
            .as_deref()
            .filter(|_| !written.has_variables())
        else {
            continue;
        };
        let stage_name = stage.name.as_deref().unwrap_or("");
        if !is_platform(platform) || names_platform(stage_name, platform) {
            continue;
        }
        ctx.report(
            written.range,
            format!("the stage is built for `{platform}` alone, whatever the build asks for"),
        )
        .help(
            "leave the flag out and build with `docker build --platform`; a stage of tools runs natively with `--platform=$BUILDPLATFORM`",
        );
    }
}

/// What may stand without the other part.
const LONE_PARTS: [&str; 15] = [
    "386", "aarch64", "amd64", "arm", "arm64", "armhf", "i386", "linux", "mips64le", "ppc64le",
    "riscv64", "s390x", "windows", "x86-64", "x86_64",
];

/// Returns whether it looks like `OS`, `ARCHITECTURE`, `OS/ARCHITECTURE` or `OS/ARCHITECTURE/VARIANT`; what is none
/// fails in the build.
fn is_platform(platform: &str) -> bool {
    (platform.contains('/') || LONE_PARTS.contains(&platform))
        && platform.split('/').count() <= 3
        && platform.split('/').all(|part| {
            part.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-()".contains(&byte))
                && !part.is_empty()
        })
}

fn names_platform(stage_name: &str, platform: &str) -> bool {
    platform.split('/').take(2).any(|part| {
        let normal = match part {
            "x86_64" | "x86-64" => "amd64",
            "aarch64" => "arm64",
            "armhf" | "armel" => "arm",
            "i386" => "386",
            "macos" => "darwin",
            other => other,
        };
        stage_name.contains(normal)
    })
}

#[cfg(test)]
mod tests {
    use super::CONSTANT_PLATFORM as RULE;
    use crate::testing::{check_clean, check_fires};

    #[test]
    fn points_at_the_platform() {
        check_fires(
            &RULE,
            "FROM --platform=«linux/amd64» a:1\nFROM --platform=«arm64» a:1 AS b\n",
        );
    }

    #[test]
    fn variables_are_fine() {
        check_clean(
            &RULE,
            "ARG P=linux/amd64\nFROM --platform=$BUILDPLATFORM a:1\nFROM --platform=\"${P:-}\" a:1\nFROM --platform=linux/$TARGETARCH a:1\n",
        );
    }

    #[test]
    fn a_stage_that_is_named_for_its_platform_is_fine() {
        check_clean(
            &RULE,
            "FROM --platform=linux/amd64 a:1 AS my_amd64_stage\nFROM --platform=linux/amd64 a:1 AS linux\nFROM --platform=linux/x86_64 a:1 AS base-AMD64\nFROM --platform=foo a:1\n",
        );
    }
}
