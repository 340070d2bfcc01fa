//! `dfbuild build`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use dockerfile_build::user_namespace;
use dockerfile_build::{
    BuildError, Clock, CommandExecutor, Failure, Image, LayerFormat, NetworkAccess, Request,
};
use dockerfile_source::SourceFile;
use oci_image::compression::Compression;
use oci_registry::Registry;

use crate::arguments::{BuildArguments, NetworkKind, ProgressKind};
use crate::check;
use crate::docker::load_into_docker;
use crate::dockerfile::{is_read_once, pair, prepare, secret};
use crate::interrupt;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::progress::Shown;
use crate::registries::registry;

/// How long a build without privileges may take to find out that it needs some, before it is shown.
const PATIENCE: Duration = Duration::from_millis(300);

pub(crate) fn run(arguments: &BuildArguments) -> Result<Outcome> {
    let mut outputs = arguments
        .outputs
        .iter()
        .map(|text| Output::parse(text))
        .collect::<Result<Vec<_>>>()?;
    if arguments.push {
        outputs.push(Output::Push(gzip()));
    }
    if arguments.load {
        outputs.push(Output::Load);
    }
    let tags: Vec<String> = arguments
        .tags
        .iter()
        .map(|tag| canonical(tag))
        .collect::<Result<_>>()?;
    if is_read_once(&arguments.input)? && !user_namespace::is_privileged() {
        // What comes through a pipe comes once: whoever reads it must be the one who can build.
        if let Ok(status) = user_namespace::reexec_as_root() {
            return Ok(passed(status));
        }
    }
    let prepared = prepare(&arguments.input)?;
    let request = full_request(prepared.request.clone(), arguments)?;
    if arguments.check && check::prints_errors(&request)? {
        return Ok(Outcome::Failed);
    }
    let registry = registry(&arguments.input.registries)?;
    interrupt::listen()?;
    let kind = if arguments.quiet {
        ProgressKind::Quiet
    } else {
        arguments.progress
    };
    let source = SourceFile::new(request.dockerfile_name.clone(), request.dockerfile.clone());
    let shown = Shown::new(kind, arguments.explain_cache, source);
    let result = watched(&shown, || {
        dockerfile_build::build(&request, &tags, &shown, &interrupt::is_interrupted)
    })
    .and_then(|image| {
        for output in &outputs {
            give(&image, output, &tags, &request, &registry, &shown)?;
        }
        Ok(image)
    });
    let needs_namespace = |error: &BuildError| error.failure == Failure::NeedsNamespace;
    match result {
        Ok(image) => {
            shown.end(true);
            write_files(arguments, &image, &tags)?;
            shown.done(&image, &tags)?;
            Ok(Outcome::Done)
        }
        Err(error) if needs_namespace(&error) && !user_namespace::is_inside() => again(),
        Err(error) => {
            shown.end(false);
            // Ctrl-C reaches the processes of the build as well, and what they say then is no failure of theirs.
            if error.failure == Failure::Cancelled || interrupt::is_interrupted() {
                return shown.cancelled().map(|()| Outcome::Cancelled);
            }
            shown.failed(&error)?;
            Ok(Outcome::Failed)
        }
    }
}

/// Builds; without privileges, what happens is kept back for a moment.
fn watched(
    shown: &Shown,
    build: impl FnOnce() -> Result<Image, BuildError>,
) -> Result<Image, BuildError> {
    if user_namespace::is_privileged() {
        return build();
    }
    shown.hold();
    thread::scope(|scope| {
        let timer = scope.spawn(|| {
            thread::park_timeout(PATIENCE);
            shown.release();
        });
        let result = build();
        if matches!(&result, Err(error) if error.failure == Failure::NeedsNamespace) {
            shown.give_up();
        }
        timer.thread().unpark();
        result
    })
}

/// Does the same as root of a user namespace.
fn again() -> Result<Outcome> {
    Ok(passed(user_namespace::reexec_as_root()?))
}

/// Returns how this program ends when another one did the work.
pub(crate) fn passed(status: ExitStatus) -> Outcome {
    Outcome::Passed(u8::try_from(user_namespace::exit_code(status)).unwrap_or(1))
}

