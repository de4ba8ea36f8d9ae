//! Letters that hold only coordinates: what the topic still has of their records, read in no group and without a commit.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::flags;
use super::letter::{Content, Event, Letter};
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

/// What the topic has of one letter.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) found: usize,
    /// Offsets without a record: compacted away, or a marker of a transaction.
    pub(crate) compacted: i64,
    /// Offsets before the first one of the partition.
    pub(crate) deleted: i64,
    /// The topic was made anew: its first or last record has another time, or its end is before them.
    pub(crate) another: bool,
    /// Records between the first and the last with a time outside of theirs, as CREATE_TIME allows.
    pub(crate) outside: usize,
    /// None: nothing was found.
    pub(crate) event: Option<Event>,
}

impl State {
    /// Whether all of the letter is there, and is the letter's.
    pub(crate) fn is_whole(&self) -> bool {
        self.found > 0 && self.deleted == 0 && !self.another
    }

    /// The state in words.
    pub(crate) fn text(&self) -> String {
        let mut parts = Vec::new();
        if self.another {
            parts.push("another record: the topic was made anew".to_owned());
        }
        if self.found > 0 && !self.another {
            parts.push(format!("{} found", self.found));
        }
        for (count, what) in [
            (self.compacted, "compacted or a marker"),
            (self.deleted, "deleted by retention"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        if self.outside > 0 {
            parts.push(format!(
                "{} with a time outside of the batch's",
                self.outside
            ));
        }
        if parts.is_empty() {
            parts.push("nothing found".to_owned());
        }
        parts.join(", ")
    }
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
                    "whole": state.is_whole(),
                })
            };
            states.iter().map(state).collect::<Vec<_>>()
        });
        Some(json!({"letters": self.letters, "asked": states}))
    }
}

/// Asks the topics of all letters that hold only coordinates, if a cluster is given.
pub(crate) async fn of<'l>(
    from: &flags::From,
    letters: impl Iterator<Item = &'l Letter>,
) -> Result<Reached, Fault> {
    let letters: Vec<&Letter> = letters
        .filter(|letter| letter.content == Content::Coordinates)
        .collect();
    let mut reached = Reached {
        letters: letters.len(),
        states: None,
    };
    if from.bootstrap.is_some() && !letters.is_empty() {
        reached.states = Some(ask(from, &letters).await?);
    }
    Ok(reached)
}

#[cfg(not(feature = "dev"))]
async fn ask(_: &flags::From, _: &[&Letter]) -> Result<BTreeMap<String, State>, Fault> {
    Err(super::source::without("Kafka topics", "dev"))
}

#[cfg(feature = "dev")]
use self::kafka::ask;

#[cfg(feature = "dev")]
mod kafka;
