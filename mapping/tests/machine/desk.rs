//! A mapping on a desk: the test is its cluster, its function, its destination and its clock.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use msk_mapping::event::Source;
use msk_mapping::machine::{
    Acknowledgement, Batch, Configuration, Discarded, Dropped, End, Input, Mapping, Offsets,
    Output, PollerId, Position, ProvisionedPollers, StartingPosition,
};
use msk_mapping::record::{Record, TopicPartition};
use msk_mapping::response::{FailureReporting, Verdict};
use msk_mapping::time::Time;

/// 2026-11-22T08:00:00Z.
pub(crate) const START: Time = Time::from_millis(1_795_334_400_000);

pub(crate) const POLLER: PollerId = PollerId(0);

pub(crate) struct Desk {
    pub(crate) mapping: Mapping,
    pub(crate) now: Time,
    pub(crate) batches: VecDeque<Batch>,
    pub(crate) commits: Vec<String>,
    pub(crate) deliveries: VecDeque<Discarded>,
    pub(crate) dropped: Vec<Dropped>,
    pub(crate) acknowledged: Vec<(String, Acknowledgement)>,
    pub(crate) seeks: Vec<(String, Position)>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) polled: BTreeSet<(PollerId, TopicPartition)>,
    pub(crate) wake_at: Option<Time>,
}

/// Provisioned mode with partial answers, batches of at most 10.
pub(crate) fn settings() -> Configuration {
    let source = Source::Msk {
        arn: "arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1".to_owned(),
        bootstrap_servers: Some("b-1:9098,b-2:9098".to_owned()),
    };
    let mut settings = Configuration::new(source, "orders", StartingPosition::TrimHorizon);
    settings.function_response_types = FailureReporting::Partial;
    settings.provisioned_poller_config = Some(ProvisionedPollers {
        minimum: None,
        maximum: None,
        group: None,
    });
    settings.batch_size = Some(10);
    settings
}

pub(crate) fn orders(partition: i32) -> TopicPartition {
    TopicPartition::new("orders", partition)
}

pub(crate) fn record(partition: i32, offset: i64) -> Record {
    let now = i64::try_from(START.as_millis()).unwrap();
    Record::new(orders(partition), offset)
        .with_timestamp(now)
        .with_value("{}")
}

/// `orders-0: 1 2; orders-1: 7`.
pub(crate) fn shown(parts: &[Offsets]) -> String {
    let part = |part: &Offsets| {
        let offsets: Vec<_> = part.offsets.iter().map(ToString::to_string).collect();
        format!("{}: {}", part.partition, offsets.join(" "))
    };
    parts.iter().map(part).collect::<Vec<_>>().join("; ")
}

