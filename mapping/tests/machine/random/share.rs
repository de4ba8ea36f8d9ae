//! A cluster with a share group, and what must hold of a mapping in Queue mode. It keeps its own books.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use msk_mapping::limits::{DELIVERY_COUNT_MAX, POLLER_INVOCATIONS_MAX};
use msk_mapping::machine::{
    Acknowledgement, Batch, Configuration, DeliveryId, End, Input, InvocationId, Mapping, Output,
    PollerId,
};
use msk_mapping::record::Record;
use msk_mapping::time::Time;

use super::Step;
use super::choices::FILTERED;
use super::stream::{in_body, records};
use crate::desk::{START, listing, orders};

const POLLERS: u32 = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Available,
    Acquired(PollerId),
    Accepted,
    Archived,
}

#[derive(Debug, Clone)]
struct Shared {
    record: Record,
    state: State,
}

pub(super) struct World {
    mapping: Mapping,
    settings: Configuration,
    now: Time,
    records: BTreeMap<i64, Shared>,
    /// Offsets that the function has done and whose answer was heard.
    done: BTreeSet<i64>,
    given_up: BTreeSet<i64>,
    in_flight: BTreeMap<InvocationId, Batch>,
    deliveries: BTreeMap<DeliveryId, Vec<i64>>,
    paused: BTreeMap<PollerId, bool>,
    pub(super) trace: Vec<String>,
}

impl World {
    pub(super) fn new(settings: Configuration) -> Self {
        let mut world = Self {
            mapping: Mapping::new(settings.clone()).unwrap(),
            settings,
            now: START,
            records: BTreeMap::new(),
            done: BTreeSet::new(),
            given_up: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            paused: BTreeMap::new(),
            trace: Vec::new(),
        };
        for poller in 0..POLLERS {
            world.assign(PollerId(poller));
        }
        world
    }

    pub(super) fn step(&mut self, (what, which, how): Step) {
        let poller = PollerId(u32::from(which) % POLLERS);
        match what % 16 {
            0..=3 => self.produce(how),
            4..=7 => self.poll(poller, usize::from(how % 7)),
            8..=11 => self.end_one(usize::from(which), how),
            12 | 13 => self.wait(Duration::from_millis(u64::from(how) * 300)),
            14 => self.deliver_one(how % 3 > 0),
            _ => {
                self.give(Input::Revoked {
                    poller,
                    partition: orders(0),
                });
                // The broker takes back what a member held, and counts it.
                for shared in self.records.values_mut() {
                    if shared.state == State::Acquired(poller) {
                        release(shared);
                    }
                }
                self.assign(poller);
            }
        }
    }

    pub(super) fn end_well(&mut self) {
        for _ in 0..1_000 {
            for poller in 0..POLLERS {
                self.poll(PollerId(poller), 100);
            }
            while let Some(id) = self.in_flight.keys().next().copied() {
                self.end(id, End::Response("null".into()), &[]);
            }
            while !self.deliveries.is_empty() {
                self.deliver_one(true);
            }
            if let Some(time) = self.mapping.wake_at() {
                self.now = self.now.max(time);
                self.give(Input::Woken);
            }
            let available = self
                .records
                .values()
                .any(|shared| shared.state == State::Available);
            if self.mapping.is_idle() && !available {
                break;
            }
        }
        for (offset, shared) in &self.records {
            match shared.state {
                State::Accepted => assert!(
                    self.done.contains(offset),
                    "accepted for nothing: {shared:?}"
                ),
                // Given up by the mapping, or by the broker after its last delivery.
                State::Archived => assert!(
                    self.given_up.contains(offset)
                        || shared.record.delivery_count > DELIVERY_COUNT_MAX,
                    "lost: {shared:?}"
                ),
                _ => panic!("left: {shared:?}"),
            }
        }
        assert!(self.mapping.is_idle());
    }

    fn assign(&mut self, poller: PollerId) {
        self.paused.insert(poller, true);
        self.give(Input::Assigned {
            poller,
            partition: orders(0),
            committed: None,
        });
    }

    fn produce(&mut self, how: u8) {
        let offset = self.records.keys().last().map_or(0, |last| last + 1);
        let timestamp = i64::try_from(self.now.as_millis()).unwrap() - i64::from(how % 4) * 10_000;
        let filtered = how % 5 == 4;
        let value: &[u8] = if filtered { FILTERED } else { b"{}" };
        let record = Record::new(orders(0), offset)
            .with_value(value)
            .with_timestamp(timestamp);
        let state = State::Available;
        self.records.insert(offset, Shared { record, state });
        if filtered {
            self.done.insert(offset);
        }
    }

