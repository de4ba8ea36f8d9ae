//! `--logs` and `--payloads`: how much is shown of a function and of its records. Flags of `dev` and `invoke`.

use clap::ValueEnum;

/// The flags.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Output {
    /// Lines of the function to show: warnings and errors, all, all as they were written (raw), or none. A JSON log line is
    /// shown short, on one row; a line that is no log line in JSON is shown as it is.
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Logs::Warn)]
    pub(crate) logs: Logs,
    /// Show the keys and values of records. By default no payload is shown. Typed ones are shown as JSON if
    /// --schema-registry-uri or LAMBDA_MSK_SCHEMA_REGISTRY names the registry of their schemas (feature schemas).
    #[arg(long)]
    pub(crate) payloads: bool,
}

/// Which of the function's lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Logs {
    /// Log lines from WARN on, and what is no log line.
    #[default]
    Warn,
    /// Log lines of every level, and what is no log line.
    All,
    /// Every line as it was written, those with metrics too.
    Raw,
    /// No line.
    None,
}
