//! The states that a regular expression is in.

/// A set of small numbers, read in ascending order.
#[derive(Clone, Debug)]
pub(super) struct StateSet {
    words: Vec<u64>,
}

impl StateSet {
    /// Returns an empty set of numbers below `len`.
    pub(super) fn new(len: usize) -> StateSet {
        StateSet {
            words: vec![0; len.div_ceil(64)],
        }
    }

    pub(super) fn insert(&mut self, state: usize) {
        if let Some(word) = self.words.get_mut(state / 64) {
            *word |= 1 << (state % 64);
        }
    }

    pub(super) fn contains(&self, state: usize) -> bool {
        self.words
            .get(state / 64)
            .is_some_and(|word| word >> (state % 64) & 1 == 1)
    }

    /// Returns the smallest number from `from` on.
    pub(super) fn next_from(&self, from: usize) -> Option<usize> {
        let mut mask = u64::MAX << (from % 64);
        for (idx, word) in self.words.iter().enumerate().skip(from / 64) {
            let rest = word & mask;
            if rest != 0 {
                return Some(idx * 64 + rest.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_numbers_in_order() {
        let mut set = StateSet::new(200);
        assert!(set.is_empty());
        for state in [130, 0, 63, 64, 199] {
            set.insert(state);
        }
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(state) = set.next_from(from) {
            found.push(state);
            from = state + 1;
        }
        assert_eq!(found, [0, 63, 64, 130, 199]);
        assert!(set.contains(199) && !set.contains(198));
        assert_eq!(set.next_from(1_000), None);
    }
}
