//! Results that are not those of a step (CVE-2024-24557: Docker's classic builder took images from elsewhere for its own steps).

use std::fs;

use crate::scratch::Scratch;

const TEXT: &str = "FROM scratch\nCOPY a.txt /a.txt\nLABEL kind=test\nHEALTHCHECK CMD true\n";

fn app(content: &str) -> Scratch {
    Scratch::new(&[("app/Dockerfile", TEXT), ("app/a.txt", content)])
}

#[test]
fn an_image_from_elsewhere_is_no_result_of_a_step() {
    let evil = app("evil");
    evil.build(&["-t", "app", "-o", "type=docker,dest=evil.tar"]);
    let honest = app("good");
    let expected = honest.build(&[]);
    fs::remove_dir_all(honest.path("store")).expect("removed");
    // The same name, history and configuration; only the file is another one.
    fs::copy(evil.path("evil.tar"), honest.path("evil.tar")).expect("copied");
    let loaded = honest.run(&["load", "-i", "evil.tar"]);
    assert_eq!(loaded.code, 0, "{loaded:?}");
    let output = honest.run(&["build", "-t", "app", "-o", "out", "app"]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(!output.stderr.contains("CACHED"), "{output:?}");
    assert_eq!(honest.read("out/a.txt"), "good");
    assert_eq!(honest.build(&[]), expected);
}

#[test]
fn bases_that_differ_in_their_configuration_share_no_step_that_sees_it() {
    let scratch = app("good");
    let base = |name: &str, more: &str| {
        let text = format!("FROM scratch\nCOPY a.txt /a.txt\n{more}\n");
        scratch.write("base/Dockerfile", text);
        scratch.write("base/a.txt", "base");
        let output = scratch.run(&["build", "-q", "-t", name, "base"]);
        assert_eq!(output.code, 0, "{output:?}");
    };
    base("plain", "LABEL a=b");
    base("trigger", "ONBUILD COPY a.txt /by-trigger.txt");
    base("folder", "WORKDIR /else/where");
    for (name, path) in [
        ("plain", "b.txt"),
        ("trigger", "by-trigger.txt"),
        ("folder", "else/where/b.txt"),
    ] {
        scratch.write("app/Dockerfile", format!("FROM {name}\nCOPY a.txt b.txt\n"));
        let out = format!("out-{name}");
        let output = scratch.run(&["build", "-q", "-o", &out, "app"]);
        assert_eq!(output.code, 0, "{output:?}");
        assert_eq!(scratch.read(&format!("{out}/{path}")), "good", "{name}");
    }
}

#[test]
fn an_entry_of_the_cache_that_leads_elsewhere_leads_nowhere() {
    let scratch = app("good");
    let expected = scratch.build(&[]);
    let mut open = vec![scratch.path("store/cache")];
    let mut count = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("listed").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let text = String::from_utf8_lossy(&fs::read(&path).expect("read")).into_owned();
            if let Some(start) = text.find("tar-") {
                let end = start + 68;
                let text = format!("{}../../../app{}", &text[..start], &text[end..]);
                fs::write(&path, text).expect("written");
                count += 1;
            }
        }
    }
    assert!(count > 0, "no entry names a layer");
    assert_eq!(scratch.build(&[]), expected);
}
