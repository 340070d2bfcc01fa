//! No text makes a part of the model panic.

use std::collections::BTreeMap;

use dockerfile_model::expansion::{Escapes, Expander, Quotes, UnsetVariables};
use dockerfile_model::image_ref::ImageRefParts;
use dockerfile_model::{IgnoreFile, ImageRef, go_match};
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

    #[test]
    fn image_ref_takes_any_text(text in r"([a-zA/.:@$\{\}\[\]_-]|sha256:|é|//|localhost){0,20}") {
        ImageRefParts::split(&text);
        match ImageRef::parse(&text) {
            Ok(image) => {
                let again = ImageRef::parse(&image.canonical());
                prop_assert_eq!(again.map(|again| again.canonical()), Ok(image.canonical()));
                let again = ImageRef::parse(&image.familiar());
                prop_assert_eq!(again.map(|again| again.canonical()), Ok(image.canonical()));
            }
            Err(error) => prop_assert!(text.get(std::ops::Range::<usize>::from(error.range)).is_some()),
        }
    }

    #[test]
    fn ignore_file_takes_any_text(
        text in r"([ab/.*?!#\[\]^\\dxQ \n\r-]|\*\*|é|\[:alpha:\]|\xEF){0,20}",
        path in r"[ab/.x5é\[-]{0,12}",
    ) {
        match IgnoreFile::parse(&text) {
            Ok(file) => {
                file.is_ignored(&path);
                for pattern in file.patterns() {
                    prop_assert!(go_match(&pattern.pattern, &path).is_ok());
                    prop_assert!(text.get(std::ops::Range::<usize>::from(pattern.range)).is_some());
                }
            }
            Err(error) => prop_assert!(text.get(std::ops::Range::<usize>::from(error.range)).is_some()),
        }
    }

    #[test]
    fn duration_takes_any_text(text in r"([0-9.+-]|ns|us|µs|ms|s|m|h|9999999|é){0,12}") {
        let _ = dockerfile_syntax::parse_go_duration(&text);
    }
}
