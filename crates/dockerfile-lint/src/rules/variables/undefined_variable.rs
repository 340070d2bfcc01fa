use dockerfile_model::{
    Instruction, Keyword, Model, Origin, Resolution, StageId, Variable, VariableUse,
};
use dockerfile_source::{TextSize, closest_match, edit_distance};
use rustc_hash::FxHashMap;

use crate::RuleContext;
use crate::facts::base_environment::{SHELL_VARIABLES, is_unset_by_base_image};
use crate::facts::expanded_words::expanded_words;
use crate::facts::platform_arguments::is_platform_argument;
use crate::rule::declare_rule;

declare_rule! {
    /// ## What it does
    /// Finds variables that are used and never set.
    ///
    /// ## Why
    /// The builder puts nothing in their place and goes on: `WORKDIR $HOME/app` is `/app`, for the builder does not know the variables of the shell.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM scratch
    /// ARG VERSION=1
    /// COPY app-$VERSON /app
    /// ```
    ///
    /// ```dockerfile
    /// FROM debian:12
    /// WORKDIR $HOME/app
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM scratch
    /// ARG VERSION=1
    /// COPY app-$VERSION /app
    /// ```
    ///
    /// ## Limits
    /// A base image may set variables that the file does not show.
    /// On a base image that is not known, a variable is reported only when it is declared further down, or when its name is a typing slip away from a declared one.
    /// Known are `scratch`, what the caller tells about base images, and that `alpine`, `debian`, `ubuntu` and the like set `PATH` alone.
    /// `${NAME:-default}`, `ENV NAME=more:$NAME` and names that end with `PATH` are not reported; BuildKit reports them.
    /// Platform arguments such as `TARGETARCH` are the business of `arg-out-of-scope`.
    /// What the shell expands (RUN, CMD, ENTRYPOINT) and the text of here-documents is not judged.
    /// On 22,777 public Dockerfiles it fires 165 times; of 75 read, 1 was harmless, and that one is silent now.
    pub(crate) UNDEFINED_VARIABLE {
        name: "undefined-variable",
        code: "DF701",
        aliases: ["UndefinedVar"],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    let model = ctx.model();
    let mut hints = Hints::new(model);
    for instruction in &model.instructions {
        let mut own_keys: Option<FxHashMap<&str, TextSize>> = None;
        for word in expanded_words(instruction) {
            for variable in word.uses.iter().filter(|variable| is_open(variable)) {
                // `ENV X=a:$X` takes what may be there, and a pair before this one is the business of
                // `same-instruction-variable`.
                let is_set_here = own_keys
                    .get_or_insert_with(|| keys_of(instruction))
                    .get(variable.name.as_str())
                    .is_some_and(|key| *key <= word.range.start());
                if !is_set_here {
                    judge(ctx, &mut hints, instruction, variable);
                }
            }
        }
    }
}

/// Returns whether nothing in the file sets a variable that is used without a default. Positional and special parameters
/// of a shell need no declaration; platform arguments are the business of `arg-out-of-scope`.
fn is_open(variable: &VariableUse) -> bool {
    let name = variable.name.as_str();
    matches!(
        variable.resolution,
        Resolution::Undeclared | Resolution::MaybeBaseImage
    ) && !variable.handles_unset
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !is_platform_argument(name)
}

/// Returns the keys that an instruction sets, and where they stand first.
fn keys_of(instruction: &Instruction) -> FxHashMap<&str, TextSize> {
    let mut keys = FxHashMap::default();
    for pair in instruction.pairs() {
        keys.entry(pair.key.value_or_text())
            .or_insert(pair.key.range.start());
    }
    keys
}

fn judge(
    ctx: &mut RuleContext<'_>,
    hints: &mut Hints<'_>,
    instruction: &Instruction,
    variable: &VariableUse,
) {
    let name = variable.name.as_str();
    let is_unset = variable.resolution == Resolution::Undeclared
        || instruction
            .stage
            .is_some_and(|stage| is_unset_by_base_image(ctx.model(), stage, name));
    let later = hints.declared_later(instruction, name);
    let meant = match later {
        Some(_) => None,
        None => hints.similar_name(instruction.stage, name, is_unset),
    };
    // `ENV A=/x:$LD_LIBRARY_PATH` adds to a list of folders that may well be empty.
    let is_fault = is_unset && !name.ends_with("PATH");
    if !is_fault && later.is_none() && meant.is_none() {
        return;
    }
    if let Some(later) = later {
        ctx.report(variable.range, format!("`{name}` is not set yet"))
            .label(later.range, "declared here, for what follows")
            .help(format!("declare `{name}` before this instruction"));
        return;
    }
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if name == "PWD" && is_copy(instruction) => {
            "leave it out: sources are looked up in the build context, destinations in WORKDIR"
                .to_owned()
        }
        None if SHELL_VARIABLES.contains(&name) => format!(
            "the builder does not know the variables of the shell; write the path, or set `ENV {name}=...` before"
        ),
        None => format!(
            "declare it with `ARG {name}` or `ENV {name}=...`, or write `${{{name}:-}}` where nothing is meant"
        ),
    };
    ctx.report(variable.range, format!("`{name}` is not set"))
        .help(help);
}

fn is_copy(instruction: &Instruction) -> bool {
    matches!(instruction.keyword, Keyword::Copy | Keyword::Add)
}

/// What may explain a name that is not set.
struct Hints<'m> {
    model: &'m Model,
    /// The last ARG of each name in each stage; filled at the first question.
    last_arguments: Option<FxHashMap<(Option<StageId>, &'m str), &'m Variable>>,
    // Invariant: bounds the comparisons of names, which would be quadratic in a hostile file.
    comparisons_left: usize,
}

