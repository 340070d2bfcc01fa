//! The images that a file names.

use smol_str::SmolStr;

use crate::{Base, Keyword, Model};

/// A file that names more images than this is looked at up to here.
const MOST_NAMES: usize = 64;

impl Model {
    /// Returns the names of images in FROM, `COPY --from` and `RUN --mount=from=`, sorted, as facts about them are asked for.
    pub fn image_names(&self) -> Vec<SmolStr> {
        let bases = self.stages.iter().filter_map(|stage| match &stage.base {
            Base::Image(name) => Some(name.clone()),
            _ => None,
        });
        let is_image = |name: &str| {
            !name.is_empty()
                && !name.contains('$')
                && self.stage_of_name(name).is_none()
                && name.parse::<u32>().is_err()
        };
        let copies = self
            .instructions_of(Keyword::Copy)
            .filter_map(|copy| copy.flag("from")?.value.as_ref()?.value.clone());
        let mounts = self
            .instructions_of(Keyword::Run)
            .flat_map(|run| run.mounts().filter_map(|mount| mount.from()))
            .map(SmolStr::new);
        let sources = copies.chain(mounts).filter(|name| is_image(name));
        let mut names: Vec<SmolStr> = bases.chain(sources).take(MOST_NAMES).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use crate::{Model, ModelInput};

    #[test]
    fn stages_and_numbers_are_no_images() {
        let text = "ARG V=1\nFROM a:$V AS b\nFROM b\nCOPY --from=b x y\nCOPY --from=0 x y\nCOPY --from=c:2 x y\n\
                    RUN --mount=type=bind,from=d,target=/d x\nFROM scratch\nFROM a:1\n";
        let model = Model::new(&dockerfile_syntax::parse(text), &ModelInput::default());
        assert_eq!(model.image_names(), ["a:1", "c:2", "d"]);
    }
}
