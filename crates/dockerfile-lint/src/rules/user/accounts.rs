//! Who is who: the user in force, and the commands that create accounts.

use dockerfile_model::{
    Instruction, InstructionId, Join, Keyword, Model, Resolution, ShellCommand, ShellWord, StageId,
    Word,
};
use dockerfile_source::{TextRange, TextSize};

use crate::facts::called_program::called_program;

/// Options of useradd (shadow) that take a value.
const USERADD_LETTERS: &str = "bcdefgGkKpRPsuZ";
/// Options of adduser that take a value, of BusyBox and of Debian.
const ADDUSER_LETTERS: &str = "hgsGuk";
const LONG_OPTIONS: &[&str] = &[
    "--add_extra_groups",
    "--base-dir",
    "--comment",
    "--conf",
    "--expiredate",
    "--firstgid",
    "--firstuid",
    "--gecos",
    "--gid",
    "--groups",
    "--home",
    "--home-dir",
    "--inactive",
    "--ingroup",
    "--key",
    "--lastgid",
    "--lastuid",
    "--password",
    "--prefix",
    "--root",
    "--selinux-user",
    "--shell",
    "--skel",
    "--uid",
];

/// An account that a command creates.
pub(super) struct Account<'m> {
    /// None where the name is not known.
    pub(super) name: Option<&'m str>,
    /// As it is written.
    pub(super) text: &'m str,
    /// Where the name stands.
    pub(super) range: TextRange,
    /// Whether the command always runs.
    pub(super) is_certain: bool,
}

/// Returns the user of `USER user:group`.
pub(super) fn user_part(value: &str) -> &str {
    value.split(':').next().unwrap_or(value).trim()
}

/// Returns whether a user is root, by name or by number.
pub(super) fn is_root(user: &str) -> bool {
    user == "root" || (!user.is_empty() && user.bytes().all(|byte| byte == b'0'))
}

pub(super) fn is_number(user: &str) -> bool {
    !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns where the user of a USER word stands, without the group.
pub(super) fn user_range(word: &Word) -> TextRange {
    let user = user_part(&word.text);
    // The colon of `${USER:-app}` separates no group.
    if user.is_empty() || word.text.contains('{') || !word.text.starts_with(user) {
        return word.range;
    }
    if usize::from(word.range.len()) != word.text.len() {
        return word.range;
    }
    TextRange::at(word.range.start(), TextSize::new(user.len() as u32))
}

/// Returns the USER that counts for the image: of the final stage, or of the whole file when it has no stage.
pub(super) fn final_user(model: &Model) -> Option<&Instruction> {
    match model.final_stage() {
        Some(stage) => model.last_of_stage(Keyword::User, stage.id),
        None => model.instructions_of(Keyword::User).last(),
    }
}

/// Returns the accounts that a RUN creates.
pub(super) fn created_accounts<'m>(
    model: &'m Model,
    instruction: &'m Instruction,
) -> impl Iterator<Item = Account<'m>> {
    instruction
        .scripts()
        .flat_map(|script| &script.commands)
        .filter_map(move |command| created_account(model, instruction, command))
}

fn created_account<'m>(
    model: &'m Model,
    instruction: &Instruction,
    command: &'m ShellCommand,
) -> Option<Account<'m>> {
    let called = called_program(command)?;
    let (letters, is_adduser) = match called.name {
        "useradd" => (USERADD_LETTERS, false),
        "adduser" => (ADDUSER_LETTERS, true),
        _ => return None,
    };
    let mut operands = operands(called.arguments, letters);
    let word = operands.next()?;
    let second = operands.next();
    // `adduser USER GROUP` adds a user to a group.
    if is_adduser && second.is_some() {
        return None;
    }
    let is_certain =
        !command.nesting.conditional && !command.nesting.function && command.join != Join::Or;
    Some(Account {
        name: known_value(model, instruction.id, instruction.stage, word),
        text: &word.text,
        range: word.range,
        is_certain,
    })
}

