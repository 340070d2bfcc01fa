//! What a stage starts with: the variables and the configuration of what it stands on.

use oci_image::config::ImageConfig;

use super::environment::{Variables, set_in_list, split_variable};
use super::global::Platform;

/// The PATH of a stage whose image has none (BuildKit `system.DefaultPathEnv`).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What one stage hands on to those that stand on it.
#[derive(Clone, Default)]
pub(super) struct StageEnd {
    pub(super) variables: Variables,
    pub(super) config: ImageConfig,
    pub(super) build_arguments: Vec<(String, Option<String>)>,
}

impl StageEnd {
    pub(super) fn of_scratch(platform: &Platform) -> StageEnd {
        let mut config = ImageConfig {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            ..ImageConfig::default()
        };
        "/".clone_into(&mut config.config.working_dir);
        StageEnd {
            config,
            ..StageEnd::default()
        }
        .with_path()
    }

    pub(super) fn of_image(config: &ImageConfig) -> StageEnd {
        let mut config = config.clone();
        config.config.on_build.clear();
        config.created = None;
        if !config.config.working_dir.is_empty() {
            let clean = dockerfile_model::clean_path(&format!("/{}", config.config.working_dir));
            config.config.working_dir = clean.to_string();
        }
        let end = StageEnd {
            config,
            ..StageEnd::default()
        };
        end.with_path()
    }

    fn with_path(mut self) -> StageEnd {
        let variables = &mut self.config.config.env;
        if !variables
            .iter()
            .any(|entry| split_variable(entry).0 == "PATH")
            && self.config.os != "windows"
        {
            set_in_list(variables, "PATH", DEFAULT_PATH);
        }
        for entry in &self.config.config.env {
            let (name, value) = split_variable(entry);
            self.variables.set(name, value);
        }
        self
    }
}
