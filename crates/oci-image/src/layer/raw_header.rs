//! The fields of one tar header block.

use super::header::BLOCK;

/// The fields of one tar header block, unjudged.
pub(super) struct RawHeader {
    pub(super) kind: u8,
    prefix: Vec<u8>,
    short_name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: i128,
    pub(super) uid: i128,
    pub(super) gid: i128,
    pub(super) size: i128,
    pub(super) modified: i128,
    pub(super) major: i128,
    pub(super) minor: i128,
}

impl RawHeader {
    /// Reads a block whose checksum must be right.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, &'static str> {
        if number(block, 148, 8)? != checksum(block) {
            return Err("a wrong checksum");
        }
        // Only POSIX archives have a prefix; GNU's have times there.
        let is_posix = block.get(257..263) == Some(b"ustar\0");
        let kind = block.get(156).copied().unwrap_or(0);
        let is_device = matches!(kind, b'3' | b'4');
        let device = |at| {
            if is_device {
                number(block, at, 8)
            } else {
                Ok(0)
            }
        };
        Ok(Self {
            kind,
            prefix: if is_posix {
                text(block, 345, 155)
            } else {
                Vec::new()
            },
            short_name: text(block, 0, 100),
            link: text(block, 157, 100),
            mode: number(block, 100, 8)?,
            uid: number(block, 108, 8)?,
            gid: number(block, 116, 8)?,
            size: number(block, 124, 12)?,
            modified: number(block, 136, 12)?,
            major: device(329)?,
            minor: device(337)?,
        })
    }

    pub(super) fn name(&self) -> Vec<u8> {
        if self.prefix.is_empty() {
            return self.short_name.clone();
        }
        [self.prefix.as_slice(), b"/", &self.short_name].concat()
    }
}

fn text(block: &[u8; BLOCK], at: usize, width: usize) -> Vec<u8> {
    let field = block.get(at..at + width).unwrap_or(&[]);
    field
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or(&[])
        .to_vec()
}

/// Reads octal digits, or the base-256 form of GNU, which can be negative.
fn number(block: &[u8; BLOCK], at: usize, width: usize) -> Result<i128, &'static str> {
    let field = block.get(at..at + width).unwrap_or(&[]);
    if let Some((&first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        let start = if first & 0x40 == 0 {
            i128::from(first & 0x3f)
        } else {
            i128::from(first) - 256
        };
        return Ok(rest
            .iter()
            .fold(start, |sum, &byte| (sum << 8) | i128::from(byte)));
    }
    let digits = field.trim_ascii_start();
    let end = digits
        .iter()
        .position(|byte| matches!(byte, 0 | b' '))
        .unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return Err("a number with other letters");
    }
    let mut sum = 0;
    for digit in digits {
        match digit {
            b'0'..=b'7' => sum = sum * 8 + i128::from(digit - b'0'),
            _ => return Err("a number that is not octal"),
        }
    }
    Ok(sum)
}

fn checksum(block: &[u8; BLOCK]) -> i128 {
    let bytes = block.iter().enumerate();
    bytes
        .map(|(at, &byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                i128::from(byte)
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_negative_base_256() {
        let mut block = [0; BLOCK];
        block[124..136].fill(0xff);
        assert_eq!(number(&block, 124, 12), Ok(-1));
        block[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(number(&block, 124, 12), Ok(1 << 33));
    }

    #[test]
    fn refuses_digits_behind_a_gap() {
        let mut block = [0; BLOCK];
        block[100..108].copy_from_slice(b"0644 7\0\0");
        assert!(number(&block, 100, 8).is_err());
    }
}
