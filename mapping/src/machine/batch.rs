//! Records on their way: waiting, in a batch, and what of the batch is not settled yet.

use std::collections::VecDeque;

use super::ids::InvocationId;
use super::output::{LastResponse, Offsets};
use crate::record::{Record, TopicPartition};
use crate::time::Time;

/// A record that is not settled.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) record: Record,
    /// Its length in an event.
    pub(super) bytes: usize,
    pub(super) arrived: Time,
    /// The failed attempts that count.
    pub(super) tries: u32,
    /// How often the function was invoked with it; in Queue mode, in earlier deliveries too.
    pub(super) invoked: u32,
}

/// Records that are sent together.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Those of one partition stand side by side.
    pub(super) records: Vec<Held>,
    /// Failures in a row: what the back-off goes by.
    pub(super) failures: u32,
    pub(super) last: Last,
}

/// The last invocation of a piece.
#[derive(Debug, Clone)]
pub(super) struct Last {
    pub(super) request_id: Option<String>,
    pub(super) response: LastResponse,
}

impl Default for Last {
    fn default() -> Self {
        Self {
            request_id: None,
            response: LastResponse::None,
        }
    }
}

impl Piece {
    pub(super) fn of(records: Vec<Held>) -> Self {
        Self {
            records,
            ..Self::default()
        }
    }

    /// Its two halves, the first of which has the odd record. Only the first has to wait.
    pub(super) fn halves(mut self) -> [Self; 2] {
        let second = self.records.split_off(self.records.len().div_ceil(2));
        let second = Self {
            records: second,
            failures: 0,
            last: self.last.clone(),
        };
        [self, second]
    }

    /// How often the function was invoked with its records: the most.
    pub(super) fn invoked(&self) -> u32 {
        self.records
            .iter()
            .map(|held| held.invoked)
            .max()
            .unwrap_or(0)
    }
}

/// Names a batch until all of it is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnsettledId(pub(super) u64);

/// What of a batch is not settled. Pieces go one after the other; the first is the one that is sent.
#[derive(Debug)]
pub(super) struct Unsettled {
    pub(super) pieces: VecDeque<Piece>,
    pub(super) state: State,
    /// Whether its partitions wait for it.
    pub(super) holds: bool,
    /// Deliveries to the destination under way. The next piece waits for them.
    pub(super) delivering: usize,
}

/// What the first piece does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It can be sent, since then.
    Ready(Time),
    /// It waits for its next attempt, until then.
    Waiting(Time),
    /// It is with the function.
    InFlight(InvocationId),
}

impl Unsettled {
    pub(super) fn new(piece: Piece, now: Time) -> Self {
        Self {
            pieces: VecDeque::from([piece]),
            state: State::Ready(now),
            holds: true,
            delivering: 0,
        }
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Held> {
        self.pieces.iter().flat_map(|piece| &piece.records)
    }

    /// Takes all records of a partition out.
    pub(super) fn take(&mut self, partition: &TopicPartition) -> Vec<Held> {
        let of = |held: &mut Held| held.record.partition == *partition;
        let take = |piece: &mut Piece| piece.records.extract_if(.., of).collect::<Vec<_>>();
        self.pieces.iter_mut().flat_map(take).collect()
    }
}

/// The coordinates of records, those of one partition side by side.
pub(super) fn offsets<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<Offsets> {
    let mut parts: Vec<Offsets> = Vec::new();
    for record in records {
        match parts.last_mut() {
            Some(part) if part.partition == record.partition => part.offsets.push(record.offset),
            _ => parts.push(Offsets {
                partition: record.partition.clone(),
                offsets: vec![record.offset],
            }),
        }
    }
    parts
}
