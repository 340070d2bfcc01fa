//! A base image of busybox, made without a network and without other programs: the same bytes for the same busybox.
//!
//! The bytes are those that GNU tar and umoci write in the shared folder's `mkbase.sh`, so that recorded digests of the
//! base agree where the machine has the same busybox.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// Where Debian's busybox-static and others put the program.
const PROGRAMS: &[&str] = &["/bin/busybox", "/usr/bin/busybox"];
/// 2026-01-01, the time of all files.
const TIME: u64 = 1_767_225_600;
const BLOCK: usize = 512;
/// GNU tar pads an archive to twenty blocks.
const RECORD: usize = 20 * BLOCK;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    daemon:x:1:1:daemon:/usr/sbin:/bin/false\n\
    www-data:x:33:33:www-data:/var/www:/bin/false\n\
    nobody:x:65534:65534:nobody:/home:/bin/false\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nusers:x:100:\nnobody:x:65534:\n";

/// Returns busybox of this machine, or `None` when it is missing or wants shared libraries.
pub fn busybox_program() -> Option<PathBuf> {
    let program = PROGRAMS.iter().map(Path::new).find(|path| path.is_file())?;
    let bytes = fs::read(program).ok()?;
    // A dynamic program names its loader; in an empty root it would not start.
    let loader = b"/ld-linux";
    let is_static = !bytes.windows(loader.len()).any(|window| window == loader);
    is_static.then(|| program.to_path_buf())
}

/// Makes the image `busybox:latest` as an OCI layout in `folder`, which must not exist or be empty.
pub fn write_busybox_base(folder: &Path) -> io::Result<()> {
    let Some(program) = busybox_program() else {
        return Err(io::Error::other(
            "no static busybox (apt-get install busybox-static)",
        ));
    };
    let layer = layer(&program)?;
    write_layout(folder, "latest", &layer, config)
}

/// Writes an OCI layout with an image of one layer, given as a tar; `config` makes the configuration from its digest.
pub(crate) fn write_layout(
    folder: &Path,
    name: &str,
    layer: &[u8],
    config: impl FnOnce(&str) -> String,
) -> io::Result<()> {
    let diff_id = hex_digest(layer);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(layer)?;
    let blob = encoder.finish()?;

    let blobs = folder.join("blobs").join("sha256");
    fs::create_dir_all(&blobs)?;
    let store = |bytes: &[u8]| -> io::Result<String> {
        let digest = hex_digest(bytes);
        fs::write(blobs.join(&digest), bytes)?;
        Ok(digest)
    };
    let layer_digest = store(&blob)?;
    let config = config(&diff_id);
    let config_digest = store(config.as_bytes())?;
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{config_digest}","size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:{layer_digest}","size":{}}}]}}"#,
        config.len(),
        blob.len()
    );
    let manifest_digest = store(manifest.as_bytes())?;
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{manifest_digest}","size":{},"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}]}}"#,
        manifest.len()
    );
    fs::write(folder.join("index.json"), index)?;
    fs::write(
        folder.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
}

fn config(diff_id: &str) -> String {
    // Key order and the final line feed are umoci's.
    format!(
        "{{\"created\":\"2026-01-01T00:00:00Z\",\"architecture\":\"{}\",\"os\":\"linux\",\
         \"config\":{{\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"],\"Cmd\":[\"sh\"]}},\
         \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:{diff_id}\"]}},\
         \"history\":[{{\"created\":\"2026-01-01T00:00:00Z\",\"created_by\":\"mkbase.sh busybox:latest\"}}]}}\n",
        architecture()
    )
}

pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn layer(program: &Path) -> io::Result<Vec<u8>> {
    let content = fs::read(program)?;
    let listing = Command::new(program).arg("--list").output()?;
    let mut applets: Vec<String> = String::from_utf8_lossy(&listing.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    applets.push("busybox".to_owned());
    applets.sort();
    applets.dedup();

    let mut archive = Vec::new();
    let folder = |archive: &mut Vec<u8>, name: &str, mode| {
        archive.extend(header(name, mode, b'5', 0, ""));
    };
    folder(&mut archive, "./", 0o755);
    folder(&mut archive, "./bin/", 0o755);
    let mut first = None;
    for applet in &applets {
        let name = format!("./bin/{applet}");
        match &first {
            None => {
                file(&mut archive, &name, 0o755, &content);
                first = Some(name);
            }
            Some(first) => archive.extend(header(&name, 0o755, b'1', 0, first)),
        }
    }
    folder(&mut archive, "./dev/", 0o755);
    folder(&mut archive, "./etc/", 0o755);
    file(&mut archive, "./etc/group", 0o644, GROUP.as_bytes());
    file(&mut archive, "./etc/passwd", 0o644, PASSWD.as_bytes());
    for (name, mode) in [
        ("./home/", 0o755),
        ("./proc/", 0o755),
        ("./root/", 0o700),
        ("./sys/", 0o755),
        ("./tmp/", 0o1777),
        ("./usr/", 0o755),
    ] {
        folder(&mut archive, name, mode);
    }
    archive.extend(header("./usr/bin", 0o777, b'2', 0, "../bin"));
    folder(&mut archive, "./var/", 0o755);
    let end = (archive.len() + 2 * BLOCK).next_multiple_of(RECORD);
    archive.resize(end, 0);
    Ok(archive)
}

fn file(archive: &mut Vec<u8>, name: &str, mode: u32, content: &[u8]) {
    archive.extend(header(name, mode, b'0', content.len(), ""));
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}

/// Returns a ustar header as GNU tar fills it in with `--format=posix --numeric-owner`.
fn header(name: &str, mode: u32, kind: u8, size: usize, link: &str) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, &format!("{mode:07o}"));
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, &format!("{TIME:011o}"));
    // The sum is taken with blanks in its own place.
    put(148, "        ");
    put(157, link);
    put(257, "ustar\x0000");
    put(329, "0000000");
    put(337, "0000000");
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn hex_digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_that_of_gnu_tar() {
        let header = header("./", 0o755, b'5', 0, "");
        assert_eq!(
            &header[100..157],
            b"0000755\x000000000\x000000000\x0000000000000\x0015125334400\x00007376\x00 5"
        );
    }

    #[test]
    fn the_base_is_the_recorded_one_where_busybox_is_the_same() {
        let (Some(program), Some(conformance)) = (busybox_program(), crate::conformance()) else {
            return crate::skipped("the recorded base of busybox", "conformance/build");
        };
        let Ok(text) = fs::read_to_string(conformance.join("build/bases.json")) else {
            return crate::skipped("the recorded base of busybox", "conformance/build");
        };
        let layer = layer(&program).expect("the layer");
        // Another version of busybox has other bytes, and nothing to compare.
        if text.contains(&hex_digest(&layer)) {
            let config = config(&hex_digest(&layer));
            assert!(text.contains(&hex_digest(config.as_bytes())), "{config}");
        }
    }
}
