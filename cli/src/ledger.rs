//! `cargo msk ledger`.

mod forget;
mod found;
mod json;
mod text;

use std::process::ExitCode;

use clap::Subcommand;
use lambda_msk::idempotency::BoxStore;

use self::found::{Which, now_ms};
use crate::fault::{Fault, print, print_document};

/// Show or forget what an idempotency store knows of a topic's partitions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
    Forget(forget::Args),
}

/// Show each partition's settled offsets, and its lease.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk ledger show --store dynamodb://orders-idempotency --namespace orders-function \\
      --cluster arn:aws:kafka:… --topic orders --partitions 12
  cargo msk ledger show … --topic orders --partition 3 --json | jq '.partitions[0].rejected'

A record's key (`failure.idempotencyKey` in a dead letter) begins with
NAMESPACE/CLUSTER/TOPIC/PARTITION. Region and credentials come from the environment.

Exit codes: 0 shown; 2 wrong arguments, or the store failed.")]
struct Show {
    #[command(flatten)]
    which: Which,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    let which = match &args.command {
        Command::Show(args) => &args.which,
        Command::Forget(args) => args.checked()?,
    };
    which.check()?;
    let store = store(&which.store)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the runtime").at(error.to_string()))?;
    // Ctrl-C ends the process as the system has it: there is nothing to clean up, and the question waits for standard input.
    runtime.block_on(async {
        match &args.command {
            Command::Show(args) => show(args, &store).await,
            Command::Forget(args) => forget::run(args, &store).await,
        }
    })
}

async fn show(args: &Show, store: &BoxStore) -> Result<ExitCode, Fault> {
    let found = args.which.read(store).await?;
    if args.which.json {
        let document = json::found(&args.which, store, &found, now_ms());
        print_document(format!("{document:#}\n").as_bytes())?;
    } else {
        print(&text::found(&args.which, store, &found, now_ms()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The store that the text names, as `LAMBDA_MSK_IDEMPOTENCY` has it. What is wrong is not shown: an address may hold a password.
fn store(text: &str) -> Result<BoxStore, Fault> {
    if let Some(table) = text.strip_prefix("dynamodb://") {
        return dynamodb(table);
    }
    let fault = Fault::new(match text {
        "memory" | "none" => format!("expected a store that outlives its process, found `{text}`"),
        _ => "expected dynamodb://TABLE in --store, found another text".to_owned(),
    });
    Err(fault
        .help("give --store dynamodb://TABLE, as the function has it in LAMBDA_MSK_IDEMPOTENCY"))
}

#[cfg(feature = "dynamodb")]
fn dynamodb(table: &str) -> Result<BoxStore, Fault> {
    let store = lambda_msk::idempotency::DynamoDbStore::new(table);
    let store = store.map_err(|error| {
        Fault::new("expected a table in --store")
            .at(error.to_string())
            .help("give --store dynamodb://TABLE, with the table's name or ARN")
    })?;
    Ok(BoxStore::new(store))
}

#[cfg(not(feature = "dynamodb"))]
fn dynamodb(_: &str) -> Result<BoxStore, Fault> {
    Err(
        Fault::new("this cargo-msk was built without DynamoDB").help(
            "install it with: cargo install --locked cargo-msk --features dynamodb\n\
             in its repository: cargo run -p cargo-msk --features dynamodb -- ledger …",
        ),
    )
}

#[cfg(test)]
mod tests;
