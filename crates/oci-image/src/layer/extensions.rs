//! What PAX records and GNU's long names add to the header that follows them.

use super::Timestamp;
use super::entry::CAPABILITY;
use super::header::PAX_XATTR;

/// `maxSpecialFileSize` of Go's reader.
pub(super) const MAX_EXTENSION: u64 = 1 << 20;

/// What stands before a header and replaces its fields.
#[derive(Default)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) modified: Option<Timestamp>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    seen: Vec<u8>,
}

impl Extensions {
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Adds an extended header. PAX and GNU's form at once, or one form twice, mean different things to different readers.
    pub(super) fn add(&mut self, kind: u8, data: Vec<u8>) -> Result<(), &'static str> {
        if kind == b'g' {
            return check_global(&data);
        }
        let is_pax = |kind: &u8| *kind == b'x';
        if self.seen.contains(&kind) || self.seen.iter().any(|seen| is_pax(seen) != is_pax(&kind)) {
            return Err("extended headers that contradict each other");
        }
        self.seen.push(kind);
        match kind {
            b'L' => self.path = Some(until_nul(data)),
            b'K' => self.link = Some(until_nul(data)),
            _ => {
                for_each_record(&data, |key, value| self.record(key, value))?;
            }
        }
        Ok(())
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        if let Some(name) = key.strip_prefix(PAX_XATTR.as_bytes()) {
            // All others are dropped: BuildKit's layers have none, and `trusted.overlay.*` or `user.overlay.*` would
            // redirect directories of the snapshot.
            if name == CAPABILITY {
                self.xattrs = vec![(name.to_vec(), value.to_vec())];
            }
            return Ok(());
        }
        if key.starts_with(b"GNU.sparse.") {
            return Err("a sparse file, which layers do not have");
        }
        // An empty value takes a record back.
        let is_set = !value.is_empty();
        match key {
            b"path" => self.path = is_set.then(|| value.to_vec()),
            b"linkpath" => self.link = is_set.then(|| value.to_vec()),
            b"size" => self.size = optional(is_set, value)?,
            b"uid" => self.uid = optional(is_set, value)?,
            b"gid" => self.gid = optional(is_set, value)?,
            b"mtime" if is_set => {
                self.modified = Some(timestamp(value).ok_or("a time that is no number")?);
            }
            b"mtime" => self.modified = None,
            _ => {}
        }
        Ok(())
    }
}

fn optional(is_set: bool, value: &[u8]) -> Result<Option<u64>, &'static str> {
    if is_set {
        decimal(value)
            .map(Some)
            .ok_or("a PAX record that is no number")
    } else {
        Ok(None)
    }
}

fn until_nul(mut data: Vec<u8>) -> Vec<u8> {
    let end = data
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(data.len());
    data.truncate(end);
    data
}

/// A global header may hold a comment, as git's archives have, but nothing that changes the entries after it.
fn check_global(data: &[u8]) -> Result<(), &'static str> {
    for_each_record(data, |key, _| match key {
        b"path" | b"linkpath" | b"size" | b"uid" | b"gid" => {
            Err("a global header that changes all entries")
        }
        _ => Ok(()),
    })
}

fn for_each_record(
    mut data: &[u8],
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    const BROKEN: &str = "a broken PAX record";
    while !data.is_empty() {
        let space = data
            .iter()
            .take(20)
            .position(|&byte| byte == b' ')
            .ok_or(BROKEN)?;
        let length = data
            .get(..space)
            .and_then(decimal)
            .and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|&length| length > space + 1).ok_or(BROKEN)?;
        let (record, rest) = data.split_at_checked(length).ok_or(BROKEN)?;
        let body = record
            .get(space + 1..)
            .and_then(|body| body.strip_suffix(b"\n"))
            .ok_or(BROKEN)?;
        let equals = body
            .iter()
            .position(|&byte| byte == b'=')
            .filter(|&at| at > 0)
            .ok_or(BROKEN)?;
        let (key, value) = body.split_at(equals);
        visit(key, value.get(1..).unwrap_or(&[]))?;
        data = rest;
    }
    Ok(())
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let digit = |sum: u64, digit: &u8| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u64::from(digit - b'0'))
    };
    digits.iter().try_fold(0, digit)
}

/// Reads `-12.5`, which is twelve and a half seconds before 1970.
fn timestamp(value: &[u8]) -> Option<Timestamp> {
    let (is_negative, value) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let mut parts = value.splitn(2, |&byte| byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let fraction = parts.next().unwrap_or(&[]);
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(9);
    let nanos = digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Some(match (is_negative, nanos) {
        (false, _) => Timestamp { seconds, nanos },
        (true, 0) => Timestamp::seconds(-seconds),
        (true, _) => Timestamp {
            seconds: -seconds - 1,
            nanos: 1_000_000_000 - nanos,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_before_1970() {
        assert_eq!(
            timestamp(b"-1.25"),
            Some(Timestamp {
                seconds: -2,
                nanos: 750_000_000
            })
        );
        assert_eq!(
            timestamp(b"12.0000000019"),
            Some(Timestamp {
                seconds: 12,
                nanos: 1
            })
        );
        assert_eq!(timestamp(b"1e9"), None);
    }

    #[test]
    fn refuses_a_record_whose_length_lies() {
        for data in [
            "99 path=a\n",
            "10 path=ab",
            "3 \n",
            "x path=a\n",
            "9 =aaaaa\n",
        ] {
            assert!(
                for_each_record(data.as_bytes(), |_, _| Ok(())).is_err(),
                "{data}"
            );
        }
    }
}
