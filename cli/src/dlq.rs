//! `cargo msk dlq`.

// What blocks.
mod aside;
// What a letter is.
mod letter;
// Letters that are documents.
mod document;
// Letters that are records.
#[cfg(feature = "dev")]
mod headers;
// Where letters lie.
mod source;
// What flags mean.
mod flags;
// What the topics still have of letters without records.
mod reached;
// A source that is only looked at.
mod look;
// What the commands show.
mod list;
mod show;
// What feeds letters back.
mod redrive;

use std::process::ExitCode;

use clap::Subcommand;

use crate::fault::Fault;

/// Look at dead letters, and feed them back.
///
/// Reads letters of lambda-msk, of Lambda's mapping, Spring Kafka, Kafka Connect, Kafka Streams and share groups.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Redrive(Box<redrive::Args>),
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    // A function is built before anything is read: building takes a runtime of its own.
    let target = match &args.command {
        Command::Redrive(args) => Some(redrive::prepare(args)?),
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the runtime").at(error.to_string()))?;
    runtime.block_on(async {
        match (&args.command, target) {
            (Command::List(args), _) => list::run(args).await,
            (Command::Show(args), _) => show::run(args).await,
            (Command::Redrive(args), Some(target)) => redrive::run(args, target).await,
            (Command::Redrive(_), None) => unreachable!("a redrive has a target"),
        }
    })
}
