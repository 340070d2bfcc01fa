//! The flags, and the options of `--mount`.

use dockerfile_model::Keyword;

use super::{FlagPage, MountOptionPage};

const BOOL: &[&str] = &["true", "false"];
const MODES: &[&str] = &["644", "755", "u=rwX,go=rX", "+x"];

/// Makes a page; the table below reads like one.
const fn flag(
    keyword: Keyword,
    name: &'static str,
    value: &'static str,
    text: &'static str,
    values: &'static [&'static str],
) -> FlagPage {
    FlagPage {
        keyword,
        name,
        value,
        text,
        values,
    }
}

pub(crate) const PLATFORMS: &[&str] = &[
    "$BUILDPLATFORM",
    "$TARGETPLATFORM",
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/386",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
    "windows/amd64",
];
const CHOWN: &str = "Gives the files to a user and group, by names from the image's `/etc/passwd` and `/etc/group` or by numbers. Without it they belong to 0:0, whatever USER says.";
const CHMOD: &str =
    "Sets the permissions of what is copied: an octal number, or words such as `u=rwX,go=rX`.";
const LINK: &str = "Puts the files into a layer of their own that does not depend on the layers below. The layer can be used again when the base image changes; the destination must not go through symbolic links of the layers below.";
const EXCLUDE: &str = "Leaves out what matches this pattern. May be given several times.";

pub(crate) const FLAGS: &[FlagPage] = &[
    flag(
        Keyword::From,
        "platform",
        "PLATFORM",
        "Takes the image for this platform instead of the one that is built for. `$BUILDPLATFORM` keeps tools native in builds for other machines.",
        PLATFORMS,
    ),
    flag(
        Keyword::Run,
        "mount",
        "type=TYPE,...",
        "Makes files or folders visible for this one command, without becoming part of the image: a cache, files of a stage or of the context, a secret, an SSH agent, or memory.",
        &[],
    ),
    flag(
        Keyword::Run,
        "network",
        "MODE",
        "Chooses the network of the command. `none` cuts it off, which keeps a step reproducible; `host` needs leave of the builder.",
        &["default", "none", "host"],
    ),
    flag(
        Keyword::Run,
        "security",
        "MODE",
        "Chooses how far the command is locked in. `insecure` needs leave of the builder.",
        &["sandbox", "insecure"],
    ),
    flag(
        Keyword::Run,
        "device",
        "NAME[,required]",
        "Gives the command a device that the builder offers, by its CDI name. Without `required` the step goes on where there is none.",
        &[],
    ),
    flag(
        Keyword::Copy,
        "from",
        "STAGE|IMAGE",
        "Copies from an earlier stage (by name or number), from an image, or from a named context, instead of from the build context.",
        &[],
    ),
    flag(Keyword::Copy, "chown", "USER[:GROUP]", CHOWN, &[]),
    flag(Keyword::Copy, "chmod", "MODE", CHMOD, MODES),
    flag(Keyword::Copy, "link", "", LINK, BOOL),
    flag(
        Keyword::Copy,
        "parents",
        "",
        "Keeps the folders of each source below the destination. A `/./` in the source says from where on.",
        BOOL,
    ),
    flag(Keyword::Copy, "exclude", "PATTERN", EXCLUDE, &[]),
    flag(Keyword::Add, "chown", "USER[:GROUP]", CHOWN, &[]),
    flag(Keyword::Add, "chmod", "MODE", CHMOD, MODES),
    flag(Keyword::Add, "link", "", LINK, BOOL),
    flag(
        Keyword::Add,
        "keep-git-dir",
        "",
        "Keeps the `.git` folder of a repository that is fetched.",
        BOOL,
    ),
    flag(
        Keyword::Add,
        "checksum",
        "ALGORITHM:HEX",
        "Compares what is fetched with a checksum, and fails when it differs: `sha256:...` for addresses, the commit for Git.",
        &[],
    ),
    flag(
        Keyword::Add,
        "unpack",
        "",
        "Says whether archives are unpacked: those of the context are by default, those that are fetched are not.",
        BOOL,
    ),
    flag(Keyword::Add, "exclude", "PATTERN", EXCLUDE, &[]),
    flag(
        Keyword::Healthcheck,
        "interval",
        "DURATION",
        "How long to wait between two checks. The default is 30s.",
        &["30s", "1m", "5m"],
    ),
    flag(
        Keyword::Healthcheck,
        "timeout",
        "DURATION",
        "How long a check may take before it counts as failed. The default is 30s.",
        &["3s", "10s", "30s"],
    ),
    flag(
        Keyword::Healthcheck,
        "start-period",
        "DURATION",
        "How long the program may take to start: failures in that time do not count. The default is 0s.",
        &["0s", "5s", "1m"],
    ),
    flag(
        Keyword::Healthcheck,
        "start-interval",
        "DURATION",
        "How long to wait between two checks while it starts. The default is 5s.",
        &["1s", "5s"],
    ),
    flag(
        Keyword::Healthcheck,
        "retries",
        "NUMBER",
        "How many checks in a row must fail before the container counts as unhealthy. The default is 3.",
        &["3", "5"],
    ),
];

