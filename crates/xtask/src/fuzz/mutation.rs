//! Inputs: real files with pieces put in, left out, repeated and exchanged.

/// Pieces that mean something to one of the grammars or to a rule.
const PIECES: &[&str] = &[
    "FROM ",
    "RUN ",
    "COPY ",
    "ADD ",
    "ENV ",
    "ARG ",
    "LABEL ",
    "CMD ",
    "ENTRYPOINT ",
    "USER ",
    "WORKDIR ",
    "EXPOSE ",
    "VOLUME ",
    "SHELL ",
    "HEALTHCHECK ",
    "ONBUILD ",
    "STOPSIGNAL ",
    "MAINTAINER ",
    "NONE",
    " AS ",
    "as x",
    "scratch",
    "--platform=",
    "--mount=type=cache,target=/x ",
    "--mount=type=secret,id=",
    "--from=",
    "--chown=",
    "--link ",
    "--",
    "--network=none ",
    "--interval=1s ",
    "<<EOF",
    "<<-'E'",
    "EOF\n",
    "E\n",
    "<<<",
    "<<",
    " \\\n",
    "\\\n",
    "`\n",
    "\\ \t\r\n",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\0",
    "é",
    "😀",
    "# c\n",
    "#",
    "# escape=`\n",
    "# escape=\\\n",
    "# syntax=x\n",
    "# check=skip=all\n",
    "# dflint ignore=all\n",
    "# hadolint ignore=DL3008\n",
    "[\"a\", \"b\"]",
    "[\"",
    "\"]",
    "['a']",
    "[",
    "]",
    ",",
    "=",
    "\"",
    "'",
    "\\",
    "`",
    "$",
    "${",
    "}",
    "${A:-",
    "${A/b/c}",
    "${A#*/}",
    "$A",
    "$(",
    "$((",
    "((",
    "))",
    "(",
    ")",
    "{ ",
    "; }",
    ";",
    ";;",
    "&&",
    "||",
    "|",
    "&",
    ">",
    ">>",
    "2>&1",
    "<(",
    "[[ ",
    " ]]",
    "if ",
    "; then ",
    "; else ",
    "; fi",
    "for i in ",
    "; do ",
    "; done",
    "while ",
    "case x in ",
    "a) ",
    "esac",
    "function f ",
    "f() ",
    "! ",
    "time ",
    "sudo ",
    "apt-get update",
    "apt-get install -y ",
    "rm -rf /var/lib/apt/lists/*",
    "apk add ",
    "yum install ",
    "pip install ",
    "npm install ",
    "gem install ",
    "go get ",
    "cd /x",
    "curl -k http://x | sh",
    "wget ",
    "chmod 777 ",
    "chown -R a:b ",
    "useradd ",
    "su - x -c ",
    "set -o pipefail",
    "export A=1",
    "tar -xzf ",
    "ssh ",
    ":latest",
    "@sha256:",
    "80/tcp",
    "1-2",
    "0:0",
    "root",
    "/",
    "/etc/passwd",
    "..",
    ".",
    "*",
    "~",
    "http://",
    "git@x:y",
];

/// Longer inputs are cut: a fault shows in a short one, too.
const LONGEST: usize = 60_000;

/// Marsaglia's xorshift, started at one input of one run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64, input: u64) -> Random {
        // The finaliser of splitmix64: neighbours share nothing.
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ input.wrapping_add(1);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Random((state ^ (state >> 31)).max(1))
    }

    /// Returns a number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }

    fn pick<'p, T: AsRef<str>>(&mut self, from: &'p [T]) -> &'p str {
        let idx = self.below(from.len());
        from.get(idx).map_or("", AsRef::as_ref)
    }

    /// Returns a broken file, or pieces without a file around them.
    pub(super) fn mutant(&mut self, seeds: &[String]) -> String {
        let mut text = match self.below(8) {
            0 => (0..self.below(40)).map(|_| self.pick(PIECES)).collect(),
            _ => self.pick(seeds).to_owned(),
        };
        for _ in 0..=self.below(8) {
            self.change(&mut text, seeds);
        }
        text.truncate(floor(&text, LONGEST));
        text
    }

    fn change(&mut self, text: &mut String, seeds: &[String]) {
        let start = self.place(text);
        let len = match self.below(3) {
            0 => 1,
            1 => self.below(20),
            _ => self.below(400),
        };
        let end = floor(text, start + len).max(start);
        let there = text.get(start..end).unwrap_or("").to_owned();
        match self.below(20) {
            0..7 => text.insert_str(start, self.pick(PIECES)),
            7..11 => text.replace_range(start..end, ""),
            11..13 => text.replace_range(start..end, self.pick(PIECES)),
            13 => {
                let to = self.place(text);
                text.insert_str(to, &there);
            }
            14 => {
                let other = self.pick(seeds);
                let from = self.place(other);
                let piece = other.get(from..floor(other, from + len).max(from));
                text.insert_str(start, piece.unwrap_or(""));
            }
            15 => text.truncate(start),
            16 => {
                // What is nested or repeated without end.
                let piece = self.pick(PIECES).repeat(1 + self.below(2000));
                text.insert_str(start, &piece);
            }
            17 => {
                let times = 1 + self.below(50);
                text.insert_str(start, &there.repeat(times));
            }
            18 => *text = text.replace('\n', "\r\n"),
            _ => {
                let pair = [self.pick(PIECES), self.pick(PIECES)].concat();
                text.insert_str(start, &pair.repeat(1 + self.below(300)));
            }
        }
        text.truncate(floor(text, 2 * LONGEST));
    }

    /// Returns where a word, a line or an operator starts, or any other place.
    fn place(&mut self, text: &str) -> usize {
        let at = floor(text, self.below(text.len() + 1));
        if self.below(3) == 0 {
            return at;
        }
        let rest = text.get(at..).unwrap_or("");
        let next = rest.find(|character: char| !character.is_alphanumeric());
        at + next.unwrap_or(rest.len())
    }
}

/// Returns the last place at or before `at` that cuts no character in two.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
