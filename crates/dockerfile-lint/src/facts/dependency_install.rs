//! Commands that install what a manifest of the project lists.

use dockerfile_model::ShellWord;
use dockerfile_source::TextRange;

use super::package_action::is_python;
use super::program_call::ProgramCall;

/// A tool that reads a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Pip,
    Poetry,
    Pipenv,
    Uv,
    Npm,
    Yarn,
    Pnpm,
    Bun,
    Bundler,
    Go,
    Cargo,
    Maven,
    Gradle,
    Composer,
    Dotnet,
    Mix,
}

/// A command that installs what a manifest lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DependencyInstall<'m> {
    pub tool: Tool,
    /// From the program to the subcommand.
    pub range: TextRange,
    /// The manifest as the command names it, or the name that the tool looks for.
    pub manifest: &'m str,
    /// The files that tell what is installed, to be copied first; the manifest is the first of them.
    pub files: &'m [&'static str],
    /// The command that installs and needs nothing but those files, where it is another one than this.
    pub first_command: Option<&'static str>,
}

/// Returns whether `dependency_install` or `fetches_for_go` knows a program.
pub(crate) fn may_install(program: &str) -> bool {
    matches!(
        program,
        "uv" | "poetry"
            | "pipenv"
            | "npm"
            | "yarn"
            | "yarnpkg"
            | "pnpm"
            | "bun"
            | "bundle"
            | "bundler"
            | "composer"
            | "composer.phar"
            | "go"
            | "cargo"
            | "mvn"
            | "mvnw"
            | "gradle"
            | "gradlew"
            | "dotnet"
            | "mix"
            | "dep"
            | "glide"
            | "godep"
            | "govendor"
    ) || program.starts_with("pip")
        || is_python(program)
}

/// Returns what a call installs, when it reads a manifest.
pub(crate) fn dependency_install<'m>(call: &ProgramCall<'m>) -> Option<DependencyInstall<'m>> {
    let called = &call.called;
    let words = Words {
        start: called.word,
        rest: called.arguments,
    };
    if let Some(words) = pip_words(words, called.name) {
        return pip(words);
    }
    match called.name {
        "uv" => uv(words),
        "poetry" => words
            .subcommand(&["install", "sync"])?
            .found(Tool::Poetry, &["pyproject.toml", "poetry.lock"])
            .with_first("poetry install --no-root", &["--no-root"]),
        "pipenv" => words
            .subcommand(&["install", "sync"])?
            .without_operands()?
            .found(Tool::Pipenv, &["Pipfile", "Pipfile.lock"])
            .done(),
        "npm" => npm(words),
        "yarn" | "yarnpkg" => yarn(words),
        "pnpm" => words
            .subcommand(&["install", "i"])?
            .without_operands()?
            .without_options(&["-g", "--global"])?
            .found(Tool::Pnpm, &["package.json", "pnpm-lock.yaml"])
            .done(),
        "bun" => words
            .subcommand(&["install", "i"])?
            .without_operands()?
            .without_options(&["-g", "--global"])?
            .found(Tool::Bun, &["package.json", "bun.lock"])
            .done(),
        "bundle" | "bundler" => words
            .subcommand_or_none(&["install"])?
            .without_operands()?
            .found(Tool::Bundler, &["Gemfile", "Gemfile.lock"])
            .done(),
        "composer" | "composer.phar" => words
            .subcommand(&["install", "i"])?
            .without_operands()?
            .found(Tool::Composer, &["composer.json", "composer.lock"])
            .with_first(
                "composer install --no-scripts --no-autoloader",
                &["--no-autoloader"],
            ),
        "go" => go(words),
        "cargo" => words
            .subcommand(&["fetch"])?
            .found(Tool::Cargo, &["Cargo.toml", "Cargo.lock"])
            .done(),
        "mvn" | "mvnw" => maven(words),
        "gradle" | "gradlew" => gradle(words),
        "dotnet" => dotnet(words),
        "mix" => words
            .subcommand(&["deps.get"])?
            .found(Tool::Mix, &["mix.exs", "mix.lock"])
            .done(),
        _ => None,
    }
}

/// The words of a command from some point on.
#[derive(Clone, Copy)]
struct Words<'m> {
    /// The last word that was taken: program or subcommand.
    start: &'m ShellWord,
    rest: &'m [ShellWord],
}

