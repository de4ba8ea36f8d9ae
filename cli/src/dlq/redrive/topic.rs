//! A topic, in which the records stand again: a copy for every group.

use std::collections::BTreeMap;

use bytes::Bytes;
use msk_kafka::record::Header;
use msk_kafka::{Cluster, Outgoing, Producer};

use super::answer::Delivered;
use super::args::Args;
use super::item::Item;
use crate::dev;
use crate::dlq::headers::is_replayed;
use crate::dlq::letter::{Letter, REDRIVES};
use crate::dlq::source::topic::cluster;
use crate::fault::Fault;

pub(crate) struct Topic {
    /// None: the topic of each record.
    topic: Option<String>,
    cluster: Cluster,
    producer: Producer,
    /// The number of partitions of topics that were asked.
    partitions: BTreeMap<String, i32>,
}

impl Topic {
    pub(crate) async fn open(
        topic: Option<&str>,
        args: &Args,
        brokers: Option<&str>,
    ) -> Result<Self, Fault> {
        let bootstrap = args.from.bootstrap.as_deref().or(brokers);
        let cluster = cluster(bootstrap, &args.from.reach()).await?;
        let producer = Producer::new(&cluster).map_err(|error| dev::failed::kafka(&error))?;
        Ok(Self {
            topic: topic.map(str::to_owned),
            cluster,
            producer,
            partitions: BTreeMap::new(),
        })
    }

    pub(crate) async fn deliver(
        &mut self,
        item: &Item,
        letter: &Letter,
    ) -> Result<Delivered, Fault> {
        let topic = self.topic.clone().unwrap_or_else(|| item.lane.1.clone());
        let partitions = self.partitions_of(&topic).await?;
        let decoded = lambda_msk::testing::Event::from(item.event.clone()).records();
        let Ok(records) = decoded else {
            return Ok(Delivered::Failed(
                "the letter's event cannot be read".to_owned(),
            ));
        };
        for record in &records {
            if record.fault().is_some() {
                return Ok(Delivered::Failed(format!(
                    "{record} cannot be read, so it cannot be written as it was"
                )));
            }
            let headers = headers(record, letter.redrives.saturating_add(1));
            let mut outgoing = Outgoing::to(&topic);
            outgoing.partition = (record.partition() < partitions).then_some(record.partition());
            outgoing.key = record.key();
            outgoing.value = record.value();
            outgoing.headers = &headers;
            outgoing.timestamp = Some(record.timestamp_millis()).filter(|ms| *ms >= 0);
            if let Err(error) = self.producer.send(&[outgoing]).await {
                return Ok(Delivered::Failed(Fault::from_error(&error).first_line()));
            }
        }
        Ok(Delivered::Settled)
    }

    async fn partitions_of(&mut self, topic: &str) -> Result<i32, Fault> {
        if let Some(partitions) = self.partitions.get(topic) {
            return Ok(*partitions);
        }
        let (cluster, name) = (self.cluster.clone(), topic.to_owned());
        let asked = tokio::task::spawn_blocking(move || cluster.partitions(&name)).await;
        let asked = asked.map_err(|error| Fault::from_error(&error))?;
        let asked = asked.map_err(|error| dev::failed::kafka(&error))?;
        let partitions = i32::try_from(asked.len()).unwrap_or(i32::MAX);
        self.partitions.insert(topic.to_owned(), partitions);
        Ok(partitions)
    }
}

/// The record's own headers, with the count of redrives.
fn headers(record: &lambda_msk::Record, redrives: u32) -> Vec<Header> {
    let own = record.headers();
    let kept = own.iter().filter(|(name, _)| is_replayed(name));
    let mut headers: Vec<Header> = kept
        .map(|(name, value)| Header {
            name: name.to_owned(),
            value: value.map(Bytes::copy_from_slice),
        })
        .collect();
    headers.push(Header {
        name: REDRIVES.to_owned(),
        value: Some(Bytes::from(redrives.to_string())),
    });
    headers
}
