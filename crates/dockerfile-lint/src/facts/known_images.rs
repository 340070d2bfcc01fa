//! What is known of images that many Dockerfiles stand on, by their names alone.
//!
//! Only what holds for every tag that is still pulled, or what the tag itself says. A caller who has looked at the
//! image says so with `BaseImageFacts`, which goes before this table.

/// The distribution an image is made of, which says which accounts `/etc/passwd` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Debian,
    Alpine,
    RedHat,
    Busybox,
}

/// An image whose accounts are known. It runs as root and sets no variables but those of its own language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownImage {
    pub(crate) family: Family,
    /// Accounts beside those of the family.
    pub(crate) users: &'static [&'static str],
}

/// Official images and a few more, in the order of their names: the family of tags that name none, and the accounts
/// that they add.
const IMAGES: &[(&str, Family, &[&str])] = &[
    ("almalinux", Family::RedHat, &[]),
    ("alpine", Family::Alpine, &[]),
    ("amazoncorretto", Family::RedHat, &[]),
    ("amazonlinux", Family::RedHat, &[]),
    ("buildpack-deps", Family::Debian, &["ubuntu"]),
    ("busybox", Family::Busybox, &[]),
    ("centos", Family::RedHat, &[]),
    ("debian", Family::Debian, &[]),
    ("denoland/deno", Family::Debian, &["deno"]),
    ("dotnet/aspnet", Family::Debian, &["app", "ubuntu"]),
    ("dotnet/runtime", Family::Debian, &["app", "ubuntu"]),
    ("dotnet/runtime-deps", Family::Debian, &["app", "ubuntu"]),
    ("dotnet/sdk", Family::Debian, &["app", "ubuntu"]),
    ("eclipse-temurin", Family::Debian, &["ubuntu"]),
    ("elixir", Family::Debian, &[]),
    ("erlang", Family::Debian, &[]),
    ("fedora", Family::RedHat, &[]),
    ("gcc", Family::Debian, &[]),
    ("golang", Family::Debian, &[]),
    ("gradle", Family::Debian, &["gradle", "ubuntu"]),
    ("haskell", Family::Debian, &[]),
    ("httpd", Family::Debian, &["www-data"]),
    ("julia", Family::Debian, &[]),
    ("maven", Family::Debian, &["ubuntu"]),
    ("nginx", Family::Debian, &["nginx"]),
    ("node", Family::Debian, &["node"]),
    ("openjdk", Family::Debian, &[]),
    ("oraclelinux", Family::RedHat, &[]),
    ("oven/bun", Family::Debian, &["bun"]),
    ("perl", Family::Debian, &[]),
    ("php", Family::Debian, &["www-data"]),
    ("python", Family::Debian, &[]),
    ("rockylinux", Family::RedHat, &[]),
    ("ruby", Family::Debian, &[]),
    ("rust", Family::Debian, &[]),
    ("swift", Family::Debian, &["ubuntu"]),
    ("tomcat", Family::Debian, &["ubuntu"]),
    ("ubuntu", Family::Debian, &["ubuntu"]),
];

/// Images whose configuration sets a user other than root, whatever the tag.
const UNPRIVILEGED: &[&str] = &[
    "actions/actions-runner",
    "apache/airflow",
    "apache/nifi",
    "apache/spark",
    "apache/superset",
    "codercom/code-server",
    "elasticsearch",
    "elasticsearch/elasticsearch",
    "fluent/fluentd",
    "grafana/grafana",
    "grafana/loki",
    "haproxy",
    "homebrew/brew",
    "jboss/base-jdk",
    "jboss/keycloak",
    "jboss/wildfly",
    "jenkins",
    "jenkins/agent",
    "jenkins/inbound-agent",
    "jenkins/jenkins",
    "jenkins/jnlp-slave",
    "jenkins/slave",
    "keycloak/keycloak",
    "kibana",
    "kibana/kibana",
    "klee/klee",
    "kong",
    "linuxbrew/brew",
    "logstash",
    "logstash/logstash",
    "mambaorg/micromamba",
    "memcached",
    "mssql/server",
    "nginxinc/nginx-unprivileged",
    "nodered/node-red",
    "ocaml/opam",
    "ocaml/opam2",
    "odoo",
    "prom/alertmanager",
    "prom/node-exporter",
    "prom/prometheus",
    "puppeteer/puppeteer",
    "rasa/rasa",
    "solr",
    "varnish",
    "verdaccio/verdaccio",
    "wildfly/wildfly",
    "zenika/alpine-chrome",
];

