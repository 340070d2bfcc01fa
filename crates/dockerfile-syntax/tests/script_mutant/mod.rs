//! Scripts that are broken in small ways, the same ones on every run.

/// Pieces that mean something to a shell.
const PIECES: &[&str] = &[
    " ",
    "\n",
    ";",
    "&",
    "&&",
    "||",
    "|",
    "|&",
    "(",
    ")",
    "{",
    "}",
    "{ ",
    " }",
    "; }",
    "((",
    "))",
    "$(",
    "$((",
    "${",
    "'",
    "\"",
    "\\",
    "$",
    "#",
    " # ",
    "!",
    " ! ",
    "[[ ",
    " ]]",
    "[ ",
    "=",
    "+=",
    "a=",
    "a=(",
    "a[1]=",
    "<",
    ">",
    ">>",
    "<<<",
    "2>&1",
    ">&",
    "&>",
    "<(",
    "<>",
    ">|",
    "{fd}>",
    "if ",
    "; then ",
    "; else ",
    "; elif ",
    "; fi",
    "for ",
    " in ",
    "; do ",
    "; done",
    "while ",
    "until ",
    "case ",
    "esac",
    ";;",
    ";&",
    "a) ",
    "(a|b) ",
    "select ",
    "function ",
    "f() ",
    "() ",
    "time ",
    "time -p ",
    "coproc ",
    "local ",
    "export ",
    "declare ",
    "=~ ",
    "==",
    "-z ",
    "?(",
    "*(",
    "@(a|b)",
    "${a:-",
    "${a[@]}",
    "${#a}",
    "${!a}",
    "${a/b/c}",
    "${a:1:2}",
    "$'a\\'b'",
    "$\"",
    "$1",
    "$@",
    "$#",
    "~",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "{1..3}",
    "\\\n",
    "\t",
    "-",
    "--",
    "x",
    "1",
    "é",
];

/// Longer scripts tell no more.
const LONGEST: usize = 300;

/// Marsaglia's xorshift.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.max(1))
    }

    /// Returns a number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }

    /// Returns one of the scripts with a few pieces put in, left out or repeated.
    pub(crate) fn mutant(&mut self, scripts: &[&str]) -> String {
        let mut text = loop {
            let idx = self.below(scripts.len());
            match scripts.get(idx) {
                Some(script) if script.len() <= LONGEST => break (*script).to_owned(),
                _ => {}
            }
        };
        for _ in 0..=self.below(3) {
            let start = self.place(&text);
            let end = floor(&text, start + self.below(13));
            match self.below(4) {
                0 => text.replace_range(start..end, ""),
                1 => text.replace_range(start..end, &text[start..end].repeat(2)),
                _ => text.insert_str(start, PIECES[self.below(PIECES.len())]),
            }
        }
        text
    }

    /// Returns where a word or an operator starts or ends, or any other place.
    fn place(&mut self, text: &str) -> usize {
        let mut at = floor(text, self.below(text.len() + 1));
        if self.below(4) > 0 {
            at = text[at..]
                .find([' ', ';', '&', '|', '(', ')'])
                .map_or(text.len(), |len| at + len);
        }
        at
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
