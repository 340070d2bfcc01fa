use dockerfile_model::{FileTree, Instruction, Keyword, Model, Resolved, clean_path};
use dockerfile_source::{TextRange, closest_match};

use crate::RuleContext;
use crate::facts::copy_source::{CopySource, copy_sources, is_pattern};
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds paths of `COPY --from` and `RUN --mount=from=` that are not in the stage or image they come from.
    ///
    /// ## Why
    /// The build fails at this line with "not found", after all the stages before it have run.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM scratch
    /// COPY --from=alpine:3.22 /etc/localtime.txt /etc/localtime
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM scratch
    /// COPY --from=alpine:3.22 /usr/share/zoneinfo/UTC /etc/localtime
    /// ```
    ///
    /// ## Limits
    /// Judges stages on `scratch` and on [images in the local store](../image-facts.md), and such images themselves.
    /// Silent where a RUN of that stage may have made the file, unless the text was built and the layers show what is there.
    /// Patterns are not judged.
    /// On 22,777 public Dockerfiles, without a store, it fires twice, both times rightly.
    pub(crate) MISSING_COPY_SOURCE {
        name: "missing-copy-source",
        code: "DF117",
        aliases: [],
        severity: Error,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// A path that is not there.
struct Missing {
    /// What lies beside it under nearly the same name.
    meant: Option<String>,
}

/// A folder with more entries is not searched for a name that may be meant.
const MOST_ENTRIES: usize = 2000;

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    for instruction in model.instructions_of(Keyword::Copy) {
        let from = instruction.flag("from");
        let Some(from) = from.and_then(|flag| flag.value.as_ref()?.value.as_deref()) else {
            continue;
        };
        for (word, source) in copy_sources(instruction) {
            if let CopySource::Path(path) = source {
                check_path(ctx, instruction, from, path, word.range);
            }
        }
    }
    for instruction in model.instructions_of(Keyword::Run) {
        for mount in instruction.mounts() {
            let option = mount
                .options
                .iter()
                .find(|option| matches!(option.key.as_str(), "source" | "src"));
            if let Some(from) = mount.from()
                && mount.mount_type() == "bind"
                && let Some((path, range)) =
                    option.and_then(|option| Some((option.value.as_deref()?, option.range)))
            {
                check_path(ctx, instruction, from, path, range);
            }
        }
    }
}

fn check_path(
    ctx: &mut RuleContext<'_>,
    instruction: &Instruction,
    from: &str,
    path: &str,
    range: TextRange,
) {
    if is_pattern(path) || path.contains(['$', '\\', '{']) || from.contains('$') {
        return;
    }
    let path = clean_path(&format!("/{path}"));
    let Some(Missing { meant }) = missing(ctx, instruction, from, &path) else {
        return;
    };
    let what = match named_stage(ctx.model(), instruction, from) {
        Some(_) => format!("the stage `{from}`"),
        None => format!("`{from}`"),
    };
    let finding = ctx.report(range, format!("`{path}` is not in {what}"));
    if let Some(meant) = meant {
        finding.help(format!("did you mean `{meant}`?"));
    }
}

fn named_stage(
    model: &Model,
    instruction: &Instruction,
    from: &str,
) -> Option<dockerfile_model::StageId> {
    let own = instruction.stage?;
    match instruction.keyword {
        Keyword::Copy => model.stage_named(from, own),
        // Mounts take no numbers.
        _ => model.stage_of_name(from).filter(|stage| *stage < own),
    }
}

/// Returns what is known of a path that is certainly missing.
fn missing(
    ctx: &RuleContext<'_>,
    instruction: &Instruction,
    from: &str,
    path: &str,
) -> Option<Missing> {
    let model = ctx.model();
    if let Some(stage) = named_stage(model, instruction, from) {
        let stage = model.stage(stage)?;
        let files = ctx.files_at(stage.id, stage.end)?;
        let is_missing = files.is_complete() && files.is_missing(path);
        return is_missing.then(|| Missing::new(files.tree(), path));
    }
    // The name of a stage that stands later is the finding of `undefined-stage`.
    if model.stage_of_name(from).is_some() {
        return None;
    }
    let facts = ctx.options().input.base_images.get(from)?;
    let tree = FileTree::new(vec![facts.files.as_deref()?]);
    (tree.exists(path) == Some(false)).then(|| Missing::new(&tree, path))
}

impl Missing {
    fn new(tree: &FileTree<'_>, path: &str) -> Missing {
        Missing {
            meant: meant_path(tree, path),
        }
    }
}

/// Returns an entry of the same folder with nearly the same name.
fn meant_path(tree: &FileTree<'_>, path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/')?;
    let Resolved::There { path: real, .. } = tree.resolve(&format!("/{folder}")) else {
        return None;
    };
    let prefix_len = real.trim_end_matches('/').len() + 1;
    let entries = tree.layers().iter().flat_map(|layer| layer.below(&real));
    let names: Vec<&str> = entries
        .take(MOST_ENTRIES)
        .filter_map(|(entry, _)| entry.get(prefix_len..))
        .filter(|name| !name.contains('/'))
        .collect();
    let meant = closest_match(name, names)?;
    let meant = format!("{folder}/{meant}");
    (tree.exists(&meant) == Some(true)).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::MISSING_COPY_SOURCE as RULE;
    use crate::testing::{check_clean_on_image, check_fires, check_fires_on_image, findings};

    #[test]
    fn finds_paths_that_are_not_in_an_image_or_a_stage() {
        check_fires_on_image(
            &RULE,
            "FROM scratch\nCOPY --from=image:1 /bin/sh «/bin/zsh» /bin/\n",
        );
        check_fires_on_image(
            &RULE,
            "FROM image:1 AS a\nCOPY a.py /app/\nFROM scratch\nCOPY --from=a /app/a.py «app/b.py» /\nCOPY --from=0 [«\"/b\"», \"/\"]\n",
        );
        check_fires(
            &RULE,
            "FROM scratch AS a\nCOPY a.json /\nFROM b\nRUN --mount=type=bind,from=a,«source=/b.json»,target=/b x\n",
        );
    }

    #[test]
    fn suggests_what_lies_beside() {
        let found = findings(
            "FROM scratch\nCOPY --from=alpine:3.22 /usr/share/zoneinfo/UTCC /x\n",
            &RULE,
        );
        let help = found.first().and_then(|found| found.help.as_deref());
        assert_eq!(help, Some("did you mean `/usr/share/zoneinfo/UTC`?"));
    }

    #[test]
    fn what_may_be_there_is_fine() {
        for text in [
            "FROM image:1 AS a\nRUN make\nFROM scratch\nCOPY --from=a /out /\n",
            "FROM image:1 AS a\nCOPY . /src\nFROM scratch\nCOPY --from=a /src/b /bin/ls /etc /\n",
            "FROM image:1 AS a\nWORKDIR /a/b\nFROM scratch\nCOPY --from=a /a /a/b /\n",
            "FROM scratch\nCOPY --from=image:1 /zzz* /\nCOPY --from=who /a /\nCOPY /a /\n",
            "FROM scratch\nCOPY --from=image:1 / /\n",
            "FROM image:1\nCOPY --from=b /x /\nFROM scratch AS b\n",
        ] {
            check_clean_on_image(&RULE, text);
        }
    }
}
