//! No text makes a part of the model panic.

use std::collections::BTreeMap;

use dockerfile_model::expansion::{Escapes, Expander, Quotes, UnsetVariables};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn expansion_takes_any_word(
        word in r#"([$\{\}:\-+?#%/*\\`'"\n aX_0é]|\$\{X[:\-/#%?+]){0,40}"#,
        value in r"[ab/*\n\\é$]{0,20}",
        options in 0..12_u8,
    ) {
        let environment = BTreeMap::from([("X".to_owned(), value)]);
        let escape = if options % 2 == 0 { '\\' } else { '`' };
        let mut expander = Expander::new(escape, &environment);
        if options % 3 == 1 {
            expander.unset = UnsetVariables::Keep;
        }
        match options / 4 {
            0 => {}
            1 => expander.quotes = Quotes::Ordinary,
            _ => {
                expander.quotes = Quotes::Keep;
                expander.escapes = Escapes::Keep;
            }
        }
        let expanded = expander.expand_word(&word);
        let words = expander.expand_words(&word);
        prop_assert_eq!(expanded.is_ok(), words.is_ok());
        match expanded {
            Ok(expansion) => for found in expansion.variables {
                prop_assert!(word[found.range].starts_with('$'));
            },
            Err(error) => prop_assert!(word.get(std::ops::Range::<usize>::from(error.range)).is_some()),
        }
    }
}
