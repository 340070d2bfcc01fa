//! A bound on the work that one word may cause.

/// Counts down while an expansion copies and compares.
///
/// A few bytes of `${X//a/$X}` can ask for more text than a machine holds, and `?` next to `*` in a pattern for more
/// comparisons than a person waits for.
#[derive(Debug)]
pub(super) struct Budget {
    granted: usize,
    work: usize,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Budget {
    pub(super) fn new(work: usize) -> Budget {
        Budget {
            granted: work,
            work,
        }
    }

    pub(super) fn spent(&self) -> usize {
        self.granted - self.work
    }

    pub(super) fn spend(&mut self, amount: usize) -> Result<(), Exhausted> {
        let rest = self.work.checked_sub(amount);
        self.work = rest.unwrap_or(0);
        rest.map(|_| ()).ok_or(Exhausted)
    }
}
