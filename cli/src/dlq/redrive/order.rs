//! What order in a partition asks for: no letter goes before one that stays. Without I/O.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::item::Item;
use super::left::Left;
use crate::dlq::letter::{Content, Letter};
use crate::dlq::source::Found;

/// The first letters of all, at most so many, none before another one of its partition. `items` are in order.
pub(super) fn first(items: &[Item], most: usize) -> BTreeSet<usize> {
    let mut lanes: Vec<VecDeque<usize>> = Vec::new();
    // Of each letter: its place in the order, its lanes, and in how many of them another letter is before it.
    let mut letters: BTreeMap<usize, (usize, Vec<usize>, usize)> = BTreeMap::new();
    let mut before: Option<&Item> = None;
    for (place, item) in items.iter().enumerate() {
        if before.is_none_or(|before| before.lane != item.lane) {
            lanes.push(VecDeque::new());
        }
        before = Some(item);
        let number = lanes.len() - 1;
        if lanes[number].back() != Some(&item.letter) {
            lanes[number].push_back(item.letter);
            let (_, within, waits) = letters
                .entry(item.letter)
                .or_insert_with(|| (place, Vec::new(), 0));
            within.push(number);
            *waits += 1;
        }
    }
    let (mut chosen, mut ready) = (BTreeSet::new(), BTreeSet::new());
    let mut heads: Vec<usize> = lanes
        .iter()
        .filter_map(|lane| lane.front().copied())
        .collect();
    while chosen.len() < most {
        for letter in heads.drain(..) {
            let (place, _, waits) = letters.get_mut(&letter).expect("each letter was counted");
            *waits -= 1;
            if *waits == 0 {
                ready.insert((*place, letter));
            }
        }
        let Some((_, letter)) = ready.pop_first() else {
            break;
        };
        chosen.insert(letter);
        for number in &letters[&letter].1 {
            lanes[*number].pop_front();
            heads.extend(lanes[*number].front());
        }
    }
    chosen
}

/// A cluster, and what of one of its lanes is open.
type Open<'i> = (&'i str, &'i [Item]);

/// Leaves each letter that has a record behind the first one of a letter that stays, and those behind that letter. `items` are in order.
pub(super) fn close(items: &[Item], found: &[Found], left: &mut BTreeMap<usize, Left>) {
    // What of each lane is still open, by its topic and partition.
    let mut lanes: BTreeMap<(&str, i32), Vec<Open<'_>>> = BTreeMap::new();
    for lane in items.chunk_by(|one, other| one.lane == other.lane) {
        let (cluster, topic, partition) = &lane[0].lane;
        let lanes = lanes.entry((topic, *partition)).or_default();
        lanes.push((cluster, lane));
    }
    let mut stay: Vec<usize> = left.keys().copied().collect();
    while let Some(at) = stay.pop() {
        let Ok(letter) = &found[at].letter else {
            continue;
        };
        // One that names no cluster may be of each.
        let named = cluster(letter);
        for span in &letter.spans {
            let Some(lanes) = lanes.get_mut(&(&*span.topic, span.partition)) else {
                continue;
            };
            for (of, open) in lanes {
                if named.is_some_and(|named| named != *of) {
                    continue;
                }
                while let Some((last, before)) = open.split_last()
                    && last.first > span.first
                {
                    *open = before;
                    if let Entry::Vacant(vacant) = left.entry(last.letter) {
                        vacant.insert(Left::Behind);
                        stay.push(last.letter);
                    }
                }
            }
        }
    }
}

/// The cluster that a letter names, as its lanes have it.
fn cluster(letter: &Letter) -> Option<&str> {
    let (arn, brokers) = match &letter.content {
        Content::Event(event) => (&event.arn, &event.brokers),
        _ => (&letter.arn, &letter.brokers),
    };
    arn.as_deref().or(brokers.as_deref())
}

#[cfg(test)]
mod tests;
