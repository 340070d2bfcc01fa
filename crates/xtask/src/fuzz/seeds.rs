//! The files that are broken.

use std::fs;

/// Longer files make the inputs fewer, not better.
const LONGEST: usize = 8_000;

/// Files that use much of both languages, for a run without the corpus.
const BUILT_IN: &[&str] = &[
    "# syntax=docker/dockerfile:1\n# escape=\\\nARG V=1\nFROM --platform=$BUILDPLATFORM alpine:${V} AS base\n\
     RUN --mount=type=cache,target=/c apk add --no-cache \\\n    # why\n    curl \\\n\n    git && \\\n    rm -rf /tmp/*\n",
    "FROM a:1\nSHELL [\"bash\", \"-c\"]\nRUN <<EOF\nset -e\nfor f in *; do\n  [[ $f =~ (a|b) ]] && echo \"${f%%.*}\" `id`\ndone\nEOF\n\
     COPY <<-'E' /x\n\ttext $V\n\tE\n",
    "FROM b AS c\nENV A=1 B=\"x y\" C='z'\nENV old value\nLABEL a=b\nEXPOSE 80/tcp 443\nVOLUME [\"/a\"]\nUSER 1:1\nWORKDIR /w\n\
     HEALTHCHECK --interval=5s CMD curl -f http://x || exit 1\nONBUILD RUN make\nSTOPSIGNAL 9\nENTRYPOINT [\"a\"]\nCMD b $C\n",
    "# escape=`\nFROM mcr.microsoft.com/windows/servercore\nRUN dir `\n  c:\\\nCOPY a c:\\b\\\nADD --chown=1:1 [\"a b\", \"/c/\"]\n",
];

/// Returns the files to break: those of the corpus's core, or, said aloud, the few that stand here.
pub(super) fn all() -> Vec<String> {
    let mut seeds: Vec<String> = BUILT_IN.iter().map(|seed| (*seed).to_owned()).collect();
    match from_corpus() {
        Some(files) => seeds.extend(files),
        None => test_support::skipped("breaking real files", "corpus/open.tar.zst"),
    }
    seeds
}

fn from_corpus() -> Option<Vec<String>> {
    let corpus = test_support::open_corpus()?;
    let names = fs::read_to_string(corpus.join("open_core.txt")).ok()?;
    let read = |name: &str| fs::read_to_string(corpus.join(name)).ok();
    Some(
        names
            .lines()
            .filter_map(read)
            .filter(|text| text.len() <= LONGEST)
            .collect(),
    )
}