impl<'m> Hints<'m> {
    fn new(model: &'m Model) -> Hints<'m> {
        Hints {
            model,
            last_arguments: None,
            comparisons_left: 50_000,
        }
    }

    /// Returns an ARG of the name further down in the same stage. ENV may well give a new value to what the base image
    /// has set.
    fn declared_later(&mut self, instruction: &Instruction, name: &str) -> Option<&'m Variable> {
        let model = self.model;
        let last_arguments = self.last_arguments.get_or_insert_with(|| {
            model
                .variables
                .iter()
                .filter(|variable| variable.origin != Origin::Env)
                .map(|variable| ((variable.stage, variable.name.as_str()), variable))
                .collect()
        });
        last_arguments
            .get(&(instruction.stage, name))
            .copied()
            .filter(|variable| variable.instruction > instruction.id)
    }

    /// Returns the declared name that was most likely meant.
    fn similar_name(
        &mut self,
        stage: Option<StageId>,
        name: &str,
        is_unset: bool,
    ) -> Option<&'m str> {
        let model = self.model;
        self.comparisons_left = self
            .comparisons_left
            .checked_sub(model.variables.len() + 1)?;
        let ancestors: Vec<StageId> = stage
            .map(|stage| model.ancestry(stage).map(|stage| stage.id).collect())
            .unwrap_or_default();
        let declared = model
            .variables
            .iter()
            .filter(|variable| match variable.stage {
                Some(stage) => ancestors.contains(&stage),
                None => ancestors.is_empty(),
            })
            .map(|variable| variable.name.as_str());
        let meant = closest_match(name, declared.chain(["PATH"]))?;
        // Where the base image may set the variable after all, only a slip of one letter in a long name is sure enough.
        let is_sure = is_unset
            || (name.len() >= 4
                && edit_distance(name, meant) == 1
                && !differs_on_purpose(name, meant));
        is_sure.then_some(meant)
    }
}

/// Returns whether two names differ in a digit or in the letter at the end only.
fn differs_on_purpose(left: &str, right: &str) -> bool {
    let without_digits = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    left.starts_with(right)
        || right.starts_with(left)
        || without_digits(left) == without_digits(right)
}

#[cfg(test)]
mod tests {
    use super::UNDEFINED_VARIABLE as RULE;
    use crate::testing::{check_clean, check_fires, check_message, findings};

    #[test]
    fn the_working_directory_of_the_user_is_not_needed() {
        let found = findings("FROM debian:12\nCOPY $PWD/a /a\n", &RULE);
        let help = found.first().and_then(|found| found.help.as_deref());
        assert!(help.is_some_and(|help| help.starts_with("leave it out")));
    }

    #[test]
    fn nothing_is_set_on_scratch() {
        check_fires(
            &RULE,
            "FROM scratch\nCOPY «$foo» «${bar}» /x/\nLABEL a=«$b»\n",
        );
        check_clean(&RULE, "FROM scratch\nARG foo\nCOPY a${foo} .\n");
    }

    #[test]
    fn the_stage_below_counts() {
        check_clean(
            &RULE,
            "FROM scratch AS base\nARG foo=a\nFROM base\nCOPY $foo .\n",
        );
    }

    #[test]
    fn an_unknown_base_image_may_set_it() {
        check_clean(&RULE, "FROM me/a:1\nCOPY $foo .\nWORKDIR $HOME\n");
        check_fires(&RULE, "FROM alpine:3\nCOPY «$foo» .\n");
        check_fires(
            &RULE,
            "FROM node:22\nWORKDIR «$HOME»/app\nENV A=$NODE_VERSION\n",
        );
    }

    #[test]
    fn a_typing_slip_is_reported_on_any_base_image() {
        check_fires(
            &RULE,
            "FROM me/a:1\nARG DIR_ASSETS=a/\nCOPY «$DIR_ASSET» .\nENV PATH=«$PAHT»:/x\n"
                .replace("«$DIR_ASSET»", "$DIR_ASSET")
                .as_str(),
        );
        check_fires(&RULE, "FROM me/a:1\nARG VERSION=1\nCOPY app-«$VERSON» .\n");
        check_clean(
            &RULE,
            "FROM me/a:1\nENV JAVA8_HOME=/x\nENV PATH=$JAVA_HOME/bin:$PATH\n",
        );
    }

    #[test]
    fn a_declaration_further_down_comes_too_late() {
        check_fires(&RULE, "FROM me/a:1\nCOPY «$foo» .\nARG foo=bar\n");
        check_clean(&RULE, "FROM me/a:1\nCOPY $foo .\nENV foo=bar\n");
    }

    #[test]
    fn defaults_and_additions_are_meant() {
        check_clean(
            &RULE,
            "FROM scratch\nENV A=${B:-x} LD_LIBRARY_PATH=/x:$LD_LIBRARY_PATH\nLABEL a=${C-} b=${D:+y}\nARG E=1 F=$E\nENV PATH=/x:$PATH\n",
        );
    }

    #[test]
    fn shells_expand_their_own_variables() {
        check_clean(
            &RULE,
            "FROM scratch\nRUN echo $x\nCMD echo $x\nCOPY <<E /x\n$x\nE\nONBUILD COPY $x /\n",
        );
    }

    #[test]
    fn global_arguments_see_global_arguments() {
        check_fires(&RULE, "ARG A=1\nARG B=$A\nARG C=«$D»\nFROM scratch\n");
    }

    #[test]
    fn says_what_may_be_meant() {
        let text = "FROM scratch\nARG VERSION=1\nCOPY app-$VERSON .\n";
        check_message(&RULE, text, "`VERSON` is not set");
        let help = findings(text, &RULE).pop().and_then(|finding| finding.help);
        assert_eq!(help.as_deref(), Some("did you mean `VERSION`?"));
    }
}
