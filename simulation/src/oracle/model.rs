//! The oracle's accounts: what it has seen of each record, invocation and item.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{Kind, Known, Settled, Stands};
use crate::fact::{
    EnvironmentId, InvocationId, ItemId, LogId, RecordId, StoredId, VersionId, What,
};

#[derive(Default)]
pub(super) struct Model {
    pub(super) records: BTreeMap<RecordId, Record>,
    pub(super) invocations: BTreeMap<InvocationId, Invocation>,
    pub(super) items: BTreeMap<ItemId, Item>,
    /// Processes that promise no more than that, in a run in which others do.
    pub(super) at_least_once: BTreeSet<EnvironmentId>,
    /// Committed, by log.
    pub(super) positions: BTreeMap<LogId, i64>,
    /// What each version of each item has stood for.
    pub(super) versions: BTreeMap<(StoredId, VersionId), u64>,
    /// Answers of reads that have not reached their invocation: they may be late, or lost.
    answers: BTreeMap<(InvocationId, u64), ReadAnswer>,
}

#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) log: LogId,
    pub(super) partition: u32,
    pub(super) offset: i64,
    pub(super) key: Option<u8>,
    pub(super) timestamp_ms: i64,
    pub(super) erased: bool,
    /// A handler returned Ok for it.
    pub(super) done: bool,
    /// It is at the function's destination.
    pub(super) landed: bool,
    /// The mapping has given it up.
    pub(super) given_up: bool,
    pub(super) starts: u64,
    /// Starts since its mark was deleted last.
    pub(super) starts_marked: u64,
    /// By its key: who has claimed it last, and what stands of it in the store as settled.
    pub(super) claimant: Option<InvocationId>,
    /// Its item in the store, by its key. *None: nobody has claimed or noted it.*
    pub(super) stored: Option<StoredId>,
    pub(super) noted: Option<Known>,
    /// What stood so until it was deleted or written over, each time, and when that was.
    pub(super) noted_before: Vec<(Known, u64)>,
    /// By a share group's broker, to pollers.
    pub(super) acquired: u64,
    pub(super) deliveries: u64,
    pub(super) throttles: u64,
    /// With which others it was delivered last.
    pub(super) beside: Vec<RecordId>,
}

impl Record {
    /// Whether nobody has to do it any more.
    pub(super) fn is_over(&self) -> bool {
        self.done || self.landed || self.given_up || self.erased
    }
}

#[derive(Debug, Default)]
pub(super) struct Invocation {
    pub(super) environment: EnvironmentId,
    pub(super) records: Vec<RecordId>,
    pub(super) redrive: bool,
    pub(super) delivered_ms: u64,
    pub(super) started: BTreeSet<RecordId>,
    /// How often a handler was started in it, for any record.
    pub(super) starts: u64,
    /// Calls with several records that are not over, each with its records.
    pub(super) calls_open: BTreeMap<u64, Vec<RecordId>>,
    /// In which of these calls each record was last.
    pub(super) called: BTreeMap<RecordId, u64>,
    /// What it knew of each record when that had its turn first. What it is told later, in the middle of its work, comes too late for that.
    pub(super) looked: BTreeMap<RecordId, Option<Known>>,
    /// Settled in it, how and when last.
    pub(super) settled: Settled,
    /// What was settled in it when it asked for the item to be written as that version.
    writes: BTreeMap<VersionId, Settled>,
    /// What it was told is settled, by partition, when it took or read that.
    pub(super) told: BTreeMap<u32, BTreeMap<RecordId, Known>>,
    /// What it has seen stand in items: it may skip that, and write it back.
    seen: BTreeMap<(u32, i64), Stands>,
    /// By partition.
    pub(super) holds: BTreeMap<u32, Hold>,
    /// A fault has met one of its calls, or it was frozen.
    pub(super) faulted: bool,
    /// By a destination.
    pub(super) held_up: bool,
    pub(super) answered: bool,
    /// Its process is no more.
    pub(super) killed: bool,
}

/// A partition in an invocation's hands.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) taken_ms: u64,
    /// When. *None: it is not.*
    pub(super) given_back_ms: Option<u64>,
    /// Another one has taken it since.
    pub(super) superseded: bool,
}

/// One write of an item, by an invocation, as a version. *None: the version is not known.*
pub(super) type Write = (ItemId, InvocationId, Option<VersionId>);

#[derive(Debug, Default)]
pub(super) struct Item {
    /// Its settled offsets.
    entries: BTreeMap<i64, Stands>,
    /// Whatever an applied write has held, and nothing has made it forget.
    known: BTreeMap<RecordId, Known>,
}