/// Makers whose images set a user other than root as a matter of course.
const UNPRIVILEGED_MAKERS: &[&str] = &[
    "bitnami/",
    "bitnamilegacy/",
    "bitnamisecure/",
    "chainguard/",
    "circleci/",
    "cimg/",
    "confluentinc/",
    "gitpod/",
    "jupyter/",
    "ocaml/opam",
    "openshift/",
    "s2i-",
    "selenium/",
];

const DEBIAN_USERS: &[&str] = &[
    "_apt", "backup", "bin", "daemon", "games", "gnats", "irc", "list", "lp", "mail", "man",
    "news", "nobody", "proxy", "root", "sync", "sys", "uucp", "www-data",
];

const ALPINE_USERS: &[&str] = &[
    "adm",
    "at",
    "bin",
    "cron",
    "cyrus",
    "daemon",
    "ftp",
    "games",
    "guest",
    "halt",
    "lp",
    "mail",
    "man",
    "news",
    "nobody",
    "ntp",
    "operator",
    "postgres",
    "postmaster",
    "root",
    "shutdown",
    "smmsp",
    "squid",
    "sshd",
    "svn",
    "sync",
    "uucp",
    "vpopmail",
    "xfs",
];

const RED_HAT_USERS: &[&str] = &[
    "adm", "bin", "daemon", "dbus", "ftp", "games", "halt", "lp", "mail", "nobody", "operator",
    "root", "shutdown", "sync", "tss",
];

const BUSYBOX_USERS: &[&str] = &[
    "bin", "daemon", "mail", "nobody", "operator", "root", "sync", "sys", "www-data",
];

impl KnownImage {
    /// Returns whether `/etc/passwd` of the image holds an account.
    pub(crate) fn has_user(&self, name: &str) -> bool {
        let of_family = match self.family {
            Family::Debian => DEBIAN_USERS,
            Family::Alpine => ALPINE_USERS,
            Family::RedHat => RED_HAT_USERS,
            Family::Busybox => BUSYBOX_USERS,
        };
        self.users.contains(&name) || of_family.contains(&name) || name.starts_with("systemd-")
    }
}

/// Returns what is known of an image.
pub(crate) fn known_image(name: &str) -> Option<KnownImage> {
    let (path, tag) = split(name);
    let found = IMAGES
        .binary_search_by(|(known, _, _)| known.cmp(&path))
        .ok()?;
    let (_, family, users) = IMAGES.get(found)?;
    if is_windows_image(name) || is_unprivileged_tag(tag) {
        return None;
    }
    let has = |parts: &[&str]| parts.iter().any(|part| tag.contains(part));
    let family = if has(&["alpine"]) {
        Family::Alpine
    } else if has(&[
        "ubi",
        "centos",
        "oracle",
        "al2",
        "rocky",
        "azurelinux",
        "mariner",
        "cbl",
    ]) {
        Family::RedHat
    } else if has(&["slim", "bookworm", "bullseye", "trixie", "jammy", "noble"]) {
        Family::Debian
    } else if path == "openjdk" && !tag.starts_with(['6', '7', '8', '9', '1']) {
        // Without a distribution in the tag, newer ones stand on Oracle Linux and older ones on Debian.
        return None;
    } else {
        *family
    };
    Some(KnownImage { family, users })
}

/// Returns whether an image is known to set a user other than root.
pub(crate) fn is_unprivileged_image(name: &str) -> bool {
    let (path, tag) = split(name);
    UNPRIVILEGED.binary_search(&path).is_ok()
        || UNPRIVILEGED_MAKERS
            .iter()
            .any(|maker| path.starts_with(maker))
        || is_unprivileged_tag(tag)
        || is_unprivileged_tag(path)
}

