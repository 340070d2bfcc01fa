use dockerfile_model::{Instruction, Keyword, Model, Pair};

use rustc_hash::FxHashSet;

use crate::RuleContext;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds ENV and ARG that seem to hold passwords, keys or tokens.
    ///
    /// ## Why
    /// The value of ENV stands in the configuration of the image, and the value of a build argument in its history.
    /// Whoever can pull the image can read both.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM node:22
    /// ARG NPM_TOKEN
    /// RUN npm ci
    /// ```
    ///
    /// ```dockerfile
    /// FROM postgres:17
    /// ENV POSTGRES_PASSWORD=s3cret
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM node:22
    /// RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci
    /// ENV POSTGRES_PASSWORD_FILE=/run/secrets/postgres
    /// ```
    ///
    /// ## Limits
    /// Judged by the last of the words between `_` in the name: `PASSWORD_FILE`, `KEY_NAME`, `TOKEN_URL`, `AWS_ACCESS_KEY_ID`, `SSH_AUTH_SOCK`, `PUBLIC_KEY` and `GPG_KEY` are not reported.
    /// BuildKit looks at all words, and hadolint at parts of words.
    /// Values that cannot be secret are not reported: none, yes and no, numbers, paths, URLs, placeholders such as `**None**`, fingerprints of keys.
    /// Passwords that everybody knows, such as `root`, are reported: they are in use until somebody changes them.
    /// A global ARG is reported where a stage takes it over.
    /// On 22,777 public Dockerfiles it fires 720 times; of 60 read, 5 held placeholders, and most of the others default passwords.
    pub(crate) SECRET_IN_VARIABLE {
        name: "secret-in-variable",
        code: "DF704",
        aliases: ["DL3064", "SecretsUsedInArgOrEnv"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let mut declared_in_stages: Option<FxHashSet<&str>> = None;
    for instruction in ctx.instructions_of(&[Keyword::Arg, Keyword::Env]) {
        for pair in instruction.pairs() {
            let name = pair.key.value_or_text();
            let Some(word) = secret_word(name) else {
                continue;
            };
            if !may_hold_secret(instruction, pair, word) {
                continue;
            }
            let is_taken_over = instruction.stage.is_none()
                && declared_in_stages
                    .get_or_insert_with(|| names_in_stages(model))
                    .contains(name);
            if is_taken_over {
                continue;
            }
            let message = if instruction.keyword == Keyword::Env {
                format!("`{name}` looks like a secret, and its value stays in the image")
            } else {
                format!(
                    "`{name}` looks like a secret, and its value stays in the history of the image"
                )
            };
            ctx.report(pair.key.range, message).help(format!(
                "hand it to the command that needs it, with `RUN --mount=type=secret,id={},env={name}`, or to the container when it starts",
                name.to_lowercase()
            ));
        }
    }
}

/// Returns the names that stages declare.
fn names_in_stages(model: &Model) -> FxHashSet<&str> {
    let in_stages = model
        .variables
        .iter()
        .filter(|variable| variable.stage.is_some());
    in_stages.map(|variable| variable.name.as_str()).collect()
}

/// Returns the word of a name that speaks of a secret: the last one, but for numbers and the like.
fn secret_word(name: &str) -> Option<&'static str> {
    let mut found = None;
    for part in name.rsplit('_') {
        let is = |known: &&&str| known.eq_ignore_ascii_case(part);
        if NEVER_SECRET.iter().any(|known| is(&known)) {
            return None;
        }
        if found.is_none() {
            found = SECRET_WORDS.iter().find(is).copied();
            let is_tail = TAILS.iter().any(|known| is(&known))
                || part.bytes().all(|byte| byte.is_ascii_digit());
            if found.is_none() && !is_tail {
                return None;
            }
        }
    }
    found
}

fn may_hold_secret(instruction: &Instruction, pair: &Pair, secret_word: &str) -> bool {
    let Some(value) = &pair.value else {
        // `ARG TOKEN` asks for the secret.
        return instruction.keyword == Keyword::Arg;
    };
    match &value.value {
        Some(text) => !is_harmless(text, secret_word),
        // What a variable brings; `ENV TOKEN=${TOKEN:-}` only makes sure that there is one.
        None => !value.text.ends_with(":-}"),
    }
}