/// An answer that lists these.
pub(crate) fn listing(records: &[(i32, i64)]) -> String {
    let entry = |(partition, offset): &(i32, i64)| {
        format!(r#"{{"itemIdentifier":{{"partition":"orders-{partition}","offset":{offset}}}}}"#)
    };
    let entries: Vec<_> = records.iter().map(entry).collect();
    format!(r#"{{"batchItemFailures":[{}]}}"#, entries.join(","))
}

impl Desk {
    /// A mapping whose poller has partitions 0 and 1 from offset 0 on.
    pub(crate) fn new(settings: Configuration) -> Self {
        let mut desk = Self::bare(settings);
        desk.assign(0, Some(0));
        desk.assign(1, Some(0));
        desk.seeks.clear();
        desk
    }

    /// A mapping without partitions.
    pub(crate) fn bare(settings: Configuration) -> Self {
        Self {
            mapping: Mapping::new(settings).unwrap(),
            now: START,
            batches: VecDeque::new(),
            commits: Vec::new(),
            deliveries: VecDeque::new(),
            dropped: Vec::new(),
            acknowledged: Vec::new(),
            seeks: Vec::new(),
            verdicts: Vec::new(),
            polled: BTreeSet::new(),
            wake_at: None,
        }
    }

    pub(crate) fn give(&mut self, input: Input) {
        self.mapping.handle(self.now, input);
        while let Some(output) = self.mapping.poll() {
            match output {
                Output::Seek { partition, to, .. } => self.seeks.push((partition.to_string(), to)),
                Output::Resume { poller, partition } => {
                    assert!(self.polled.insert((poller, partition)));
                }
                Output::Pause { poller, partition } => {
                    assert!(self.polled.remove(&(poller, partition)));
                }
                Output::Invoke(batch) => self.batches.push_back(batch),
                Output::Commit {
                    partition,
                    position,
                    ..
                } => self.commits.push(format!("{partition}@{position}")),
                Output::Acknowledge { records, with, .. } => {
                    self.acknowledged.push((shown(&[records]), with));
                }
                Output::Deliver(discarded) => self.deliveries.push_back(discarded),
                Output::Dropped(dropped) => self.dropped.push(dropped),
                Output::Answered { verdict, .. } => self.verdicts.push(verdict),
                Output::WakeAt(time) => self.wake_at = Some(time),
                output => panic!("unknown: {output:?}"),
            }
        }
    }

    pub(crate) fn assign(&mut self, partition: i32, committed: Option<i64>) {
        self.give(Input::Assigned {
            poller: POLLER,
            partition: orders(partition),
            committed,
        });
    }

    pub(crate) fn revoke(&mut self, partition: i32) {
        let partition = orders(partition);
        self.polled.remove(&(POLLER, partition.clone()));
        self.give(Input::Revoked {
            poller: POLLER,
            partition,
        });
    }

    pub(crate) fn poll(&mut self, partition: i32, offsets: impl IntoIterator<Item = i64>) {
        let records = offsets.into_iter().map(|offset| record(partition, offset));
        self.poll_records(records.collect());
    }

    pub(crate) fn poll_records(&mut self, records: Vec<Record>) {
        self.give(Input::Polled {
            poller: POLLER,
            records,
        });
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        self.give(Input::Woken);
    }

    /// Lets time pass until the mapping wants to be woken.
    pub(crate) fn wake(&mut self) {
        self.now = self.mapping.wake_at().expect("it wants to be woken");
        assert_eq!(self.wake_at, Some(self.now), "it has asked for it");
        self.give(Input::Woken);
    }

    /// The one batch that was sent since.
    pub(crate) fn batch(&mut self) -> Batch {
        let batch = self.batches.pop_front().expect("a batch was sent");
        assert!(
            self.batches.is_empty(),
            "one batch was sent: {:?}",
            self.batches
        );
        batch
    }

    /// The next batch that is sent, after its window or pause.
    pub(crate) fn next_batch(&mut self) -> Batch {
        if self.batches.is_empty() {
            self.wake();
        }
        self.batch()
    }

    pub(crate) fn end(&mut self, batch: &Batch, how: End) {
        self.give(Input::Ended {
            id: batch.id,
            request_id: Some(format!("request-{}", batch.id.number())),
            how,
        });
    }

    pub(crate) fn answer(&mut self, batch: &Batch, body: &str) {
        self.end(batch, End::Response(body.to_owned().into()));
    }

    pub(crate) fn list(&mut self, batch: &Batch, records: &[(i32, i64)]) {
        self.answer(batch, &listing(records));
    }

    pub(crate) fn fail(&mut self, batch: &Batch) {
        self.end(batch, End::FunctionError);
    }

    /// The next delivery to the destination, which takes it.
    pub(crate) fn deliver(&mut self) -> Discarded {
        let discarded = self
            .deliveries
            .pop_front()
            .expect("a delivery was asked for");
        self.give(Input::Delivered { id: discarded.id });
        discarded
    }

    pub(crate) fn polls(&self, partition: i32) -> bool {
        self.polled.contains(&(POLLER, orders(partition)))
    }

    pub(crate) fn take_commits(&mut self) -> Vec<String> {
        std::mem::take(&mut self.commits)
    }
}

pub(crate) fn offsets(discarded: &Discarded) -> Vec<i64> {
    discarded
        .records
        .iter()
        .map(|record| record.offset)
        .collect()
}
