//! Where the store is.

use std::env;
use std::path::PathBuf;

use dockerfile_build::user_namespace;

use crate::arguments::StoreArguments;

/// Returns the folder of the store.
pub(crate) fn store(arguments: &StoreArguments) -> PathBuf {
    let named = arguments
        .store
        .clone()
        .or_else(|| env::var_os("DFBUILD_STORE").map(PathBuf::from));
    if let Some(named) = named {
        return named;
    }
    let is_root = user_namespace::is_privileged() && !user_namespace::is_inside();
    if is_root && env::var_os("XDG_DATA_HOME").is_none() {
        return PathBuf::from("/var/lib/dfbuild");
    }
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data =
        data.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    data.unwrap_or_else(|| PathBuf::from("/var/tmp"))
        .join("dfbuild")
}

/// Returns what images call the architecture of this machine.
pub(crate) fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}
