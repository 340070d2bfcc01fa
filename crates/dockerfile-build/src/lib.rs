//! From a Dockerfile's model to an image: plan, cache, steps, layers.

#![forbid(unsafe_code)]
