//! What can be written at the cursor.

mod context;
mod directives;
mod flags;
mod paths;
mod values;
mod variables;

use dockerfile_model::Keyword;
use dockerfile_source::{TextRange, TextSize};

pub(crate) use self::context::Context;
use crate::Analysis;
use crate::analysis::keyword_name;
use crate::manual::{
    INSTRUCTIONS, MOUNT_TYPES, first_sentence, flag_markdown, flag_page, instruction_markdown,
    mount_options,
};

/// One thing that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionItem {
    pub label: String,
    pub kind: CompletionKind,
    pub detail: String,
    /// What takes the place of `replace`.
    pub insert: String,
    /// Whether `insert` has places to fill in: `${1:name}`.
    pub is_snippet: bool,
    pub replace: TextRange,
    /// What `completion_documentation` takes; empty where there is nothing to say.
    pub documentation: String,
    /// Small numbers come first.
    pub rank: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionKind {
    Keyword,
    Flag,
    Value,
    Variable,
    Stage,
    Image,
    File,
    Folder,
    Snippet,
    Rule,
}

/// Returns what can be written at an offset.
pub fn completions(analysis: &Analysis, offset: TextSize) -> Vec<CompletionItem> {
    if let Some(items) = directives::complete(analysis, offset) {
        return items;
    }
    let Some(context) = Context::new(analysis, offset) else {
        return Vec::new();
    };
    let mut items = Items::new(&context);
    if let Some(items) = variables::complete(&context) {
        return items;
    }
    let Some(keyword) = context.keyword.filter(|_| !context.is_in_keyword) else {
        return keywords(&context);
    };
    if context.is_in_heredoc {
        return Vec::new();
    }
    if context.word().starts_with("--") && context.arguments().next().is_none() {
        return flags::complete(&context, keyword);
    }
    values::complete(&context, keyword, &mut items);
    items.found
}

/// Returns the text about an item, in Markdown.
pub fn completion_documentation(key: &str) -> Option<String> {
    let (kind, rest) = key.split_once(':')?;
    match kind {
        "instruction" => {
            let page = INSTRUCTIONS
                .iter()
                .find(|page| keyword_name(page.keyword) == rest)?;
            Some(instruction_markdown(page))
        }
        "flag" => {
            let (keyword, name) = rest.split_once(' ')?;
            let page = INSTRUCTIONS
                .iter()
                .find(|page| keyword_name(page.keyword) == keyword)?;
            Some(flag_markdown(flag_page(page.keyword, name)?))
        }
        "mount" => {
            let (mount_type, name) = rest.split_once(' ')?;
            let page = mount_options(mount_type).find(|page| page.name == name)?;
            Some(page.text.to_owned())
        }
        "mount-type" => {
            let (_, text) = MOUNT_TYPES.iter().find(|(name, _)| *name == rest)?;
            Some((*text).to_owned())
        }
        "rule" => {
            let rule = dockerfile_lint::find_rules(rest).into_iter().next()?;
            Some(crate::hover::rule_markdown(rule))
        }
        _ => None,
    }
}

/// Collects items that replace the word at the cursor.
pub(crate) struct Items {
    replace: TextRange,
    found: Vec<CompletionItem>,
}

impl Items {
    fn new(context: &Context<'_>) -> Items {
        Items {
            replace: context.word_range(),
            found: Vec::new(),
        }
    }

    /// Returns a collector for what replaces another range.
    fn replacing(replace: TextRange) -> Items {
        Items {
            replace,
            found: Vec::new(),
        }
    }

    fn add(&mut self, kind: CompletionKind, label: &str, detail: &str) -> &mut CompletionItem {
        let at = self.found.len();
        self.found.push(CompletionItem {
            label: label.to_owned(),
            kind,
            detail: detail.to_owned(),
            insert: label.to_owned(),
            is_snippet: false,
            replace: self.replace,
            documentation: String::new(),
            rank: 5,
        });
        &mut self.found[at]
    }
}

/// Returns the instructions, in the case in which the file writes them.
fn keywords(context: &Context<'_>) -> Vec<CompletionItem> {
    let model = context.analysis.model();
    let is_lower = model
        .instructions
        .iter()
        .filter(|each| each.keyword != Keyword::Unknown)
        .all(|each| {
            each.keyword_text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase())
        })
        && model
            .instructions
            .iter()
            .any(|each| each.keyword != Keyword::Unknown);
    let mut items = Items::new(context);
    let before_first = context.stage.is_none();
    for page in INSTRUCTIONS {
        let name = keyword_name(page.keyword);
        if before_first && !matches!(page.keyword, Keyword::From | Keyword::Arg) {
            continue;
        }
        if context.is_trigger && matches!(page.keyword, Keyword::From | Keyword::Onbuild) {
            continue;
        }
        let cased = if is_lower {
            name.to_ascii_lowercase()
        } else {
            name.to_owned()
        };
        let item = items.add(CompletionKind::Keyword, &cased, first_sentence(page.text));
        item.insert = page.snippet.replacen(name, &cased, 1);
        item.is_snippet = true;
        item.documentation = format!("instruction:{name}");
        item.rank = if page.keyword == Keyword::Maintainer {
            9
        } else {
            3
        };
    }
    if !before_first && !context.is_trigger {
        for (label, detail, snippet) in SNIPPETS {
            let item = items.add(CompletionKind::Snippet, label, detail);
            (*snippet).clone_into(&mut item.insert);
            item.is_snippet = true;
            item.rank = 7;
        }
    }
    items.found
}

const SNIPPETS: &[(&str, &str, &str)] = &[
    (
        "RUN apt-get install",
        "Installs packages without leaving lists behind.",
        "RUN apt-get update \\\\\n    && apt-get install --yes --no-install-recommends \\\\\n        ${1:package} \\\\\n    && rm -rf /var/lib/apt/lists/*",
    ),
    (
        "RUN apk add",
        "Installs packages without an index left behind.",
        "RUN apk add --no-cache ${1:package}",
    ),
    (
        "RUN pip install",
        "Installs Python packages with a cache that is no part of the image.",
        "RUN --mount=type=cache,target=/root/.cache/pip \\\\\n    pip install -r ${1:requirements.txt}",
    ),
    (
        "RUN npm ci",
        "Installs Node packages with a cache that is no part of the image.",
        "RUN --mount=type=cache,target=/root/.npm \\\\\n    npm ci",
    ),
    (
        "RUN heredoc",
        "Runs a script of several lines.",
        "RUN <<EOF\nset -e\n${1:command}\nEOF",
    ),
    (
        "COPY heredoc",
        "Writes a file.",
        "COPY <<EOF ${1:/path}\n${2:text}\nEOF",
    ),
    (
        "HEALTHCHECK curl",
        "Asks the program over HTTP whether it works.",
        "HEALTHCHECK --interval=30s --timeout=3s CMD curl --fail http://localhost:${1:8080}/ || exit 1",
    ),
];

#[cfg(test)]
mod tests;
