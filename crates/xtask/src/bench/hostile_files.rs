//! Files made to be slow: many of one thing, most of them with references to the others.

use std::fmt::Write as _;

/// Writes the line of a number.
pub(super) type Line = fn(&mut String, usize) -> std::fmt::Result;

/// A kind of file: its name, the text before its lines, and the lines.
pub(super) const KINDS: &[(&str, &str, Line)] = &[
    ("env", "FROM a:1\n", |out, i| {
        writeln!(out, "ENV V{i}=$V{} W=x{i}", i / 2)
    }),
    ("env-doubles", "FROM a:1\nENV A=x\n", |out, _| {
        writeln!(out, "ENV A=$A$A")
    }),
    ("env-grows", "FROM a:1\n", |out, i| {
        writeln!(out, "ENV PATH=/opt/p{i}/bin:$PATH CLASS=$CLASS:x")
    }),
    ("env-one-line", "FROM a:1\nENV", |out, i| {
        write!(out, " V{i}=$V{}", i / 2)
    }),
    ("arg", "FROM a:1\n", |out, i| {
        writeln!(out, "ARG V{i}=$V{}", i / 2)
    }),
    ("arg-same", "FROM a:1\n", |out, i| {
        writeln!(out, "ARG A=$A{}", i % 3)
    }),
    ("arg-unused", "FROM a:1\n", |out, i| {
        writeln!(out, "ARG V{i}")
    }),
    ("global-arg", "", |out, i| {
        writeln!(out, "ARG V{i}=$V{}", i / 2)
    }),
    ("global-arg-stages", "", |out, i| {
        writeln!(out, "ARG V{i}=a\nFROM $V{i}:1 AS s{i}\nARG V{}", i / 2)
    }),
    ("undefined", "FROM a:1\nARG HOME_FOLDER=x\n", |out, i| {
        writeln!(out, "WORKDIR /$HOME_FOLDR{i}\nENV HOME_FOLDE{i}=$X{i}")
    }),
    ("stages", "", |out, i| {
        writeln!(out, "FROM a:{i} AS s{i}\nRUN make")
    }),
    ("stages-unnamed", "", |out, i| {
        writeln!(out, "FROM a:{i}\nRUN make")
    }),
    ("stages-same-name", "", |out, i| {
        writeln!(out, "FROM a:{i} AS s\nCOPY --from=s /a /")
    }),
    ("stage-chain", "FROM a:1 AS s0\n", |out, i| {
        writeln!(out, "FROM s{} AS s{}\nENV V{i}=1\nRUN make $V0", i, i + 1)
    }),
    (
        "chain-then-uses",
        "FROM a:1 AS s0\nARG A\n",
        |out, i| match i % 2 {
            0 => writeln!(out, "FROM s{} AS s{}", i / 2, i / 2 + 1),
            _ => writeln!(out, "ENV V{i}=$A$UNKNOWN"),
        },
    ),
    (
        "chain-of-users",
        "FROM a:1 AS s0\nUSER a\nWORKDIR /a\n",
        |out, i| {
            writeln!(
                out,
                "FROM s{i} AS s{}\nEXPOSE 80\nCOPY a b\nWORKDIR c\nCMD nginx\n",
                i + 1
            )
        },
    ),
    ("copy-from", "FROM a:1 AS s0\n", |out, i| {
        writeln!(
            out,
            "FROM a:{i} AS s{}\nCOPY --from=s{} /a /b{i}",
            i + 1,
            i / 2
        )
    }),
    ("copy-from-number", "FROM a:1\n", |out, i| {
        writeln!(out, "FROM a:1\nCOPY --from={} /a /b{i}", i / 2)
    }),
    ("copy-from-unknown", "FROM a:1 AS builder\n", |out, i| {
        writeln!(out, "FROM a:{i} AS stage{i}\nCOPY --from=stagw{i} /a /b")
    }),
    ("mount-from", "FROM a:1 AS s0\n", |out, i| {
        writeln!(
            out,
            "FROM a:{i} AS s{}\nRUN --mount=type=bind,from=s{},target=/x make",
            i + 1,
            i / 2
        )
    }),
    (
        "mount-options",
        "FROM a:1\nRUN --mount=type=cache",
        |out, i| write!(out, ",x{i}=$A"),
    ),
    ("mounts", "FROM a:1\nRUN", |out, i| {
        write!(out, " --mount=type=cache,target=/c{i}")
    }),
    ("copy", "FROM a:1\n", |out, i| {
        writeln!(out, "COPY a{i}.txt b{i}.txt /c/")
    }),
    ("copy-dots", "FROM a:1\nWORKDIR /app\n", |out, i| {
        writeln!(out, "COPY . .\nRUN npm install\nCOPY package{i}.json .")
    }),
    ("copy-install", "FROM node:20\n", |out, i| {
        writeln!(
            out,
            "COPY src{i} /app/{i}\nRUN cd /app/{i} && npm ci && pip install -r requirements.txt"
        )
    }),
    ("copy-chown", "FROM a:1\n", |out, i| {
        writeln!(
            out,
            "USER u{i}\nCOPY --chown=u{i} a b{i}\nRUN chown -R u{i} /b{i} && chmod 777 /b{i}"
        )
    }),
    ("copy-one-line", "FROM a:1\nCOPY", |out, i| {
        write!(out, " a{i}")
    }),
    (
        "copy-variables-one-line",
        "FROM a:1\nARG A\nCOPY",
        |out, i| write!(out, " $A{i}"),
    ),
    ("one-word-of-variables", "FROM a:1\nENV X=", |out, i| {
        write!(out, "$A{i}")
    }),
    ("one-word-continued", "FROM a:1\nENV X=", |out, i| {
        writeln!(out, "$A{i}\\")
    }),
    ("copy-heredocs", "FROM a:1\n", |out, i| {
        writeln!(out, "COPY <<E /f{i}\nx $A\nE")
    }),
    ("copy-many-heredocs", "FROM a:1\nCOPY", |out, i| {
        write!(out, " <<E{i}")
    }),
    ("add", "FROM a:1\n", |out, i| {
        writeln!(out, "ADD a{i}.tar.gz https://x.y/z{i} /c/")
    }),
    ("run-heredocs", "FROM a:1\n", |out, i| {
        writeln!(out, "RUN <<E\napt-get install x{i}\ncd /a\nE")
    }),
    ("run-heredoc-long", "FROM a:1\nRUN <<E\n", |out, i| {
        writeln!(out, "apt-get install -y x{i} | tee a && cd /a{i}")
    }),
    ("label", "FROM a:1\n", |out, i| {
        writeln!(out, "LABEL a.b.{i}=\"c $D\" X=y")
    }),
    ("label-one-line", "FROM a:1\nLABEL", |out, i| {
        write!(out, " \\\n  a.b.{i}=c")
    }),
    ("label-old", "FROM a:1\n", |out, i| {
        writeln!(out, "LABEL name{i} value")
    }),
    ("expose", "FROM a:1\n", |out, i| {
        writeln!(out, "EXPOSE {} 80{i}/tcp 1-2 {}:80", i % 65536, i % 9999)
    }),
    ("expose-one-line", "FROM a:1\nEXPOSE", |out, i| {
        write!(out, " {}", i % 65536)
    }),
    ("expose-servers", "FROM a:1\n", |out, i| {
        writeln!(
            out,
            "EXPOSE {}\nENV PORT={i}\nCMD nginx -p {i} --host 127.0.0.1",
            i % 65536
        )
    }),
    ("expose-stages", "", |out, i| {
        writeln!(
            out,
            "FROM a:1 AS s{i}\nEXPOSE {i}\nCMD [\"nginx\", \"-p\", \"{i}\"]"
        )
    }),
    ("volume", "FROM a:1\n", |out, i| {
        writeln!(out, "VOLUME /v{i}\nRUN touch /v{i}/x")
    }),
    ("volume-one-line", "FROM a:1\nVOLUME", |out, i| {
        write!(out, " /v{i}")
    }),
    ("users", "FROM a:1\n", |out, i| {
        writeln!(out, "RUN useradd u{i}\nUSER u{i}")
    }),
    ("users-later", "FROM a:1\n", |out, i| {
        writeln!(out, "USER u{i}\nRUN adduser -D u{}", i + 1)
    }),
    ("users-numbers", "FROM a:1\n", |out, i| {
        writeln!(out, "USER {i}:{i}\nRUN sudo make")
    }),
    ("users-root", "FROM a:1\n", |out, _| {
        writeln!(out, "USER root\nRUN make\nUSER app")
    }),
    ("users-stages", "", |out, i| {
        writeln!(out, "FROM a:1 AS s{i}\nRUN useradd u{i}\nUSER u{}", i / 2)
    }),
    ("users-chain", "FROM a:1 AS s0\n", |out, i| {
        writeln!(out, "FROM s{i} AS s{}\nUSER u{i}\nRUN useradd v{i}", i + 1)
    }),
    ("user-variables", "FROM a:1\n", |out, i| {
        writeln!(out, "ARG U=u{i}\nUSER $U\nRUN useradd $U")
    }),
    ("workdir-relative", "FROM a:1\nWORKDIR /a\n", |out, i| {
        writeln!(out, "WORKDIR b{i}\nCOPY a b\nRUN make")
    }),
    ("workdir-absolute", "FROM a:1\n", |out, i| {
        writeln!(out, "WORKDIR /b{i}\nRUN cd /c && make")
    }),
    ("workdir-none", "FROM a:1\n", |out, _| {
        writeln!(out, "COPY a b\nRUN npm install\nADD c d")
    }),
    ("run", "FROM a:1\n", |out, i| {
        writeln!(out, "RUN make target{i}")
    }),
    ("run-apt", "FROM debian:12\n", |out, i| {
        writeln!(
            out,
            "RUN apt-get update && apt-get install -y package{i} && rm -rf /var/lib/apt/lists/*"
        )
    }),
    ("run-apt-update", "FROM debian:12\n", |out, i| {
        writeln!(out, "RUN apt-get update\nRUN apt-get install -y package{i}")
    }),
    ("run-packages", "FROM a:1\n", |out, i| {
        writeln!(
            out,
            "RUN pip install x{i}; npm install y{i}; yum install z{i}; apk add w; gem install v; go install u{i}@latest; dnf install -y t; zypper in s"
        )
    }),
    ("run-export", "FROM a:1\n", |out, i| {
        writeln!(out, "RUN export A{i}=b\nRUN cd /a{i}\nRUN echo $A{i}")
    }),
    ("run-curl", "FROM a:1\n", |out, i| {
        writeln!(
            out,
            "RUN curl -k https://x/{i} | sh\nRUN wget http://x/{i}.tar.gz && tar xf {i}.tar.gz && rm {i}.tar.gz"
        )
    }),
    ("run-secrets", "FROM a:1\n", |out, i| {
        writeln!(out, "ENV SECRET_{i}=x\nARG TOKEN{i}\nRUN echo $TOKEN{i}")
    }),
    ("run-sudo", "FROM a:1\n", |out, i| {
        writeln!(
            out,
            "RUN sudo -u x{i} make && su y -c 'make' && useradd z{i}"
        )
    }),
    ("run-one-line", "FROM a:1\nRUN true", |out, i| {
        write!(out, " && make t{i}")
    }),
    ("run-one-line-cd", "FROM a:1\nRUN true", |out, i| {
        write!(out, " && cd /t{i} && npm install && A=$B{i} make")
    }),
    ("run-one-line-packages", "FROM a:1\nRUN true", |out, i| {
        write!(
            out,
            "; apt-get update; apt-get install x{i}; pip install x; yum install y; rm -rf /z{i}; apk add z; dnf clean all; npm ci; curl -k a | sh"
        )
    }),
    ("run-one-line-pipes", "FROM a:1\nRUN true", |out, i| {
        write!(out, " | curl x{i} | sh")
    }),
    ("run-one-line-files", "FROM a:1\nRUN true", |out, i| {
        write!(
            out,
            "; curl -o a{i} x; rm a{i}; chmod 777 a{i}; chown x a{i}; tar xf a{i}; useradd a{i}; echo x > a{i}; export V{i}=$V{i}"
        )
    }),
    (
        "run-one-line-options",
        "FROM a:1\nRUN apt-get install",
        |out, i| write!(out, " -o x{i} --y{i}"),
    ),
    (
        "run-one-line-install",
        "FROM a:1\nRUN apt-get install -y",
        |out, i| write!(out, " package{i}=1.{i}"),
    ),
    ("run-one-line-pip", "FROM a:1\nRUN pip install", |out, i| {
        write!(out, " package{i}")
    }),
    ("run-continued", "FROM a:1\nRUN true", |out, i| {
        write!(out, " \\\n  && make t{i}")
    }),
    ("run-continued-comments", "FROM a:1\nRUN true", |out, i| {
        write!(out, " \\\n# comment {i}\n  && make t{i}")
    }),
    ("run-substitutions", "FROM a:1\nRUN true", |out, i| {
        write!(out, " $(a{i} $(b))")
    }),
    ("run-assignments", "FROM a:1\nRUN", |out, i| {
        write!(out, " A{i}=b")
    }),
    ("run-ifs", "FROM a:1\nRUN true", |out, i| {
        write!(out, "; if [ a = {i} ]; then make; fi")
    }),
    ("run-non-ascii", "FROM a:1\nRUN echo ", |out, _| {
        write!(out, "é; sudo x; ")
    }),
    (
        "run-opaque",
        "FROM a:1\nSHELL [\"powershell\"]\n",
        |out, i| writeln!(out, "RUN Install-It -Name x{i}"),
    ),
    ("shell", "FROM a:1\n", |out, i| {
        writeln!(out, "SHELL [\"/bin/bash\", \"-c\", \"{i}\"]\nRUN a | b")
    }),
    ("shell-none", "FROM a:1\n", |out, _| {
        writeln!(out, "RUN a | b\nRUN <<E\na\nb\nE")
    }),
    ("cmd", "FROM a:1\n", |out, i| writeln!(out, "CMD nginx {i}")),
    ("cmd-exec", "FROM a:1\n", |out, i| {
        writeln!(out, "CMD [\"nginx\", \"{i}\"]\nENTRYPOINT [\"/e{i}.sh\"]")
    }),
    ("cmd-exec-long", "FROM a:1\nCMD [\"a\"", |out, i| {
        write!(out, ", \"$a{i}\"")
    }),
    ("entrypoint-stages", "", |out, i| {
        writeln!(out, "FROM a:1\nENTRYPOINT e{i}\nCMD c{i}")
    }),
    ("healthcheck", "FROM a:1\n", |out, i| {
        writeln!(out, "HEALTHCHECK CMD curl localhost:{i}")
    }),
    ("stopsignal", "FROM a:1\n", |out, _| {
        writeln!(out, "STOPSIGNAL SIGKILL")
    }),
    ("maintainer", "FROM a:1\n", |out, i| {
        writeln!(out, "MAINTAINER x{i}")
    }),
    ("onbuild", "FROM a:1\n", |out, i| {
        writeln!(
            out,
            "ONBUILD RUN apt-get install x{i}\nONBUILD COPY . /a{i}"
        )
    }),
    ("onbuild-nested", "FROM a:1\n", |out, _| {
        write!(out, "ONBUILD ")
    }),
    ("unknown", "FROM a:1\n", |out, i| {
        writeln!(out, "RUNN x{i}\nEXPOS 1\nENVV a=b")
    }),
    ("comments", "FROM a:1\n", |out, i| {
        writeln!(out, "# comment {i}\n\n")
    }),
    ("suppressions", "FROM a:1\n", |out, i| {
        writeln!(
            out,
            "# dflint ignore=DF501,DF207\nRUN make {i}\n# hadolint ignore=DL3006\nCMD x"
        )
    }),
    ("suppressions-file", "FROM a:1\n", |out, i| {
        writeln!(out, "# dflint file ignore=DF40{}\nCMD x{i}", i % 10)
    }),
    ("suppressions-inside", "FROM a:1\nRUN true", |out, _| {
        write!(out, " \\\n# dflint ignore=DF501\n && make")
    }),
    ("blank", "FROM a:1\n", |out, _| writeln!(out)),
    ("heredoc-unterminated", "FROM a:1\n", |out, i| {
        writeln!(out, "RUN <<E{i}")
    }),
    ("quotes", "FROM a:1\n", |out, i| {
        writeln!(out, "ENV A{i}=\"a b 'c\nRUN echo \"$A{i}")
    }),
    ("broken-json", "FROM a:1\n", |out, i| {
        writeln!(out, "CMD ['a{i}', \"b\"\nENTRYPOINT [\"a\", b]")
    }),
];

pub(super) fn text_of(head: &str, line: Line, lines: usize) -> String {
    let mut text = head.to_owned();
    for idx in 0..lines {
        line(&mut text, idx).expect("a String takes everything");
    }
    text.push('\n');
    text
}
