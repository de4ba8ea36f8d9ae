//! A cluster with a consumer group, and what must hold of a mapping on it. It keeps its own books.

mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use msk_mapping::machine::{
    Again, Batch, Configuration, DeliveryId, End, Input, InvocationId, Mapping, Offsets, PollerId,
    Rebalance,
};
use msk_mapping::record::Record;
use msk_mapping::time::Time;

use super::Step;
use super::choices::FILTERED;
use crate::desk::{START, listing, orders};

const PARTITIONS: i32 = 3;
const POLLERS: u32 = 2;

/// A record in the log, and what became of it.
#[derive(Debug, Clone)]
struct Logged {
    record: Record,
    /// For good: an answer that was heard, the destination, dropped, filtered.
    settled: bool,
    /// The same, since its partition was assigned last.
    settled_here: bool,
    /// Likewise.
    polled: bool,
    /// The attempts that count.
    sent: u32,
}

#[derive(Debug, Default)]
struct Log {
    records: BTreeMap<i64, Logged>,
    /// What stands below is gone.
    start: i64,
    end: i64,
    /// What the group has committed.
    committed: Option<i64>,
    /// Who has it, where it polls, and what it has committed. None of it: a rebalance is under way.
    owner: Option<Owner>,
    /// Rises with each assignment.
    generation: u32,
}

#[derive(Debug, Clone)]
struct Owner {
    poller: PollerId,
    /// Where it began.
    start: i64,
    position: i64,
    paused: bool,
    committed: Option<i64>,
}

/// An invocation, with the generation of each partition when it was sent.
#[derive(Debug, Clone)]
struct Sent {
    batch: Batch,
    generations: Vec<u32>,
}

pub(super) struct World {
    mapping: Mapping,
    settings: Configuration,
    now: Time,
    logs: Vec<Log>,
    in_flight: BTreeMap<InvocationId, Sent>,
    ended: Vec<InvocationId>,
    deliveries: BTreeMap<DeliveryId, (Vec<Offsets>, Vec<u32>)>,
    refuse: bool,
    woken: Option<Time>,
    pub(super) trace: Vec<String>,
}

impl World {
    pub(super) fn new(settings: Configuration) -> Self {
        let mut world = Self {
            mapping: Mapping::new(settings.clone()).unwrap(),
            settings,
            now: START,
            logs: (0..PARTITIONS).map(|_| Log::default()).collect(),
            in_flight: BTreeMap::new(),
            ended: Vec::new(),
            deliveries: BTreeMap::new(),
            refuse: false,
            woken: None,
            trace: Vec::new(),
        };
        for partition in 0..PARTITIONS {
            world.assign(partition, 0);
        }
        world
    }

    pub(super) fn step(&mut self, (what, which, how): Step) {
        let partition = i32::from(which) % PARTITIONS;
        match what % 16 {
            0..=2 => self.produce(partition, how),
            3..=6 => self.poll(partition, usize::from(how % 7)),
            7..=9 => self.end_one(usize::from(which), how),
            10 | 11 => self.wait(Duration::from_millis(u64::from(how) * 20)),
            12 => self.deliver_one(usize::from(which), how % 3 > 0),
            13 => self.rebalance(partition, u32::from(how)),
            14 if how < 128 => self.refuse = true,
            // A marker of a transaction.
            14 => self.log(partition).end += 1,
            _ if how.is_multiple_of(8) => self.wait(Duration::from_secs(35)),
            _ if how % 8 == 1 => self.truncate(partition, usize::from(how / 8)),
            _ if how % 8 == 2 => self.assign_again(partition),
            _ => self.answer_late(usize::from(which)),
        }
    }

    /// Faults end: each record is settled, and all is committed.
    pub(super) fn end_well(&mut self) {
        self.refuse = false;
        for partition in 0..PARTITIONS {
            if self.log(partition).owner.is_none() {
                self.assign(partition, 0);
            }
        }
        for _ in 0..10_000 {
            for partition in 0..PARTITIONS {
                self.poll(partition, 100);
            }
            while let Some(id) = self.in_flight.keys().next().copied() {
                self.end(id, &End::Response("null".into()), &BTreeSet::new());
            }
            while !self.deliveries.is_empty() {
                self.deliver_one(0, true);
            }
            let done = |log: &Log| log.committed.unwrap_or(0) >= log.end;
            if self.mapping.is_idle() && self.logs.iter().all(done) {
                break;
            }
            if let Some(time) = self.mapping.wake_at() {
                assert_eq!(self.woken, Some(time), "it asked to be woken");
                self.now = self.now.max(time);
                self.give(Input::Woken);
            }
        }
        for log in &self.logs {
            let left: Vec<_> = log
                .records
                .values()
                .filter(|logged| !logged.settled)
                .collect();
            assert!(left.is_empty(), "lost: {left:?}");
            assert_eq!(log.committed.unwrap_or(0), log.end);
        }
        let records: u64 = self
            .mapping
            .partitions()
            .iter()
            .map(|status| status.waiting as u64)
            .sum();
        assert_eq!((records, self.mapping.in_flight()), (0, 0));
        assert!(self.mapping.is_idle());
    }

