//! The broker in this process: made with the partitions that the records ask for, and seen to hold them. Called by `dev`.

use std::collections::BTreeMap;

use msk_mapping::driver::EmbeddedBroker;
use msk_mapping::limits::EMBEDDED_PARTITION_BYTES_MAX;

use super::produce::Wanted;
use crate::dev::args::{Args, PARTITIONS_MAX};
use crate::dev::failed;
use crate::fault::Fault;

/// Partitions of a topic of the embedded broker, unless records name more.
const PARTITIONS: i32 = 3;
/// So many partitions that are too full are named.
const LOSSES_SHOWN_MAX: usize = 3;

/// A broker of our own, with the partitions that the records ask for. Those that ask for none are spread evenly: a producer
/// would put what it is given at once into one partition.
pub(crate) fn start(args: &Args, wanted: &mut [Wanted]) -> Result<EmbeddedBroker, Fault> {
    let mut topics: BTreeMap<&str, i32> = BTreeMap::new();
    let partitions = args.partitions.unwrap_or(PARTITIONS);
    for topic in &args.topics {
        topics.insert(topic, partitions);
    }
    if let Some(topic) = args
        .settings
        .on_failure
        .as_deref()
        .and_then(|text| text.strip_prefix("kafka://"))
    {
        topics.insert(topic, partitions);
    }
    for record in wanted.iter() {
        let needed = record
            .partition
            .map_or(1, |partition| partition.saturating_add(1));
        if needed > PARTITIONS_MAX {
            return Err(Fault::new(format!(
                "expected partitions 0 to {}, found a record for partition {} of {}",
                PARTITIONS_MAX - 1,
                needed - 1,
                record.topic
            ))
            .help(format!(
                "the broker in this process has at most {PARTITIONS_MAX} partitions a topic: use one of your own, --bootstrap HOST:PORT"
            )));
        }
        if let Some(partitions) = topics.get_mut(&*record.topic) {
            *partitions = needed.max(*partitions);
        }
    }
    let anywhere = wanted
        .iter_mut()
        .filter(|record| record.partition.is_none());
    for (turn, record) in (0..).zip(anywhere) {
        let partitions = topics.get(&*record.topic);
        record.partition = partitions.map(|partitions| turn % partitions);
    }
    EmbeddedBroker::start(topics).map_err(|error| failed::kafka(&error))
}

/// A fault if it has not kept all that was written: then the run would be one of other records than were asked for.
pub(crate) fn check(broker: &EmbeddedBroker) -> Result<(), Fault> {
    let losses = broker.losses().map_err(|error| failed::kafka(&error))?;
    if losses.is_empty() {
        return Ok(());
    }
    let lost =
        |(partition, records): &(_, i64)| format!("{partition} has lost its first {records}");
    let room = EMBEDDED_PARTITION_BYTES_MAX / 1024 / 1024;
    let fault = Fault::new(format!(
        "the records do not fit into the broker in this process, which holds {room} MB a partition"
    ));
    let fault = losses
        .iter()
        .take(LOSSES_SHOWN_MAX)
        .fold(fault, |fault, loss| fault.at(lost(loss)));
    Err(fault.help(
        "spread them with --partitions N, or read a broker of your own: --bootstrap HOST:PORT",
    ))
}
