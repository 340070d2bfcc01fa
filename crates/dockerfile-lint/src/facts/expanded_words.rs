//! The words of an instruction that the builder expands.

use dockerfile_model::{Body, Instruction, Word};

/// Returns the words in which the builder expands variables, those of flags first; FROM is left out, for it knows
/// global variables only.
pub(crate) fn expanded_words(instruction: &Instruction) -> impl Iterator<Item = &Word> {
    let flags = instruction
        .flags
        .iter()
        .filter_map(|flag| flag.value.as_ref())
        .filter(|_| !matches!(instruction.body, Body::From(_)));
    let (words, pairs, last): (&[Word], _, Option<&Word>) = match &instruction.body {
        Body::Copy(copy) => (&copy.sources, &[][..], copy.destination.as_ref()),
        Body::Words(words) => (words, &[][..], None),
        Body::Value(value) => (&[], &[][..], value.as_ref()),
        Body::Pairs(pairs) => (&[], pairs.as_slice(), None),
        _ => (&[], &[][..], None),
    };
    let pairs = pairs
        .iter()
        .flat_map(|pair| std::iter::once(&pair.key).chain(&pair.value));
    flags.chain(words).chain(pairs).chain(last)
}
