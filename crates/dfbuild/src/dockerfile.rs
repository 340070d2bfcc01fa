//! From arguments to a request: reads the Dockerfile, `.dockerignore`, secrets.

use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use dockerfile_build::{BaseImages, CacheUse, ContextSource, NamedContext, Request, Secret};

use crate::arguments::InputArguments;
use crate::context_source::{self, ContextArgument, Files, MOST_DOCKERFILE_BYTES, refuse_way_out};
use crate::paths;
use crate::registries::mirrors;

const NAMES: [&str; 2] = ["Dockerfile", "Containerfile"];

/// A request, and what has to stay until it is done.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Request,
    _context: Option<tempfile::TempDir>,
}

/// Returns whether a second process could not read again what the first one has read.
pub(crate) fn is_read_once(arguments: &InputArguments) -> Result<bool> {
    let is_standard_input = arguments.file.as_deref() == Some(Path::new("-"));
    Ok(is_standard_input || ContextArgument::parse(&arguments.context)?.is_read_once())
}

/// Returns the request that the arguments mean.
pub(crate) fn prepare(arguments: &InputArguments) -> Result<Prepared> {
    let argument = ContextArgument::parse(&arguments.context)?;
    let is_file_on_input = arguments.file.as_deref() == Some(Path::new("-"));
    if is_file_on_input && argument == ContextArgument::StandardInput {
        bail!("standard input is either the context or the Dockerfile");
    }
    let (context, temporary) = match argument.open()? {
        Files::Folder { path, temporary } => (path, temporary),
        Files::OnlyDockerfile(bytes) => {
            if let Some(file) = &arguments.file {
                bail!(
                    "standard input is no tar, so there is no `{}` in it",
                    file.display()
                );
            }
            let text = to_text(bytes, "standard input")?;
            let request = fill(Request::new("Dockerfile", text), arguments)?;
            return Ok(Prepared {
                request,
                _context: None,
            });
        }
    };
    // The Dockerfile of a context that came from elsewhere is in it; that of a folder is where the user says.
    let foreign = (!matches!(argument, ContextArgument::Folder(_))).then_some(context.as_path());
    let (name, text, path) = read_dockerfile(arguments, &context, foreign)?;
    let mut request = Request::new(name, text);
    request.ignore_file = read_ignore_file(&context, path.as_deref(), foreign)?;
    request.context = ContextSource::Directory(context);
    Ok(Prepared {
        request: fill(request, arguments)?,
        _context: temporary,
    })
}

fn fill(mut request: Request, arguments: &InputArguments) -> Result<Request> {
    request.target.clone_from(&arguments.target);
    request.platform.clone_from(&arguments.platform);
    for argument in &arguments.build_arguments {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), env::var(argument).ok()),
        };
        // As with Docker, a name that is not in the environment is not given at all.
        if let Some(value) = value {
            request.build_arguments.push((name.into(), value.into()));
        }
    }
    for text in &arguments.build_contexts {
        request.named_contexts.push(named_context(text)?);
    }
    request.cache = CacheUse {
        ignore_all: arguments.no_cache,
        ignore_stages: arguments.no_cache_filter.clone(),
    };
    request.base_images = BaseImages {
        always_pull: arguments.pull,
        mirrors: mirrors(&arguments.registries)?,
        insecure_hosts: arguments.registries.insecure_registry.clone(),
    };
    request.store = paths::store(&arguments.store);
    Ok(request)
}

