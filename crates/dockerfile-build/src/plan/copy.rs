//! COPY and ADD: what is copied, from where and to where (BuildKit `convert_copy.go`).

use std::path::PathBuf;

use dockerfile_model::expansion::{Expander, Quotes};
use dockerfile_model::{HeredocBody, HeredocFact, Instruction, Keyword, Word};
use dockerfile_source::TextRange;

use super::evaluate::Evaluator;
use super::{Operation, OperationKind};
use crate::error::{BuildError, Failure};
use crate::remotes::{parse_checksum, without_password};

/// One COPY or ADD.
#[derive(Clone, Debug)]
pub(crate) struct CopyOperation {
    pub(crate) is_add: bool,
    pub(crate) sources: Vec<CopySource>,
    /// Absolute; a slash at the end says that a folder is meant.
    pub(crate) destination: String,
    /// `USER[:GROUP]`, names or numbers.
    pub(crate) chown: Option<(String, TextRange)>,
    /// An octal number or a symbolic mode.
    pub(crate) chmod: Option<(String, TextRange)>,
    pub(crate) links: bool,
    pub(crate) keeps_parents: bool,
    pub(crate) exclude: Vec<String>,
    pub(crate) from: From,
    pub(crate) keeps_git_folder: bool,
    /// A digest for a URL, the start of a commit for a repository.
    pub(crate) checksum: Option<(String, TextRange)>,
    /// Whether archives are unpacked: ADD does so unless told not to.
    pub(crate) unpacks: bool,
    /// Whether remote archives are unpacked too: `--unpack`.
    pub(crate) unpacks_remote: bool,
}

/// Where the sources of a COPY are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Context,
    /// `--build-context NAME=FOLDER`.
    Directory(PathBuf),
    /// An index in `Plan::stages`.
    Stage(usize),
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CopySource {
    Path {
        path: String,
        range: TextRange,
    },
    /// A file that stands in the Dockerfile.
    Inline {
        name: String,
        content: String,
    },
    Url {
        url: String,
        range: TextRange,
    },
    Git {
        url: String,
        range: TextRange,
    },
}

