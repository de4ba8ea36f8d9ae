//! What must hold of each thing that the mapping says.

use std::collections::BTreeSet;
use std::time::Duration;

use msk_mapping::limits::{EVENT_BYTES_MAX, POLLER_INVOCATIONS_MAX};
use msk_mapping::machine::{
    Age, Batch, Condition, Exhausted, Halves, Input, NextBatch, Offsets, Output, PollerId, Position,
};
use msk_mapping::record::Record;
use msk_mapping::time::Time;

use super::{Sent, World, in_body, records};

impl World {
    pub(super) fn check(&mut self, output: Output, refused: &mut Vec<Input>) {
        match output {
            Output::Seek {
                poller,
                partition,
                to,
            } => {
                let log = self.log(partition.partition());
                let owner = log.owner.as_mut().unwrap();
                assert_eq!(owner.poller, poller);
                owner.position = match to {
                    Position::Offset(offset) => offset,
                    _ => log.start,
                };
                // A second seek is of an offset that is gone, and leaves what was polled before.
                owner.start = owner.start.min(owner.position);
            }
            Output::Resume { poller, partition } => {
                self.pause(poller, partition.partition(), false);
            }
            Output::Pause { poller, partition } => self.pause(poller, partition.partition(), true),
            Output::Invoke(batch) => self.invoked(batch),
            Output::Commit {
                poller,
                partition,
                position,
            } => {
                let refuse = std::mem::take(&mut self.refuse);
                self.committed(poller, partition.partition(), position, refuse);
                if refuse {
                    refused.push(Input::CommitRefused {
                        poller,
                        partition,
                        position,
                    });
                }
            }
            Output::Deliver(discarded) => {
                assert!(self.settings.on_failure.is_some());
                let parts: Vec<_> = discarded.records.iter().map(of_record).collect();
                self.given_up(&parts, discarded.condition);
                let generations = self.generations(&parts);
                for part in &parts {
                    let log = self.log(part.partition.partition());
                    let logged = log.records.get_mut(&part.offsets[0]).unwrap();
                    (logged.settled, logged.settled_here) = (false, false); // until it is confirmed
                }
                self.deliveries.insert(discarded.id, (parts, generations));
            }
            Output::Dropped(dropped) => {
                if self.settings.on_failure.is_none() {
                    self.given_up(&dropped.records, dropped.condition);
                }
                let generations = self.generations(&dropped.records);
                self.settle(&dropped.records, &generations, |_| true);
            }
            Output::Answered { .. } => {}
            Output::WakeAt(time) => {
                assert!(time > self.now, "it would wake for ever");
                self.woken = Some(time);
            }
            output => panic!("not in stream mode: {output:?}"),
        }
    }

    fn pause(&mut self, poller: PollerId, partition: i32, pause: bool) {
        let owner = self.log(partition).owner.as_mut().unwrap();
        assert_eq!((owner.poller, owner.paused), (poller, !pause));
        owner.paused = pause;
    }

    fn invoked(&mut self, batch: Batch) {
        let size = usize::try_from(self.settings.batch_size.unwrap()).unwrap();
        assert!((1..=size).contains(&batch.records()));
        assert!(batch.body.len() <= EVENT_BYTES_MAX);
        assert_eq!(in_body(&batch), records(&batch));
        let of_poller = |sent: &&Sent| sent.batch.poller == batch.poller;
        assert!(self.in_flight.values().filter(of_poller).count() < POLLER_INVOCATIONS_MAX);

        for part in &batch.partitions {
            for offset in &part.offsets {
                let age = self.age(part, *offset);
                let old = self.settings.maximum_record_age_in_seconds;
                let allowed = old.is_none_or(|most| age <= Duration::from_secs(most as u64));
                assert!(allowed, "too old: {age:?}");
            }
        }
        let readings = self.settings.readings;
        let ordered =
            readings.next_batch == NextBatch::Waits && readings.halves == Halves::InSequence;
        for part in &batch.partitions {
            assert!(part.offsets.is_sorted_by(|a, b| a < b));
            let partition = part.partition.partition();
            let generation = self.log(partition).generation;
            let beside = self.in_flight.values().any(|sent| {
                let parts = sent.batch.partitions.iter().zip(&sent.generations);
                parts
                    .filter(|(other, of)| other.partition == part.partition && **of == generation)
                    .count()
                    > 0
            });
            assert!(!ordered || !beside, "two batches of a partition");
            let log = self.log(partition);
            assert_eq!(log.owner.as_ref().unwrap().poller, batch.poller);
            for offset in &part.offsets {
                let logged = &log.records[offset];
                assert!(
                    logged.polled && !logged.settled_here,
                    "sent for nothing: {logged:?}"
                );
            }
            let last = *part.offsets.last().unwrap();
            for (offset, logged) in log.records.range(..last) {
                let before =
                    logged.polled && !logged.settled_here && !part.offsets.contains(offset);
                assert!(!ordered || !before, "{last} overtakes {logged:?}");
            }
        }
        let generations = self.generations(&batch.partitions);
        self.in_flight.insert(batch.id, Sent { batch, generations });
    }

    /// None of a record without a timestamp.
    fn age(&mut self, part: &Offsets, offset: i64) -> Duration {
        let now = self.now;
        let record = &self.log(part.partition.partition()).records[&offset].record;
        let timestamp = u64::try_from(record.timestamp).unwrap_or(now.as_millis());
        now.since(Time::from_millis(timestamp))
    }

    fn committed(&mut self, poller: PollerId, partition: i32, position: i64, refused: bool) {
        let log = self.log(partition);
        let owner = log.owner.as_mut().unwrap();
        assert_eq!(owner.poller, poller);
        assert!(position <= owner.position, "it was not polled");
        assert!(
            owner.committed.is_none_or(|committed| committed < position),
            "it goes back"
        );
        for (_, logged) in log.records.range(..position) {
            let settled =
                logged.settled && (logged.settled_here || logged.record.offset < owner.start);
            assert!(settled, "committed past {logged:?}");
        }
        if !refused {
            owner.committed = Some(position);
            log.committed = Some(position);
        }
    }

    /// Records are given up by the mapping's own rules.
    fn given_up(&mut self, parts: &[Offsets], condition: Condition) {
        let settings = self.settings.clone();
        let mut begun = BTreeSet::new();
        for part in parts {
            for offset in &part.offsets {
                let log = self.log(part.partition.partition());
                let logged = log.records[offset].clone();
                match condition {
                    Condition::RetryAttemptsExhausted => {
                        let infinite = if settings.on_failure.is_some() {
                            10
                        } else {
                            u32::MAX
                        };
                        let retries = settings.maximum_retry_attempts.unwrap_or(-1);
                        let retries = u32::try_from(retries).unwrap_or(infinite);
                        // What stands behind one whose attempts are over goes with it.
                        let behind = settings.readings.exhausted == Exhausted::FromLowest
                            && !begun.insert(part.partition.clone());
                        assert!(logged.sent > retries || behind, "too soon: {logged:?}");
                    }
                    Condition::RecordAgeExceeded => {
                        let age = self.age(part, *offset).as_secs();
                        let with_batch = settings.readings.age == Age::PerBatch;
                        assert!(age >= 60 || with_batch, "too young: {logged:?}");
                    }
                    condition => panic!("{condition}"),
                }
            }
        }
    }
}

fn of_record(record: &Record) -> Offsets {
    Offsets {
        partition: record.partition.clone(),
        offsets: vec![record.offset],
    }
}
