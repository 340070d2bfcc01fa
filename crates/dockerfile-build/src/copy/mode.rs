//! `--chmod`: octal, or symbolic as in chmod(1) (tonistiigi/dchapes-mode with umask 0).

use super::CopyError;

const PERMISSIONS: u32 = 0o777;
const STICKY: u32 = 0o1000;
const SET_IDS: u32 = 0o6000;
const EXECUTE: u32 = 0o111;

/// A mode to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileMode {
    Octal(u32),
    Symbolic(Vec<Change>),
}

/// One operation of a symbolic mode, such as `u+x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The bits of the classes that are meant, with set-id and sticky bits where they count.
    who: u32,
    operator: u8,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Bits(u32),
    /// `X`: executable if it is for somebody already, or a directory.
    ConditionalExecute,
    /// `u`, `g` or `o`: how far its bits are from the right.
    CopyOf(u32),
}

impl FileMode {
    /// Reads a mode.
    pub fn parse(text: &str) -> Result<FileMode, CopyError> {
        let bad = || CopyError::BadMode {
            mode: text.to_owned(),
        };
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let is_octal = text.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
            let mode = u32::from_str_radix(text, 8)
                .ok()
                .filter(|mode| is_octal && *mode <= 0o7777);
            return mode.map(FileMode::Octal).ok_or_else(bad);
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            read_clause(clause.as_bytes(), &mut changes).ok_or_else(bad)?;
        }
        Ok(FileMode::Symbolic(changes))
    }

    /// Returns the mode of a file that has the mode `old`.
    pub fn apply(&self, old: u32, is_directory: bool) -> u32 {
        match self {
            FileMode::Octal(mode) => *mode,
            FileMode::Symbolic(changes) => {
                let may_execute = is_directory || old & EXECUTE != 0;
                changes
                    .iter()
                    .fold(old & 0o7777, |mode, change| change.apply(mode, may_execute))
            }
        }
    }

    /// Returns the mode of directories that are made on the way. A symbolic mode says nothing about them.
    pub fn of_new_directory(&self) -> u32 {
        match self {
            // Go's Mkdir takes no other bits from a number.
            FileMode::Octal(mode) => mode & PERMISSIONS,
            FileMode::Symbolic(_) => 0o755,
        }
    }
}

/// Reads what stands between two commas: classes, then operators, each with permissions.
fn read_clause(clause: &[u8], changes: &mut Vec<Change>) -> Option<()> {
    let classes = clause
        .iter()
        .take_while(|letter| b"augo".contains(letter))
        .count();
    let (classes, mut rest) = clause.split_at_checked(classes)?;
    let who = classes
        .iter()
        .fold(0, |who, class| who | class_bits(*class));
    let mut has_operator = false;
    while let Some((operator, behind)) = rest.split_first() {
        if !b"+-=".contains(operator) {
            return None;
        }
        has_operator = true;
        let length = behind
            .iter()
            .take_while(|letter| b"rwxXstugo".contains(letter))
            .count();
        let (permissions, behind) = behind.split_at_checked(length)?;
        push_changes(who, *operator, permissions, changes);
        rest = behind;
    }
    has_operator.then_some(())
}

fn class_bits(class: u8) -> u32 {
    match class {
        b'u' => 0o4700,
        b'g' => 0o2070,
        b'o' => 0o007,
        _ => SET_IDS | PERMISSIONS,
    }
}

fn push_changes(who: u32, operator: u8, permissions: &[u8], changes: &mut Vec<Change>) {
    // For others alone there are no set-id bits and no sticky bit.
    let may_be_special = who == 0 || who & !0o007 != 0;
    let mut meant = if who == 0 { SET_IDS | PERMISSIONS } else { who };
    let mut bits = 0;
    let mut is_conditional = false;
    let mut copies = Vec::new();
    for permission in permissions {
        match permission {
            b'r' => bits |= 0o444,
            b'w' => bits |= 0o222,
            b'x' => bits |= EXECUTE,
            b's' if may_be_special => bits |= SET_IDS,
            b't' if may_be_special => {
                bits |= STICKY;
                meant |= STICKY;
            }
            b'X' => is_conditional |= operator == b'+',
            b'u' => copies.push(6),
            b'g' => copies.push(3),
            b'o' => copies.push(0),
            _ => {}
        }
    }
    let mut push = |operator, what| {
        changes.push(Change {
            who: meant,
            operator,
            what,
        });
    };
    if bits != 0 || (operator == b'=' && copies.is_empty()) {
        push(operator, What::Bits(bits));
    }
    if is_conditional {
        push(b'+', What::ConditionalExecute);
    }
    for shift in copies {
        push(operator, What::CopyOf(shift));
    }
}

impl Change {
    fn apply(self, mode: u32, may_execute: bool) -> u32 {
        let (bits, cleared) = match self.what {
            What::Bits(bits) => (bits & self.who, self.who),
            What::ConditionalExecute if may_execute => (EXECUTE & self.who, 0),
            What::ConditionalExecute => (0, 0),
            What::CopyOf(shift) => {
                let class = (mode >> shift) & 0o7;
                ((class * EXECUTE) & self.who, self.who & PERMISSIONS)
            }
        };
        match self.operator {
            b'+' => mode | bits,
            b'-' => mode & !bits,
            _ => (mode & !cleared) | bits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str, old: u32, is_directory: bool) -> u32 {
        FileMode::parse(text).unwrap().apply(old, is_directory)
    }

    #[test]
    fn reads_octal_modes() {
        assert_eq!(applied("4711", 0o644, false), 0o4711);
        for bad in ["", "8", "77777", "0o7", "10000", "7_7", "+7", "755x"] {
            assert!(FileMode::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_symbolic_modes_as_chmod_does() {
        for (text, old, new) in [
            ("u+x", 0o644, 0o744),
            ("go-w", 0o666, 0o644),
            ("a=r", 0o755, 0o444),
            ("=rw,+X", 0o755, 0o777),
            ("+X", 0o644, 0o644),
            ("u=rwx,go=u-w", 0o600, 0o755),
            ("go=", 0o777, 0o700),
            ("u+s,g+s,+t", 0o755, 0o7755),
            ("o+t", 0o755, 0o755),
            ("a-x,u+x", 0o755, 0o744),
            ("u-s", 0o4755, 0o755),
            ("g=u", 0o740, 0o770),
            ("ug+rw-x", 0o711, 0o661),
        ] {
            assert_eq!(
                applied(text, old, false),
                new,
                "{text} on {old:o} gives {:o}",
                applied(text, old, false)
            );
        }
        assert_eq!(applied("+X", 0o644, true), 0o755);
    }

    #[test]
    fn refuses_what_chmod_does_not_know() {
        for bad in ["u+q", "u", "rw", "u+x,", "+r,,+w", "u*x", "ü+x", "u+1"] {
            assert!(FileMode::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn directories_on_the_way_get_plain_permissions_only() {
        assert_eq!(FileMode::parse("1777").unwrap().of_new_directory(), 0o777);
        assert_eq!(FileMode::parse("u+x").unwrap().of_new_directory(), 0o755);
    }
}