/// Returns whether an image is known to hold no shell, whatever the release: those of `distroless` but for `debug`, and but
/// for Python, which had one for long.
pub(crate) fn has_no_shell(name: &str) -> bool {
    let (path, tag) = split(name);
    let Some(kind) = path.strip_prefix("distroless/") else {
        return false;
    };
    let is_without = ["static", "base", "cc", "java", "nodejs"]
        .iter()
        .any(|known| kind.starts_with(known));
    is_without && !tag.contains("debug") && !kind.contains("debug")
}

/// Returns whether the users of an image are those of Windows, to whom none of this applies.
pub(crate) fn is_windows_image(name: &str) -> bool {
    ["windows", "nanoserver", "servercore"]
        .iter()
        .any(|part| name.contains(part))
}

fn is_unprivileged_tag(tag: &str) -> bool {
    [
        "nonroot",
        "non-root",
        "rootless",
        "unprivileged",
        "chiseled",
    ]
    .iter()
    .any(|part| tag.contains(part))
}

/// Returns the path of an image without its host and without the folders in which mirrors keep official images, and
/// its tag.
fn split(name: &str) -> (&str, &str) {
    let name = name.split('@').next().unwrap_or(name);
    let path = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => name,
    };
    let path = path.strip_prefix("mirror/").unwrap_or(path);
    let path = path.strip_prefix("docker/").unwrap_or(path);
    let path = path.strip_prefix("library/").unwrap_or(path);
    match path.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (path, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order() {
        assert!(IMAGES.is_sorted_by_key(|(name, _, _)| *name));
        assert!(UNPRIVILEGED.is_sorted());
    }

    #[test]
    fn finds_official_images_behind_hosts_and_mirrors() {
        for name in [
            "python",
            "python:3.13",
            "docker.io/library/python:3.13@sha256:0",
            "library/python",
            "example.com:5000/docker/library/python:3",
        ] {
            let known = known_image(name).map(|image| image.family);
            assert_eq!(known, Some(Family::Debian), "{name}");
        }
        assert_eq!(known_image("somebody/python:3"), None);
        assert_eq!(known_image("python:3-windowsservercore"), None);
    }

    #[test]
    fn the_tag_says_which_distribution_it_is() {
        let family = |name| known_image(name).map(|image| image.family);
        assert_eq!(family("python:3-alpine3.22"), Some(Family::Alpine));
        assert_eq!(family("amazoncorretto:21"), Some(Family::RedHat));
        assert_eq!(family("amazoncorretto:21-alpine"), Some(Family::Alpine));
        assert_eq!(family("openjdk:8"), Some(Family::Debian));
    }

    #[test]
    fn knows_the_accounts_of_an_image() {
        let has = |image, user| known_image(image).is_some_and(|known| known.has_user(user));
        assert!(has("node:22", "node") && has("debian:12", "www-data"));
        assert!(!has("alpine:3.22", "www-data") && has("php:8-fpm-alpine", "www-data"));
        assert!(!has("python:3.13", "app"));
    }

    #[test]
    fn knows_who_has_no_shell() {
        assert!(has_no_shell("gcr.io/distroless/static-debian12:nonroot"));
        assert!(has_no_shell("gcr.io/distroless/base@sha256:0"));
        assert!(!has_no_shell("gcr.io/distroless/base:debug-nonroot"));
        assert!(!has_no_shell("gcr.io/distroless/python3-debian12"));
        assert!(!has_no_shell("debian:12"));
    }

    #[test]
    fn knows_who_does_not_run_as_root() {
        assert!(is_unprivileged_image("gcr.io/distroless/static:nonroot"));
        assert!(is_unprivileged_image("bitnami/redis:7"));
        assert!(is_unprivileged_image("jenkins/jenkins:lts"));
        assert!(is_unprivileged_image("nginxinc/nginx-unprivileged:1.27"));
        assert!(!is_unprivileged_image("debian:12"));
        assert!(!is_unprivileged_image("gcr.io/distroless/static"));
    }
}
