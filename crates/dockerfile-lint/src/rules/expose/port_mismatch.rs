use dockerfile_model::{Keyword, Model, Stage, StageId, Word};
use dockerfile_source::TextRange;

use super::port_spec::{PortSpec, Protocol, parse_port};
use crate::RuleContext;
use crate::facts::command_line::{CommandLine, command_line};
use crate::facts::listener::{Setting, listener};
use crate::facts::privilege::starts_with_daemon;
use crate::rule::declare_rule;

/// Variables that servers read their port from.
const PORT_VARIABLES: [&str; 5] = [
    "PORT",
    "FLASK_RUN_PORT",
    "UVICORN_PORT",
    "STREAMLIT_SERVER_PORT",
    "ASPNETCORE_HTTP_PORTS",
];

/// Each stage costs a look at those below it; no file has that many by hand.
const MOST_STAGES: usize = 200;

declare_rule! {
    /// ## What it does
    /// Finds stages whose EXPOSE does not name the port that the server in CMD or ENTRYPOINT listens on.
    ///
    /// ## Why
    /// Tools and people read EXPOSE to know which port to publish.
    /// When it names another one, `docker run -P` and the next reader connect to a port where nobody listens.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.13
    /// EXPOSE 5000
    /// CMD ["uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8080"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.13
    /// EXPOSE 8080
    /// CMD ["uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8080"]
    /// ```
    ///
    /// ## Limits
    /// Knows the port options of common servers, such as uvicorn, gunicorn, flask, rails, http-server, `php -S` and `-Dserver.port`, and `ENV PORT` where no option says more.
    /// Judges a stage only when all of its exposed ports and the port of the server are written as numbers.
    /// On 22,777 public Dockerfiles it fires 4 times; none is wrong.
    pub(crate) PORT_MISMATCH {
        name: "port-mismatch",
        code: "DF306",
        aliases: [],
        severity: Warning,
        status: Stable,
        fix: None,
        check: check,
    }
}

/// A port that a server listens on, and who says so.
struct Listening<'m> {
    port: u16,
    range: TextRange,
    /// Goes on after "port 8080, ".
    reason: String,
    /// The variable that says it.
    variable: Option<&'m str>,
}

impl Listening<'_> {
    /// Returns whether a command line takes its port from this variable.
    fn is_named_in(&self, line: &CommandLine<'_>) -> bool {
        let Some(name) = self.variable else {
            return false;
        };
        line.words.iter().any(|word| {
            word.text.ends_with(&format!("${name}")) || word.text.contains(&format!("${{{name}}}"))
        })
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for stage in ctx.model().stages.iter().take(MOST_STAGES) {
        check_stage(ctx, stage);
    }
}

fn check_stage(ctx: &mut RuleContext<'_>, stage: &Stage) {
    let model = ctx.model();
    let own = model.stage_instructions(stage.id);
    let has = |keyword| own.iter().any(|instruction| instruction.keyword == keyword);
    if !has(Keyword::Expose) || !(has(Keyword::Cmd) || has(Keyword::Entrypoint)) {
        return;
    }
    let Some((exposed, word)) = exposed_ports(model, stage.id) else {
        return;
    };
    let Some(line) = command_line(model, stage.id) else {
        return;
    };
    let Some(listening) = listening(model, stage.id, &line) else {
        return;
    };
    // Whether a game server listens by TCP or UDP is not said by its variable.
    let is_named = exposed.iter().any(|spec| {
        (spec.protocol == Protocol::Tcp || listening.variable.is_some())
            && spec.contains(listening.port)
    });
    if is_named {
        return;
    }
    ctx.report(
        word.range,
        format!(
            "EXPOSE leaves out port {}, {}",
            listening.port, listening.reason
        ),
    )
    .label(
        listening.range,
        format!("port {} is set here", listening.port),
    )
    .help(format!(
        "write `EXPOSE {}`, or let the server listen on a port that is exposed",
        listening.port
    ));
}

/// Returns the ports that a stage exposes, itself and through the stages below it, and the first word of its own; none
/// when one of them is not known.
fn exposed_ports(model: &Model, stage: StageId) -> Option<(Vec<PortSpec>, &Word)> {
    let mut specs = Vec::new();
    let mut first = None;
    for ancestor in model.ancestry(stage) {
        for instruction in model
            .stage_instructions(ancestor.id)
            .iter()
            .filter(|instruction| instruction.keyword == Keyword::Expose)
        {
            for word in instruction.words() {
                let value = word.value.as_deref()?;
                specs.push(parse_port(value).ok()?);
                if ancestor.id == stage && first.is_none() {
                    first = Some(word);
                }
            }
        }
    }
    Some((specs, first?))
}

