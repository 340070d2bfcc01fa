//! Stands for the lint crate until that is there: the same names, and rules that show each kind of fix.

use dockerfile_source::{
    Applicability, Diagnostic, Fix, Severity, SourceFile, TextEdit, TextRange,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Stable,
    Preview,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) severity: Severity,
    pub(crate) status: Status,
    pub(crate) documentation: &'static str,
}

pub(crate) struct Options<'o> {
    /// One entry a rule, in the order of `rules()`.
    pub(crate) enabled: &'o [bool],
    pub(crate) has_ignore_file: Option<bool>,
    pub(crate) ignore_file: Option<&'o str>,
}

pub(crate) struct FixResult {
    pub(crate) text: String,
    pub(crate) applied: usize,
    pub(crate) refused: Vec<String>,
}

static CASING: Rule = Rule {
    name: "from-as-casing",
    code: "DF901",
    aliases: &["FromAsCasing"],
    severity: Severity::Info,
    status: Status::Stable,
    documentation: "# from-as-casing\n\nThe case of `AS` differs from that of `FROM`.\n",
};

static MAINTAINER: Rule = Rule {
    name: "maintainer-instruction",
    code: "DF902",
    aliases: &["DL4000", "MaintainerDeprecated"],
    severity: Severity::Warning,
    status: Status::Stable,
    documentation: "# maintainer-instruction\n\n`MAINTAINER` is deprecated: use a label.\n",
};

static IGNORE_FILE: Rule = Rule {
    name: "missing-ignore-file",
    code: "DF903",
    aliases: &[],
    severity: Severity::Info,
    status: Status::Preview,
    documentation: "# missing-ignore-file\n\n`COPY . .` copies more than it should.\n",
};

pub(crate) fn rules() -> &'static [&'static Rule] {
    static RULES: [&Rule; 3] = [&CASING, &MAINTAINER, &IGNORE_FILE];
    &RULES
}

pub(crate) fn find_rules(word: &str) -> Vec<&'static Rule> {
    rules()
        .iter()
        .copied()
        .filter(|rule| {
            std::iter::once(rule.name)
                .chain([rule.code])
                .chain(rule.aliases.iter().copied())
                .any(|name| name.eq_ignore_ascii_case(word))
        })
        .collect()
}

pub(crate) fn check(source: &SourceFile, options: &Options<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut offset = 0_u32;
    for line in source.text().split_inclusive('\n') {
        if let Some(finding) = check_line(line, offset, options) {
            findings.push(finding);
        }
        offset += line.len() as u32;
    }
    findings
}

pub(crate) fn fix(text: &str, options: &Options<'_>, least: Applicability) -> FixResult {
    let findings = check(&SourceFile::new("", text), options);
    let mut edit = TextEdit::default();
    let mut applied = 0;
    for fix in findings.into_iter().filter_map(|finding| finding.fix) {
        if fix.applicability >= least
            && let Ok(union) = edit.union(&fix.edit)
        {
            edit = union;
            applied += 1;
        }
    }
    FixResult {
        text: edit.apply(text).unwrap_or_else(|| text.to_owned()),
        applied,
        refused: Vec::new(),
    }
}

fn is_enabled(rule: &Rule, options: &Options<'_>) -> bool {
    let mut rules = rules().iter().zip(options.enabled);
    rules.any(|(other, enabled)| *enabled && other.code == rule.code)
}

fn check_line(line: &str, offset: u32, options: &Options<'_>) -> Option<Diagnostic> {
    let range = |start: usize, length: usize| {
        let start = offset + start as u32;
        TextRange::at(start.into(), (length as u32).into())
    };
    let finding = |rule: &'static Rule, message: &str, range| {
        is_enabled(rule, options).then(|| Diagnostic {
            rule: rule.name,
            code: rule.code,
            aliases: rule.aliases,
            severity: rule.severity,
            message: message.to_owned(),
            range,
            labels: Vec::new(),
            help: None,
            fix: None,
        })
    };
    if let Some(at) = line
        .starts_with("FROM ")
        .then(|| line.find(" as "))
        .flatten()
    {
        let range = range(at + 1, 2);
        let mut finding = finding(&CASING, "`as` is lower case and `FROM` upper case", range)?;
        finding.fix = Some(Fix {
            title: "write `AS`".to_owned(),
            applicability: Applicability::Safe,
            edit: TextEdit::replace(range, "AS"),
        });
        return Some(finding);
    }
    if line.starts_with("MAINTAINER ") {
        let mut finding = finding(&MAINTAINER, "`MAINTAINER` is deprecated", range(0, 10))?;
        finding.help = Some("use `LABEL org.opencontainers.image.authors=...`".to_owned());
        finding.fix = Some(Fix {
            title: "remove the instruction".to_owned(),
            applicability: Applicability::Unsafe,
            edit: TextEdit::delete(range(0, line.len())),
        });
        return Some(finding);
    }
    let without_ignore_file =
        options.has_ignore_file == Some(false) && options.ignore_file.is_none();
    if line.starts_with("COPY . ") && without_ignore_file {
        return finding(&IGNORE_FILE, "`.` is copied as a whole", range(5, 1));
    }
    None
}
