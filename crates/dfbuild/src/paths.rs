//! Where the store is.

use std::path::PathBuf;

use dockerfile_build::user_namespace;
use oci_image::host;

use crate::arguments::StoreArguments;

/// Returns the folder of the store.
pub(crate) fn store(arguments: &StoreArguments) -> PathBuf {
    let is_root = user_namespace::is_privileged() && !user_namespace::is_inside();
    let named = arguments.store.clone();
    named.unwrap_or_else(|| host::default_store(is_root))
}