    fn log(&mut self, partition: i32) -> &mut Log {
        &mut self.logs[usize::try_from(partition).unwrap()]
    }

    fn produce(&mut self, partition: i32, how: u8) {
        let timestamp = i64::try_from(self.now.as_millis()).unwrap() - i64::from(how % 4) * 10_000;
        let log = self.log(partition);
        for _ in 0..=how % 3 {
            let value: &[u8] = if how % 5 == 4 { FILTERED } else { b"{}" };
            let record =
                Record::new(orders(partition), log.end + i64::from(how % 2)).with_value(value);
            log.end = record.offset + 1;
            let logged = Logged {
                settled: value == FILTERED,
                settled_here: value == FILTERED,
                record: record.with_timestamp(if how.is_multiple_of(7) { -1 } else { timestamp }),
                polled: false,
                sent: 0,
            };
            log.records.insert(logged.record.offset, logged);
        }
    }

    fn poll(&mut self, partition: i32, most: usize) {
        let log = self.log(partition);
        let Some(owner) = log.owner.as_mut().filter(|owner| !owner.paused) else {
            return;
        };
        let (poller, position) = (owner.poller, owner.position);
        if position < log.start {
            let partition = orders(partition);
            self.give(Input::OutOfRange { poller, partition });
            return;
        }
        let all = log.records.range(position..).next().is_none();
        let mut records = Vec::new();
        for (_, logged) in log.records.range_mut(position..).take(most) {
            logged.polled = true;
            records.push(logged.record.clone());
        }
        if let Some(last) = records.last() {
            owner.position = last.offset + 1;
            self.give(Input::Polled { poller, records });
        } else if all && position < log.end {
            owner.position = log.end;
            let (partition, position) = (orders(partition), log.end);
            self.give(Input::Advanced {
                poller,
                partition,
                position,
            });
        }
    }

    /// Retention takes what nobody has polled yet, but for some.
    fn truncate(&mut self, partition: i32, which: usize) {
        let log = self.log(partition);
        let position = log.owner.as_ref().map_or(0, |owner| owner.position);
        let left: Vec<i64> = log.records.range(position..).map(|(at, _)| *at).collect();
        if left.len() < 2 {
            return;
        }
        log.start = log.start.max(left[1 + which % (left.len() - 1)]);
        for (_, logged) in log.records.range_mut(position..log.start) {
            (logged.settled, logged.settled_here) = (true, true);
        }
    }

    /// The same partition to the same poller, which is a revocation first.
    fn assign_again(&mut self, partition: i32) {
        if let Some(owner) = self.log(partition).owner.clone() {
            self.assign(partition, owner.poller.0);
        }
    }

    fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        self.give(Input::Woken);
    }

    fn assign(&mut self, partition: i32, poller: u32) {
        let anew = self.settings.readings.rebalance == Rebalance::StartsAnew;
        let log = self.log(partition);
        log.generation += 1;
        let committed = log.committed;
        let poller = PollerId(poller % POLLERS);
        log.owner = Some(Owner {
            poller,
            start: i64::MAX,
            position: i64::MAX,
            paused: true,
            committed,
        });
        for (offset, logged) in &mut log.records {
            let gone = *offset < log.start;
            logged.settled |= gone;
            logged.settled_here = gone || logged.record.value.as_deref() == Some(FILTERED);
            logged.polled = false;
            if anew {
                logged.sent = 0;
            }
        }
        self.give(Input::Assigned {
            poller,
            partition: orders(partition),
            committed,
        });
    }

    fn rebalance(&mut self, partition: i32, poller: u32) {
        if let Some(owner) = self.log(partition).owner.take() {
            let poller = owner.poller;
            let log = self.log(partition);
            log.generation += 1;
            self.give(Input::Revoked {
                poller,
                partition: orders(partition),
            });
        }
        if !poller.is_multiple_of(4) {
            self.assign(partition, poller);
        }
    }

    fn deliver_one(&mut self, which: usize, taken: bool) {
        let Some(id) = self
            .deliveries
            .keys()
            .nth(which % self.deliveries.len().max(1))
            .copied()
        else {
            return;
        };
        let (parts, generations) = self.deliveries.remove(&id).unwrap();
        self.settle(&parts, &generations, |_| true);
        self.give(if taken {
            Input::Delivered { id }
        } else {
            Input::DeliveryFailed { id }
        });
    }

    fn answer_late(&mut self, which: usize) {
        if let Some(id) = self.ended.get(which % self.ended.len().max(1)).copied() {
            self.give(Input::Ended {
                id,
                request_id: None,
                how: End::Response("null".into()),
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
        let all = records(&self.in_flight[&id].batch);
        let listed: BTreeSet<(i32, i64)> = all
            .iter()
            .copied()
            .filter(|(_, offset)| (offset + i64::from(how)) % 3 == 0)
            .collect();
        let end = match how % 8 {
            0 | 1 => End::Response("{}".into()),
            2..=4 => {
                let listed: Vec<_> = listed.iter().copied().collect();
                End::Response(listing(&listed).into())
            }
            5 => End::FunctionError,
            6 if how > 127 => End::TimedOut,
            6 => End::Throttled,
            _ => End::Response("no JSON".into()),
        };
        let listed = if (2..=4).contains(&(how % 8)) {
            listed
        } else {
            BTreeSet::new()
        };
        self.end(id, &end, &listed);
    }

    /// Ends an invocation, and books what the answer settles.
    fn end(&mut self, id: InvocationId, how: &End, listed: &BTreeSet<(i32, i64)>) {
        let sent = self.in_flight.remove(&id).unwrap();
        self.ended.push(id);
        let counts = *how != End::Throttled
            || self.settings.readings.throttles == msk_mapping::machine::Throttles::Count;
        for (part, generation) in sent.batch.partitions.iter().zip(&sent.generations) {
            let partition = part.partition.partition();
            let log = self.log(partition);
            if log.generation == *generation && counts {
                for offset in &part.offsets {
                    log.records.get_mut(offset).unwrap().sent += 1;
                }
            }
        }
        if matches!(how, End::Response(body) if body != "no JSON") {
            let again = self.settings.readings.again;
            let done = move |(partition, offset): (i32, i64)| {
                let lowest = listed.iter().find(|(other, _)| *other == partition);
                match (again, lowest) {
                    (_, None) => true,
                    (Again::OnlyListed, _) => !listed.contains(&(partition, offset)),
                    (Again::FromLowest, Some((_, lowest))) => offset < *lowest,
                }
            };
            self.settle(&sent.batch.partitions, &sent.generations, done);
        }
        self.give(Input::Ended {
            id,
            request_id: Some("r".to_owned()),
            how: how.clone(),
        });
    }

    fn settle(
        &mut self,
        parts: &[Offsets],
        generations: &[u32],
        which: impl Fn((i32, i64)) -> bool,
    ) {
        for (part, generation) in parts.iter().zip(generations) {
            let partition = part.partition.partition();
            let log = self.log(partition);
            for offset in &part.offsets {
                if log.generation == *generation && which((partition, *offset)) {
                    let logged = log.records.get_mut(offset).unwrap();
                    (logged.settled, logged.settled_here) = (true, true);
                }
            }
        }
    }

    fn generations(&mut self, parts: &[Offsets]) -> Vec<u32> {
        parts
            .iter()
            .map(|part| self.log(part.partition.partition()).generation)
            .collect()
    }

    fn give(&mut self, input: Input) {
        self.trace.push(format!("{} {input:?}", self.now));
        self.mapping.handle(self.now, input);
        let mut refused = Vec::new();
        while let Some(output) = self.mapping.poll() {
            self.trace.push(format!("  {output:?}"));
            self.check(output, &mut refused);
        }
        for input in refused {
            self.give(input);
        }
    }
}

pub(super) fn records(batch: &Batch) -> Vec<(i32, i64)> {
    let part = |part: &Offsets| {
        let partition = part.partition.partition();
        part.offsets
            .iter()
            .map(move |offset| (partition, *offset))
            .collect::<Vec<_>>()
    };
    batch.partitions.iter().flat_map(part).collect()
}

/// What the function sees.
pub(super) fn in_body(batch: &Batch) -> Vec<(i32, i64)> {
    let event: serde_json::Value = serde_json::from_slice(&batch.body).unwrap();
    let mut seen = Vec::new();
    for part in &batch.partitions {
        for record in event["records"][part.partition.to_string()]
            .as_array()
            .unwrap()
        {
            let partition = i32::try_from(record["partition"].as_i64().unwrap()).unwrap();
            seen.push((partition, record["offset"].as_i64().unwrap()));
        }
    }
    seen
}
