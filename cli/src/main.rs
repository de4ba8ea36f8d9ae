//! `cargo msk`: makes a function fed from Kafka, and runs it locally.
//!
//! One file a subcommand, each with `Args` and `run`. What a run prints for people is made as text first, so that tests
//! read the same text.

// ── What commands share ──────────────────────────────────────────────────────────────────────────

// Text for people and for programs.
mod text;

// What stops a command.
mod fault;

// The verdict on a run.
mod verdict;

// Signals that end a run.
mod interrupts;

// Files that commands read.
mod files;

// Flags that several commands have.
mod flags;

// The local function.
mod function;

// A project, before there is a function.
mod project;

// ── The commands ─────────────────────────────────────────────────────────────────────────────────

mod completions;
#[cfg(feature = "dev")]
mod dev;
#[cfg(not(feature = "dev"))]
#[path = "dev/absent.rs"]
mod dev;
mod dlq;
mod event;
mod init;
mod invoke;
mod ledger;
mod new;
mod postgres;
mod simulate;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Make AWS Lambda functions fed from Kafka, and run them locally.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-msk",
    bin_name = "cargo msk",
    version,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Init(init::Args),
    Invoke(invoke::Args),
    Event(event::Args),
    Dev(Box<dev::Args>),
    Dlq(dlq::Args),
    Ledger(ledger::Args),
    Postgres(postgres::Args),
    Simulate(simulate::Args),
    Completions(completions::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse_from(arguments(std::env::args_os()));
    let outcome = match cli.command {
        Command::New(args) => new::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Invoke(args) => invoke::run(&args),
        Command::Event(args) => event::run(&args),
        Command::Dev(args) => dev::run(&args),
        Command::Dlq(args) => dlq::run(&args),
        Command::Ledger(args) => ledger::run(&args),
        Command::Postgres(args) => postgres::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
    };
    match outcome {
        Ok(code) => code,
        Err(fault) => fault.report(),
    }
}

/// Cargo runs `cargo-msk msk invoke` for `cargo msk invoke`; both ways are the same to us.
fn arguments(given: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    given
        .enumerate()
        .filter(|(position, arg)| !(*position == 1 && arg == "msk"))
        .map(|(_, arg)| arg)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;

    use super::{Cli, arguments};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_word_that_cargo_adds_is_dropped_once() {
        let given = ["cargo-msk", "msk", "event", "--topic", "msk"].map(OsString::from);

        let arguments: Vec<OsString> = arguments(given.into_iter()).collect();

        assert_eq!(arguments, ["cargo-msk", "event", "--topic", "msk"]);
    }
}
