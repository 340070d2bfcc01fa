//! A build of several stages that COPY and, where this machine can, RUN.

use std::fs;
use std::path::Path;

use crate::scratch::{Output, Scratch};

/// The context `app`: two stages on a third, with a few hundred kilobytes.
pub(crate) fn app() -> Scratch {
    let scratch = Scratch::new(&[]);
    let busybox = ["/bin/busybox", "/usr/bin/busybox"]
        .into_iter()
        .find(|path| Path::new(path).is_file());
    for number in 0..40 {
        let text = format!("{number} ").repeat(200 * (number % 7 + 1));
        scratch.write(&format!("app/data/{}/{number}.txt", number % 5), text);
    }
    let stages = "FROM tools AS left\nCOPY data/1 /left/\nCOPY data/2 /left/\nRUN_LEFT\n\
                  FROM tools AS right\nWORKDIR /right\nCOPY --chown=7:8 data /right/\nRUN_RIGHT\n\
                  FROM scratch\nCOPY --from=left /left /left\nCOPY --from=right /right /right\nCOPY data/3 /\nLABEL kind=test\n";
    let tools = "FROM scratch AS tools\nCOPY data/0 /tools/\n";
    let plain = format!("{tools}{stages}")
        .replace("RUN_LEFT\n", "")
        .replace("RUN_RIGHT\n", "");
    scratch.write("app/Dockerfile", &plain);
    if let Some(busybox) = busybox {
        scratch.write("app/busybox", fs::read(busybox).expect("read"));
        let run = format!("{tools}COPY --chmod=755 busybox /bin/sh\n{stages}")
            .replace(
                "RUN_LEFT",
                "RUN echo left > /left/made; mkdir -p /left/a/b; echo x > /left/a/b/c",
            )
            .replace(
                "RUN_RIGHT",
                "RUN cat /right/*/*.txt > /right/all; chmod 600 /right/all",
            );
        scratch.write("app/Dockerfile", run);
        if scratch.run(&["build", "-q", "app"]).code != 0 {
            scratch.write("app/Dockerfile", &plain);
        }
        let _ = fs::remove_dir_all(scratch.path("store"));
    }
    scratch
}

/// Says that a store is sound, or what is not.
pub(crate) fn assert_sound(scratch: &Scratch) {
    let output = scratch.run(&["store", "check"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
}

/// Fails in this way, with an error that has this text.
pub(crate) fn assert_fails(output: &Output, text: &str) {
    assert_eq!(output.code, 1, "{output:?}");
    assert!(
        output.stderr.contains(text),
        "no `{text}` in {}",
        output.stderr
    );
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
}
