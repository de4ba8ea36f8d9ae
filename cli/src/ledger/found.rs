//! Which partitions are asked for, and what a store knows of them.

use lambda_msk::TopicPartition;
use lambda_msk::idempotency::{BoxStore, IdempotencyStore, PartitionState};
use tokio::task::JoinSet;

use crate::event::check_topic;
use crate::fault::Fault;

/// Past any topic's; it bounds what a slip of the finger costs.
const PARTITIONS_MAX: i64 = 10_000;
/// Reads on their way at once.
const READS_MAX: usize = 32;

/// Which partitions, of whom, and where they are kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Idempotency store.
    #[arg(
        long,
        env = "LAMBDA_MSK_IDEMPOTENCY",
        hide_env_values = true,
        value_name = "dynamodb://TABLE|redis://HOST|postgres://HOST/DATABASE"
    )]
    pub(super) store: String,
    /// Namespace of the consumer: the function's LAMBDA_MSK_NAMESPACE, else its name.
    #[arg(
        long,
        env = "LAMBDA_MSK_NAMESPACE",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub(super) namespace: String,
    /// Cluster: the function's LAMBDA_MSK_CLUSTER, else the cluster's ARN or, if self-managed, its brokers, sorted and joined by commas.
    #[arg(
        long,
        env = "LAMBDA_MSK_CLUSTER",
        hide_env_values = true,
        value_name = "ARN|NAME"
    )]
    pub(super) cluster: String,
    /// Topic.
    #[arg(long)]
    pub(super) topic: String,
    /// Partition; repeatable.
    #[arg(long = "partition", value_name = "N", required_unless_present = "partitions", value_parser = clap::value_parser!(i32).range(0..))]
    pub(super) partition: Vec<i32>,
    /// First N partitions: 0 to N-1.
    #[arg(long, value_name = "N", conflicts_with = "partition", value_parser = clap::value_parser!(i32).range(1..=PARTITIONS_MAX))]
    pub(super) partitions: Option<i32>,
    /// Write one JSON document to standard output.
    #[arg(long)]
    pub(super) json: bool,
}

/// What was read, in the order of partitions.
#[derive(Debug)]
pub(crate) struct Found {
    pub(super) known: Vec<(i32, PartitionState)>,
    pub(super) unknown: Vec<i32>,
}

impl Which {
    /// A part of an id that holds another part's `/` would name another item.
    pub(super) fn check(&self) -> Result<(), Fault> {
        check_topic(&self.topic)?;
        if self.namespace.is_empty() || self.namespace.contains('/') {
            return Err(Fault::new(format!("expected a namespace, found {:?}", self.namespace))
                .help("give the function's LAMBDA_MSK_NAMESPACE, or if that is unset, the function's name"));
        }
        if self.cluster.is_empty() {
            return Err(Fault::new("expected the name of a cluster, found an empty one").help(
                "give the function's LAMBDA_MSK_CLUSTER, else the ARN or, if self-managed, the brokers, sorted",
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

    pub(super) async fn read(&self, store: &BoxStore) -> Result<Found, Fault> {
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
pub(super) fn failed(store: &BoxStore, error: &dyn std::error::Error) -> Fault {
    let what = format!("cannot read or write {}", store.describe());
    let fault = Fault::new(what).at(error.to_string());
    fault.help(
        "check --store; for DynamoDB also the region and the credentials (AWS_REGION, AWS_PROFILE)",
    )
}

/// Now, as leases are compared with it.
pub(super) fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