    fn poll(&mut self, poller: PollerId, most: usize) {
        if self.paused[&poller] {
            return;
        }
        let mut polled = Vec::new();
        for shared in self
            .records
            .values_mut()
            .filter(|shared| shared.state == State::Available)
            .take(most)
        {
            shared.state = State::Acquired(poller);
            polled.push(shared.record.clone());
        }
        self.give(Input::Polled {
            poller,
            records: polled,
        });
    }

    fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        self.give(Input::Woken);
    }

    fn deliver_one(&mut self, taken: bool) {
        if let Some((id, _)) = self.deliveries.pop_first() {
            self.give(if taken {
                Input::Delivered { id }
            } else {
                Input::DeliveryFailed { id }
            });
        }
    }

    fn end_one(&mut self, which: usize, how: u8) {
        let Some(id) = self
            .in_flight
            .keys()
            .nth(which % self.in_flight.len().max(1))
            .copied()
        else {
            return;
        };
        let all = records(&self.in_flight[&id]);
        let listed: Vec<_> = all
            .into_iter()
            .filter(|(_, offset)| (offset + i64::from(how)) % 2 == 0)
            .collect();
        match how % 6 {
            0 => self.end(id, End::Response("null".into()), &[]),
            1..=3 => self.end(id, End::Response(listing(&listed).into()), &listed),
            4 => self.end(id, End::Crashed, &[]),
            _ => self.end(id, End::Throttled, &[]),
        }
    }

    fn end(&mut self, id: InvocationId, how: End, listed: &[(i32, i64)]) {
        let batch = self.in_flight.remove(&id).unwrap();
        if matches!(how, End::Response(_)) {
            for (partition, offset) in records(&batch) {
                if !listed.contains(&(partition, offset)) {
                    self.done.insert(offset);
                }
            }
        }
        self.give(Input::Ended {
            id,
            request_id: None,
            how,
        });
    }

    fn give(&mut self, input: Input) {
        self.trace.push(format!("{} {input:?}", self.now));
        self.mapping.handle(self.now, input);
        while let Some(output) = self.mapping.poll() {
            self.trace.push(format!("  {output:?}"));
            self.check(output);
        }
    }

    fn check(&mut self, output: Output) {
        match output {
            Output::Resume { poller, .. } => {
                assert_eq!(self.paused.insert(poller, false), Some(true));
            }
            Output::Pause { poller, .. } => {
                assert_eq!(self.paused.insert(poller, true), Some(false));
            }
            Output::Invoke(batch) => self.invoked(batch),
            Output::Acknowledge {
                poller,
                records,
                with,
            } => {
                for offset in records.offsets {
                    let shared = self.records.get_mut(&offset).unwrap();
                    assert_eq!(
                        shared.state,
                        State::Acquired(poller),
                        "{shared:?} is not its own"
                    );
                    match with {
                        Acknowledgement::Accept => {
                            assert!(self.done.contains(&offset), "{shared:?} is not done");
                            shared.state = State::Accepted;
                        }
                        Acknowledgement::Reject => {
                            self.given_up.insert(offset);
                            shared.state = State::Archived;
                        }
                        Acknowledgement::Release => {
                            assert!(shared.record.delivery_count < DELIVERY_COUNT_MAX);
                            release(shared);
                        }
                    }
                }
            }
            Output::Deliver(discarded) => {
                assert!(self.settings.on_failure.is_some());
                let offsets = discarded
                    .records
                    .iter()
                    .map(|record| record.offset)
                    .collect();
                self.deliveries.insert(discarded.id, offsets);
            }
            Output::Dropped(_) | Output::Answered { .. } => {}
            Output::WakeAt(time) => assert!(time > self.now, "it would wake for ever"),
            output => panic!("not in queue mode: {output:?}"),
        }
    }

    fn invoked(&mut self, batch: Batch) {
        assert_eq!(in_body(&batch), records(&batch));
        let of_poller = |other: &&Batch| other.poller == batch.poller;
        assert!(self.in_flight.values().filter(of_poller).count() < POLLER_INVOCATIONS_MAX);
        for (_, offset) in records(&batch) {
            let shared = &self.records[&offset];
            assert_eq!(
                shared.state,
                State::Acquired(batch.poller),
                "{shared:?} is not its own"
            );
        }
        self.in_flight.insert(batch.id, batch);
    }
}

/// Back to the group, up to its limit.
fn release(shared: &mut Shared) {
    shared.record.delivery_count += 1;
    shared.state = if shared.record.delivery_count > DELIVERY_COUNT_MAX {
        State::Archived
    } else {
        State::Available
    };
}
