//! Build arguments that the builder sets by itself.

/// Returns whether an argument tells the platform of the build. A stage sees it after `ARG NAME` only (reference,
/// "Automatic platform ARGs in the global scope").
pub(crate) fn is_platform_argument(name: &str) -> bool {
    matches!(
        name,
        "TARGETPLATFORM"
            | "TARGETOS"
            | "TARGETARCH"
            | "TARGETVARIANT"
            | "BUILDPLATFORM"
            | "BUILDOS"
            | "BUILDARCH"
            | "BUILDVARIANT"
    )
}
