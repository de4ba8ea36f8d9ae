//! What is redriven, in which order. Without I/O.

use std::collections::{BTreeMap, BTreeSet};

use msk_mapping::limits::EVENT_BYTES_MAX;

use super::args::Args;
use super::item::Item;
use super::left::Left;
use super::order;
use crate::dlq::letter::{Content, Letter, Mark, Raw};
use crate::dlq::source::Found;

/// An event's bytes beside those of its records: names, brokers and the mark.
const AROUND_BYTES: usize = 64 * 1024;

/// What is redriven, and what is not.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// In order by partition and offset.
    pub(crate) items: Vec<Item>,
    /// Letters that stay, and why.
    pub(crate) left: BTreeMap<usize, Left>,
    /// Letters that no condition is about: they stay, and nobody has asked for them.
    pub(crate) unasked: usize,
}

impl Plan {
    /// At most so many letters are redriven.
    pub(crate) fn of(
        args: &Args,
        max: Option<u32>,
        found: &[Found],
        mut left: BTreeMap<usize, Left>,
    ) -> Self {
        let mut items = Vec::new();
        let mut unasked = 0;
        for (at, found) in found.iter().enumerate() {
            let Ok(letter) = &found.letter else { continue };
            if !args.conditions.iter().all(|it| it.holds(letter)) {
                unasked += 1;
                left.remove(&at);
            } else if letter.redrives >= args.max_redrives {
                left.insert(at, Left::Redrives(letter.redrives));
            } else if !left.contains_key(&at) {
                items.extend(of_letter(at, letter));
            }
        }
        items.sort_by(|one: &Item, other| (&one.lane, one.first).cmp(&(&other.lane, other.first)));
        // What no condition is about closes no partition: it is left on purpose.
        order::close(&items, found, &mut left);
        items.retain(|item| !left.contains_key(&item.letter));
        if let Some(max) = max {
            let chosen = order::first(&items, max as usize);
            let others = items.iter().filter(|item| !chosen.contains(&item.letter));
            left.extend(others.map(|item| (item.letter, Left::Max)));
            items.retain(|item| chosen.contains(&item.letter));
        }
        Self {
            items,
            left,
            unasked,
        }
    }

    /// The number of letters that are redriven.
    pub(crate) fn letters(&self) -> usize {
        let letters: BTreeSet<usize> = self.items.iter().map(|item| item.letter).collect();
        letters.len()
    }
}

/// A partition each, in events that Lambda takes.
fn of_letter(at: usize, letter: &Letter) -> Vec<Item> {
    let Content::Event(event) = &letter.content else {
        return Vec::new();
    };
    let mark = Mark {
        id: letter.id.clone(),
        count: letter.redrives.saturating_add(1),
    };
    let cluster = event.arn.clone().or_else(|| event.brokers.clone());
    let mut items = Vec::new();
    for partition in &event.partitions {
        for records in fitting(&partition.records) {
            let first = &records[0];
            items.push(Item {
                letter: at,
                lane: (
                    cluster.clone().unwrap_or_default(),
                    first.topic.clone(),
                    first.partition,
                ),
                first: first.offset,
                event: event.part(&partition.key, records, &mark),
            });
        }
    }
    items
}

/// The records in runs that fit into an event; one that does not fit alone is a run of its own.
fn fitting(records: &[Raw]) -> Vec<&[Raw]> {
    let (mut runs, mut start, mut bytes) = (Vec::new(), 0, AROUND_BYTES);
    for (at, record) in records.iter().enumerate() {
        let more = record.json.get().len() + 1;
        if at > start && bytes + more > EVENT_BYTES_MAX {
            runs.push(&records[start..at]);
            (start, bytes) = (at, AROUND_BYTES);
        }
        bytes += more;
    }
    if start < records.len() {
        runs.push(&records[start..]);
    }
    runs
}
