//! Letters that hold only coordinates: what the topic still has of their records, read in no group and without a commit.

// What is known of one letter.
mod state;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::state::State;
use super::flags;
use super::letter::{Content, Event, Letter, Raw, Shape};
use crate::fault::Fault;
use crate::text::style::DIM;

/// What the topics have of letters without records.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Letters without records.
    letters: usize,
    /// By the letter's id. None: nobody asked.
    states: Option<BTreeMap<String, State>>,
}

impl Reached {
    /// None: the letter has its record, or nobody asked.
    pub(crate) fn state(&self, letter: &Letter) -> Option<&State> {
        self.states.as_ref()?.get(&letter.id)
    }

    pub(crate) fn text(&self) -> String {
        if self.letters == 0 {
            return String::new();
        }
        let Some(states) = &self.states else {
            return format!(
                "  {:>6}  {DIM}of them hold only coordinates: --bootstrap HOST:PORT tells which records can still be read{DIM:#}\n",
                self.letters
            );
        };
        let whole = states.values().filter(|state| state.is_whole()).count();
        let mut text = format!(
            "  {:>6}  of them hold only coordinates: the records of {whole} can be read from their topic\n",
            self.letters
        );
        if let Some(until) = states.values().filter_map(|state| state.until).min() {
            text += &format!(
                "          retention may delete the first of these records from {until:.0} on\n"
            );
        }
        for (id, state) in states.iter().filter(|(_, state)| !state.is_whole()) {
            text += &format!("          {id}: {}\n", state.text());
        }
        text
    }

    /// None: each letter has its record.
    pub(crate) fn json(&self) -> Option<Value> {
        if self.letters == 0 {
            return None;
        }
        let states = self.states.as_ref().map(|states| {
            let state = |(id, state): (&String, &State)| {
                json!({
                    "id": id,
                    "found": state.found,
                    "compacted": state.compacted,
                    "deleted": state.deleted,
                    "another": state.another,
                    "timeless": state.timeless,
                    "whole": state.is_whole(),
                    "until": state.until.map(|at| format!("{at:.3}")),
                })
            };
            states.iter().map(state).collect::<Vec<_>>()
        });
        Some(json!({"letters": self.letters, "asked": states}))
    }
}

/// Asks the topics of all letters that hold only coordinates, if a cluster is given: by `--bootstrap`, else that of the letters' own topic.
pub(crate) async fn of<'l>(
    from: &flags::From,
    brokers: Option<&str>,
    letters: impl Iterator<Item = &'l Letter>,
) -> Result<Reached, Fault> {
    let letters: Vec<&Letter> = letters
        .filter(|letter| letter.content == Content::Coordinates)
        .collect();
    let mut reached = Reached {
        letters: letters.len(),
        states: None,
    };
    let brokers = from.bootstrap.as_deref().or(brokers);
    if let Some(brokers) = brokers
        && !letters.is_empty()
    {
        reached.states = Some(ask(from, brokers, &letters).await?);
    }
    Ok(reached)
}

/// The records of share groups' letters as they stand in their topics, by the letters' ids. A copy in a letter has neither the record's headers nor its time, which is
/// part of its key; the same key and value prove that a record is the copied one. A letter whose record is not there is not among them.
pub(crate) async fn originals<'l>(
    from: &flags::From,
    brokers: Option<&str>,
    letters: impl Iterator<Item = &'l Letter>,
) -> Result<BTreeMap<String, Event>, Fault> {
    let copies: Vec<(&Letter, &Event)> = letters
        .filter(|letter| letter.shape == Shape::ShareGroup)
        .filter_map(|letter| match &letter.content {
            Content::Event(event) => Some((letter, event)),
            _ => None,
        })
        .collect();
    let Some(brokers) = from.bootstrap.as_deref().or(brokers) else {
        return Ok(BTreeMap::new());
    };
    if copies.is_empty() {
        return Ok(BTreeMap::new());
    }
    let letters: Vec<&Letter> = copies.iter().map(|(letter, _)| *letter).collect();
    let mut states = ask(from, brokers, &letters).await?;
    let original = |(letter, copy): (&Letter, &Event)| {
        let there = states.remove(&letter.id)?.event?;
        (payloads(&there) == payloads(copy)).then(|| (letter.id.clone(), there))
    };
    Ok(copies.into_iter().filter_map(original).collect())
}

/// Keys and values of an event's records.
fn payloads(event: &Event) -> Vec<(Value, Value)> {
    let records = event.partitions.iter().flat_map(|it| &it.records);
    let payload = |raw: &Raw| {
        let mut record: Value = serde_json::from_str(raw.json.get()).unwrap_or_default();
        (record["key"].take(), record["value"].take())
    };
    records.map(payload).collect()
}

#[cfg(not(feature = "dev"))]
async fn ask(_: &flags::From, _: &str, _: &[&Letter]) -> Result<BTreeMap<String, State>, Fault> {
    Err(crate::fault::without("Kafka topics", "dev", "dlq"))
}

#[cfg(feature = "dev")]
use self::kafka::ask;

#[cfg(feature = "dev")]
mod kafka;
