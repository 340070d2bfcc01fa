//! Runs one command in its own namespaces on a given root.