/// A command with its subcommand.
#[derive(Clone, Copy)]
struct Subcommand<'m> {
    from: &'m ShellWord,
    last: &'m ShellWord,
    rest: &'m [ShellWord],
}

impl<'m> Words<'m> {
    /// Takes the subcommand: the first word that is no option, which has to be one of these.
    fn subcommand(self, names: &[&str]) -> Option<Subcommand<'m>> {
        Subcommand {
            from: self.start,
            last: self.start,
            rest: self.rest,
        }
        .subcommand(names)
    }

    /// Takes the subcommand, or nothing where there are only options.
    fn subcommand_or_none(self, names: &[&str]) -> Option<Subcommand<'m>> {
        if self.rest.iter().all(ShellWord::is_option) {
            return Some(Subcommand {
                from: self.start,
                last: self.start,
                rest: self.rest,
            });
        }
        self.subcommand(names)
    }
}

impl<'m> Subcommand<'m> {
    fn subcommand(self, names: &[&str]) -> Option<Subcommand<'m>> {
        let at = self.rest.iter().position(|word| !word.is_option())?;
        let last = self.rest.get(at)?;
        names.contains(&last.value()).then_some(Subcommand {
            from: self.from,
            last,
            rest: self.rest.get(at + 1..)?,
        })
    }

    /// Goes on where no package is named: a word behind an option may be its value.
    fn without_operands(self) -> Option<Subcommand<'m>> {
        let mut behind_option = false;
        for word in self.rest {
            if !word.is_option() && !behind_option {
                return None;
            }
            behind_option = word.is_option() && !word.value().contains('=');
        }
        Some(self)
    }

    fn without_options(self, options: &[&str]) -> Option<Subcommand<'m>> {
        let has = self.rest.iter().any(|word| options.contains(&word.value()));
        (!has).then_some(self)
    }

    fn found(self, tool: Tool, files: &'static [&'static str]) -> Found<'m> {
        Found {
            rest: self.rest,
            install: DependencyInstall {
                tool,
                range: TextRange::new(self.from.range.start(), self.last.range.end()),
                manifest: files.first().copied().unwrap_or_default(),
                files,
                first_command: None,
            },
        }
    }
}

struct Found<'m> {
    rest: &'m [ShellWord],
    install: DependencyInstall<'m>,
}

impl<'m> Found<'m> {
    #[expect(clippy::unnecessary_wraps, reason = "ends a chain of questions")]
    fn done(self) -> Option<DependencyInstall<'m>> {
        Some(self.install)
    }

    /// Says which command to run first, unless this one has the option already.
    #[expect(clippy::unnecessary_wraps, reason = "ends a chain of questions")]
    fn with_first(self, command: &'static str, options: &[&str]) -> Option<DependencyInstall<'m>> {
        let has = self.rest.iter().any(|word| options.contains(&word.value()));
        Some(DependencyInstall {
            first_command: (!has).then_some(command),
            ..self.install
        })
    }
}

