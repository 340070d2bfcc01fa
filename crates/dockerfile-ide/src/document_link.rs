//! What can be opened with a click: pages of images, files of the build context, addresses.

use dockerfile_model::{Base, ImageRef, Keyword};
use dockerfile_source::TextRange;

use crate::Analysis;

/// A text that leads somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub range: TextRange,
    pub target: LinkTarget,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    Address(String),
    /// A file of the build context, relative to it.
    File(String),
}

/// Returns the links of a file, in the order of the text.
pub fn links(analysis: &Analysis) -> Vec<Link> {
    let model = analysis.model();
    let mut links = Vec::new();
    for stage in &model.stages {
        let Some(image) = &stage.image else { continue };
        if let Base::Image(name) = &stage.base
            && let Some(address) = image_page(name)
        {
            links.push(Link {
                range: image.range,
                target: LinkTarget::Address(address),
            });
        }
    }
    for instruction in &model.instructions {
        let Some(copy) = instruction.copy() else {
            continue;
        };
        if instruction.flag("from").is_some() {
            continue;
        }
        for source in &copy.sources {
            let Some(value) = &source.value else { continue };
            if value.starts_with("https://") || value.starts_with("http://") {
                if instruction.keyword == Keyword::Add {
                    links.push(Link {
                        range: source.range,
                        target: LinkTarget::Address(value.to_string()),
                    });
                }
            } else if let Some(path) = context_file(analysis, value) {
                links.push(Link {
                    range: source.range,
                    target: LinkTarget::File(path),
                });
            }
        }
    }
    links.sort_by_key(|link| link.range.start());
    links
}

/// Returns the path of a file that is in the context.
pub(crate) fn context_file(analysis: &Analysis, source: &str) -> Option<String> {
    let path = source.trim_start_matches("./").trim_start_matches('/');
    let context = &analysis.outside().context;
    let at = context
        .binary_search_by(|entry| entry.path.as_str().cmp(path))
        .ok()?;
    let entry = context.get(at)?;
    (!entry.is_folder).then(|| entry.path.clone())
}

/// Returns the page that describes an image, where its registry is known to have pages.
pub(crate) fn image_page(name: &str) -> Option<String> {
    let image = ImageRef::parse(name).ok()?;
    let path = image.canonical_path();
    match image.canonical_host() {
        "docker.io" | "index.docker.io" => Some(match path.strip_prefix("library/") {
            Some(official) => format!("https://hub.docker.com/_/{official}"),
            None => format!("https://hub.docker.com/r/{path}"),
        }),
        "ghcr.io" => Some(format!("https://ghcr.io/{path}")),
        "quay.io" => Some(format!("https://quay.io/repository/{path}")),
        "mcr.microsoft.com" => Some(format!("https://mcr.microsoft.com/artifact/mar/{path}")),
        "gcr.io" => Some(format!("https://gcr.io/{path}")),
        "public.ecr.aws" => Some(format!("https://gallery.ecr.aws/{path}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_pages_of_images() {
        assert_eq!(
            image_page("debian:12").as_deref(),
            Some("https://hub.docker.com/_/debian")
        );
        assert_eq!(
            image_page("quay.io/a/b").as_deref(),
            Some("https://quay.io/repository/a/b")
        );
        assert_eq!(image_page("localhost:5000/a"), None);
    }
}
