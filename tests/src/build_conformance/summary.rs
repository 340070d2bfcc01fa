//! The counts at the end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::case::Case;
use crate::judge::{Aspect, DiffIds, Difference};

#[derive(Default, Clone, Copy)]
struct Count {
    good: usize,
    all: usize,
}

#[derive(Default)]
pub(crate) struct Summary {
    cases: Count,
    listed: usize,
    by_tag: BTreeMap<String, Count>,
    by_aspect: BTreeMap<Aspect, usize>,
    diff_ids: DiffIds,
    skipped: BTreeMap<String, usize>,
}

impl Summary {
    pub(crate) fn skipped(&mut self, _case: &Case, why: &str) {
        *self.skipped.entry(why.to_owned()).or_default() += 1;
    }

    pub(crate) fn ran(
        &mut self,
        case: &Case,
        differences: &[Difference],
        good: bool,
        listed: bool,
        diff_ids: DiffIds,
    ) {
        for tag in tags(case) {
            count(self.by_tag.entry(tag).or_default(), good);
        }
        count(&mut self.cases, good);
        self.listed += usize::from(listed);
        for aspect in Aspect::ALL {
            let differs = differences.iter().any(|d| d.aspect == aspect);
            *self.by_aspect.entry(aspect).or_default() += usize::from(differs);
        }
        self.diff_ids.equal += diff_ids.equal;
        self.diff_ids.all += diff_ids.all;
    }

    pub(crate) fn is_good(&self) -> bool {
        self.cases.good == self.cases.all
    }

    /// Returns the counts for `cargo xtask compare --builds`.
    pub(crate) fn to_json(&self, set: &str) -> Value {
        let by_tag = self.by_tag.iter();
        let by_tag = by_tag.map(|(tag, count)| (tag.clone(), json!([count.good, count.all])));
        json!({
            "set": set,
            "cases": self.cases.all,
            "good": self.cases.good,
            "listed": self.listed,
            "skipped": self.skipped.values().sum::<usize>(),
            "by_tag": by_tag.collect::<serde_json::Map<_, _>>(),
            "layers": [self.diff_ids.equal, self.diff_ids.all],
        })
    }

    pub(crate) fn print(&self, set: &str) {
        for (why, count) in &self.skipped {
            println!("SKIPPED: {count} {set} cases: {why}");
        }
        let Count { good, all } = self.cases;
        println!(
            "{set}: {good} of {all} cases as expected ({} with a listed difference)",
            self.listed
        );
        let tags: Vec<String> = self
            .by_tag
            .iter()
            .map(|(tag, count)| format!("{tag} {}/{}", count.good, count.all))
            .collect();
        println!("  by tag: {}", tags.join(", "));
        let aspects: Vec<String> = self
            .by_aspect
            .iter()
            .map(|(aspect, count)| format!("{aspect} {count}"))
            .collect();
        println!("  differ in: {}", aspects.join(", "));
        println!(
            "  layers with the reference's very bytes: {} of {}",
            self.diff_ids.equal, self.diff_ids.all
        );
    }
}

/// Returns the tags of the case, and those that follow from its description.
fn tags(case: &Case) -> Vec<String> {
    let description = &case.description;
    let mut tags = description.tags.clone();
    tags.push(if case.must_fail() { "fails" } else { "builds" }.to_owned());
    tags.push(
        if description.needs_run {
            "run"
        } else {
            "no-run"
        }
        .to_owned(),
    );
    // The shared set says in the name where a case is from.
    let origins = ["buildah-", "own-"];
    let origin = origins.iter().find(|origin| case.name.starts_with(*origin));
    tags.extend(origin.map(|origin| origin.trim_end_matches('-').to_owned()));
    tags
}

fn count(count: &mut Count, good: bool) {
    count.good += usize::from(good);
    count.all += 1;
}
