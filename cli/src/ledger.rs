//! `cargo msk ledger`.

mod forget;
mod json;
mod text;

use std::process::ExitCode;

use clap::Subcommand;
use lambda_msk::TopicPartition;
use lambda_msk::idempotency::{BoxStore, IdempotencyStore, PartitionState};
use tokio::task::JoinSet;

use crate::event::check_topic;
use crate::fault::{Fault, print, print_document};

/// Past any topic's; it bounds what a slip of the finger costs.
const PARTITIONS_MAX: i64 = 10_000;
/// Reads on their way at once.
const READS_MAX: usize = 32;

/// Read what an idempotency store knows of a topic's partitions, or make it forget that.
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

/// Show what is known of partitions: settled offsets, and who holds them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk ledger show --store dynamodb://orders-idempotency --namespace orders-function \\
      --cluster arn:aws:kafka:… --topic orders --partitions 12
  cargo msk ledger show … --topic orders --partition 3 --json | jq '.partitions[0].rejected'

The key of any record, in a dead letter's `failure.idempotencyKey`, begins with
NAMESPACE/CLUSTER/TOPIC/PARTITION. Region and credentials come from the environment.

Exit codes: 0 shown; 2 wrong arguments, or the store failed.")]
struct Show {
    #[command(flatten)]
    which: Which,
}

/// Which partitions, of whom, and where they are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The store.
    #[arg(
        long,
        env = "LAMBDA_MSK_IDEMPOTENCY",
        hide_env_values = true,
        value_name = "dynamodb://TABLE"
    )]
    store: String,
    /// The consumer's: LAMBDA_MSK_NAMESPACE of the function, else the function's name.
    #[arg(
        long,
        env = "LAMBDA_MSK_NAMESPACE",
        hide_env_values = true,
        value_name = "NAME"
    )]
    namespace: String,
    /// LAMBDA_MSK_CLUSTER of the function; if unset, the cluster's ARN, or of a self-managed one its brokers, sorted and joined by commas.
    #[arg(
        long,
        env = "LAMBDA_MSK_CLUSTER",
        hide_env_values = true,
        value_name = "ARN|NAME"
    )]
    cluster: String,
    /// The topic.
    #[arg(long)]
    topic: String,
    /// This partition; may come again.
    #[arg(long = "partition", value_name = "N", required_unless_present = "partitions", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    /// The first N partitions: 0 to N-1.
    #[arg(long, value_name = "N", conflicts_with = "partition", value_parser = clap::value_parser!(i32).range(1..=PARTITIONS_MAX))]
    partitions: Option<i32>,
    /// Write one JSON document to standard output.
    #[arg(long)]
    json: bool,
}

/// What was read, in the order of partitions.
#[derive(Debug)]
pub(crate) struct Found {
    known: Vec<(i32, PartitionState)>,
    unknown: Vec<i32>,
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

impl Which {
    /// A part of an id that holds another part's `/` would name another item.
    fn check(&self) -> Result<(), Fault> {
        check_topic(&self.topic)?;
        if self.namespace.is_empty() || self.namespace.contains('/') {
            return Err(Fault::new(format!("{:?} is no namespace", self.namespace))
                .help("it is the function's name, unless the function sets LAMBDA_MSK_NAMESPACE"));
        }
        if self.cluster.is_empty() {
            return Err(Fault::new("the cluster's name is empty").help(
                "it is the function's LAMBDA_MSK_CLUSTER, else the ARN, or self-managed the brokers, sorted",
            ));
        }
        Ok(())
    }

    fn partitions(&self) -> Vec<i32> {
        let mut partitions = match self.partitions {
            Some(count) => (0..count).collect(),
            None => self.partition.clone(),
        };
        partitions.sort_unstable();
        partitions.dedup();
        partitions
    }

    async fn read(&self, store: &BoxStore) -> Result<Found, Fault> {
        let mut found = Found {
            known: Vec::new(),
            unknown: Vec::new(),
        };
        for partitions in self.partitions().chunks(READS_MAX) {
            let mut reads = JoinSet::new();
            for &partition in partitions {
                let (store, at) = (store.clone(), TopicPartition::new(&*self.topic, partition));
                let (namespace, cluster) = (self.namespace.clone(), self.cluster.clone());
                reads.spawn(async move {
                    let state = PartitionState::read(&store, &namespace, &cluster, &at).await;
                    (partition, state)
                });
            }
            while let Some(read) = reads.join_next().await {
                let broken = |error: tokio::task::JoinError| Fault::from_error(&error);
                match read.map_err(broken)? {
                    (partition, Ok(Some(state))) => found.known.push((partition, state)),
                    (partition, Ok(None)) => found.unknown.push(partition),
                    (_, Err(error)) => return Err(failed(store, &error)),
                }
            }
        }
        found
            .known
            .sort_unstable_by_key(|(partition, _)| *partition);
        found.unknown.sort_unstable();
        Ok(found)
    }
}

/// The store could not say.
fn failed(store: &BoxStore, error: &dyn std::error::Error) -> Fault {
    let what = format!("{} cannot be read or written", store.describe());
    let fault = Fault::new(what).at(error.to_string());
    fault.help("check --store, the region and the credentials (AWS_REGION, AWS_PROFILE)")
}

/// The store that the text names, as `LAMBDA_MSK_IDEMPOTENCY` has it. What is wrong is not shown: an address may hold a password.
fn store(text: &str) -> Result<BoxStore, Fault> {
    if let Some(table) = text.strip_prefix("dynamodb://") {
        return dynamodb(table);
    }
    let fault = Fault::new(match text {
        "memory" | "none" => format!("`{text}` is no store that outlives its process"),
        _ => "--store names no store".to_owned(),
    });
    Err(fault
        .help("give --store dynamodb://TABLE, as the function has it in LAMBDA_MSK_IDEMPOTENCY"))
}

#[cfg(feature = "dynamodb")]
fn dynamodb(table: &str) -> Result<BoxStore, Fault> {
    let store = lambda_msk::idempotency::DynamoDbStore::new(table);
    let store = store.map_err(|error| {
        Fault::new("--store names no table")
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

fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
