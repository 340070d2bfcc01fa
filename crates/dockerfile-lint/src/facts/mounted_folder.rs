//! Folders that a RUN mounts, so that what is written there stays out of the layer.

use dockerfile_model::{Instruction, RunMount};

/// Returns whether a cache or a tmpfs is mounted at an absolute folder or at one above it.
pub(crate) fn is_mounted(instruction: &Instruction, folder: &str) -> bool {
    mount_targets(instruction).any(|target| covers(target, folder))
}

/// Returns whether a cache or a tmpfs is mounted at a folder that ends like one of these: below some home.
pub(crate) fn is_mounted_below_home(instruction: &Instruction, endings: &[&str]) -> bool {
    mount_targets(instruction).any(|target| endings.iter().any(|ending| target.ends_with(ending)))
}

/// Returns where caches and tmpfs are mounted, without a slash at the end.
fn mount_targets(instruction: &Instruction) -> impl Iterator<Item = &str> {
    instruction
        .mounts()
        .filter(|mount| keeps_out_of_layer(mount))
        .filter_map(RunMount::target)
        .map(|target| target.trim_end_matches('/'))
}

fn keeps_out_of_layer(mount: &RunMount) -> bool {
    let mount_type = mount.mount_type();
    mount_type == "cache" || mount_type == "tmpfs"
}

fn covers(target: &str, folder: &str) -> bool {
    folder
        .strip_prefix(target)
        .is_some_and(|behind| behind.is_empty() || behind.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_mount_covers_its_folder_and_those_below() {
        assert!(covers("/var/lib/apt", "/var/lib/apt/lists"));
        assert!(covers("/var/lib/apt/lists", "/var/lib/apt/lists"));
        assert!(!covers("/var/lib/apt/li", "/var/lib/apt/lists"));
        assert!(!covers("/var/lib/apt/lists/partial", "/var/lib/apt/lists"));
    }
}
