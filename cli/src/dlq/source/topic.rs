//! Letters in a Kafka topic. Nothing can be taken out of a topic: a group's position stands before the first letter that is not settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use msk_kafka::{Cluster, Reader};
use msk_mapping::record::TopicPartition;

use super::found::{self as words, Found, LETTERS_MAX, More, Reach, Read, Receipt, Use};
use crate::dev;
use crate::dlq::aside::aside;
use crate::dlq::headers;
use crate::fault::Fault;

pub(crate) struct Topic {
    topic: String,
    cluster: Cluster,
    reader: Arc<Reader>,
    open: Open,
}

/// What lies in each partition and is not settled, with the end of what was read.
type Open = BTreeMap<i32, (BTreeSet<i64>, i64)>;

/// The cluster of `--bootstrap`, or of an address. The connection is made with the first question.
pub(crate) async fn cluster(bootstrap: Option<&str>, reach: &Reach<'_>) -> Result<Cluster, Fault> {
    let Some(bootstrap) = bootstrap.or(reach.bootstrap) else {
        return Err(
            Fault::new("expected the brokers of the cluster, found none").help(
                "give them with --bootstrap HOST:PORT, or as kafka://TOPIC?bootstrap=HOST:PORT",
            ),
        );
    };
    dev::cluster_of(bootstrap, reach.settings, reach.iam).await
}

/// `kafka://TOPIC[?bootstrap=HOST:PORT,…]`.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    let rest = text.strip_prefix("kafka://")?;
    match rest.split_once('?') {
        None => Some((rest, None)),
        Some((topic, query)) => Some((topic, Some(query.strip_prefix("bootstrap=")?))),
    }
}

impl Topic {
    pub(crate) async fn open(text: &str, reach: &Reach<'_>) -> Result<Self, Fault> {
        let (topic, bootstrap) = split(text).ok_or_else(|| words::unknown(text))?;
        lambda_msk::record::check_topic_name(topic).map_err(|error| {
            Fault::new(format!("the topic in --from {error}")).help(words::HELP)
        })?;
        let cluster = cluster(bootstrap, reach).await?;
        let group = format!("cargo-msk-dlq.{topic}");
        let reader = Reader::new(&cluster, &group).map_err(|error| dev::failed::kafka(&error))?;
        Ok(Self {
            topic: topic.to_owned(),
            cluster,
            reader: Arc::new(reader),
            open: Open::new(),
        })
    }

    pub(crate) fn bootstrap(&self) -> &str {
        self.cluster.bootstrap()
    }

    pub(crate) async fn read(&mut self, used: Use) -> Result<Read, Fault> {
        let (reader, topic) = (Arc::clone(&self.reader), self.topic.clone());
        let read = aside(move || read(&reader, &topic)).await?;
        let (mut read, open) = read.map_err(|error| dev::failed::kafka(&error))?;
        self.open = open;
        let letters = read.found.iter().filter_map(|it| it.letter.as_ref().ok());
        let oldest = letters.filter_map(|letter| letter.written).min();
        if let (Use::Look, Some(oldest)) = (used, oldest) {
            let kept = self.cluster.retention(&self.topic).await;
            let ms = kept.and_then(|kept| kept.ms);
            read.until = ms.and_then(|ms| after(oldest.as_millisecond(), ms));
        }
        Ok(read)
    }

    /// Moves the group's position up to the first letter that is not settled.
    pub(crate) async fn settle(&mut self, partition: i32, offset: i64) -> Result<(), Fault> {
        let Some((open, end)) = self.open.get_mut(&partition) else {
            return Ok(());
        };
        let first = open.first().copied();
        open.remove(&offset);
        if first != Some(offset) {
            return Ok(());
        }
        let position = open.first().copied().unwrap_or(*end);
        let at = TopicPartition::new(self.topic.as_str(), partition);
        self.reader.commit(&at, position).map_err(|error| {
            dev::failed::kafka(&error)
                .at("the position of the group could not be committed: a later run begins at an earlier letter, and the ledger skips what is done")
        })
    }
}

/// So many milliseconds after that time. None: a time that nobody lives to see.
pub(crate) fn after(ms: i64, more: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms.checked_add(more)?).ok()
}

fn read(reader: &Reader, topic: &str) -> Result<(Read, Open), msk_kafka::Error> {
    let partitions = reader.partitions(topic)?;
    let committed = reader.committed(&partitions)?;
    let (mut all, mut more, mut unsettled) = (Vec::new(), More::Nothing, Open::new());
    for (partition, committed) in partitions.iter().zip(committed) {
        let (first, end) = reader.bounds(partition)?;
        let from = committed.unwrap_or(first).max(first);
        let number = partition.partition();
        let mut open = BTreeSet::new();
        let mut last = from;
        let each = |record: msk_mapping::record::Record| {
            if all.len() == LETTERS_MAX {
                more = More::Rest;
                return false;
            }
            open.insert(record.offset);
            last = record.offset + 1;
            all.push(Found {
                at: format!("{partition}@{}", record.offset),
                letter: headers::read(&record),
                receipt: Receipt::Place {
                    partition: number,
                    offset: record.offset,
                },
            });
            true
        };
        reader.read(partition, from, end, each)?;
        let end = if more.is_nothing() { end } else { last };
        unsettled.insert(number, (open, end));
    }
    let read = Read {
        found: all,
        more,
        until: None,
    };
    Ok((read, unsettled))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_topic_may_name_its_brokers() {
        assert_eq!(split("kafka://dead"), Some(("dead", None)));
        assert_eq!(
            split("kafka://dead?bootstrap=a:1,b:2"),
            Some(("dead", Some("a:1,b:2")))
        );
        assert_eq!(split("kafka://dead?broker=a:1"), None);
    }
}
