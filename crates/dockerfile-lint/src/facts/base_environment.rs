//! What is known of the environment of official base images.

use dockerfile_model::{Base, Model, StageId};

/// Variables that a shell or a login sets, and the builder does not know.
pub(crate) const SHELL_VARIABLES: [&str; 8] = [
    "HOME", "USER", "PWD", "OLDPWD", "HOSTNAME", "LOGNAME", "UID", "SHELL",
];

/// Images that set no variable but `PATH` (and `LANG` or the like, which nobody puts into a path).
const PATH_ONLY_IMAGES: [&str; 9] = [
    "alpine",
    "almalinux",
    "amazonlinux",
    "busybox",
    "buildpack-deps",
    "centos",
    "debian",
    "rockylinux",
    "ubuntu",
];

/// Further images that set variables of their own, but none of those that a shell sets.
const PLAIN_IMAGES: [&str; 12] = [
    "eclipse-temurin",
    "fedora",
    "gcc",
    "golang",
    "httpd",
    "nginx",
    "node",
    "openjdk",
    "perl",
    "php",
    "python",
    "ruby",
];

/// Returns whether the base image of a stage is known not to set a variable.
pub(crate) fn is_unset_by_base_image(model: &Model, stage: StageId, variable: &str) -> bool {
    let Some(Base::Image(image)) = model.root_base(stage) else {
        return false;
    };
    let name = image_name(image);
    PATH_ONLY_IMAGES.contains(&name)
        || (SHELL_VARIABLES.contains(&variable) && PLAIN_IMAGES.contains(&name))
}

/// Returns the name of an official image, without tag and digest.
fn image_name(image: &str) -> &str {
    let name = image.split(['@', ':']).next().unwrap_or(image);
    name.strip_prefix("docker.io/")
        .unwrap_or(name)
        .trim_start_matches("library/")
}

#[cfg(test)]
mod tests {
    use super::image_name;

    #[test]
    fn official_images_have_several_spellings() {
        assert_eq!(image_name("alpine"), "alpine");
        assert_eq!(image_name("docker.io/library/alpine:3@sha256:ab"), "alpine");
        assert_eq!(image_name("localhost:5000/alpine"), "localhost");
        assert_eq!(image_name("me/alpine:3"), "me/alpine");
    }
}
