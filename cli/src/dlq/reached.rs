//! Letters that hold only coordinates: what the topic still has of their records, read in no group and without a commit.

// What is known of one letter.
mod state;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::state::State;
use super::flags;
use super::letter::{Content, Event, Letter, Raw, Shape};
use crate::fault::{Fault, note};
use crate::text::columns::shown;
use crate::text::style::DIM;

/// After so many topics that a cluster does not give it is asked for no more: each may take seconds.
const TOPICS_REFUSED_MAX: usize = 3;

/// What the topics have of letters without records.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// Letters without records.
    letters: usize,
    /// Those of them that nobody tells about.
    untold: usize,
    /// By the letter's id. None: nobody tells about any.
    states: Option<BTreeMap<String, State>>,
}

impl Reached {
    /// None: the letter has its record, or nobody tells.
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
        if self.untold > 0 {
            text += &format!(
                "  {:>6}  {DIM}of them are of another cluster, or their topic could not be read: --bootstrap HOST:PORT names their cluster{DIM:#}\n",
                self.untold
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
    own: Option<&str>,
    letters: impl Iterator<Item = &'l Letter>,
) -> Result<Reached, Fault> {
    let letters: Vec<&Letter> = letters
        .filter(|letter| letter.content == Content::Coordinates)
        .collect();
    let states = answers(from, own, &letters, "they stay where they are").await?;
    let is_untold = |letter: &&&Letter| !states.contains_key(&letter.id);
    Ok(Reached {
        letters: letters.len(),
        untold: letters.iter().filter(is_untold).count(),
        states: (!states.is_empty()).then_some(states),
    })
}

/// The records of share groups' letters as they stand in their topics, by the letters' ids. A copy in a letter has neither the record's headers nor its time, which is
/// part of its key; the same key and value prove that a record is the copied one. A letter whose record is not there is not among them.
pub(crate) async fn originals<'l>(
    from: &flags::From,
    own: Option<&str>,
    letters: impl Iterator<Item = &'l Letter>,
) -> Result<BTreeMap<String, Event>, Fault> {
    let copies: Vec<(&Letter, &Event)> = letters
        .filter(|letter| letter.shape == Shape::ShareGroup)
        .filter_map(|letter| match &letter.content {
            Content::Event(event) => Some((letter, event)),
            _ => None,
        })
        .collect();
    let letters: Vec<&Letter> = copies.iter().map(|(letter, _)| *letter).collect();
    let instead = "their copies go in their place, without headers and times, so that keys differ";
    let mut states = answers(from, own, &letters, instead).await?;
    let original = |(letter, copy): (&Letter, &Event)| {
        let there = states.remove(&letter.id)?.event?;
        (payloads(&there) == payloads(copy)).then(|| (letter.id.clone(), there))
    };
    Ok(copies.into_iter().filter_map(original).collect())
}

/// What the cluster of `--bootstrap` has of these letters' records. Without it the cluster of the letters' own topic is asked for those of its own, and what it
/// does not give nobody tells: who may read dead letters need not be one who may read the records' topics. `instead` is what becomes of such letters.
async fn answers(
    from: &flags::From,
    own: Option<&str>,
    letters: &[&Letter],
    instead: &str,
) -> Result<BTreeMap<String, State>, Fault> {
    let given = from.bootstrap.as_deref();
    let Some(brokers) = given.or(own) else {
        return Ok(BTreeMap::new());
    };
    let may_have = |letter: &&&Letter| given.is_some() || is_of(letter, brokers);
    let letters: Vec<&Letter> = letters.iter().filter(may_have).copied().collect();
    if letters.is_empty() {
        return Ok(BTreeMap::new());
    }
    let is_own = own == Some(brokers);
    let refused_max = if is_own { TOPICS_REFUSED_MAX } else { 1 };
    let answers = ask(from, brokers, &letters, refused_max).await?;
    let Some(refusal) = answers.refusal else {
        return Ok(answers.states);
    };
    if !is_own {
        return Err(refusal);
    }
    let is_untold = |letter: &&&Letter| !answers.states.contains_key(&letter.id);
    let untold = letters.iter().filter(is_untold).count();
    let topics: Vec<String> = answers.topics.iter().map(|topic| shown(topic)).collect();
    note(
        &format!(
            "the records of {untold} {} could not be read, {instead}: {}",
            if untold == 1 { "letter" } else { "letters" },
            refusal.first_line()
        ),
        &format!(
            "allow this client to describe and read {}, or name the records' cluster with --bootstrap HOST:PORT",
            topics.join(", ")
        ),
    );
    Ok(answers.states)
}

/// Whether a letter may be of the cluster with these brokers: it names none, or one of them. An ARN tells no brokers.
fn is_of(letter: &Letter, brokers: &str) -> bool {
    let each = |text| str::split(text, ',').map(str::trim);
    match &letter.brokers {
        Some(named) => each(named).any(|one| each(brokers).any(|other| one == other)),
        None => letter.arn.is_none(),
    }
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
async fn ask(_: &flags::From, _: &str, _: &[&Letter], _: usize) -> Result<state::Answers, Fault> {
    Err(crate::fault::without("Kafka topics", "dev", "dlq"))
}

#[cfg(feature = "dev")]
use self::kafka::ask;

#[cfg(feature = "dev")]
mod kafka;
