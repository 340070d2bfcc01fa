//! Which image of an index fits a platform.

use oci_image::manifest::{Descriptor, Index, Platform};

/// Marks what is no image but says something about one (BuildKit's attestations).
const ATTESTATION: &str = "vnd.docker.reference.type";

/// Returns the best image for a platform: the one with the same variant, or the highest below it.
pub(super) fn choose<'a>(index: &'a Index, wanted: &Platform) -> Option<&'a Descriptor> {
    let candidates = images(index).filter_map(|(descriptor, platform)| {
        let fits = platform.os == wanted.os && platform.architecture == wanted.architecture;
        let rank = rank(variant(wanted), variant(platform))?;
        fits.then_some((descriptor, rank))
    });
    // The first of those that fit equally well, as containerd does.
    let mut best: Option<(&Descriptor, u32)> = None;
    for (descriptor, rank) in candidates {
        if best.is_none_or(|(_, highest)| rank > highest) {
            best = Some((descriptor, rank));
        }
    }
    best.map(|(descriptor, _)| descriptor)
}

/// Returns the platforms of an index, for a message.
pub(super) fn available(index: &Index) -> String {
    let names: Vec<String> = images(index).map(|(_, platform)| name(platform)).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// Returns `os/architecture/variant`.
pub(super) fn name(platform: &Platform) -> String {
    let mut name = format!("{}/{}", platform.os, platform.architecture);
    if let Some(variant) = &platform.variant {
        name = format!("{name}/{variant}");
    }
    // It comes from a registry and goes to a terminal.
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}

fn images(index: &Index) -> impl Iterator<Item = (&Descriptor, &Platform)> {
    index
        .manifests
        .iter()
        .filter(|descriptor| !descriptor.annotations.contains_key(ATTESTATION))
        .filter_map(|descriptor| Some((descriptor, descriptor.platform.as_ref()?)))
}

/// Returns the variant, or what the architecture means without one (containerd/platforms, normalizeArch).
fn variant(platform: &Platform) -> &str {
    match (
        platform.variant.as_deref().unwrap_or_default(),
        platform.architecture.as_str(),
    ) {
        ("", "arm64") => "v8",
        ("", "arm") => "v7",
        ("", "amd64") => "v1",
        (variant, _) => variant,
    }
}

fn rank(wanted: &str, offered: &str) -> Option<u32> {
    let number = |variant: &str| variant.strip_prefix('v')?.parse::<u32>().ok();
    match (number(wanted), number(offered)) {
        (Some(wanted), Some(offered)) => (offered <= wanted).then_some(offered),
        _ => (wanted == offered).then_some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(name: &str) -> Platform {
        let mut parts = name.split('/').map(str::to_owned);
        Platform {
            os: parts.next().unwrap(),
            architecture: parts.next().unwrap(),
            variant: parts.next(),
            ..Platform::default()
        }
    }

    fn chosen(names: &[&str], wanted: &str) -> Option<usize> {
        let entries = names.iter().enumerate().map(|(number, name)| {
            let mut descriptor = Descriptor::of("x", number.to_string().as_bytes());
            descriptor.platform = Some(platform(name));
            descriptor
        });
        let index = Index::new(entries.collect());
        let found = choose(&index, &platform(wanted))?;
        index.manifests.iter().position(|entry| entry == found)
    }

    #[test]
    fn takes_the_nearest_variant() {
        let arms = [
            "linux/arm/v5",
            "linux/arm/v6",
            "linux/arm64",
            "linux/amd64",
            "windows/amd64",
        ];
        assert_eq!(chosen(&arms, "linux/arm/v7"), Some(1));
        assert_eq!(chosen(&arms, "linux/arm/v5"), Some(0));
        assert_eq!(chosen(&arms, "linux/arm64/v8"), Some(2));
        assert_eq!(chosen(&arms, "linux/amd64"), Some(3));
        assert_eq!(chosen(&arms, "linux/s390x"), None);
        assert_eq!(
            chosen(&["linux/amd64/v3", "linux/amd64"], "linux/amd64"),
            Some(1)
        );
    }

    #[test]
    fn attestations_are_no_images() {
        let mut descriptor = Descriptor::of("x", b"");
        descriptor.platform = Some(platform("linux/amd64"));
        descriptor
            .annotations
            .insert(ATTESTATION.to_owned(), "attestation-manifest".to_owned());
        let index = Index::new(vec![descriptor]);
        assert_eq!(choose(&index, &platform("linux/amd64")), None);
    }
}
