//! Where here-documents may end, for files in which many have no end: looking through the rest of the file for each of
//! them would take quadratic time.

use rustc_hash::FxHashMap;

use crate::logical_line::physical_line;

/// The lines of a text by what they hold. Made when the first here-document without an end is found.
pub(super) struct HeredocEnds<'s> {
    /// Where lines start, ascending.
    exact: FxHashMap<&'s str, Vec<usize>>,
    /// The same for what is left of lines that start with tabs.
    behind_tabs: FxHashMap<&'s str, Vec<usize>>,
}

impl<'s> HeredocEnds<'s> {
    /// Reads the lines from `start` on.
    pub(super) fn new(source: &'s str, start: usize) -> HeredocEnds<'s> {
        let mut ends = HeredocEnds {
            exact: FxHashMap::default(),
            behind_tabs: FxHashMap::default(),
        };
        let mut position = start;
        while let Some(line) = physical_line(source, position) {
            let content = source.get(line.start..line.content_end).unwrap_or("");
            ends.exact.entry(content).or_default().push(line.start);
            let rest = content.trim_start_matches('\t');
            if rest.len() < content.len() {
                ends.behind_tabs.entry(rest).or_default().push(line.start);
            }
            position = line.next;
        }
        ends
    }

    /// Returns where the first line at or behind `start` starts that ends a here-document.
    pub(super) fn first(&self, name: &str, strips_tabs: bool, start: usize) -> Option<usize> {
        let first_of = |lines: &FxHashMap<&str, Vec<usize>>| {
            let lines = lines.get(name)?;
            lines
                .get(lines.partition_point(|line| *line < start))
                .copied()
        };
        let exact = first_of(&self.exact);
        if !strips_tabs {
            return exact;
        }
        match (exact, first_of(&self.behind_tabs)) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        }
    }
}
