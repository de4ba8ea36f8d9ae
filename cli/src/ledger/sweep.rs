//! `cargo msk ledger sweep`.

use std::process::ExitCode;

use crate::fault::Fault;

/// Delete what has expired from a Postgres table. The other stores do so by themselves.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Run it once a day. Rows are deleted some thousand at a time, so that no function waits long.

Examples:
  cargo msk ledger sweep --store 'postgres://sweeper@db.example/orders'
  cargo msk ledger sweep --json | jq .deleted

Exit codes: 0 swept; 2 wrong arguments, or the store failed.")]
pub(crate) struct Args {
    /// Idempotency store.
    #[arg(
        long,
        env = "LAMBDA_MSK_IDEMPOTENCY",
        hide_env_values = true,
        value_name = "postgres://HOST/DATABASE"
    )]
    store: String,
    /// Write one JSON document to standard output.
    #[arg(long)]
    json: bool,
}

#[cfg(feature = "postgres")]
pub(crate) async fn run(args: &Args) -> Result<ExitCode, Fault> {
    use lambda_msk::idempotency::{IdempotencyStore, PostgresStore};
    use serde_json::json;

    use super::found::now_ms;
    use crate::fault::{print, print_document};

    /// Rows of one statement.
    const ROWS: u32 = 5_000;

    check(&args.store)?;
    let store = PostgresStore::new(&args.store).map_err(|error| {
        Fault::new("expected the address of a Postgres database in --store")
            .at(error.to_string())
            .help("give --store postgres://HOST/DATABASE, as the function has it in LAMBDA_MSK_IDEMPOTENCY")
    })?;
    let at_s = now_ms() / 1000;
    let mut deleted = 0;
    loop {
        let more = store.sweep(at_s, ROWS).await.map_err(|error| {
            let what = format!("cannot sweep {}", store.describe());
            let fault = Fault::new(what).at(lambda_msk::failure::BoxError::from(error).to_string());
            fault
                .at(format!("deleted before that: {deleted}"))
                .help("check --store, and that its user may delete from the table; then run it again: it goes on where it ended")
        })?;
        deleted += more;
        if more < u64::from(ROWS) {
            break;
        }
    }
    let name = store.describe();
    if args.json {
        let document = json!({ "store": name, "deleted": deleted });
        print_document(format!("{document:#}\n").as_bytes())?;
    } else {
        print(&format!("{deleted} expired rows deleted from {name}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "postgres"))]
pub(crate) async fn run(args: &Args) -> Result<ExitCode, Fault> {
    let _ = args.json;
    check(&args.store)?;
    Err(crate::fault::without("Postgres", "postgres", "ledger"))
}

/// The text may hold a password, and is not shown.
fn check(store: &str) -> Result<(), Fault> {
    match store.split_once("://") {
        Some(("postgres" | "postgresql", _)) => Ok(()),
        Some(("dynamodb" | "redis" | "rediss" | "valkey" | "valkeys", _)) => Err(Fault::new(
            "expected a Postgres database in --store, found a store that deletes what has expired by itself",
        )
        .help("DynamoDB needs its time to live turned on, for the attribute `expiration`; Redis needs nothing")),
        _ => Err(Fault::new("expected postgres://HOST/DATABASE in --store, found another text")
            .help("give --store postgres://…, as the function has it in LAMBDA_MSK_IDEMPOTENCY")),
    }
}
