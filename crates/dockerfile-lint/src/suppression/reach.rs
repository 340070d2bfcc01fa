//! Ranges that overlap, and whether a place lies in one of them: in logarithmic time, however many there are.

use dockerfile_source::{TextRange, TextSize};

/// Ranges, ends included.
#[derive(Default)]
pub(super) struct Reach {
    /// Start, and the end that reaches furthest of those that start there or before.
    ranges: Vec<(TextSize, TextSize)>,
}

impl Reach {
    pub(super) fn add(&mut self, range: TextRange) {
        self.ranges.push((range.start(), range.end()));
    }

    /// Makes ready for questions.
    pub(super) fn sort(&mut self) {
        self.ranges.sort_unstable();
        let mut furthest = TextSize::new(0);
        for (_, end) in &mut self.ranges {
            furthest = furthest.max(*end);
            *end = furthest;
        }
    }

    pub(super) fn contains(&self, place: TextSize) -> bool {
        let behind = self.ranges.partition_point(|(start, _)| *start <= place);
        behind
            .checked_sub(1)
            .and_then(|idx| self.ranges.get(idx))
            .is_some_and(|(_, end)| *end >= place)
    }
}

/// Places where findings start.
#[derive(Default)]
pub(super) struct Starts {
    places: Vec<TextSize>,
}

impl Starts {
    pub(super) fn add(&mut self, place: TextSize) {
        self.places.push(place);
    }

    /// Makes ready for questions.
    pub(super) fn sort(&mut self) {
        self.places.sort_unstable();
    }

    /// Returns whether one of the places lies in a range, its end included.
    pub(super) fn any_in(&self, range: TextRange) -> bool {
        let first = self.places.partition_point(|place| *place < range.start());
        self.places
            .get(first)
            .is_some_and(|place| *place <= range.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> TextRange {
        TextRange::new(start.into(), end.into())
    }

    #[test]
    fn a_place_lies_in_a_range_that_starts_far_before() {
        let mut reach = Reach::default();
        for (start, end) in [(20, 30), (0, 15), (2, 3)] {
            reach.add(range(start, end));
        }
        reach.sort();
        for (place, is_inside) in [
            (0, true),
            (10, true),
            (15, true),
            (16, false),
            (30, true),
            (31, false),
        ] {
            assert_eq!(reach.contains(place.into()), is_inside, "{place}");
        }
    }

    #[test]
    fn the_end_of_a_range_belongs_to_it() {
        let mut starts = Starts::default();
        starts.add(10.into());
        starts.sort();
        assert!(starts.any_in(range(5, 10)));
        assert!(starts.any_in(range(10, 12)));
        assert!(!starts.any_in(range(5, 9)));
        assert!(!starts.any_in(range(11, 12)));
    }
}