/// Returns the words of a command that are neither options nor values of options.
fn operands<'m>(
    arguments: &'m [ShellWord],
    letters: &'static str,
) -> impl Iterator<Item = &'m ShellWord> {
    let mut takes_next = false;
    arguments.iter().filter(move |word| {
        if std::mem::take(&mut takes_next) {
            return false;
        }
        if !word.is_option() {
            return true;
        }
        takes_next = takes_value(word.value(), letters);
        false
    })
}

/// Returns whether the value of an option is the next word.
fn takes_value(option: &str, letters: &str) -> bool {
    if option.starts_with("--") {
        return LONG_OPTIONS.binary_search(&option).is_ok();
    }
    // In `-ms` the last letter takes the next word; in `-u1000` the rest is the value.
    let group = option.trim_start_matches('-');
    group
        .char_indices()
        .find(|(_, letter)| letters.contains(*letter))
        .is_some_and(|(at, letter)| at + letter.len_utf8() == group.len())
}

/// Returns what a word of a command holds: as it is written, or the value of the one variable in it.
fn known_value<'m>(
    model: &'m Model,
    at: InstructionId,
    stage: Option<StageId>,
    word: &'m ShellWord,
) -> Option<&'m str> {
    if let Some(literal) = word.literal() {
        return Some(literal);
    }
    match model.resolve(variable_name(&word.text)?, at, stage) {
        Resolution::Declared(id) => model.variable(id)?.value.as_deref(),
        _ => None,
    }
}

/// Returns the name of `$NAME`, `${NAME}`, `"$NAME"`.
pub(super) fn variable_name(text: &str) -> Option<&str> {
    let name = text.trim_matches('"').strip_prefix('$')?;
    let name = match name.strip_prefix('{') {
        Some(inner) => inner.strip_suffix('}')?,
        None => name,
    };
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(name)
}

impl Account<'_> {
    /// Returns whether this is the user that a USER word means.
    pub(super) fn is_user(&self, word: &Word) -> bool {
        if let (Some(name), Some(value)) = (self.name, word.value.as_deref()) {
            return name == user_part(value);
        }
        match (
            variable_name(self.text),
            variable_name(user_part(&word.text)),
        ) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use dockerfile_model::ModelInput;

    use super::*;

    fn names(command: &str) -> Vec<String> {
        let text = format!("FROM a\nARG N=joe\nRUN {command}\n");
        let parse = dockerfile_syntax::parse(&text);
        let model = Model::new(&parse, &ModelInput::default());
        model
            .instructions
            .iter()
            .flat_map(|instruction| created_accounts(&model, instruction))
            .map(|account| account.name.unwrap_or("?").to_owned())
            .collect()
    }

    #[test]
    fn finds_the_name_among_options() {
        assert_eq!(names("useradd app"), ["app"]);
        assert_eq!(
            names("useradd -rm -d /home/app -s /bin/bash -g root -u1000 app"),
            ["app"]
        );
        assert_eq!(names("useradd app -ms /bin/sh --uid 1000"), ["app"]);
        assert_eq!(names("adduser -D -u 1000 -G app app"), ["app"]);
        assert_eq!(
            names("adduser --system --home /x --gecos '' --disabled-password app"),
            ["app"]
        );
        assert_eq!(names("addgroup -S g && adduser -S app -G g"), ["app"]);
    }

    #[test]
    fn adding_to_a_group_creates_nobody() {
        assert_eq!(names("adduser www-data app"), [""; 0]);
    }

    #[test]
    fn variables_are_looked_up() {
        assert_eq!(names("useradd \"${N}\" && useradd $M"), ["joe", "?"]);
    }

    #[test]
    fn root_is_a_name_and_a_number() {
        assert!(is_root("root") && is_root("0") && !is_root("") && !is_root("10"));
        assert_eq!(user_part("root:wheel"), "root");
    }
}