fn is_harmless(text: &str, secret_word: &str) -> bool {
    let is_switch = ["true", "false", "yes", "no", "on", "off", "none", "null"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(text));
    let is_number = text.len() < 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_path = text.starts_with(['/', '~', '.'])
        || [".json", ".pem", ".key", ".crt", ".txt"]
            .iter()
            .any(|extension| text.ends_with(extension));
    let is_url = text.contains("://") && !text.contains('@');
    // `**None**`, `<your token>`.
    let is_placeholder = (text.starts_with("**") && text.ends_with("**"))
        || (text.starts_with('<') && text.ends_with('>'));
    if text.is_empty() || is_switch || is_number || is_path || is_url || is_placeholder {
        return true;
    }
    match secret_word {
        // `AUTH=ldap` names a way.
        "auth" => text.bytes().all(|byte| byte.is_ascii_lowercase()),
        // A public key, by its name or by its fingerprint.
        "key" => is_fingerprint(text) || text.contains("GPG"),
        _ => false,
    }
}

/// Returns whether a text is one or several fingerprints or ids of OpenPGP keys.
fn is_fingerprint(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_hexadecimal = digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b' ');
    let count = digits.bytes().filter(u8::is_ascii_hexdigit).count();
    is_hexadecimal && (matches!(count, 8 | 16) || (count > 0 && count % 40 == 0))
}

/// Words of names that hold secrets: those of BuildKit (`dockerfile2llb/validations.go`), and `pass`, `passphrase`.
const SECRET_WORDS: [&str; 12] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pword",
    "secret",
    "token",
];

/// Words that make a name harmless wherever they stand: those of BuildKit, those of public keys, and those of switches.
const NEVER_SECRET: [&str; 13] = [
    "allow", "empty", "file", "gpg", "gpgkey", "pgp", "pub", "public", "random", "skip", "version",
    "foreign", "ide",
];

/// Words that may follow the one that counts.
const TAILS: [&str; 11] = [
    "base", "salt", "hash", "value", "default", "string", "base64", "prod", "dev", "test",
    "staging",
];

#[cfg(test)]
mod tests {
    use super::SECRET_IN_VARIABLE as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn fires_on_names_of_secrets() {
        check_fires(
            &RULE,
            "FROM scratch\nARG «SECRET_PASSPHRASE»\nENV «SUPER_Secret»=foo\nENV «password»=bar «secret»=baz\nARG «super_duper_secret_token»=foo «auth»=b4r\nENV «apikey»=bar sunflower=foo\nENV «DB_PASS» x\nENV «SECRET_KEY_BASE»=x «DB_PASSWORD_2»=x\nONBUILD ARG «TOKEN»\n",
        );
    }

    #[test]
    fn names_that_speak_of_something_else_are_fine() {
        check_clean(
            &RULE,
            "FROM scratch\nENV git_key=\nENV PUBLIC_KEY=a\nARG public_token\nARG SECRET_PASSPHRASE_FILE\nENV password_file=bar\nARG AUTH_MODULE_VERSION\nENV KMS_KEY_ALIAS=a KEY_NAME=b AWS_ACCESS_KEY_ID=c SSH_AUTH_SOCK=d\nARG APT_KEY_DONT_WARN RESET_PASSWORD_EMAIL AUTH_SHA1 GOPRIVATE USERNAME KEYBOARD TOKENIZER\n",
        );
    }

    #[test]
    fn values_that_cannot_be_secret_are_fine() {
        check_clean(
            &RULE,
            "FROM a:1\nENV MYSQL_ALLOW_EMPTY_PASSWORD=yes ENABLE_AUTH=true SSL_KEY=/etc/key.pem AUTH=ldap TOKEN= KEY=0x573BFD6B REPO_KEY=GPG-KEY-X DB_PASS=**None** XDEBUG_IDE_KEY=PHPSTORM DB_PASSWORD=${DB_PASSWORD:-} SIGN_KEY=573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62\n",
        );
        check_fires(&RULE, "FROM a:1\nARG X\nENV «TOKEN»=$X\n");
    }

    #[test]
    fn a_global_argument_is_reported_where_it_is_used() {
        check_fires(&RULE, "ARG TOKEN\nARG «KEY»=abcd\nFROM a:1\nARG «TOKEN»\n");
    }

    #[test]
    fn says_where_it_stays() {
        check_message(
            &RULE,
            "FROM a:1\nARG NPM_TOKEN\n",
            "`NPM_TOKEN` looks like a secret, and its value stays in the history of the image",
        );
    }
}
