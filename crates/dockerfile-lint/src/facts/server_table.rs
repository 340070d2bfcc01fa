//! Well-known servers: which options and variables say where they listen, and where they do when nothing says so.

/// A server program and the options that say where it listens.
pub(crate) struct Server {
    pub(super) program: &'static str,
    /// One of these has to follow; none: nothing has to.
    pub(super) subcommands: &'static [&'static str],
    pub(super) port_options: &'static [&'static str],
    pub(super) host_options: &'static [&'static str],
    /// Options that take `host:port`.
    pub(super) bind_options: &'static [&'static str],
    /// Whether an operand may be `port` or `host:port`.
    pub(super) takes_operand: bool,
    /// Options that say where it listens in another way: a socket, a configuration file.
    pub(super) other_options: &'static [&'static str],
    /// Variables that say it too.
    pub(crate) variables: &'static [&'static str],
    pub(crate) default_port: u16,
    /// Whether it listens on the loopback interface alone unless it is told otherwise.
    pub(crate) is_local_by_default: bool,
    /// What to add so that it listens on all interfaces; a bare word stands for the operand.
    pub(crate) open_option: &'static str,
}

const SERVER: Server = Server {
    program: "",
    subcommands: &[],
    port_options: &["--port", "-p"],
    host_options: &["--host"],
    bind_options: &[],
    takes_operand: false,
    other_options: &[],
    variables: &["PORT", "HOST"],
    default_port: 0,
    is_local_by_default: false,
    open_option: "--host=0.0.0.0",
};

pub(super) static SERVERS: &[Server] = &[
    Server {
        program: "artisan",
        subcommands: &["serve"],
        port_options: &["--port"],
        variables: &["SERVER_PORT", "SERVER_HOST"],
        default_port: 8000,
        is_local_by_default: true,
        ..SERVER
    },
    Server {
        program: "daphne",
        host_options: &["-b", "--bind"],
        other_options: &["-u", "--unix-socket", "--fd", "-e", "--endpoint"],
        variables: &[],
        default_port: 8000,
        is_local_by_default: true,
        open_option: "--bind=0.0.0.0",
        ..SERVER
    },
    Server {
        program: "fastapi",
        subcommands: &["run"],
        port_options: &["--port"],
        default_port: 8000,
        ..SERVER
    },
    Server {
        program: "fastapi",
        subcommands: &["dev"],
        port_options: &["--port"],
        default_port: 8000,
        is_local_by_default: true,
        ..SERVER
    },
    Server {
        program: "flask",
        subcommands: &["run"],
        host_options: &["--host", "-h"],
        variables: &["FLASK_RUN_PORT", "FLASK_RUN_HOST"],
        default_port: 5000,
        is_local_by_default: true,
        ..SERVER
    },
    Server {
        program: "gunicorn",
        port_options: &[],
        host_options: &[],
        bind_options: &["--bind", "-b"],
        other_options: &["-c", "--config", "--paste"],
        variables: &["PORT", "GUNICORN_CMD_ARGS"],
        default_port: 8000,
        is_local_by_default: true,
        open_option: "--bind=0.0.0.0:8000",
        ..SERVER
    },
    Server {
        program: "http-server",
        host_options: &["-a"],
        default_port: 8080,
        ..SERVER
    },
    Server {
        program: "http.server",
        port_options: &[],
        host_options: &["--bind", "-b"],
        takes_operand: true,
        variables: &[],
        default_port: 8000,
        ..SERVER
    },
    Server {
        program: "hypercorn",
        port_options: &[],
        host_options: &[],
        bind_options: &["--bind", "-b"],
        other_options: &["-c", "--config"],
        variables: &[],
        default_port: 8000,
        is_local_by_default: true,
        open_option: "--bind=0.0.0.0:8000",
        ..SERVER
    },
    Server {
        program: "hugo",
        subcommands: &["server", "serve"],
        host_options: &["--bind"],
        variables: &[],
        default_port: 1313,
        is_local_by_default: true,
        open_option: "--bind=0.0.0.0",
        ..SERVER
    },
    Server {
        program: "jekyll",
        subcommands: &["serve", "server", "s"],
        port_options: &["--port", "-P"],
        host_options: &["--host", "-H"],
        other_options: &["--config"],
        variables: &[],
        default_port: 4000,
        is_local_by_default: true,
        ..SERVER
    },
    Server {
        program: "manage.py",
        subcommands: &["runserver"],
        port_options: &[],
        host_options: &[],
        takes_operand: true,
        variables: &[],
        default_port: 8000,
        is_local_by_default: true,
        open_option: "0.0.0.0:8000",
        ..SERVER
    },
    Server {
        program: "mkdocs",
        subcommands: &["serve"],
        port_options: &[],
        host_options: &[],
        bind_options: &["--dev-addr", "-a"],
        other_options: &["-f", "--config-file"],
        variables: &[],
        default_port: 8000,
        is_local_by_default: true,
        open_option: "--dev-addr=0.0.0.0:8000",
        ..SERVER
    },
    Server {
        program: "next",
        subcommands: &["start", "dev"],
        host_options: &["-H", "--hostname"],
        default_port: 3000,
        ..SERVER
    },
    Server {
        program: "ng",
        subcommands: &["serve", "s"],
        port_options: &["--port"],
        variables: &[],
        default_port: 4200,
        is_local_by_default: true,
        ..SERVER
    },
    Server {
        program: "php",
        port_options: &[],
        host_options: &[],
        bind_options: &["-S"],
        variables: &[],
        default_port: 0,
        ..SERVER
    },
    Server {
        program: "rails",
        subcommands: &["server", "s"],
        host_options: &["-b", "--binding"],
        other_options: &["-c", "--config"],
        variables: &["PORT", "BINDING", "HOST", "RAILS_ENV", "RACK_ENV"],
        default_port: 3000,
        // It listens everywhere in production and on the loopback interface in development; puma.rb may say otherwise.
        is_local_by_default: false,
        open_option: "--binding=0.0.0.0",
        ..SERVER
    },
    Server {
        program: "serve",
        port_options: &["-l", "--listen", "-p"],
        host_options: &[],
        other_options: &["-c", "--config"],
        default_port: 3000,
        ..SERVER
    },
    Server {
        program: "streamlit",
        subcommands: &["run"],
        port_options: &["--server.port"],
        host_options: &["--server.address"],
        variables: &["STREAMLIT_SERVER_PORT", "STREAMLIT_SERVER_ADDRESS"],
        default_port: 8501,
        ..SERVER
    },
    Server {
        program: "uvicorn",
        port_options: &["--port"],
        other_options: &["--uds", "--fd"],
        variables: &["UVICORN_PORT", "UVICORN_HOST"],
        default_port: 8000,
        is_local_by_default: true,
        ..SERVER
    },
    Server {
        program: "vite",
        port_options: &["--port"],
        other_options: &["--config", "-c"],
        variables: &[],
        default_port: 5173,
        // `server.host` in `vite.config.js` may say otherwise, and mostly does.
        is_local_by_default: false,
        ..SERVER
    },
];

/// Java takes its port as a property, wherever the class or the archive stands.
pub(super) static JAVA: Server = Server {
    program: "java",
    port_options: &["-Dserver.port", "--server.port"],
    host_options: &["-Dserver.address", "--server.address"],
    variables: &["SERVER_PORT"],
    default_port: 8080,
    ..SERVER
};
