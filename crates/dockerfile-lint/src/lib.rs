//! Rules, suppression and fixes.
#![forbid(unsafe_code)]
