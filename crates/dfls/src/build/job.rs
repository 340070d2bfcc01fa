//! What a build is given: a text that may not be saved yet, cut where it is to end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(target_os = "linux")]
use dockerfile_build::{ContextSource, Request};
use dockerfile_ide::Analysis;
use dockerfile_source::{SourceFile, TextSize};

use crate::build::BuildParams;
use crate::document::Snapshot;
use crate::project::{ProjectBuild, build_of};
use crate::settings::UserSettings;
#[cfg(target_os = "linux")]
use crate::workspace::ignore_file_of;
use crate::workspace::{context_of, file_path};

/// One build.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// All of the text, of which the builder gets the beginning.
    pub(crate) source: Arc<SourceFile>,
    /// How much of it counts.
    pub(crate) end: TextSize,
    /// Where the Dockerfile is, or would be when it is saved.
    pub(crate) path: PathBuf,
    pub(crate) context: PathBuf,
    pub(crate) target: Option<String>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) arguments: Vec<(String, String)>,
    pub(crate) store: PathBuf,
}

impl Job {
    pub(crate) fn new(
        snapshot: &Snapshot,
        params: &BuildParams,
        settings: &UserSettings,
    ) -> Result<Job, &'static str> {
        let path = file_path(&snapshot.uri).ok_or("only files can be built")?;
        let end = match params.line {
            None => TextSize::of(snapshot.source.text()),
            Some(line) => end_of_instruction(snapshot.analysis(), line)
                .ok_or("there is no stage up to this line")?,
        };
        let project = build_of(&path);
        let source = Arc::clone(&snapshot.source);
        let mut job = Job::of_file(source, path, settings, project.as_ref());
        job.end = end;
        // What is cut ends with the stage that is meant.
        job.target = params.target.clone().filter(|_| params.line.is_none());
        job.output.clone_from(&params.output);
        Ok(job)
    }

    /// Returns a build of a whole text.
    pub(crate) fn of_file(
        source: Arc<SourceFile>,
        path: PathBuf,
        settings: &UserSettings,
        project: Option<&ProjectBuild>,
    ) -> Job {
        let folder = context_of(&path, project);
        // What the user sets counts more than what the project says.
        let mut arguments = project.map_or_else(BTreeMap::new, |project| project.arguments.clone());
        arguments.extend(settings.build_arguments.clone());
        Job {
            end: TextSize::of(source.text()),
            // As the builder does: the same folder has one name.
            context: folder.canonicalize().unwrap_or(folder),
            target: None,
            output: None,
            arguments: arguments.into_iter().collect(),
            store: settings.store_folder(),
            source,
            path,
        }
    }

    /// Returns the text that counts.
    pub(crate) fn text(&self) -> &str {
        let text = self.source.text();
        text.get(..usize::from(self.end)).unwrap_or(text)
    }

    /// Returns the request that the builder would make of this.
    #[cfg(target_os = "linux")]
    pub(crate) fn request(&self) -> Request {
        let mut request = Request::new("Dockerfile", self.text());
        request.context = ContextSource::Directory(self.context.clone());
        request.ignore_file = ignore_file_of(&self.path, &self.context);
        request.target.clone_from(&self.target);
        request.store.clone_from(&self.store);
        request.build_arguments = self
            .arguments
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect();
        request
    }
}

/// Returns where the instruction of a line ends, if it is in a stage.
fn end_of_instruction(analysis: &Analysis, line: u32) -> Option<TextSize> {
    let index = analysis.source().line_index();
    let end = index.line_range(line)?.end();
    let instruction = analysis
        .model()
        .instructions
        .iter()
        .rev()
        .find(|instruction| instruction.range.start() < end)?;
    instruction.stage.map(|_| instruction.range.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instruction_of_a_line_is_the_last_that_counts() {
        let text = "ARG A\nFROM x\nRUN a \\\n  b\n\nRUN c\n";
        let source = SourceFile::new("Dockerfile", text);
        let analysis = Analysis::new(source, Arc::default());
        let end = |line| end_of_instruction(&analysis, line).map(u32::from);
        let cut = u32::try_from(text.find("\n\nRUN c").unwrap_or(0)).unwrap_or(0);
        assert_eq!(end(0), None);
        assert_eq!(end(1), Some(12));
        assert_eq!([end(2), end(3), end(4)], [Some(cut); 3]);
        assert_eq!(end(99), None);
    }
}
