//! `dfbuild images`.

use std::io::{self, Write as _};

use anyhow::Result;
use oci_image::store::Store;

use crate::arguments::StoreArguments;
use crate::outcome::Outcome;
use crate::paths;

pub(crate) fn run(arguments: &StoreArguments) -> Result<Outcome> {
    let mut out = io::stdout().lock();
    let root = paths::store(arguments);
    if !root.exists() {
        return Ok(Outcome::Done);
    }
    let store = Store::open(&root)?;
    for image in store.images()? {
        writeln!(out, "{}  {}", image.descriptor.digest, image.name)?;
    }
    Ok(Outcome::Done)
}
