//! Against Debian's docker-registry, and against a server that plays tricks.

mod hostile;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oci_image::config::ImageConfig;
use oci_image::manifest::{Descriptor, Index, Manifest, Platform, media_type};
use oci_image::store::Store;
use tempfile::TempDir;

use super::*;
use crate::error::RegistryError;

struct Server {
    child: Child,
    host: String,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a registry of our own on a free port, or says that there is none.
fn serve() -> Option<Server> {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let host = format!("127.0.0.1:{port}");
    let data = folder.path().join("data");
    let config = folder.path().join("config.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\nhttp: {{addr: '{host}'}}\n",
        data.display()
    );
    fs::write(&config, text).unwrap();
    let child = Command::new("docker-registry")
        .arg("serve")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = child else {
        test_support::skipped(
            "pushing to a registry",
            "tools (the program docker-registry)",
        );
        return None;
    };
    for _ in 0..400 {
        if std::net::TcpStream::connect(&host).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    Some(Server {
        child,
        host,
        _folder: folder,
    })
}

pub(super) fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("store")).unwrap();
    (folder, store)
}

pub(super) fn linux() -> Platform {
    Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        ..Platform::default()
    }
}

/// Writes an image with these layers.
pub(super) fn write_image(store: &Store, layers: &[&[u8]]) -> Descriptor {
    let mut config = ImageConfig {
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        ..ImageConfig::default()
    };
    let mut descriptors = Vec::new();
    for layer in layers {
        let mut writer = store.begin_blob().unwrap();
        writer.write_all(layer).unwrap();
        let (digest, size) = writer.commit(None).unwrap();
        config.rootfs.diff_ids.push(digest);
        descriptors.push(Descriptor::new(media_type::OCI_LAYER, digest, size));
    }
    let config = config.to_bytes();
    store.write_blob(&config).unwrap();
    let config = Descriptor::of(media_type::OCI_CONFIG, &config);
    let manifest = Manifest::new(config, descriptors).to_bytes();
    store.write_blob(&manifest).unwrap();
    Descriptor::of(media_type::OCI_MANIFEST, &manifest)
}

fn reference(server: &Server, name: &str) -> Reference {
    format!("{}/{name}", server.host).parse().unwrap()
}

#[test]
fn what_is_pushed_is_pulled() {
    let Some(server) = serve() else { return };
    let options = Options {
        chunk_threshold: 1 << 20,
        chunk_size: 300_000,
        ..Options::default()
    };
    let registry = Registry::new(options);
    let (_from_folder, from) = store();
    let large: Vec<u8> = (0..2_500_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let image = write_image(&from, &[b"small", &large, b"small", b""]);
    let name = reference(&server, "a/app:1");
    let bytes = AtomicU64::new(0);
    let count = |_: &Digest, more: u64| {
        bytes.fetch_add(more, Ordering::Relaxed);
    };
    let monitor = Monitor {
        progress: &count,
        cancel: &|| false,
    };
    registry
        .push(&from, &image, &name, &PushOptions::default(), monitor)
        .unwrap();
    let pushed = bytes.load(Ordering::Relaxed);
    assert!(pushed > 2_500_000 && pushed < 2_502_000, "{pushed}");

    let (_to_folder, to) = store();
    let resolved = registry.resolve(&name, &linux(), Monitor::none()).unwrap();
    assert_eq!(resolved.descriptor, image);
    registry.pull(&resolved, &to, Monitor::none()).unwrap();
    to.tag("app", &image).unwrap();
    assert_eq!(to.check().unwrap(), []);

    let elsewhere = reference(&server, "b/app:2");
    let mount = PushOptions {
        mount_from: vec!["a/app".to_owned()],
    };
    registry
        .push(&from, &image, &elsewhere, &mount, Monitor::none())
        .unwrap();
    registry
        .resolve(&elsewhere, &linux(), Monitor::none())
        .unwrap();
}

#[test]
fn an_index_is_pushed_with_its_images_and_a_mirror_serves_it() {
    let Some(server) = serve() else { return };
    let (_folder, store) = store();
    let mut entry = write_image(&store, &[b"layer"]);
    entry.platform = Some(linux());
    let index = Index::new(vec![entry.clone()]).to_bytes();
    store.write_blob(&index).unwrap();
    let descriptor = Descriptor::of(media_type::OCI_INDEX, &index);
    let name = reference(&server, "library/busybox:latest");
    let mirrors = BTreeMap::from([("docker.io".to_owned(), vec![server.host.clone()])]);
    let registry = Registry::new(Options {
        mirrors,
        ..Options::default()
    });
    registry
        .push(
            &store,
            &descriptor,
            &name,
            &PushOptions::default(),
            Monitor::none(),
        )
        .unwrap();

    let short: Reference = "busybox".parse().unwrap();
    let resolved = registry.resolve(&short, &linux(), Monitor::none()).unwrap();
    assert_eq!(resolved.host, server.host);
    assert_eq!(resolved.reference.digest, Some(descriptor.digest));
    assert_eq!(resolved.descriptor.digest, entry.digest);
    let other = Platform {
        architecture: "s390x".to_owned(),
        ..linux()
    };
    let error = registry
        .resolve(&name, &other, Monitor::none())
        .unwrap_err();
    assert!(matches!(error, RegistryError::NoPlatform { .. }), "{error}");
    let missing = reference(&server, "library/none");
    let error = registry
        .resolve(&missing, &linux(), Monitor::none())
        .unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
}
