//! Names of users and groups, from the image's own /etc/passwd and /etc/group.
//!
//! The files are the image's, so they are read with bounds (CVE-2024-9676), and numbers that do not fit are errors rather than
//! another user (CVE-2024-40635).

use super::CopyError;

/// Longer lines are skipped, and what is behind this much of a file is not read.
const MAX_LINE: usize = 1 << 20;
const MAX_FILE: usize = 16 << 20;
/// The largest id that the kernel gives to anybody; the next one means "no change".
const MAX_ID: u32 = u32::MAX - 1;
/// As many groups as the kernel takes (`NGROUPS_MAX`).
const MAX_GROUPS: usize = 65_536;

/// Who runs a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunUser {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups, ascending.
    pub groups: Vec<u32>,
    /// The home directory, where the user is known.
    pub home: Option<String>,
}

struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// Returns the ids of `--chown`: `USER[:GROUP]`. As in BuildKit, a name that is not known is 0, and the group of a number is the same
/// number.
pub fn chown_ids(spec: &str, passwd: &[u8], group: &[u8]) -> Result<(u32, u32), CopyError> {
    let (user, group_name) = match spec.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (spec, None),
    };
    let (uid, own_gid) = match number(user)? {
        Some(uid) => (uid, uid),
        None => users(passwd)
            .find(|found| found.name == user)
            .map_or((0, 0), |found| (found.uid, found.gid)),
    };
    let gid = match group_name.filter(|name| !name.is_empty()) {
        None => own_gid,
        Some(name) => match number(name)? {
            Some(gid) => gid,
            None => groups(group)
                .find(|(found, ..)| *found == name)
                .map_or(0, |(_, gid, _)| gid),
        },
    };
    Ok((uid, gid))
}

/// Returns who runs a command after `USER spec`: names must be known; a number need not be.
pub fn run_user(spec: &str, passwd: &[u8], group: &[u8]) -> Result<RunUser, CopyError> {
    let (user, group_name) = match spec.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (spec, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let uid = number(user)?;
    let found = match uid {
        Some(uid) => users(passwd).find(|found| found.uid == uid),
        None => users(passwd).find(|found| found.name == user),
    };
    let uid = match (uid, &found) {
        (Some(uid), _) => uid,
        (None, Some(found)) => found.uid,
        (None, None) => {
            return Err(CopyError::UnknownUser {
                name: user.to_owned(),
            });
        }
    };
    let gid = match group_name.filter(|name| !name.is_empty()) {
        None => found.as_ref().map_or(0, |found| found.gid),
        Some(name) => group_id(name, group)?,
    };
    let mut supplementary = Vec::new();
    // A group that is asked for is the only one (moby/sys/user `GetExecUser`).
    if let (Some(found), None) = (&found, group_name) {
        let of_user = groups(group)
            .filter(|(.., members)| members.split(',').any(|member| member == found.name));
        supplementary = of_user.map(|(_, gid, _)| gid).take(MAX_GROUPS).collect();
        supplementary.sort_unstable();
        supplementary.dedup();
    }
    let home = found
        .map(|found| found.home.to_owned())
        .filter(|home| !home.is_empty());
    Ok(RunUser {
        uid,
        gid,
        groups: supplementary,
        home,
    })
}

/// Returns the id of a group that must be known.
fn group_id(name: &str, group: &[u8]) -> Result<u32, CopyError> {
    if let Some(gid) = number(name)? {
        return Ok(gid);
    }
    let mut found = groups(group).filter(|(found, ..)| *found == name);
    let unknown = || CopyError::UnknownGroup {
        name: name.to_owned(),
    };
    found.next().map(|(_, gid, _)| gid).ok_or_else(unknown)
}

/// Reads an id; `None` for a name.
fn number(text: &str) -> Result<Option<u32>, CopyError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Ok(None);
    }
    let id = text.parse().ok().filter(|id| *id <= MAX_ID);
    id.map(Some).ok_or_else(|| CopyError::BadId {
        id: text.to_owned(),
    })
}

fn lines(file: &[u8]) -> impl Iterator<Item = &str> {
    let file = file.get(..file.len().min(MAX_FILE)).unwrap_or_default();
    let lines = file
        .split(|&byte| byte == b'\n')
        .filter(|line| line.len() <= MAX_LINE);
    lines
        .filter_map(|line| std::str::from_utf8(line).ok())
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

fn users(passwd: &[u8]) -> impl Iterator<Item = User<'_>> {
    lines(passwd).filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(User {
            name,
            uid,
            gid,
            home: fields.nth(1).unwrap_or(""),
        })
    })
}

/// Returns name, id and members of each group.
fn groups(group: &[u8]) -> impl Iterator<Item = (&str, u32, &str)> {
    lines(group).filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some((name, gid, fields.next().unwrap_or("")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] =
        b"root:x:0:0:root:/root:/bin/sh\napp:x:1234:2345::/app:/bin/sh\nbroken:x:zz:1::/:\n";
    const GROUP: &[u8] = b"root:x:0:\ngrp:x:3456:app,other\nwheel:x:10:root,app\n";

    #[test]
    fn chown_reads_names_and_numbers() {
        for (spec, ids) in [
            ("app", (1234, 2345)),
            ("app:grp", (1234, 3456)),
            (":grp", (0, 3456)),
            ("app:77", (1234, 77)),
            ("66:grp", (66, 3456)),
            ("55", (55, 55)),
            ("nosuch", (0, 0)),
            ("nosuch:nosuch", (0, 0)),
            ("broken", (0, 0)),
        ] {
            assert_eq!(chown_ids(spec, PASSWD, GROUP).unwrap(), ids, "{spec}");
        }
    }

    #[test]
    fn refuses_ids_that_are_out_of_range() {
        for spec in [
            "4294967295",
            "4294967296",
            "0:4294967295",
            "99999999999999999999",
            "-1",
            "1:-1",
        ] {
            assert!(chown_ids(spec, PASSWD, GROUP).is_err(), "{spec}");
            assert!(run_user(spec, PASSWD, GROUP).is_err(), "{spec}");
        }
    }

    #[test]
    fn user_of_a_command_has_its_groups() {
        let app = run_user("app", PASSWD, GROUP).unwrap();
        assert_eq!(
            app,
            RunUser {
                uid: 1234,
                gid: 2345,
                groups: vec![10, 3456],
                home: Some("/app".to_owned())
            }
        );
        assert_eq!(run_user("1234", PASSWD, GROUP).unwrap(), app);
        assert_eq!(
            run_user("app:grp", PASSWD, GROUP).unwrap().groups,
            [] as [u32; 0]
        );
        assert_eq!(
            run_user("7:8", PASSWD, GROUP).unwrap(),
            RunUser {
                uid: 7,
                gid: 8,
                ..RunUser::default()
            }
        );
        assert_eq!(run_user("7", PASSWD, GROUP).unwrap().gid, 0);
        assert!(run_user("nosuch", PASSWD, GROUP).is_err());
        assert!(run_user("app:nosuch", PASSWD, GROUP).is_err());
    }

    #[test]
    fn reads_endless_lines_with_a_bound() {
        let mut passwd = b"x".repeat(MAX_LINE + 1);
        passwd.extend_from_slice(b":x:1:1::/:\napp:x:5:6::/:\n");
        assert_eq!(chown_ids("app", &passwd, b"").unwrap(), (5, 6));
        let passwd = [b"\n".repeat(MAX_FILE), b"app:x:5:6::/:\n".to_vec()].concat();
        assert_eq!(chown_ids("app", &passwd, b"").unwrap(), (0, 0));
    }
}
