//! `cargo msk postgres`.

use std::process::ExitCode;

use clap::Subcommand;
use lambda_msk::postgres::{
    FORGET_EXPIRED_KEYS, LEDGER_TABLE, TableName, forget, forget_border, schema,
};

use crate::fault::{Fault, print_document};

/// Print the statements that create the tables in Postgres, or that make them forget.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Schema(Schema),
    Forget(Forget),
}

/// Print the statements that create the tables where they do not exist.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk postgres schema | psql -v ON_ERROR_STOP=1 \"$DATABASE_URL\"
  cargo msk postgres schema --ledger shop.ledger > schema.sql

The statements can be run again: they leave tables that exist as they are. The function creates no
table; its role needs SELECT, INSERT, UPDATE and DELETE on these.

Exit codes: 0 printed; 2 wrong arguments.")]
struct Schema {
    /// Table of the idempotency store: `table` in LAMBDA_MSK_IDEMPOTENCY=postgres://…?table=TABLE.
    #[arg(long, value_name = "TABLE", default_value = LEDGER_TABLE)]
    ledger: TableName,
}

/// Print the statements that delete what `once` knows of partitions.
///
/// Needed where a record fails with the code `once.forgotten`, and where a topic was made anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk postgres forget --keep-notes 'orders-fn/arn:aws:kafka:…/orders/0' |
      psql -v ON_ERROR_STOP=1 \"$DATABASE_URL\"
  cargo msk postgres forget 'orders-fn/arn:aws:kafka:…/orders/0' > forget.sql
  cargo msk postgres forget --expired-keys | psql -v ON_ERROR_STOP=1 \"$DATABASE_URL\"

An id is NAMESPACE/CLUSTER/TOPIC/PARTITION, as the message of `once.forgotten` has it. For a record
that is known not to have been written, keep the notes: without them, every record that is
redelivered is written again. For a topic that was made anew, stop the mapping, then forget all.

Exit codes: 0 printed; 2 wrong arguments.")]
struct Forget {
    /// Partitions: NAMESPACE/CLUSTER/TOPIC/PARTITION. Repeatable.
    #[arg(value_name = "ID", value_parser = id, required_unless_present = "expired_keys")]
    ids: Vec<String>,
    /// Keep the notes of what was written, and forget only that there was something older: for a record that is known not to have been written.
    #[arg(long)]
    keep_notes: bool,
    /// Delete the keys of `.per_record(…)` that have expired. Run it once a day.
    #[arg(long, conflicts_with_all = ["ids", "keep_notes"])]
    expired_keys: bool,
}

/// What an id can be; anything else is a slip.
fn id(text: &str) -> Result<String, String> {
    let partition = text.rsplit('/').next().unwrap_or_default();
    let is_one = text.split('/').count() >= 4
        && partition.parse::<u32>().is_ok()
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    match is_one {
        true => Ok(text.to_owned()),
        false => Err(
            "expected NAMESPACE/CLUSTER/TOPIC/PARTITION, as in the message of `once.forgotten`"
                .to_owned(),
        ),
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    let statements = match &args.command {
        Command::Schema(args) => schema(&args.ledger),
        Command::Forget(args) => {
            let ids: Vec<&str> = args.ids.iter().map(String::as_str).collect();
            match (args.expired_keys, args.keep_notes) {
                (true, _) => FORGET_EXPIRED_KEYS.to_owned(),
                (false, true) => forget_border(&ids),
                (false, false) => forget(&ids),
            }
        }
    };
    print_document(statements.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn an_id_is_that_of_a_partition() {
        for text in ["n/arn:aws:kafka:x:cluster/a/b/orders/0", "n/c/orders/12"] {
            assert_eq!(id(text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "orders",
            "n/c/orders",
            "n/c/orders/x",
            "n/c/orders/-1",
            "n/c d/orders/0",
        ] {
            assert!(id(text).is_err(), "{text}");
        }
    }
}
