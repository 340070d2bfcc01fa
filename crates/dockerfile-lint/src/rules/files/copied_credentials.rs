use dockerfile_model::Keyword;

use crate::RuleContext;
use crate::facts::copy_source::{CopySource, copy_sources, file_name, is_pattern};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds COPY and ADD of private keys and of files that hold passwords or tokens.
    ///
    /// ## Why
    /// Whoever can pull the image can read the file.
    /// To remove it in a later instruction does not help: the layer that holds it stays in the image.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// WORKDIR /app
    /// COPY .npmrc package.json ./
    /// RUN npm ci
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// WORKDIR /app
    /// COPY package.json ./
    /// RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
    /// ```
    ///
    /// ## Limits
    /// Judged by name: SSH keys (`id_rsa`, `.ssh`), `.netrc`, `.npmrc`, `.pypirc`, `.git-credentials`, `.aws`, `.docker/config.json`, `.kube/config`, `.env` and names of private TLS keys.
    /// What is in the file is not known: an `.npmrc` without a token and an `.env` without a secret are reported too.
    /// Public keys (`*.pub`), examples (`.env.example`) and keys of package archives are not reported.
    /// A stage that the final image does not stand on is not judged: its files do not get into the image.
    /// On 22,777 public Dockerfiles it fires 54 times; all of them read; 3 are keys for tests.
    pub(crate) COPIED_CREDENTIALS {
        name: "copied-credentials",
        code: "DF610",
        aliases: ["DS-0031"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for instruction in ctx.instructions_of(&[Keyword::Copy, Keyword::Add]) {
        if !ctx.is_shipped(instruction) {
            continue;
        }
        let destination = instruction
            .copy()
            .and_then(|copy| copy.destination.as_ref())
            .map_or("", |word| word.value_or_text());
        for (word, source) in copy_sources(instruction) {
            let (CopySource::Path(path) | CopySource::Unknown(path)) = source else {
                continue;
            };
            let Some(what) = credential(path).or_else(|| key_by_destination(path, destination))
            else {
                continue;
            };
            ctx.report(word.range, format!("`{path}` {what}, and stays in the image"))
                .help("mount it where it is needed: `RUN --mount=type=secret,id=NAME,target=PATH COMMAND`");
        }
    }
}

/// Returns what a file holds, by its path.
fn credential(path: &str) -> Option<&'static str> {
    let name = file_name(path);
    if is_key_name(name) {
        return Some("is a private key");
    }
    let parent = path
        .trim_end_matches('/')
        .strip_suffix(name)
        .map_or("", file_name);
    let text = match name {
        ".ssh" | ".aws" | ".kube" | ".gnupg" => "holds credentials",
        ".netrc" | ".pypirc" | ".git-credentials" | ".dockercfg" | ".dockerconfigjson" => {
            "holds credentials"
        }
        ".npmrc" | ".env" | ".env.local" | ".env.prod" | ".env.production" => {
            "may hold credentials"
        }
        "kubeconfig" => "holds credentials",
        "config.json" if parent == ".docker" => "holds credentials",
        "config" if parent == ".kube" => "holds credentials",
        "credentials" if parent == ".aws" => "holds credentials",
        _ if parent == ".ssh" && (is_pattern(name) && !name.ends_with(".pub")) => {
            "holds credentials"
        }
        _ => return None,
    };
    Some(text)
}

/// Returns what a file holds, by the name that it gets.
fn key_by_destination(source: &str, destination: &str) -> Option<&'static str> {
    let is_public = source.ends_with(".pub");
    (is_key_name(file_name(destination)) && !is_public && !destination.ends_with('/'))
        .then_some("is copied as a private key")
}

/// Returns whether a name is one of a private key: those of `ssh-keygen`, and the usual ones of TLS keys.
fn is_key_name(name: &str) -> bool {
    if matches!(
        name,
        "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ed25519" | "id_rsa*"
    ) {
        return true;
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let has = |part: &str| stem.contains(part);
    match extension {
        "key" => {
            let is_public = ["gpg", "apt", "archive", "pub", "release", "repo", "sign"]
                .iter()
                .any(|part| has(part));
            let is_private = ["server", "priv", "ssl", "tls", "host", "client", "local"]
                .iter()
                .any(|part| has(part));
            is_private && !is_public
        }
        "pem" => (has("private") || has("privkey")) && !has("pub"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::COPIED_CREDENTIALS as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn fires_on_names_that_hold_secrets() {
        check_fires(
            &RULE,
            "FROM a:1\nCOPY «id_rsa» /root/.ssh/\nADD a «.ssh» «.aws/» /root/\nCOPY «.env» «x/.npmrc» ./\nCOPY «ssl/server.key» /etc/\nCOPY «.docker/config.json» /root/.docker/\nCOPY «.ssh/*» /root/.ssh/\n",
        );
    }

    #[test]
    fn public_keys_examples_and_templates_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nCOPY id_rsa.pub .env.example config.json nodesource.gpg.key ca.pem known_hosts .ssh/config /x/\nCOPY a.pub /root/.ssh/id_rsa\nADD https://a/server.key /x\nCOPY <<EOF /app/.env\nA=b\nEOF\n",
        );
    }

    #[test]
    fn the_name_it_gets_tells_too() {
        check_fires(&RULE, "FROM a:1\nCOPY «keys/deploy» /root/.ssh/id_rsa\n");
    }

    #[test]
    fn stages_that_are_thrown_away_do_not_count() {
        check_clean(
            &RULE,
            "FROM a:1 AS b\nCOPY .npmrc ./\nFROM a:1\nCOPY --from=b /x /x\n",
        );
        check_fires(&RULE, "FROM a:1 AS b\nCOPY «.npmrc» ./\nFROM b\n");
    }

    #[test]
    fn says_what_stays() {
        check_message(
            &RULE,
            "FROM a:1\nCOPY id_rsa /x\n",
            "`id_rsa` is a private key, and stays in the image",
        );
    }
}
