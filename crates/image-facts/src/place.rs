//! Where the store is, and for which machine its images are.

use std::env;
use std::path::PathBuf;

/// Returns the folder of the store, found as `dfbuild` finds it (`crates/dfbuild/src/paths.rs`).
pub fn default_store() -> PathBuf {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from);
    if let Some(folder) = variable("DFBUILD_STORE") {
        return folder;
    }
    let data = variable("XDG_DATA_HOME");
    if data.is_none() && rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/dfbuild");
    }
    data.or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("/var/tmp"))
        .join("dfbuild")
}

/// Returns the platform that a build is for when nobody says, such as `linux/amd64`: as the builder names it
/// (`dockerfile-build`, `plan/global.rs`).
pub fn this_platform() -> String {
    let architecture = match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "arm" => "arm/v7",
        "powerpc64" => "ppc64le",
        other => other,
    };
    format!("linux/{architecture}")
}