fn read_dockerfile(
    arguments: &InputArguments,
    context: &Path,
    foreign: Option<&Path>,
) -> Result<(String, String, Option<PathBuf>)> {
    if arguments.file.as_deref() == Some(Path::new("-")) {
        let bytes = context_source::read_dockerfile(io::stdin().lock())?;
        let text = to_text(bytes, "standard input")?;
        return Ok(("Dockerfile".to_owned(), text, None));
    }
    let path = match (&arguments.file, foreign) {
        (Some(file), Some(foreign)) => foreign.join(file),
        (Some(file), None) => file.clone(),
        (None, _) => NAMES
            .iter()
            .map(|name| context.join(name))
            .find(|path| path.symlink_metadata().is_ok())
            .with_context(|| {
                let place = &arguments.context;
                format!("there is neither a Dockerfile nor a Containerfile in `{place}`")
            })?,
    };
    if arguments.file.is_none() || foreign.is_some() {
        refuse_way_out(&path, context)?;
    }
    let shown = match (&arguments.file, foreign) {
        (Some(file), _) => file.display().to_string(),
        (None, Some(_)) => file_name(&path),
        (None, None) => Path::new(&arguments.context)
            .join(path.file_name().unwrap_or_default())
            .display()
            .to_string(),
    };
    let shown = shown.strip_prefix("./").unwrap_or(&shown).to_owned();
    let bytes = read(&path)?;
    Ok((shown.clone(), to_text(bytes, &shown)?, Some(path)))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = || format!("cannot read `{}`", path.display());
    let found = fs::metadata(path).with_context(failed)?;
    if !found.is_file() {
        bail!("`{}` is not a file", path.display());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).with_context(failed)?;
    file.take(MOST_DOCKERFILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(failed)?;
    Ok(bytes)
}

fn to_text(bytes: Vec<u8>, name: &str) -> Result<String> {
    if bytes.len() as u64 > MOST_DOCKERFILE_BYTES {
        bail!("{name} is larger than 64 MiB: it is no Dockerfile");
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow::anyhow!("{name} is not UTF-8: byte {at} is no part of a character")
    })
}

fn read_ignore_file(
    context: &Path,
    dockerfile: Option<&Path>,
    foreign: Option<&Path>,
) -> Result<Option<(String, String)>> {
    let beside = dockerfile.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".dockerignore");
        PathBuf::from(name)
    });
    let general = context.join(".dockerignore");
    for (path, is_in_context) in beside
        .iter()
        .map(|path| (path, false))
        .chain([(&general, true)])
    {
        if path.symlink_metadata().is_err() {
            continue;
        }
        if is_in_context || foreign.is_some() {
            refuse_way_out(path, context)?;
        } else if let Some(folder) = path.parent() {
            // Beside a Dockerfile outside of the context: its own folder counts.
            let is_in_context = refuse_way_out(path, context);
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            is_in_context.or_else(|_| refuse_way_out(path, &fs::canonicalize(folder)?))?;
        }
        let name = file_name(path);
        let text = String::from_utf8_lossy(&read(path)?).into_owned();
        return Ok(Some((name, text)));
    }
    Ok(None)
}

fn named_context(text: &str) -> Result<NamedContext> {
    let (name, value) = pair(text, "--build-context NAME=VALUE")?;
    if let Some(reference) = value.strip_prefix("docker-image://") {
        return Ok(NamedContext::Image {
            name,
            reference: reference.to_owned(),
        });
    }
    if let Some(path) = value.strip_prefix("oci-layout://") {
        return Ok(NamedContext::Layout {
            name,
            path: PathBuf::from(path),
            tag: None,
        });
    }
    if let Some(stage) = value.strip_prefix("target:") {
        return Ok(NamedContext::Stage {
            name,
            stage: stage.to_owned(),
        });
    }
    let path = fs::canonicalize(&value)
        .with_context(|| format!("cannot open the folder `{value}` of --build-context"))?;
    Ok(NamedContext::Directory { name, path })
}

/// Reads `id=NAME,src=FILE` and `id=NAME,env=NAME`.
pub(crate) fn secret(text: &str) -> Result<Secret> {
    let (mut id, mut source, mut variable) = (None, None, None);
    for part in text.split(',') {
        let (key, value) = pair(part, "--secret id=NAME,src=FILE")?;
        match key.as_str() {
            "id" => id = Some(value),
            "src" | "source" => source = Some(value),
            "env" => variable = Some(value),
            "type" if matches!(value.as_str(), "file" | "env") => {}
            _ => bail!("`--secret` has no part `{key}`; there are id, src and env"),
        }
    }
    let id = id.with_context(|| format!("`--secret {text}` has no id"))?;
    let value = match (source, variable) {
        (Some(path), _) => {
            fs::read(&path).with_context(|| format!("cannot read the secret `{path}`"))?
        }
        (None, variable) => {
            let name = variable.unwrap_or_else(|| id.clone());
            let found = env::var_os(&name).with_context(|| {
                format!("the variable `{name}` for the secret `{id}` is not set")
            })?;
            found.into_encoded_bytes()
        }
    };
    Ok(Secret { id, value })
}

/// Splits `NAME=VALUE`.
pub(crate) fn pair(text: &str, usage: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => bail!("`{text}` is not of the form {usage}"),
    }
}
