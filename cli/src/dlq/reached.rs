//! Letters that hold only coordinates: what the topic still has of their records, read in no group and without a commit.

// What is known of one letter.
mod state;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::state::State;
use super::flags;
use super::letter::{Content, Letter};
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

#[cfg(not(feature = "dev"))]
async fn ask(_: &flags::From, _: &str, _: &[&Letter]) -> Result<BTreeMap<String, State>, Fault> {
    Err(crate::fault::without("Kafka topics", "dev", "dlq"))
}

#[cfg(feature = "dev")]
use self::kafka::ask;

#[cfg(feature = "dev")]
mod kafka;