/// The types of `--mount`, and what each is for.
pub(crate) const MOUNT_TYPES: &[(&str, &str)] = &[
    (
        "bind",
        "Shows a folder of the context, of a stage or of an image; read-only unless `rw` is said. The default.",
    ),
    (
        "cache",
        "Keeps a folder from build to build: for package managers and compilers. It is never part of the image.",
    ),
    (
        "tmpfs",
        "A folder in memory that is gone after the command.",
    ),
    (
        "secret",
        "Shows a secret of whoever builds, as a file or variable. It leaves no trace in the image.",
    ),
    (
        "ssh",
        "Lets the command use an SSH agent of whoever builds.",
    ),
];

const fn option(
    name: &'static str,
    types: &'static [&'static str],
    value: &'static str,
    text: &'static str,
    values: &'static [&'static str],
) -> MountOptionPage {
    MountOptionPage {
        name,
        types,
        value,
        text,
        values,
    }
}

pub(crate) const MOUNT_OPTIONS: &[MountOptionPage] = &[
    option(
        "type",
        &[],
        "TYPE",
        "What is mounted.",
        &["bind", "cache", "tmpfs", "secret", "ssh"],
    ),
    option(
        "target",
        &[],
        "PATH",
        "Where it is mounted. A secret is at `/run/secrets/ID` by default.",
        &[],
    ),
    option(
        "source",
        &["bind", "cache"],
        "PATH",
        "Which folder of `from` is mounted.",
        &[],
    ),
    option(
        "from",
        &["bind", "cache"],
        "STAGE|IMAGE",
        "The stage or image whose files are mounted, instead of the context or an empty folder.",
        &[],
    ),
    option(
        "rw",
        &["bind"],
        "",
        "Lets the command write there. What it writes is thrown away.",
        &[],
    ),
    option(
        "ro",
        &["cache"],
        "",
        "Forbids the command to write there.",
        &[],
    ),
    option(
        "id",
        &["cache", "secret", "ssh"],
        "NAME",
        "Names the cache, the secret or the agent. That of a cache is its target by default.",
        &[],
    ),
    option(
        "sharing",
        &["cache"],
        "MODE",
        "What builds at the same time do: share it, each get its own (`private`), or wait (`locked`), as apt needs it.",
        &["shared", "private", "locked"],
    ),
    option(
        "mode",
        &["cache", "secret", "ssh"],
        "MODE",
        "The permissions, in octal.",
        &["0755", "0400", "0600"],
    ),
    option(
        "uid",
        &["cache", "secret", "ssh"],
        "NUMBER",
        "The user that it belongs to.",
        &["0", "1000"],
    ),
    option(
        "gid",
        &["cache", "secret", "ssh"],
        "NUMBER",
        "The group that it belongs to.",
        &["0", "1000"],
    ),
    option("size", &["tmpfs"], "BYTES", "How large it may grow.", &[]),
    option(
        "required",
        &["secret", "ssh"],
        "",
        "Fails the step where the builder was given none.",
        &["true", "false"],
    ),
    option(
        "env",
        &["secret"],
        "NAME",
        "Shows the secret as this variable instead of as a file.",
        &[],
    ),
];
