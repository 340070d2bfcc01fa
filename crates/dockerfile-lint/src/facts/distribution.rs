//! Which release of Debian or Ubuntu a base image is, as far as its name tells.

use dockerfile_model::{Base, Model, StageId};

/// A release of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Distribution {
    /// By its number: 12 is bookworm.
    Debian(u32),
    /// By year and month: 2404 is noble.
    Ubuntu(u32),
}

/// What `latest` is today.
const CURRENT_DEBIAN: u32 = 13;
const CURRENT_UBUNTU: u32 = 2404;

impl Distribution {
    /// Returns the name and number that people use.
    pub(crate) fn name(self) -> String {
        match self {
            Distribution::Debian(release) => format!("Debian {release}"),
            Distribution::Ubuntu(release) => {
                format!("Ubuntu {}.{:02}", release / 100, release % 100)
            }
        }
    }
}

/// Returns the release that a stage stands on in the end.
pub(crate) fn distribution_of(model: &Model, stage: StageId) -> Option<Distribution> {
    match model.root_base(stage)? {
        Base::Image(image) => distribution_of_image(image),
        _ => None,
    }
}

/// Returns the release behind the name of an official image: `debian:12-slim`, `ubuntu`, `python:3.12-bookworm`.
fn distribution_of_image(image: &str) -> Option<Distribution> {
    let image = image.to_ascii_lowercase();
    let image = [
        "docker.io/library/",
        "docker.io/",
        "library/",
        "mirror.gcr.io/library/",
        "public.ecr.aws/docker/library/",
    ]
    .iter()
    .find_map(|prefix| image.strip_prefix(prefix))
    .unwrap_or(&image);
    let (image, digest) = match image.split_once('@') {
        Some((image, digest)) => (image, Some(digest)),
        None => (image, None),
    };
    let (name, tag) = match image.split_once(':') {
        Some((name, tag)) => (name, tag),
        None if digest.is_none() => (image, "latest"),
        None => return None,
    };
    match name {
        "debian" => debian_tag(tag),
        "ubuntu" => ubuntu_tag(tag),
        _ if name.contains('/') => None,
        _ => tag.split('-').find_map(codename),
    }
}

fn debian_tag(tag: &str) -> Option<Distribution> {
    let first = tag.split('-').next()?;
    let release = match first {
        "latest" | "stable" | "testing" | "unstable" | "sid" | "forky" => CURRENT_DEBIAN,
        "oldstable" => CURRENT_DEBIAN - 1,
        "oldoldstable" => CURRENT_DEBIAN - 2,
        _ => {
            let number = first.split('.').next()?.parse().ok();
            return number.map(Distribution::Debian).or_else(|| codename(first));
        }
    };
    Some(Distribution::Debian(release))
}

fn ubuntu_tag(tag: &str) -> Option<Distribution> {
    let first = tag.split('-').next()?;
    if matches!(first, "latest" | "rolling" | "devel") {
        return Some(Distribution::Ubuntu(CURRENT_UBUNTU));
    }
    if let Some((year, month)) = first.split_once('.') {
        let (year, month): (u32, u32) = (year.parse().ok()?, month.get(..2)?.parse().ok()?);
        return Some(Distribution::Ubuntu(
            year.checked_mul(100)?.checked_add(month)?,
        ));
    }
    codename(first)
}

fn codename(word: &str) -> Option<Distribution> {
    Some(match word {
        "stretch" => Distribution::Debian(9),
        "buster" => Distribution::Debian(10),
        "bullseye" => Distribution::Debian(11),
        "bookworm" => Distribution::Debian(12),
        "trixie" => Distribution::Debian(13),
        "xenial" => Distribution::Ubuntu(1604),
        "bionic" => Distribution::Ubuntu(1804),
        "focal" => Distribution::Ubuntu(2004),
        "jammy" => Distribution::Ubuntu(2204),
        "noble" => Distribution::Ubuntu(2404),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Distribution::{Debian, Ubuntu};
    use super::*;

    #[test]
    fn names_of_official_images_tell_the_release() {
        for (image, release) in [
            ("debian", Some(Debian(13))),
            ("docker.io/library/debian:12.7-slim", Some(Debian(12))),
            ("debian:bookworm-slim@sha256:abc", Some(Debian(12))),
            ("debian@sha256:abc", None),
            ("Ubuntu", Some(Ubuntu(2404))),
            ("ubuntu:18.04", Some(Ubuntu(1804))),
            ("ubuntu:jammy-20240101", Some(Ubuntu(2204))),
            ("python:3.12-slim-bookworm", Some(Debian(12))),
            ("python:3.12", None),
            ("someone/debian:12", None),
            ("ubuntu:99999999999.04", None),
            ("ubuntu:4294967295.04", None),
        ] {
            assert_eq!(distribution_of_image(image), release, "{image}");
        }
    }

    #[test]
    fn releases_have_the_names_that_people_use() {
        assert_eq!(Ubuntu(2404).name(), "Ubuntu 24.04");
    }
}