impl Evaluator<'_> {
    pub(super) fn copy(&mut self, instruction: &Instruction) -> Result<(), BuildError> {
        let is_add = instruction.keyword == Keyword::Add;
        let Some(copy) = instruction.copy() else {
            return Ok(());
        };
        let Some(destination) = &copy.destination else {
            return Err(self.fault(instruction.range, "the destination is missing".to_owned()));
        };
        let destination_text = self.expand(destination)?;
        let mut heredocs = instruction.heredocs.iter();
        let (mut sources, mut inline, mut shown) = (Vec::new(), Vec::new(), String::new());
        for word in &copy.sources {
            if !copy.is_json && is_heredoc_opener(word, &instruction.heredocs) {
                if let Some(heredoc) = heredocs.next() {
                    inline.push(self.inline_file(heredoc)?);
                }
                continue;
            }
            let text = self.expand(word)?;
            shown.push_str(&format!(" {}", without_password(&text)));
            sources.push(self.source(is_add, text, word)?);
        }
        for source in &inline {
            if let CopySource::Inline { name, .. } = source {
                shown.push_str(&format!(" <<{name}"));
            }
        }
        sources.extend(inline);
        let chown = self.flag_value(instruction, "chown")?;
        let chmod = self.flag_value(instruction, "chmod")?;
        let keeps_parents = is_set(instruction, "parents");
        let mut history = if is_add { "ADD" } else { "COPY" }.to_owned();
        if keeps_parents {
            history.push_str(" --parents");
        }
        for (name, value) in [("chown", &chown), ("chmod", &chmod)] {
            if let Some((value, _)) = value {
                history.push_str(&format!(" --{name}={value}"));
            }
        }
        history.push_str(&shown);
        history.push_str(&format!(" {destination_text}"));
        let unpack = instruction
            .flag("unpack")
            .map(|_| is_set(instruction, "unpack"));
        let checksum = self.checksum(instruction, &sources)?;
        let operation = CopyOperation {
            is_add,
            sources,
            destination: self.absolute(&destination_text),
            chown,
            // Where there is a mode, BuildKit forgets about `--link` (`convert_copy.go`, `cfg.chmod == ""`).
            links: is_set(instruction, "link") && chmod.is_none(),
            chmod,
            keeps_parents,
            exclude: self.excludes(instruction)?,
            from: self.copy_from(instruction),
            keeps_git_folder: is_set(instruction, "keep-git-dir"),
            checksum,
            unpacks: is_add && unpack.unwrap_or(true),
            unpacks_remote: unpack == Some(true),
        };
        self.operations.push(Operation {
            range: self.place(instruction.range),
            title: history.clone(),
            kind: OperationKind::Copy(Box::new(operation)),
        });
        self.add_history(format!("{history} # buildkit"), false);
        Ok(())
    }

    fn source(&self, is_add: bool, text: String, word: &Word) -> Result<CopySource, BuildError> {
        let range = self.place(word.range);
        let is_git = is_git_url(&text);
        let is_url = !is_git && (text.starts_with("http://") || text.starts_with("https://"));
        if (is_git || is_url) && !is_add {
            let what = if is_git { "a git repository" } else { "a URL" };
            return Err(self
                .fault(word.range, format!("COPY cannot take {what}"))
                .help("use ADD"));
        }
        Ok(match (is_git, is_url) {
            (true, _) => CopySource::Git { url: text, range },
            (_, true) => CopySource::Url { url: text, range },
            _ => CopySource::Path { path: text, range },
        })
    }

    fn inline_file(&self, heredoc: &HeredocFact) -> Result<CopySource, BuildError> {
        let text = heredoc_text(heredoc);
        let content = if heredoc.expands {
            let expander = Expander {
                quotes: Quotes::Ordinary,
                ..Expander::new('\\', &self.variables)
            };
            let expansion = expander
                .expand_word(&text)
                .map_err(|error| self.fault(heredoc.opener_range, error.to_string()))?;
            expansion.value.into_owned()
        } else {
            text
        };
        Ok(CopySource::Inline {
            name: heredoc.name.to_string(),
            content,
        })
    }

    fn flag_value(
        &self,
        instruction: &Instruction,
        name: &str,
    ) -> Result<Option<(String, TextRange)>, BuildError> {
        let Some(word) = instruction.flag(name).and_then(|flag| flag.value.as_ref()) else {
            return Ok(None);
        };
        let value = self.expand(word)?;
        Ok((!value.is_empty()).then(|| (value, self.place(word.range))))
    }

    fn excludes(&self, instruction: &Instruction) -> Result<Vec<String>, BuildError> {
        instruction
            .flags
            .iter()
            .filter(|flag| flag.name == "exclude")
            .filter_map(|flag| flag.value.as_ref())
            .map(|word| self.expand(word))
            .collect()
    }

    /// Reads `--checksum`, which says what exactly a source from elsewhere is.
    fn checksum(
        &self,
        instruction: &Instruction,
        sources: &[CopySource],
    ) -> Result<Option<(String, TextRange)>, BuildError> {
        let Some((checksum, range)) = self.flag_value(instruction, "checksum")? else {
            return Ok(None);
        };
        let fault = |message: &str| {
            let message = message.to_owned();
            Err(BuildError::new(Failure::Dockerfile, message).at(range, ""))
        };
        match sources {
            [CopySource::Url { .. }] => {
                parse_checksum(&checksum, range)?;
            }
            [CopySource::Git { .. }] => {}
            [_] => return fault("`--checksum` goes with a URL or a git repository only"),
            _ => return fault("`--checksum` goes with one source only"),
        }
        Ok(Some((checksum, range)))
    }

    /// Returns a path of the image: what is relative starts at the folder of WORKDIR (`pathRelativeToWorkingDir`).
    pub(super) fn absolute(&self, path: &str) -> String {
        let ends_as_folder =
            path.is_empty() || path == "." || path.ends_with('/') || path.ends_with("/.");
        let joined = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.config.config.working_dir)
        };
        let clean = dockerfile_model::clean_path(&joined);
        match clean.as_str() {
            "/" => "/".to_owned(),
            clean if ends_as_folder => format!("{clean}/"),
            clean => clean.to_owned(),
        }
    }
}

/// Returns the text that a heredoc stands for.
pub(super) fn heredoc_text(heredoc: &HeredocFact) -> String {
    let text = raw_heredoc_text(heredoc);
    if !heredoc.strips_tabs {
        return text.to_owned();
    }
    text.split_inclusive('\n')
        .map(|line| line.trim_start_matches('\t'))
        .collect()
}

/// Returns the text of a heredoc as it is written.
pub(super) fn raw_heredoc_text(heredoc: &HeredocFact) -> &str {
    match &heredoc.body {
        HeredocBody::Script(script) => &script.text,
        HeredocBody::Text { text, .. } => text,
    }
}

fn is_heredoc_opener(word: &Word, heredocs: &[HeredocFact]) -> bool {
    heredocs
        .iter()
        .any(|heredoc| word.range.contains_range(heredoc.opener_range))
}

/// Returns whether a boolean flag is there and not `false`.
fn is_set(instruction: &Instruction, name: &str) -> bool {
    instruction.flag(name).is_some_and(|flag| {
        flag.value
            .as_ref()
            .is_none_or(|value| value.value_or_text() != "false")
    })
}

/// Returns whether ADD takes a source for a git repository (BuildKit `dfgitutil.ParseGitRef`).
pub(crate) fn is_git_url(text: &str) -> bool {
    if text.starts_with("git://") || text.starts_with("ssh://") || text.starts_with("git@") {
        return true;
    }
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    is_web
        && text
            .split(['#', '?'])
            .next()
            .unwrap_or(text)
            .ends_with(".git")
}
