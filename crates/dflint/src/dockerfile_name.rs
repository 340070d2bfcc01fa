//! Which files of a folder are Dockerfiles, by name.

/// Endings of files that stand beside a Dockerfile or are made into one, but are none.
#[rustfmt::skip]
const OTHER_ENDINGS: &[&str] = &[
    // Ignore files, editors' and patch's backups.
    "dockerignore", "bak", "backup", "orig", "rej", "swp", "swo", "tmp",
    // Templates: what they make is a Dockerfile, they are not.
    "ejs", "erb", "gotmpl", "hbs", "in", "j2", "jinja", "jinja2", "m4", "mustache", "template", "tmpl", "tpl",
    // Text about Dockerfiles, and data.
    "adoc", "csv", "diff", "gif", "gz", "html", "jpg", "json", "lock", "log", "markdown", "md", "patch", "pdf", "png",
    "rst", "sarif", "snap", "svg", "tar", "toml", "xml", "yaml", "yml", "zip",
];

/// Endings of programs about Dockerfiles. `dockerfile.go` is one; `Dockerfile.go` is how people name the Dockerfile of
/// their Go service.
#[rustfmt::skip]
const PROGRAM_ENDINGS: &[&str] = &[
    "c", "cc", "cpp", "cs", "css", "cts", "ex", "exs", "go", "h", "hs", "java", "js", "jsx", "kt", "lua", "mjs", "mts",
    "php", "pl", "ps1", "py", "pyc", "rb", "rs", "scala", "scm", "sh", "swift", "ts", "tsx", "vim",
];

/// Returns `true` for `Dockerfile`, `Dockerfile.*`, `*.Dockerfile` and the same with `Containerfile`, in any case.
///
/// `name` is a file name in the platform's encoding, of which only ASCII matters here.
pub(crate) fn is_dockerfile_name(name: &[u8]) -> bool {
    ["dockerfile", "containerfile"]
        .iter()
        .any(|word| matches_word(name, word.as_bytes()))
}

fn matches_word(name: &[u8], word: &[u8]) -> bool {
    let Some(more) = name.len().checked_sub(word.len()) else {
        return false;
    };
    let (head, tail) = name.split_at(word.len());
    if head.eq_ignore_ascii_case(word) {
        return match tail {
            [] => true,
            [b'.', ending @ ..] => is_ending_of_dockerfile(ending, head),
            _ => false,
        };
    }
    let (head, tail) = name.split_at(more);
    // `.dockerfile` alone is a hidden file without a name.
    tail.eq_ignore_ascii_case(word) && head.len() > 1 && head.ends_with(b".")
}

fn is_ending_of_dockerfile(ending: &[u8], word: &[u8]) -> bool {
    if ending.is_empty() || ending.ends_with(b"~") || ending.ends_with(b"#") {
        return false;
    }
    let last = ending.rsplit(|byte| *byte == b'.').next().unwrap_or(ending);
    let is_one_of = |endings: &[&str]| {
        endings
            .iter()
            .any(|other| last.eq_ignore_ascii_case(other.as_bytes()))
    };
    let is_lower_case = word.first().is_some_and(u8::is_ascii_lowercase);
    let is_other = is_one_of(OTHER_ENDINGS) || (is_lower_case && is_one_of(PROGRAM_ENDINGS));
    !is_other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted<'n>(names: &[&'n str]) -> Vec<&'n str> {
        names
            .iter()
            .copied()
            .filter(|name| is_dockerfile_name(name.as_bytes()))
            .collect()
    }

    #[test]
    fn takes_the_usual_names_in_any_case() {
        let names = [
            "Dockerfile",
            "dockerfile",
            "DOCKERFILE",
            "Dockerfile.dev",
            "Dockerfile.3.12-slim",
            "Dockerfile.go",
            "app.Dockerfile",
            "app.dockerfile",
            "Containerfile",
            "Containerfile.rhel9",
            "web.containerfile",
        ];
        assert_eq!(accepted(&names), names);
    }

    #[test]
    fn leaves_files_that_only_sound_like_one() {
        let names = [
            "",
            ".",
            ".dockerfile",
            "Dockerfile.",
            "Dockerfile~",
            "Dockerfile.dev~",
            "Dockerfile.dockerignore",
            "app.Dockerfile.dockerignore",
            "Dockerfile.j2",
            "Dockerfile.tmpl",
            "Dockerfile.dev.ORIG",
            ".Dockerfile.swp",
            "Dockerfile.md",
            "dockerfile.go",
            "dockerfile.test.ts",
            "Dockerfiles",
            "mydockerfile",
            "dockerfile-parser.js",
            "dockér",
        ];
        assert_eq!(accepted(&names), Vec::<&str>::new());
    }
}