/// What stood in a ledger when it was read.
struct ReadAnswer {
    partition: u32,
    known: BTreeMap<RecordId, Known>,
    entries: BTreeMap<i64, Stands>,
}

impl Invocation {
    fn sees(&mut self, partition: u32, entries: BTreeMap<i64, Stands>) {
        for (offset, stands) in entries {
            let seen = self.seen.entry((partition, offset)).or_default();
            for (record, known) in stands {
                let seen = seen.entry(record).or_insert(known);
                *seen = seen.or(known);
            }
        }
    }

    /// What was settled in it when it asked for that version: where nobody saw that, until now.
    fn settled_for(&self, version: Option<VersionId>) -> &Settled {
        let asked = version.and_then(|version| self.writes.get(&version));
        asked.unwrap_or(&self.settled)
    }
}

impl Model {
    /// A record that nobody has seen being appended has no account: that is a fault of the simulation.
    pub(super) fn record(&mut self, record: RecordId) -> &mut Record {
        self.records.entry(record).or_default()
    }

    pub(super) fn invocation(&mut self, invocation: InvocationId) -> &mut Invocation {
        self.invocations.entry(invocation).or_default()
    }

    pub(super) fn appended(&mut self, what: &What) {
        let What::Appended {
            record,
            log,
            partition,
            offset,
            key,
            timestamp_ms,
        } = what
        else {
            return;
        };
        let appended = Record {
            log: *log,
            partition: *partition,
            offset: *offset,
            key: *key,
            timestamp_ms: *timestamp_ms,
            ..Record::default()
        };
        self.records.insert(*record, appended);
    }

    pub(super) fn delivered(
        &mut self,
        invocation: InvocationId,
        environment: EnvironmentId,
        records: &[RecordId],
        redrive: bool,
        now_ms: u64,
    ) {
        for record in records {
            let record = self.record(*record);
            if !redrive {
                record.deliveries += 1;
                record.beside = records.to_vec();
            }
        }
        let delivered = Invocation {
            environment,
            records: records.to_vec(),
            redrive,
            delivered_ms: now_ms,
            ..Invocation::default()
        };
        self.invocations.insert(invocation, delivered);
    }

    pub(super) fn killed(&mut self, environment: EnvironmentId) {
        let own = |of: &&mut Invocation| of.environment == environment;
        for of in self.invocations.values_mut().filter(own) {
            of.killed = true;
        }
    }

    pub(super) fn looked(&mut self, invocation: InvocationId, record: RecordId) {
        let told = self.told(invocation, record);
        let looked = &mut self.invocation(invocation).looked;
        looked.entry(record).or_insert(told);
    }

    pub(super) fn called(&mut self, invocation: InvocationId, call: u64, records: &[RecordId]) {
        let of = self.invocation(invocation);
        of.calls_open.insert(call, records.to_vec());
        of.called
            .extend(records.iter().map(|record| (*record, call)));
    }

    pub(super) fn started(&mut self, invocation: InvocationId, record: RecordId) {
        self.record(record).starts += 1;
        self.record(record).starts_marked += 1;
        let invocation = self.invocation(invocation);
        invocation.started.insert(record);
        invocation.starts += 1;
    }

    pub(super) fn settled(
        &mut self,
        invocation: InvocationId,
        record: RecordId,
        kind: Kind,
        now_ms: u64,
    ) {
        let settled = &mut self.invocation(invocation).settled;
        settled.insert(record, (kind, now_ms));
        let record = self.record(record);
        record.done |= kind == Kind::Done;
    }

    pub(super) fn taken(&mut self, item: ItemId, invocation: InvocationId, now_ms: u64) {
        for (other, known) in &mut self.invocations {
            let shares = item
                .environment
                .is_none_or(|environment| environment == known.environment);
            if *other != invocation
                && shares
                && let Some(hold) = known.holds.get_mut(&item.partition)
            {
                hold.superseded = true;
            }
        }
        let answer = self.answer(item);
        self.tell(invocation, answer);
        // Taken once more, its lease had ended, and begins anew: it is told anew.
        let hold = Hold {
            taken_ms: now_ms,
            given_back_ms: None,
            superseded: false,
        };
        let invocation = self.invocation(invocation);
        invocation.holds.insert(item.partition, hold);
    }

    /// What stands in an item is on its way to an invocation.
    pub(super) fn read(&mut self, item: ItemId, invocation: InvocationId, call: u64) {
        let answer = self.answer(item);
        self.answers.insert((invocation, call), answer);
    }

