//! What this machine is called in images, and where it keeps them.

use std::env;
use std::path::PathBuf;

/// Returns the architecture of this machine and its variant, which may be empty, in the names that images use (Go's).
pub fn architecture() -> (&'static str, &'static str) {
    match env::consts::ARCH {
        "x86_64" => ("amd64", ""),
        "x86" => ("386", ""),
        "aarch64" => ("arm64", ""),
        "arm" => ("arm", "v7"),
        "powerpc64" => ("ppc64le", ""),
        "loongarch64" => ("loong64", ""),
        other => (other, ""),
    }
}

/// Returns what an image is for when nobody says: `linux/amd64`, `linux/arm/v7`.
pub fn platform() -> String {
    match architecture() {
        (name, "") => format!("linux/{name}"),
        (name, variant) => format!("linux/{name}/{variant}"),
    }
}

/// Returns the folder of the store when nobody names one: `$DFBUILD_STORE`, else a folder of the user, or `/var/lib/dfbuild` for root.
///
/// The caller knows whether this process is root on this machine, and not in a user namespace only.
pub fn default_store(is_root: bool) -> PathBuf {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from);
    if let Some(folder) = variable("DFBUILD_STORE") {
        return folder;
    }
    let data = variable("XDG_DATA_HOME");
    if is_root && data.is_none() {
        return PathBuf::from("/var/lib/dfbuild");
    }
    data.or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(|| PathBuf::from("/var/tmp"))
        .join("dfbuild")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_has_a_variant_only_where_there_is_one() {
        let (name, variant) = architecture();
        let parts = if variant.is_empty() { 2 } else { 3 };
        assert_eq!(platform().split('/').count(), parts);
        assert!(platform().starts_with(&format!("linux/{name}")));
    }
}
