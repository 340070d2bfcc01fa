//! Images as data and bytes: digests, manifests, configs, layers as tar streams, and the store on disk.

#![forbid(unsafe_code)]

pub mod layer;
