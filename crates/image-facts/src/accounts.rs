//! The names in `/etc/passwd` and `/etc/group`.

use dockerfile_model::{AccountNames, SmolStr};

/// A longer file is not read.
pub(crate) const MOST_BYTES: u64 = 1 << 20;

/// Returns the names in the text of `/etc/passwd` or `/etc/group`.
pub(crate) fn names(bytes: &[u8]) -> AccountNames {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return AccountNames::Unknown;
    };
    let mut names = Vec::new();
    for line in text.lines() {
        let name = line.split(':').next().unwrap_or_default().trim();
        // `+` and `-` take names from elsewhere (nsswitch.conf(5), "compat").
        if name.starts_with(['+', '-']) {
            return AccountNames::Unknown;
        }
        if !name.is_empty() && !name.starts_with('#') {
            names.push(SmolStr::new(name));
        }
    }
    names.sort_unstable();
    names.dedup();
    AccountNames::Known(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_gives_up_on_what_it_does_not_know() {
        let known = |names: &[&str]| {
            AccountNames::Known(names.iter().map(|name| SmolStr::new(*name)).collect())
        };
        assert_eq!(
            names(b"root:x:0:0::/root:/bin/sh\n\n# a\napp:x:1\nroot:x\n"),
            known(&["app", "root"])
        );
        assert_eq!(names(b""), known(&[]));
        assert_eq!(names(b"root:x\n+::::::\n"), AccountNames::Unknown);
        assert_eq!(names(b"\xff:x"), AccountNames::Unknown);
    }
}
