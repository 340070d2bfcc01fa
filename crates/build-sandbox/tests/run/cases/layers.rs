//! Roots made of layers, and what ends up in the upper directory.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use build_sandbox::{MAXIMUM_LOWERS, Root, SandboxError, overlay_works, user_namespace};

use super::Case;
use crate::place::Place;

pub(super) const CASES: &[Case] = cases![
    removed_file_is_a_whiteout,
    trivial_run_leaves_upper_empty,
    many_layers_are_stacked,
    too_many_layers_are_told,
    no_layer_at_all_works,
    plain_directory_is_a_root,
    overlay_probe_agrees,
];

fn removed_file_is_a_whiteout(place: &Place) {
    place.output("rm /etc/group");
    let about = fs::symlink_metadata(place.upper.join("etc/group")).unwrap();
    assert!(about.file_type().is_char_device() && about.rdev() == 0);
}

fn trivial_run_leaves_upper_empty(place: &Place) {
    place.output("true");
    assert_eq!(place.changes(), [""; 0]);
    place.output(": > /x && rm /x");
    assert_eq!(place.changes(), [""; 0]);
}

fn many_layers_are_stacked(place: &Place) {
    let mut job = place.shell("ls /layers | wc -l; cat /same");
    let mut layers: Vec<PathBuf> = (0..300)
        .map(|number| {
            let layer = place.make(&format!(
                "layers/with-a-long-name-that-does-not-fit-into-a-page/{number}"
            ));
            fs::create_dir(layer.join("layers")).unwrap();
            fs::write(layer.join(format!("layers/{number}")), "").unwrap();
            fs::write(layer.join("same"), number.to_string()).unwrap();
            layer
        })
        .collect();
    layers.push(place.lower.clone());
    let Root::Overlay { lowers, .. } = &mut job.root else {
        panic!("an overlay")
    };
    *lowers = layers;
    assert_eq!(place.output_of(&job), "300\n0");
}

fn too_many_layers_are_told(place: &Place) {
    let mut job = place.shell("true");
    let Root::Overlay { lowers, .. } = &mut job.root else {
        panic!("an overlay")
    };
    *lowers = vec![place.lower.clone(); MAXIMUM_LOWERS + 1];
    assert!(matches!(
        place.run(&job).error(),
        SandboxError::TooManyLayers { .. }
    ));
}

fn no_layer_at_all_works(place: &Place) {
    let mut job = place.job(&["/busybox", "echo", "x"]);
    let Root::Overlay { lowers, .. } = &mut job.root else {
        panic!("an overlay")
    };
    lowers.clear();
    fs::copy("/bin/busybox", place.upper.join("busybox")).unwrap();
    assert_eq!(place.output_of(&job), "x\n");
    // As BuildKit leaves them: what the runtime makes for itself stays.
    assert_eq!(place.changes(), ["busybox", "dev", "proc", "sys"]);
}

fn plain_directory_is_a_root(place: &Place) {
    let mut job = place.shell("echo x > /new; ls /proc/self/fd > /dev/null");
    job.root = Root::Directory(place.lower.clone());
    place.output_of(&job);
    assert!(place.lower.join("new").exists());
    assert!(!place.lower.join("etc/hosts").exists());
}

fn overlay_probe_agrees(place: &Place) {
    let user_attributes = user_namespace::id_map() != user_namespace::IdMap::Host;
    overlay_works(place.directory.path(), user_attributes).unwrap();
    assert!(matches!(
        overlay_works(Path::new("/proc"), user_attributes),
        Err(SandboxError::OverlayUnavailable { .. })
    ));
}
