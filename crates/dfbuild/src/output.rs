//! `--output`: where an image goes besides the store.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use anyhow::{Result, bail};
use dockerfile_build::{Destination, LayerFormat, Target};
use oci_image::compression::Compression;

/// One `--output`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Export(Target, LayerFormat),
    /// `type=registry`.
    Push(LayerFormat),
    /// `type=docker` without a file, as with buildx: Docker on this machine.
    Load,
    /// `type=image`: the store has it anyway.
    Store,
}

impl Output {
    /// Reads `type=oci,dest=FILE`, or a folder, or `-`.
    pub(crate) fn parse(text: &str) -> Result<Output> {
        if text == "-" {
            let output = Output::Export(
                Target::Tar(Destination::StandardOutput),
                default_format(Compression::None),
            );
            output.refuse_terminal()?;
            return Ok(output);
        }
        if !text.contains('=') {
            return Ok(Output::Export(
                Target::Folder(PathBuf::from(text)),
                default_format(Compression::None),
            ));
        }
        let (mut kind, mut destination, mut compression, mut level) = (None, None, None, None);
        let (mut is_forced, mut is_archive, mut pushes) = (false, true, false);
        for part in text.split(',') {
            let (key, value) = part.split_once('=').unwrap_or((part, "true"));
            match key {
                "type" => kind = Some(value),
                "dest" => destination = Some(value),
                "compression" => compression = Some(value),
                "compression-level" => level = value.parse::<i32>().ok(),
                "force-compression" => is_forced = value == "true",
                "tar" => is_archive = value != "false",
                "push" => pushes = value == "true",
                // They change nothing here: names come with `-t`, and the store always has the image.
                "name" | "oci-mediatypes" | "rewrite-timestamp" | "store" | "unpack" => {}
                _ => bail!("`--output` has no part `{key}`"),
            }
        }
        let compression = parse_compression(compression.unwrap_or("gzip"), level)?;
        let format = LayerFormat {
            compression,
            is_forced,
        };
        let file = || match destination {
            None | Some("-") => Destination::StandardOutput,
            Some(path) => Destination::File(PathBuf::from(path)),
        };
        let output = match kind {
            Some("oci") if is_archive => Output::Export(Target::OciArchive(file()), format),
            Some("oci") => match destination {
                Some(path) => Output::Export(Target::OciFolder(PathBuf::from(path)), format),
                None => bail!("`--output type=oci,tar=false` needs dest=FOLDER"),
            },
            Some("docker") if destination.is_none() => Output::Load,
            Some("docker") => Output::Export(Target::DockerArchive(file()), format),
            Some("tar") => Output::Export(Target::Tar(file()), format),
            Some("local") => match destination {
                Some(path) => Output::Export(Target::Folder(PathBuf::from(path)), format),
                None => bail!("`--output type=local` needs dest=FOLDER"),
            },
            Some("registry") => Output::Push(format),
            Some("image") if pushes => Output::Push(format),
            Some("image" | "cacheonly") => Output::Store,
            Some(other) => bail!(
                "`{other}` is no type of output; there are oci, docker, tar, local, registry and image"
            ),
            None => bail!("`--output {text}` has no type"),
        };
        output.refuse_terminal()?;
        Ok(output)
    }

    /// An archive on a terminal helps nobody.
    fn refuse_terminal(&self) -> Result<()> {
        let Output::Export(target, _) = self else {
            return Ok(());
        };
        let is_stream = matches!(
            target,
            Target::OciArchive(Destination::StandardOutput)
                | Target::DockerArchive(Destination::StandardOutput)
                | Target::Tar(Destination::StandardOutput)
        );
        if is_stream && io::stdout().is_terminal() {
            bail!("standard output is a terminal; name a file with dest=FILE");
        }
        Ok(())
    }

    /// Returns what is being done, for the progress.
    pub(crate) fn title(&self) -> String {
        let (what, place) = match self {
            Output::Load => return "loading into docker".to_owned(),
            Output::Push(_) => return "pushing".to_owned(),
            Output::Store => return "keeping".to_owned(),
            Output::Export(target, _) => match target {
                Target::OciArchive(place) => ("OCI archive", Some(place)),
                Target::DockerArchive(place) => ("docker archive", Some(place)),
                Target::Tar(place) => ("tar", Some(place)),
                Target::OciFolder(path) => {
                    return format!("exporting OCI layout to {}", path.display());
                }
                Target::Folder(path) => return format!("exporting files to {}", path.display()),
            },
        };
        match place {
            Some(Destination::File(path)) => format!("exporting {what} to {}", path.display()),
            _ => format!("exporting {what}"),
        }
    }
}

/// Reads the name of a compression, with its level.
pub(crate) fn parse_compression(name: &str, level: Option<i32>) -> Result<Compression> {
    Ok(match (name, level) {
        ("gzip", Some(level)) => Compression::Gzip {
            level: u32::try_from(level).unwrap_or(6).min(9),
        },
        ("gzip", None) => Compression::GZIP,
        ("zstd", level) => Compression::Zstd {
            level: level.unwrap_or(3),
        },
        ("uncompressed", _) => Compression::None,
        _ => bail!("`{name}` is no compression; there are gzip, zstd and uncompressed"),
    })
}

fn default_format(compression: Compression) -> LayerFormat {
    LayerFormat {
        compression,
        is_forced: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let target = |text: &str| match Output::parse(text).expect("an output") {
            Output::Export(target, _) => target,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            target("type=oci,dest=x.tar"),
            Target::OciArchive(Destination::File("x.tar".into()))
        );
        assert_eq!(
            target("type=docker,dest=-"),
            Target::DockerArchive(Destination::StandardOutput)
        );
        assert_eq!(
            Output::parse("type=docker").expect("an output"),
            Output::Load
        );
        assert_eq!(target("-"), Target::Tar(Destination::StandardOutput));
        assert_eq!(target("out"), Target::Folder("out".into()));
        for text in [
            "type=nosuch",
            "type=local",
            "type=oci,compression=lz4",
            "dest=x",
        ] {
            assert!(Output::parse(text).is_err(), "{text}");
        }
    }
}