fn full_request(mut request: Request, arguments: &BuildArguments) -> Result<Request> {
    for label in &arguments.labels {
        request.labels.push(pair(label, "--label NAME=VALUE")?);
    }
    for text in &arguments.secrets {
        request.secrets.push(secret(text)?);
    }
    for text in &arguments.ssh {
        let (name, socket) = if let Some((name, socket)) = text.split_once('=') {
            (name, PathBuf::from(socket))
        } else {
            let socket = env::var_os("SSH_AUTH_SOCK")
                .context("`--ssh` without a socket needs SSH_AUTH_SOCK")?;
            (text.as_str(), PathBuf::from(socket))
        };
        request.ssh.push((name.to_owned(), socket));
    }
    request.extra_hosts = hosts(&arguments.add_host)?;
    for right in &arguments.allow {
        match right.as_str() {
            "security.insecure" => request.allow_insecure = true,
            "network.host" => request.allow_host_network = true,
            _ => bail!(
                "`{right}` is nothing that can be allowed; there are security.insecure and network.host"
            ),
        }
    }
    request.names_changed_files = arguments.explain_cache;
    request.network = access(arguments.network);
    request.executor = match &arguments.executor {
        None => CommandExecutor::Native,
        Some(name) if name.as_os_str() == "native" => CommandExecutor::Native,
        Some(program) => CommandExecutor::Runtime(program.clone()),
    };
    request.copies_layers = arguments.without_overlay;
    request.run_timeout = arguments.run_timeout.map(Duration::from_secs);
    request.limits = arguments.limits.limits();
    request.clock = clock(arguments)?;
    Ok(request)
}

/// Returns what `--network` means.
pub(crate) fn access(network: NetworkKind) -> NetworkAccess {
    match network {
        NetworkKind::Default | NetworkKind::Host => NetworkAccess::Host,
        NetworkKind::None => NetworkAccess::None,
        NetworkKind::Isolated => NetworkAccess::Isolated,
    }
}

/// Reads names and addresses of `--add-host`.
pub(crate) fn hosts(texts: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let Some((name, address)) = text.split_once([':', '=']) else {
            bail!("`{text}` is not of the form --add-host NAME:ADDRESS");
        };
        Ok((name.to_owned(), address.to_owned()))
    };
    texts.iter().map(pair).collect()
}

fn clock(arguments: &BuildArguments) -> Result<Clock> {
    let mut clock = Clock {
        rewrites_layers: arguments.rewrite_timestamp,
        ..Clock::default()
    };
    let given = arguments
        .input
        .build_arguments
        .iter()
        .rev()
        .find_map(|text| text.strip_prefix("SOURCE_DATE_EPOCH="));
    let text = given
        .map(str::to_owned)
        .or_else(|| env::var("SOURCE_DATE_EPOCH").ok());
    if let Some(seconds) = arguments.timestamp {
        clock.seconds = seconds;
    } else if let Some(text) = text.filter(|text| !text.is_empty()) {
        clock.seconds = text
            .parse()
            .with_context(|| format!("SOURCE_DATE_EPOCH=`{text}` is no number of seconds"))?;
    }
    Ok(clock)
}

fn gzip() -> LayerFormat {
    LayerFormat {
        compression: Compression::GZIP,
        is_forced: false,
    }
}

fn give(
    image: &Image,
    output: &Output,
    tags: &[String],
    request: &Request,
    registry: &Registry,
    shown: &Shown,
) -> Result<(), BuildError> {
    match output {
        Output::Store => Ok(()),
        Output::Export(target, format) => shown.task(output.title(), |_| {
            dockerfile_build::export(&request.store, image, tags, target, *format)
        }),
        Output::Load => shown.task(output.title(), |_| {
            load_into_docker(&request.store, image, tags)
        }),
        Output::Push(format) => {
            if tags.is_empty() {
                return Err(BuildError::new(
                    Failure::Image,
                    "an image without a name cannot be pushed",
                )
                .help("name it: `-t HOST/NAME:TAG`"));
            }
            shown.task(format!("pushing {}", tags.join(", ")), |_| {
                dockerfile_build::push(&request.store, image, tags, registry, *format).map(|_| ())
            })
        }
    }
}

fn write_files(arguments: &BuildArguments, image: &Image, tags: &[String]) -> Result<()> {
    if let Some(path) = &arguments.iidfile {
        fs::write(path, image.id.to_string())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if let Some(path) = &arguments.metadata_file {
        let metadata = serde_json::json!({
            "containerimage.config.digest": image.id.to_string(),
            "containerimage.digest": image.manifest.digest.to_string(),
            "containerimage.descriptor": {
                "mediaType": image.manifest.media_type,
                "digest": image.manifest.digest.to_string(),
                "size": image.manifest.size,
            },
            "image.name": tags.join(","),
        });
        let text = serde_json::to_string_pretty(&metadata)?;
        fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// Returns a name with its registry and tag.
pub(crate) fn canonical(tag: &str) -> Result<String> {
    dockerfile_build::canonical_name(tag)
        .map_err(|error| anyhow::anyhow!("`{tag}` cannot be the name of an image: {error}"))
}
