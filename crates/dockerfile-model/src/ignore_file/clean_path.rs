//! The shortest name of a path: Go's `path/filepath.Clean` on Unix.

/// Returns a path without empty components, `.` and inner `..`; the empty path becomes `.`.
pub(super) fn clean_path(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => match components.last() {
                Some(&"..") => components.push(".."),
                Some(_) => {
                    components.pop();
                }
                None if is_rooted => {}
                None => components.push(".."),
            },
            component => components.push(component),
        }
    }
    let relative = components.join("/");
    match (is_rooted, relative.is_empty()) {
        (true, _) => format!("/{relative}"),
        (false, true) => ".".to_owned(),
        (false, false) => relative,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_like_go() {
        for (path, expected) in [
            ("", "."),
            ("a", "a"),
            ("a/", "a"),
            ("./a//b/.", "a/b"),
            ("a/../b", "b"),
            ("a/..", "."),
            ("../a", "../a"),
            ("../../a/..", "../.."),
            ("/", "/"),
            ("//a", "/a"),
            ("/../a", "/a"),
            ("!../a", "!../a"),
            ("!/", "!"),
            ("a/**/", "a/**"),
        ] {
            assert_eq!(clean_path(path), expected, "{path}");
        }
    }
}
