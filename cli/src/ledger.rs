//! `cargo msk ledger`.

mod forget;
mod found;
mod json;
mod sweep;
mod text;

use std::process::ExitCode;

use clap::Subcommand;
use lambda_msk::idempotency::BoxStore;

use self::found::{Which, now_ms};
#[cfg(not(all(feature = "dynamodb", feature = "redis", feature = "postgres")))]
use crate::fault::without;
use crate::fault::{Fault, print, print_document};

/// Show, forget or sweep what an idempotency store knows.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(Show),
    Forget(forget::Args),
    Sweep(sweep::Args),
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
        Command::Show(args) => Some(&args.which),
        Command::Forget(args) => Some(args.checked()?),
        Command::Sweep(_) => None,
    };
    which.map_or(Ok(()), Which::check)?;
    let store = which.map(|which| store(&which.store)).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the runtime").at(error.to_string()))?;
    // Ctrl-C ends the process as the system has it: there is nothing to clean up, and the question waits for standard input.
    runtime.block_on(async {
        match (&args.command, &store) {
            (Command::Show(args), Some(store)) => show(args, store).await,
            (Command::Forget(args), Some(store)) => forget::run(args, store).await,
            (Command::Sweep(args), _) => sweep::run(args).await,
            (_, None) => Err(Fault::new("expected a store, found none")),
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
    let fault = match (text, text.split_once("://")) {
        (_, Some(("dynamodb", table))) => return dynamodb(table),
        (_, Some(("redis" | "rediss" | "valkey" | "valkeys", _))) => return redis(text),
        (_, Some(("postgres" | "postgresql", _))) => return postgres(text),
        ("memory" | "none", _) => Fault::new(format!(
            "expected a store that outlives its process, found `{text}`"
        )),
        _ => Fault::new("expected a store in --store, found another text"),
    };
    Err(fault.help(
        "give --store dynamodb://TABLE, redis://HOST, rediss://HOST, valkey://HOST or postgres://HOST/DATABASE, \
         as the function has it in LAMBDA_MSK_IDEMPOTENCY",
    ))
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
    Err(without("DynamoDB", "dynamodb", "ledger"))
}

#[cfg(feature = "redis")]
fn redis(address: &str) -> Result<BoxStore, Fault> {
    let store = lambda_msk::idempotency::RedisStore::new(address);
    let store = store.map_err(|error| {
        Fault::new("expected the address of a Redis server in --store")
            .at(error.to_string())
            .help("give --store redis://HOST, rediss://HOST or valkey://HOST, as the function has it in LAMBDA_MSK_IDEMPOTENCY")
    })?;
    Ok(BoxStore::new(store))
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str) -> Result<BoxStore, Fault> {
    Err(without("Redis", "redis", "ledger"))
}

#[cfg(feature = "postgres")]
fn postgres(address: &str) -> Result<BoxStore, Fault> {
    let store = lambda_msk::idempotency::PostgresStore::new(address);
    let store = store.map_err(|error| {
        Fault::new("expected the address of a Postgres database in --store")
            .at(error.to_string())
            .help("give --store postgres://HOST/DATABASE, as the function has it in LAMBDA_MSK_IDEMPOTENCY")
    })?;
    Ok(BoxStore::new(store))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<BoxStore, Fault> {
    Err(without("Postgres", "postgres", "ledger"))
}

#[cfg(test)]
mod tests;
