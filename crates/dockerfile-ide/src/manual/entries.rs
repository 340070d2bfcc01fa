//! The instructions.

use dockerfile_model::Keyword;

use super::InstructionPage;

pub(crate) const INSTRUCTIONS: &[InstructionPage] = &[
    InstructionPage {
        keyword: Keyword::From,
        forms: &["FROM [--platform=PLATFORM] IMAGE[:TAG|@DIGEST] [AS NAME]"],
        text: "Starts a stage on top of an image, of an earlier stage, or of nothing (`scratch`). What comes before in the file stays behind, but later stages can copy from it. Only ARG may stand before the first FROM.",
        snippet: "FROM ${1:image}",
    },
    InstructionPage {
        keyword: Keyword::Run,
        forms: &[
            "RUN [FLAGS] COMMAND",
            "RUN [FLAGS] [\"PROGRAM\", \"ARGUMENT\"]",
            "RUN [FLAGS] <<EOF",
        ],
        text: "Runs a command while building and keeps the files that it changes as a layer. A line or here-document is given to the shell; the JSON form calls the program itself. The step runs again when its text or anything before it changes.",
        snippet: "RUN ${1:command}",
    },
    InstructionPage {
        keyword: Keyword::Copy,
        forms: &[
            "COPY [FLAGS] SOURCE... DESTINATION",
            "COPY [FLAGS] [\"SOURCE\", \"DESTINATION\"]",
        ],
        text: "Copies files of the build context, of another stage or of an image (`--from`) into the image. Sources may hold wildcards; with several of them the destination is a folder and ends with `/`. A relative destination starts at the working directory. What `.dockerignore` leaves out cannot be copied.",
        snippet: "COPY ${1:source} ${2:destination}",
    },
    InstructionPage {
        keyword: Keyword::Add,
        forms: &[
            "ADD [FLAGS] SOURCE... DESTINATION",
            "ADD [FLAGS] [\"SOURCE\", \"DESTINATION\"]",
        ],
        text: "Like COPY, and besides fetches addresses and Git repositories, and unpacks archives that lie in the context. For plain files COPY says better what is meant.",
        snippet: "ADD ${1:source} ${2:destination}",
    },
    InstructionPage {
        keyword: Keyword::Env,
        forms: &["ENV NAME=VALUE ..."],
        text: "Sets environment variables for all later steps of the stage and for containers of the image. Words of one ENV see the values from before it, not those beside them.",
        snippet: "ENV ${1:NAME}=${2:value}",
    },
    InstructionPage {
        keyword: Keyword::Arg,
        forms: &["ARG NAME[=DEFAULT] ..."],
        text: "Declares a variable that `--build-arg` can set. It holds from here to the end of the stage and is not in the environment of containers. One that stands before the first FROM counts for FROM lines; a stage gets it with an `ARG NAME` of its own. Values can be seen in the history of the image: no secrets.",
        snippet: "ARG ${1:NAME}",
    },
    InstructionPage {
        keyword: Keyword::Workdir,
        forms: &["WORKDIR FOLDER"],
        text: "Sets the working directory for later steps and for containers, and makes the folder if it is not there. A relative folder starts at the one before.",
        snippet: "WORKDIR ${1:/app}",
    },
    InstructionPage {
        keyword: Keyword::User,
        forms: &["USER NAME|UID[:GROUP|GID]"],
        text: "Says as whom later RUN steps and the containers run. A name must be in the image's `/etc/passwd`. Without a group, commands run with the groups of the user, or as `root` group where there are none.",
        snippet: "USER ${1:user}",
    },
    InstructionPage {
        keyword: Keyword::Cmd,
        forms: &[
            "CMD [\"PROGRAM\", \"ARGUMENT\"]",
            "CMD [\"ARGUMENT\"]",
            "CMD COMMAND",
        ],
        text: "Says what a container runs when nobody says otherwise, or the arguments of ENTRYPOINT where there is one. The last one counts. In the JSON form the program gets signals itself; a line runs below a shell.",
        snippet: "CMD [\"${1:program}\"]",
    },
    InstructionPage {
        keyword: Keyword::Entrypoint,
        forms: &[
            "ENTRYPOINT [\"PROGRAM\", \"ARGUMENT\"]",
            "ENTRYPOINT COMMAND",
        ],
        text: "Says what a container always runs; CMD or the words of `run` become its arguments. Written as a line it runs below a shell, which passes on neither arguments nor signals.",
        snippet: "ENTRYPOINT [\"${1:program}\"]",
    },
    InstructionPage {
        keyword: Keyword::Expose,
        forms: &["EXPOSE PORT[/tcp|/udp] ..."],
        text: "Notes on which ports the program listens. It opens nothing by itself: `run --publish` does.",
        snippet: "EXPOSE ${1:8080}",
    },
    InstructionPage {
        keyword: Keyword::Volume,
        forms: &["VOLUME [\"FOLDER\", ...]", "VOLUME FOLDER ..."],
        text: "Marks folders whose content lives outside of the container. What later steps of the classic builder write there may be lost; each container gets a new volume unless one is named.",
        snippet: "VOLUME [\"${1:/data}\"]",
    },
    InstructionPage {
        keyword: Keyword::Label,
        forms: &["LABEL KEY=VALUE ..."],
        text: "Writes facts about the image into its configuration, such as `org.opencontainers.image.source`. It makes no layer.",
        snippet: "LABEL ${1:key}=${2:value}",
    },
    InstructionPage {
        keyword: Keyword::Healthcheck,
        forms: &["HEALTHCHECK [FLAGS] CMD COMMAND", "HEALTHCHECK NONE"],
        text: "Says how to find out whether a running container works: exit status 0 is healthy, 1 is not. `NONE` switches off what the base image says. The last one counts.",
        snippet: "HEALTHCHECK CMD ${1:command}",
    },
    InstructionPage {
        keyword: Keyword::Shell,
        forms: &["SHELL [\"PROGRAM\", \"ARGUMENT\", ...]"],
        text: "Sets the program that lines of RUN, CMD and ENTRYPOINT are given to, from here on. The default is `[\"/bin/sh\", \"-c\"]`.",
        snippet: "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]",
    },
    InstructionPage {
        keyword: Keyword::Stopsignal,
        forms: &["STOPSIGNAL SIGNAL"],
        text: "Names the signal that asks the container to end, by name or number. The default is SIGTERM.",
        snippet: "STOPSIGNAL ${1:SIGTERM}",
    },
    InstructionPage {
        keyword: Keyword::Onbuild,
        forms: &["ONBUILD INSTRUCTION"],
        text: "Keeps an instruction for builds that start FROM this image; there it runs right behind FROM. It does nothing in this build.",
        snippet: "ONBUILD ${1:RUN command}",
    },
    InstructionPage {
        keyword: Keyword::Maintainer,
        forms: &["MAINTAINER NAME"],
        text: "Names the author. Out of use: `LABEL org.opencontainers.image.authors=...` says it where tools look.",
        snippet: "LABEL org.opencontainers.image.authors=\"${1:name}\"",
    },
];
