//! What becomes of a batch's records when its invocation has ended: settled, given up, or sent again. Pure.

use std::collections::BTreeMap;

use super::batch::{Held, Piece};
use super::readings::{
    Attempts, Bisecting, Exhausted, PartialAnswer, Progress, Readings, Throttles,
};
use super::rules::Rules;
use crate::record::TopicPartition;
use crate::response;

/// How an invocation ended, for the records that were in it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Each is done.
    Done,
    /// The answer names some.
    Listed(Listed),
    /// Each failed.
    Failed,
    /// None was seen.
    Throttled,
}

/// The records that an answer names, and those that come again with them.
#[derive(Debug)]
pub(super) struct Listed(BTreeMap<TopicPartition, [Vec<i64>; 2]>);

impl Listed {
    /// The reading of an answer. `sent` has the partitions of the event in its order.
    pub(super) fn of<'p>(
        read: &response::Read,
        sent: impl Iterator<Item = &'p TopicPartition>,
        readings: &Readings,
    ) -> Self {
        let offsets = |part: &response::Partition| {
            let listed = part.sent_again(response::Again::OnlyListed);
            [listed, part.sent_again(readings.again)]
        };
        let parts = read.partitions().iter().map(offsets);
        Self(sent.cloned().zip(parts).collect())
    }

    /// Whether a record is listed, and whether it comes again. What is listed comes again.
    fn marks(&self, held: &Held) -> [bool; 2] {
        let parts = self.0.get(&held.record.partition);
        parts.map_or([false; 2], |parts| {
            parts
                .each_ref()
                .map(|offsets| offsets.binary_search(&held.record.offset).is_ok())
        })
    }
}

/// What becomes of the records.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) settled: Vec<Held>,
    /// Their attempts are used up.
    pub(super) given_up: Vec<Held>,
    /// None, one piece, or two halves. None of them is empty.
    pub(super) again: Vec<Piece>,
}

/// What a failure costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cost {
    Attempt,
    Nothing,
    /// Resets the attempt count.
    StartsAnew,
}

struct Marked {
    held: Held,
    failed: bool,
    again: bool,
}

/// The verdict on a piece that was sent.
pub(super) fn verdict(piece: Piece, outcome: &Outcome, rules: &Rules) -> Verdict {
    match outcome {
        Outcome::Done => Verdict {
            settled: piece.records,
            ..Verdict::default()
        },
        Outcome::Listed(listed) => {
            let marks = |held: Held| {
                let [failed, again] = listed.marks(&held);
                Marked {
                    held,
                    failed,
                    again,
                }
            };
            partial(take(piece, marks), rules)
        }
        Outcome::Failed => {
            let bisects = rules.bisect && piece.records.len() > 1;
            let cost = if bisects {
                bisecting(rules)
            } else {
                Cost::Attempt
            };
            failed(take(piece, all), cost, bisects, rules)
        }
        Outcome::Throttled => {
            let cost = match rules.readings.throttles {
                Throttles::Free => Cost::Nothing,
                Throttles::Count => Cost::Attempt,
            };
            failed(take(piece, all), cost, false, rules)
        }
    }
}

fn all(held: Held) -> Marked {
    Marked {
        held,
        failed: true,
        again: true,
    }
}

/// The piece without its records, and they with their marks.
fn take(mut piece: Piece, marks: impl Fn(Held) -> Marked) -> (Piece, Vec<Marked>) {
    let records = std::mem::take(&mut piece.records);
    (piece, records.into_iter().map(marks).collect())
}

fn bisecting(rules: &Rules) -> Cost {
    match rules.readings.bisecting {
        Bisecting::Free => Cost::Nothing,
        Bisecting::Counts => Cost::Attempt,
        Bisecting::StartsAnew => Cost::StartsAnew,
    }
}

fn partial((mut piece, records): (Piece, Vec<Marked>), rules: &Rules) -> Verdict {
    let again = records.iter().filter(|marked| marked.again).count();
    let progress = again < records.len();
    let (bisects, halves) = match rules.readings.partial_answer {
        PartialAnswer::SplitsAtReturned => (rules.bisect && progress, false),
        PartialAnswer::Halves => (rules.bisect && again > 1, true),
        PartialAnswer::Unsplit => (false, false),
    };
    let mut cost = if bisects {
        bisecting(rules)
    } else {
        Cost::Attempt
    };
    if progress {
        piece.failures = 0;
        if rules.readings.progress == Progress::StartsAnew {
            cost = Cost::StartsAnew;
        }
    }
    failed((piece, records), cost, bisects && halves, rules)
}

/// The verdict on records of which some failed.
fn failed(
    (mut piece, mut records): (Piece, Vec<Marked>),
    cost: Cost,
    halves: bool,
    rules: &Rules,
) -> Verdict {
    count(&mut records, cost, rules.readings.attempts);
    let exhausted = if cost == Cost::Attempt {
        exhausted(&records, rules)
    } else {
        vec![false; records.len()]
    };
    let anew = exhausted.contains(&true) && rules.readings.attempts == Attempts::PerBatch;

    let mut verdict = Verdict::default();
    for (
        Marked {
            mut held, again, ..
        },
        exhausted,
    ) in records.into_iter().zip(exhausted)
    {
        if exhausted {
            verdict.given_up.push(held);
        } else if again {
            held.tries = if anew { 0 } else { held.tries };
            piece.records.push(held);
        } else {
            verdict.settled.push(held);
        }
    }
    piece.failures = piece.failures.saturating_add(1);
    verdict.again = match piece.records.len() {
        0 => Vec::new(),
        1 => vec![piece],
        _ if halves => piece.halves().into(),
        _ => vec![piece],
    };
    verdict
}

fn count(records: &mut [Marked], cost: Cost, attempts: Attempts) {
    let most = records
        .iter()
        .filter(|marked| marked.again)
        .map(|marked| marked.held.tries)
        .max();
    for marked in records {
        let tries = &mut marked.held.tries;
        match (cost, attempts) {
            (Cost::Nothing, _) => {}
            (Cost::StartsAnew, _) => *tries = 0,
            (Cost::Attempt, Attempts::PerBatch) => *tries = most.unwrap_or(0).saturating_add(1),
            (Cost::Attempt, Attempts::PerRecord) if marked.failed => {
                *tries = tries.saturating_add(1);
            }
            (Cost::Attempt, Attempts::PerRecord) => {}
        }
    }
}

/// Which records are given up, one flag each.
fn exhausted(records: &[Marked], rules: &Rules) -> Vec<bool> {
    let Some(retries) = rules.retries else {
        return vec![false; records.len()];
    };
    let used_up = |marked: &Marked| marked.failed && marked.held.tries > retries;
    match rules.readings.exhausted {
        Exhausted::Listed => records.iter().map(used_up).collect(),
        Exhausted::FromLowest => {
            let mut lowest: BTreeMap<&TopicPartition, i64> = BTreeMap::new();
            for Marked { held, .. } in records.iter().filter(|marked| used_up(marked)) {
                let offset = held.record.offset;
                let lowest = lowest.entry(&held.record.partition).or_insert(offset);
                *lowest = offset.min(*lowest);
            }
            let behind = |Marked { held, .. }: &Marked| {
                let lowest = lowest.get(&held.record.partition);
                lowest.is_some_and(|lowest| held.record.offset >= *lowest)
            };
            records.iter().map(behind).collect()
        }
    }
}