/// Returns the words behind `pip`, `python -m pip` or `uv pip`.
fn pip_words<'m>(words: Words<'m>, name: &str) -> Option<Words<'m>> {
    let is_pip = name.strip_prefix("pip").is_some_and(|version| {
        version
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    if is_pip {
        return Some(words);
    }
    if !is_python(name) {
        return None;
    }
    match words.rest {
        [dash, module, rest @ ..] if dash.value() == "-m" && module.value() == "pip" => {
            Some(Words { rest, ..words })
        }
        _ => None,
    }
}

/// `pip install -r FILE`, and nothing from the project itself.
fn pip(words: Words<'_>) -> Option<DependencyInstall<'_>> {
    let install = words.subcommand(&["install"])?;
    let mut manifest = None;
    let mut rest = install.rest.iter();
    while let Some(word) = rest.next() {
        match word.value() {
            "-e" | "--editable" => return None,
            "-r" | "--requirement" => manifest = manifest.or(rest.next().map(ShellWord::value)),
            "." | "./" => return None,
            option => {
                let joined = option
                    .strip_prefix("--requirement=")
                    .or_else(|| option.strip_prefix("-r"));
                manifest = manifest.or(joined);
                let is_local = !word.is_option()
                    && (option.starts_with("./")
                        || option.starts_with("../")
                        || option.starts_with(".["));
                if is_local {
                    return None;
                }
            }
        }
    }
    let manifest = manifest.filter(|manifest| !manifest.contains("://"))?;
    let found = install.found(Tool::Pip, &["requirements.txt"]);
    Some(DependencyInstall {
        manifest,
        files: &[],
        ..found.install
    })
}

fn uv(words: Words<'_>) -> Option<DependencyInstall<'_>> {
    if let Some(pip_call) = words.subcommand(&["pip"]) {
        return pip(Words {
            start: words.start,
            rest: pip_call.rest,
        });
    }
    words
        .subcommand(&["sync"])?
        .found(Tool::Uv, &["pyproject.toml", "uv.lock"])
        .with_first(
            "uv sync --no-install-project",
            &["--no-install-project", "--no-install-workspace"],
        )
}

fn npm(words: Words<'_>) -> Option<DependencyInstall<'_>> {
    let is_clean = words.subcommand(&["ci", "clean-install"]);
    if let Some(clean) = is_clean {
        return clean
            .found(Tool::Npm, &["package.json", "package-lock.json"])
            .done();
    }
    words
        .subcommand(&["install", "i"])?
        .without_operands()?
        .without_options(&["-g", "--global", "--location=global"])?
        .found(Tool::Npm, &["package.json", "package-lock.json"])
        .done()
}

fn yarn(words: Words<'_>) -> Option<DependencyInstall<'_>> {
    // `yarn --version` asks for something else.
    let asks = words
        .rest
        .iter()
        .any(|word| matches!(word.value(), "--version" | "-v" | "--help"));
    if asks {
        return None;
    }
    words
        .subcommand_or_none(&["install"])?
        .without_operands()?
        .found(Tool::Yarn, &["package.json", "yarn.lock"])
        .done()
}

/// `go mod download`, and `go build` of a module, which downloads what is missing.
fn go(words: Words<'_>) -> Option<DependencyInstall<'_>> {
    const FILES: &[&str] = &["go.mod", "go.sum"];
    if let Some(module) = words.subcommand(&["mod"]) {
        return module
            .subcommand(&["download"])?
            .found(Tool::Go, FILES)
            .done();
    }
    let build = words.subcommand(&["build", "install"])?;
    // Another module, a file alone, or what is in the project already.
    let is_of_module = build.rest.iter().all(|word| {
        let value = word.value();
        !value.contains('@') && !value.ends_with(".go") && value != "-mod=vendor"
    });
    is_of_module.then_some(())?;
    build
        .found(Tool::Go, FILES)
        .with_first("go mod download", &[])
}

/// Returns whether a call fetches the packages of Go in another way than by its modules, or makes one.
pub(crate) fn fetches_for_go(call: &ProgramCall<'_>) -> bool {
    let first = call.called.arguments.first().map(ShellWord::value);
    match call.called.name {
        "dep" | "glide" | "godep" | "govendor" => true,
        "go" => matches!(first, Some("get")),
        _ => false,
    }
}

/// Maven fetches plugins and dependencies in every phase.
fn maven(words: Words<'_>) -> Option<DependencyInstall<'_>> {
    const PHASES: [&str; 8] = [
        "compile",
        "package",
        "install",
        "verify",
        "test",
        "deploy",
        "process-resources",
        "test-compile",
    ];
    let is_dependency = |word: &&ShellWord| word.value().starts_with("dependency:");
    let is_phase = |word: &&ShellWord| PHASES.contains(&word.value());
    let last = words
        .rest
        .iter()
        .find(is_dependency)
        .or_else(|| words.rest.iter().find(is_phase))?;
    let found = Subcommand {
        from: words.start,
        last,
        rest: words.rest,
    }
    .found(Tool::Maven, &["pom.xml"]);
    let is_first = words.rest.iter().any(|word| is_dependency(&word));
    Some(DependencyInstall {
        first_command: (!is_first).then_some("mvn dependency:go-offline"),
        ..found.install
    })
}

fn gradle(words: Words<'_>) -> Option<DependencyInstall<'_>> {
    let last = words.rest.iter().find(|word| {
        let task = word.value().rsplit(':').next().unwrap_or_default();
        matches!(
            task,
            "build"
                | "assemble"
                | "bootJar"
                | "bootWar"
                | "jar"
                | "war"
                | "shadowJar"
                | "dependencies"
                | "installDist"
                | "distTar"
                | "test"
                | "fatJar"
                | "buildFatJar"
        )
    })?;
    let found = Subcommand {
        from: words.start,
        last,
        rest: words.rest,
    }
    .found(Tool::Gradle, &["build.gradle", "settings.gradle"]);
    Some(DependencyInstall {
        first_command: (last.value() != "dependencies").then_some("gradle dependencies"),
        ..found.install
    })
}

fn dotnet(words: Words<'_>) -> Option<DependencyInstall<'_>> {
    let restore = words.subcommand(&["restore"]);
    let build = words.subcommand(&["build", "publish"]);
    let is_restored = words.rest.iter().any(|word| word.value() == "--no-restore");
    let found = restore
        .or(build.filter(|_| !is_restored))?
        .found(Tool::Dotnet, &["*.csproj"]);
    Some(DependencyInstall {
        first_command: restore.is_none().then_some("dotnet restore"),
        ..found.install
    })
}

/// Returns the folder that `npm --prefix DIR`, `yarn --cwd DIR` and the like work in.
pub(crate) fn named_folder<'m>(call: &ProgramCall<'m>) -> Option<&'m str> {
    const FOLDERS: [&str; 8] = [
        "--prefix",
        "--cwd",
        "--dir",
        "-C",
        "--directory",
        "--working-dir",
        "-f",
        "--project",
    ];
    let mut words = call.called.arguments.iter();
    while let Some(word) = words.next() {
        let value = word.value();
        if FOLDERS.contains(&value) {
            return words.next().map(ShellWord::value);
        }
        let joined = value
            .split_once('=')
            .filter(|(name, _)| FOLDERS.contains(name));
        if let Some((_, folder)) = joined {
            return Some(folder);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use dockerfile_model::{Model, ModelInput};

    use super::*;
    use crate::facts::program_call::commands;

    /// Checks tool and manifest of each call.
    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        let text = format!("FROM a:1\nRUN {body}\n");
        let parse = dockerfile_syntax::parse(&text);
        let model = Model::new(&parse, &ModelInput::default());
        let found: Vec<_> = commands(&model)
            .calls
            .iter()
            .filter_map(dependency_install)
            .map(|install| format!("{:?} {}", install.tool, install.manifest))
            .collect();
        assert_eq!(found, expected, "in {body}");
    }

    #[test]
    fn manifests_of_pip_are_named() {
        check("pip install --no-cache-dir -r a/r.txt", &["Pip a/r.txt"]);
        check(
            "python3 -m pip install --requirement=r.txt x",
            &["Pip r.txt"],
        );
        check("uv pip install -r r.txt", &["Pip r.txt"]);
        check("pip install -r https://a/r.txt", &[]);
        check(
            "pip install . && pip install -e . -r r.txt && pip install x",
            &[],
        );
    }

    #[test]
    fn tools_look_for_their_manifest() {
        check(
            "npm ci && npm install --production",
            &["Npm package.json", "Npm package.json"],
        );
        check("npm install -g x && npm install x && npm run build", &[]);
        check(
            "yarn && yarn install --frozen-lockfile",
            &["Yarn package.json", "Yarn package.json"],
        );
        check("yarn build && yarn add x && yarn --version", &[]);
        check("bundle install --jobs 4", &["Bundler Gemfile"]);
        check("bundle exec rake && bundle config x y", &[]);
        check("go mod download", &["Go go.mod"]);
        check("go build -o /app ./cmd/app", &["Go go.mod"]);
        check("go get -d -v ./... && go build -mod=vendor", &[]);
        check("go build main.go && go install a/b@v1 && go vet", &[]);
        check("composer install --no-dev", &["Composer composer.json"]);
        check("composer require x", &[]);
        check("./mvnw -B package -DskipTests", &["Maven pom.xml"]);
        check("dotnet publish -c Release", &["Dotnet *.csproj"]);
        check("dotnet publish --no-restore -c Release", &[]);
    }

    #[test]
    fn the_folder_may_be_an_option() {
        let parse = dockerfile_syntax::parse("FROM a:1\nRUN npm --prefix web ci\n");
        let model = Model::new(&parse, &ModelInput::default());
        let calls = commands(&model).calls;
        assert_eq!(calls.first().and_then(named_folder), Some("web"));
    }
}
