//! `cargo msk postgres`.

use std::process::ExitCode;

use clap::Subcommand;
use lambda_msk::postgres::{LEDGER_TABLE, TableName, schema};

use crate::fault::{Fault, print_document};

/// Print the statements that create the tables in Postgres.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Schema(Schema),
}

/// Print the statements that create the tables where they do not exist.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk postgres schema | psql \"$DATABASE_URL\"
  cargo msk postgres schema --ledger shop.ledger > schema.sql

The statements can be run again: they leave tables that exist as they are. The function creates no
table; its role needs SELECT, INSERT, UPDATE and DELETE on these.

Exit codes: 0 printed; 2 wrong arguments.")]
struct Schema {
    /// Table of the idempotency store: `table` in LAMBDA_MSK_IDEMPOTENCY=postgres://…?table=TABLE.
    #[arg(long, value_name = "TABLE", default_value = LEDGER_TABLE)]
    ledger: TableName,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    let Command::Schema(args) = &args.command;
    print_document(schema(&args.ledger).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