    /// It has reached the invocation.
    pub(super) fn heard(&mut self, invocation: InvocationId, call: u64) {
        if let Some(answer) = self.answers.remove(&(invocation, call)) {
            self.tell(invocation, answer);
        }
    }

    fn answer(&mut self, item: ItemId) -> ReadAnswer {
        let Item { entries, known } = self.items.entry(item).or_default();
        ReadAnswer {
            partition: item.partition,
            known: known.clone(),
            entries: entries.clone(),
        }
    }

    /// The last that an invocation was told counts.
    fn tell(&mut self, invocation: InvocationId, answer: ReadAnswer) {
        let ReadAnswer {
            partition,
            known,
            entries,
        } = answer;
        let of = self.invocation(invocation);
        of.told.insert(partition, known);
        of.sees(partition, entries);
    }

    /// An invocation is shown what stands in an item, in the middle of its work.
    pub(super) fn seen(&mut self, item: ItemId, invocation: InvocationId) {
        let stands = self.items.entry(item).or_default().entries.clone();
        self.invocation(invocation).sees(item.partition, stands);
    }

    /// It asks for an item to be written.
    pub(super) fn writes(&mut self, invocation: InvocationId, version: VersionId) {
        let of = self.invocation(invocation);
        let settled = of.settled.clone();
        of.writes.insert(version, settled);
    }

    pub(super) fn written(&mut self, write: Write, settled: &[i64], given_back: bool, now_ms: u64) {
        let (item, invocation, version) = write;
        let mut entries: BTreeMap<i64, Stands> = settled
            .iter()
            .map(|offset| (*offset, self.entry(write, *offset)))
            .collect();
        let invocation = self.invocations.entry(invocation).or_default();
        if let Some(hold) = invocation.holds.get_mut(&item.partition) {
            hold.given_back_ms = given_back.then_some(now_ms);
        }
        let own = invocation.settled_for(version);
        let item = self.items.entry(item).or_default();
        // Where another record stands, or may stand, the one before it is known no more.
        item.known.retain(|known, _| {
            let offset = self.records[known].offset;
            let stands = entries.get(&offset);
            stands.is_none_or(|stands| stands.keys().all(|record| record == known))
        });
        for stands in entries.values_mut().filter(|stands| stands.len() == 1) {
            for (record, stands) in stands {
                // What the item had forgotten is replaced by nobody.
                let offset = self.records[record].offset;
                let replaced = item.known.get(record);
                if let Some(replaced) = replaced.filter(|_| item.entries.contains_key(&offset)) {
                    *stands = stands.over(*replaced, own.contains_key(record));
                }
                item.known.insert(*record, *stands);
            }
        }
        item.entries = entries;
    }

    /// Which records an invocation may mean by a settled offset, and how those may have been settled. *Empty: none that was settled.*
    pub(super) fn entry(&self, (item, invocation, version): Write, offset: i64) -> Stands {
        let Some(of) = self.invocations.get(&invocation) else {
            return Stands::new();
        };
        let seen = of.seen.get(&(item.partition, offset)).cloned();
        let mut stands = seen.unwrap_or_default();
        for (record, own) in of.settled_for(version) {
            let known = &self.records[record];
            if (known.partition, known.offset) == (item.partition, offset) {
                let own = Known::of(own);
                let stands = stands.entry(*record).or_insert(own);
                *stands = stands.with(own);
            }
        }
        stands
    }

    /// The broker of a share group counts from nothing.
    pub(super) fn set_back(&mut self, log: LogId) {
        for record in self.records.values_mut() {
            if record.log == log {
                record.acquired = 0;
            }
        }
    }

    /// Whether an invocation may skip a record: it has seen it stand as settled, or one of the same place.
    pub(super) fn may_skip(&self, invocation: InvocationId, record: RecordId) -> bool {
        let known = &self.records[&record];
        let of = &self.invocations[&invocation];
        let seen = of.seen.get(&(known.partition, known.offset));
        let seen = seen.and_then(|seen| seen.get(&record));
        seen.is_some_and(|seen| seen.may_be_skipped(of.redrive))
    }

    /// What it was told of a record. *None: nothing.*
    pub(super) fn told(&self, invocation: InvocationId, record: RecordId) -> Option<Known> {
        let partition = self.records[&record].partition;
        let told = self.invocations[&invocation].told.get(&partition)?;
        told.get(&record).copied()
    }

    pub(super) fn deleted(&mut self, item: ItemId) {
        self.items.remove(&item);
    }
}