fn listening<'m>(
    model: &'m Model,
    stage: StageId,
    line: &CommandLine<'m>,
) -> Option<Listening<'m>> {
    if let Some(found) = listener(line) {
        match found.port {
            Setting::Given(port, range) => {
                return Some(Listening {
                    port,
                    range,
                    reason: format!("which `{}` listens on", found.name),
                    variable: None,
                });
            }
            Setting::Unknown => {
                return port_variable(model, stage).filter(|found| found.is_named_in(line));
            }
            Setting::Default => {}
        }
    }
    // Behind a supervisor or a web server, the variable belongs to a program that is not reached from outside.
    if starts_with_daemon(model, stage) {
        return None;
    }
    port_variable(model, stage)
}

/// Returns the port that ENV of the stage says.
fn port_variable(model: &Model, stage: StageId) -> Option<Listening<'_>> {
    let mut found = None;
    for instruction in model
        .stage_instructions(stage)
        .iter()
        .filter(|instruction| instruction.keyword == Keyword::Env)
    {
        for pair in instruction.pairs() {
            let name = pair.key.value_or_text();
            if !PORT_VARIABLES.contains(&name) {
                continue;
            }
            let value = pair.value.as_ref()?;
            // 0 stands for any port.
            let port = value.value.as_deref()?.parse().ok()?;
            if port == 0 {
                return None;
            }
            found = Some(Listening {
                port,
                range: value.range,
                reason: format!("which `{name}` tells the program to listen on"),
                variable: Some(name),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::PORT_MISMATCH as RULE;
    use crate::testing::{check_clean, check_fires, check_message};

    #[test]
    fn finds_ports_that_contradict_the_command() {
        check_fires(
            &RULE,
            "FROM a\nEXPOSE «5000»\nCMD [\"uvicorn\", \"a:b\", \"--port\", \"8080\"]\n",
        );
        check_fires(
            &RULE,
            "FROM a\nEXPOSE «80» 443\nENTRYPOINT [\"gunicorn\"]\nCMD [\"-b\", \"0.0.0.0:8000\", \"a:b\"]\n",
        );
        check_fires(
            &RULE,
            "FROM a\nENV PORT=3000\nEXPOSE «8080»\nCMD [\"node\", \"x.js\"]\n",
        );
        check_message(
            &RULE,
            "FROM a\nEXPOSE 1\nCMD [\"http-server\", \"-p\", \"8080\"]\n",
            "EXPOSE leaves out port 8080, which `http-server` listens on",
        );
        check_message(
            &RULE,
            "FROM a\nENV PORT=3000\nEXPOSE 8080\nCMD [\"node\", \"x.js\"]\n",
            "EXPOSE leaves out port 3000, which `PORT` tells the program to listen on",
        );
    }

    #[test]
    fn a_variable_in_the_command_is_looked_up() {
        check_fires(
            &RULE,
            "FROM a\nENV PORT=8000\nEXPOSE «5000»\nCMD exec gunicorn --bind :$PORT a:b\n",
        );
        check_fires(
            &RULE,
            "FROM a\nENV PORT=8000\nEXPOSE «5000»\nCMD uvicorn a:b --port \"${PORT}\"\n",
        );
        check_clean(
            &RULE,
            "FROM a\nENV PORT=8000\nEXPOSE $PORT\nCMD exec gunicorn --bind :$PORT a:b\n",
        );
        check_clean(
            &RULE,
            "FROM a\nENV PORT=8000\nEXPOSE 5000\nCMD exec gunicorn --bind :$WEB_PORT a:b\n",
        );
    }

    #[test]
    fn agreeing_ports_and_ranges_are_fine() {
        check_clean(
            &RULE,
            "FROM a AS b\nEXPOSE 8080\nFROM b\nEXPOSE 9000-9010\nCMD [\"uvicorn\", \"a:b\", \"--port=8080\"]\n",
        );
        check_clean(
            &RULE,
            "FROM a\nEXPOSE 8000\nENV PORT=3000\nCMD [\"uvicorn\", \"a:b\", \"--port=8000\"]\n",
        );
    }

    #[test]
    fn what_is_not_written_is_not_judged() {
        check_clean(
            &RULE,
            "FROM a\nEXPOSE $P\nCMD [\"uvicorn\", \"a:b\", \"--port=8080\"]\n",
        );
        check_clean(
            &RULE,
            "FROM a\nEXPOSE 5000\nCMD [\"python\", \"app.py\", \"--port=8080\"]\n",
        );
        check_clean(&RULE, "FROM a\nEXPOSE 5000\nCMD uvicorn a:b --port $PORT\n");
        check_clean(&RULE, "FROM a\nEXPOSE 5000\nCMD [\"uvicorn\", \"a:b\"]\n");
        check_clean(
            &RULE,
            "FROM a\nENV PORT=3000\nEXPOSE 80\nCMD [\"supervisord\"]\n",
        );
        check_clean(
            &RULE,
            "FROM a\nENV PORT=27015\nEXPOSE 27015/udp\nCMD [\"x\"]\n",
        );
    }
}
