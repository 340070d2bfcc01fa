//! Base images that are not what they say.

use std::fs;

use serde_json::Value;

use crate::app::{assert_fails, assert_sound};
use crate::scratch::Scratch;
use crate::server::{Page, Server};

/// An image in the folder `layout`, and a Dockerfile that copies onto it.
fn layout() -> Scratch {
    let scratch = Scratch::new(&[
        ("base/Dockerfile", "FROM scratch\nCOPY big.txt /etc/\n"),
        ("app/a.txt", "one"),
    ]);
    let mut text = String::new();
    for number in 0..30_000 {
        text.push_str(&format!("{number}\n"));
    }
    scratch.write("base/big.txt", text);
    let arguments = [
        "build",
        "-q",
        "base",
        "-o",
        "type=oci,tar=false,dest=layout",
    ];
    let output = scratch.run(&arguments);
    assert_eq!(output.code, 0, "{output:?}");
    fs::remove_dir_all(scratch.path("store")).expect("removed");
    scratch
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn digest_in(value: &Value) -> String {
    value["digest"].as_str().expect("a digest").to_owned()
}

fn blob(scratch: &Scratch, digest: &str) -> Vec<u8> {
    let path = format!("layout/blobs/{}", digest.replace(':', "/"));
    fs::read(scratch.path(path)).expect("a blob")
}

/// The manifest, configuration and layer of the image in `layout`.
struct Parts {
    manifest: Vec<u8>,
    config: Vec<u8>,
    layer: Vec<u8>,
}

impl Parts {
    fn of(scratch: &Scratch) -> Parts {
        let index = json(&fs::read(scratch.path("layout/index.json")).expect("read"));
        let manifest = blob(scratch, &digest_in(&index["manifests"][0]));
        let parts = json(&manifest);
        Parts {
            config: blob(scratch, &digest_in(&parts["config"])),
            layer: blob(scratch, &digest_in(&parts["layers"][0])),
            manifest,
        }
    }

    /// Writes the digests anew that follow from the parts.
    fn sealed(mut self) -> Parts {
        let mut manifest = json(&self.manifest);
        for (place, bytes) in [("/config", &self.config), ("/layers/0", &self.layer)] {
            let descriptor = manifest.pointer_mut(place).expect("there");
            descriptor["digest"] = oci_image::Digest::of(bytes).to_string().into();
            descriptor["size"] = bytes.len().into();
        }
        self.manifest = serde_json::to_vec(&manifest).expect("JSON");
        self
    }

    /// Serves the image; the layer is what it is said to be, or something else.
    fn serve(&self, server: &Server, layer: Page) {
        let parts = json(&self.manifest);
        let kind = parts["mediaType"].as_str().expect("a type").to_owned();
        let manifest = Page {
            status: 200,
            body: self.manifest.clone(),
            ..Page::default()
        };
        let manifest = manifest.header("Content-Type", &kind);
        let digest = oci_image::Digest::of(&self.manifest).to_string();
        server.put("/v2/", Page::text("{}"));
        for name in ["latest", &digest] {
            server.put(&format!("/v2/base/manifests/{name}"), manifest.clone());
        }
        let config = Page {
            status: 200,
            body: self.config.clone(),
            ..Page::default()
        };
        let blobs = [
            (digest_in(&parts["config"]), config),
            (digest_in(&parts["layers"][0]), layer),
        ];
        for (digest, page) in blobs {
            server.put(&format!("/v2/base/blobs/{digest}"), page);
        }
    }
}

fn page(body: &[u8]) -> Page {
    Page {
        status: 200,
        body: body.to_vec(),
        ..Page::default()
    }
}

fn app_on(scratch: &Scratch, server: &Server) {
    let host = server.url("/base").replace("http://", "");
    scratch.write("app/Dockerfile", format!("FROM {host}\nCOPY a.txt /\n"));
}

#[test]
fn a_layer_that_comes_damaged_is_refused_and_the_next_pull_works() {
    let scratch = layout();
    let server = Server::start();
    app_on(&scratch, &server);
    let parts = Parts::of(&scratch);
    let mut other = parts.layer.clone();
    let middle = other.len() / 2;
    other[middle] ^= 0x10;
    let half = &parts.layer[..middle];
    let length = parts.layer.len().to_string();
    for layer in [
        page(&other),
        page(half),
        page(half).header("Content-Length", &length),
        page(&[&parts.layer[..], b"more"].concat()),
        page(b"").status(404),
        page(b"").status(500),
    ] {
        parts.serve(&server, layer);
        let output = scratch.run(&["build", "-q", "app"]);
        assert_fails(&output, "cannot pull a layer of");
        assert!(output.stderr.contains("app/Dockerfile:1:"), "{output:?}");
        assert_sound(&scratch);
    }
    parts.serve(&server, page(&parts.layer));
    scratch.build(&[]);
    assert_sound(&scratch);
}

#[test]
fn a_layer_that_unpacks_to_something_else_is_refused() {
    let scratch = layout();
    let server = Server::start();
    app_on(&scratch, &server);
    let mut parts = Parts::of(&scratch);
    let mut config = json(&parts.config);
    let zeros = format!("sha256:{}", "0".repeat(64));
    config["rootfs"]["diff_ids"][0] = zeros.clone().into();
    parts.config = serde_json::to_vec(&config).expect("JSON");
    let parts = parts.sealed();
    parts.serve(&server, page(&parts.layer));
    let output = scratch.run(&["build", "-q", "app"]);
    assert_fails(&output, &zeros);
    assert_sound(&scratch);
}

#[test]
fn a_configuration_with_another_number_of_layers_is_refused() {
    let scratch = layout();
    let server = Server::start();
    app_on(&scratch, &server);
    let mut parts = Parts::of(&scratch);
    let mut config = json(&parts.config);
    config["rootfs"]["diff_ids"] = Value::Array(Vec::new());
    parts.config = serde_json::to_vec(&config).expect("JSON");
    let parts = parts.sealed();
    parts.serve(&server, page(&parts.layer));
    let output = scratch.run(&["build", "-q", "app"]);
    assert_fails(&output, "has 1 layers, but its configuration names 0");
}

#[test]
fn a_damaged_layout_is_refused_and_a_mended_one_works() {
    let scratch = layout();
    scratch.write("app/Dockerfile", "FROM base\nCOPY a.txt /\n");
    let parts = json(&Parts::of(&scratch).manifest);
    let digest = digest_in(&parts["layers"][0]);
    let path = format!("layout/blobs/{}", digest.replace(':', "/"));
    let good = blob(&scratch, &digest);
    let arguments = [
        "build",
        "-q",
        "--build-context",
        "base=oci-layout://layout",
        "app",
    ];
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for bad in [&flipped[..], &good[..middle], b""] {
        scratch.write(&path, bad);
        let output = scratch.run(&arguments);
        assert_eq!(output.code, 1, "{output:?}");
        assert!(output.stderr.contains("sha256:"), "{output:?}");
        assert!(output.stderr.contains("app/Dockerfile:1:"), "{output:?}");
        assert_sound(&scratch);
    }
    scratch.write(&path, &good);
    assert_eq!(scratch.run(&arguments).code, 0);
    assert_sound(&scratch);
}
