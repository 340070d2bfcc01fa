//! File capabilities, which Linux keeps in three revisions (`linux/capability.h`).

const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;
const REVISION_MASK: u32 = 0xff00_0000;
const LENGTH_2: usize = 20;
const LENGTH_3: usize = 24;

/// Returns the value to be set on a file. In a user namespace the kernel makes revision 3, with the namespace's root, of
/// revision 2 by itself; a revision 3 of the image for its own root is brought back to revision 2 before.
pub(super) fn for_disk(value: &[u8], is_rootless: bool) -> Vec<u8> {
    if is_rootless {
        without_root(value)
    } else {
        value.to_vec()
    }
}

/// Returns the value as a layer has it: without the root of the namespace that it was set in.
pub(super) fn for_layer(value: &[u8], is_rootless: bool) -> Vec<u8> {
    for_disk(value, is_rootless)
}

fn without_root(value: &[u8]) -> Vec<u8> {
    let magic = value
        .first_chunk::<4>()
        .map(|magic| u32::from_le_bytes(*magic));
    match (magic, value.len()) {
        (Some(magic), LENGTH_3) if magic & REVISION_MASK == REVISION_3 => {
            let magic = (magic & !REVISION_MASK) | REVISION_2;
            let sets = value.get(4..LENGTH_2).unwrap_or(&[]);
            [&magic.to_le_bytes(), sets].concat()
        }
        _ => value.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revision_3_becomes_revision_2_when_rootless() {
        let mut value = [0_u8; LENGTH_3];
        value[..4].copy_from_slice(&(REVISION_3 | 1).to_le_bytes());
        value[5] = 4;
        let short = for_disk(&value, true);
        assert_eq!(short.len(), LENGTH_2);
        assert_eq!(short[..6], [1, 0, 0, 2, 0, 4]);
        assert_eq!(for_disk(&value, false), value);
    }
}
