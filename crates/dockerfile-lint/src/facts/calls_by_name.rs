//! The calls of programs, found by name: a rule about `wget` need not pass by every other call.

use rustc_hash::FxHashMap;

use super::program_call::ProgramCall;

/// Stands for the end of a chain.
const NONE: u32 = u32::MAX;

/// Names to the places of their calls.
#[derive(Debug)]
pub(crate) struct CallsByName<'m> {
    /// The first and the last call of each name.
    ends: FxHashMap<&'m str, (u32, u32)>,
    /// For each call, the next one of its name.
    next: Vec<u32>,
}

impl<'m> CallsByName<'m> {
    pub(crate) fn new(calls: &[ProgramCall<'m>]) -> CallsByName<'m> {
        let mut ends: FxHashMap<&str, (u32, u32)> = FxHashMap::default();
        let mut next = vec![NONE; calls.len()];
        for (at, call) in calls.iter().enumerate() {
            let at = at as u32;
            let (_, last) = ends.entry(call.called.name).or_insert((at, at));
            if *last != at
                && let Some(slot) = next.get_mut(*last as usize)
            {
                *slot = at;
            }
            *last = at;
        }
        CallsByName { ends, next }
    }

    /// Returns the places of the calls of these programs, in the order of the file.
    pub(crate) fn of(&self, names: &[&str]) -> Vec<u32> {
        let found = names.iter().filter_map(|name| self.ends.get(name));
        self.places(found)
    }

    /// Returns the places of the calls of all programs with such a name, in the order of the file.
    pub(crate) fn of_names(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let found = self.ends.iter().filter(|(name, _)| is_wanted(name));
        self.places(found.map(|(_, ends)| ends))
    }

    fn places<'s>(&self, found: impl Iterator<Item = &'s (u32, u32)>) -> Vec<u32> {
        let mut places = Vec::new();
        for (first, _) in found {
            let mut at = *first;
            while let Some(next) = self.next.get(at as usize) {
                places.push(at);
                at = *next;
            }
        }
        places.sort_unstable();
        places
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_model::{Model, ModelInput};

    use super::*;
    use crate::facts::program_call::commands;

    #[test]
    fn calls_of_several_names_keep_the_order_of_the_file() {
        let parse = dockerfile_syntax::parse("FROM a:1\nRUN b; c; b; sudo d; c; b\n");
        let model = Model::new(&parse, &ModelInput::default());
        let by_name = CallsByName::new(&commands(&model).calls);
        assert_eq!(by_name.of(&["c", "b"]), [0, 1, 2, 4, 5]);
        assert_eq!(by_name.of(&["sudo", "x"]), []);
        assert_eq!(by_name.of_names(|name| name > "b"), [1, 3, 4]);
    }
}
