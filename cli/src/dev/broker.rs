//! The broker in this process: made with the partitions that the records ask for, and seen to hold them. Called by `dev`.

use std::collections::BTreeMap;

use msk_mapping::driver::EmbeddedBroker;

use super::produce::Wanted;
use super::{Args, PARTITIONS_MAX};
use crate::fault::Fault;

/// Partitions of a topic of the embedded broker, unless records name more.
const PARTITIONS: i32 = 3;

/// A broker of our own, with the partitions that the records ask for.
pub(crate) fn start(args: &Args, wanted: &[Wanted]) -> Result<EmbeddedBroker, Fault> {
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
    for record in wanted {
        let needed = record
            .partition
            .map_or(1, |partition| partition.saturating_add(1));
        if needed > PARTITIONS_MAX {
            return Err(Fault::new(format!(
                "a record asks for partition {} of {}",
                needed - 1,
                record.topic
            ))
            .help(format!(
                "the broker in this process has at most {PARTITIONS_MAX} partitions a topic"
            )));
        }
        if let Some(partitions) = topics.get_mut(&*record.topic) {
            *partitions = needed.max(*partitions);
        }
    }
    EmbeddedBroker::start(topics).map_err(|error| {
        Fault::from_error(&error)
            .help("a topic's name has at most 249 letters, digits, dots, lines and dashes")
    })
}
