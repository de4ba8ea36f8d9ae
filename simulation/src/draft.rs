//! The records of a run before they stand anywhere: what each holds, and when it is appended. Made by `world`, appended to `kafka`.

use crate::dice::Dice;
use crate::plan::{Clusters, Plan};

/// A record before it stands anywhere.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) partition: u32,
    pub(crate) key: Option<u8>,
    pub(crate) value: Value,
    /// A number is in Avro, behind a frame with that id. *None: it is plain JSON.*
    pub(crate) schema: Option<u32>,
    /// How far its timestamp is from the time of its appending, milliseconds.
    pub(crate) timestamp_off_ms: i64,
    pub(crate) header: Option<u8>,
    /// Offsets that stay free before it.
    pub(crate) gap: i64,
    pub(crate) append_at_ms: u64,
    /// Its handler rejects it.
    pub(crate) rejected: bool,
    /// It is for the log that replaces the first, second, … one.
    pub(crate) generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u8),
    /// No JSON: it is rejected before its handler.
    Garbage(u8),
    Tombstone,
    /// The mapping's filter lets it not through.
    Filtered,
}

/// All records of a run.
pub(crate) fn drafts(plan: &Plan, dice: &mut Dice) -> Vec<Draft> {
    let records = &plan.records;
    let mut drafts = Vec::new();
    // As often as logs may be made anew, there are records for the new ones.
    let generations = u32::try_from(plan.faults.renewals).unwrap_or(0) + 1;
    for partition in 0..records.partitions {
        let first = dice.between(records.each_min, records.each_max);
        let mut olds: Vec<Draft> = Vec::new();
        for generation in 0..generations {
            let mut at_ms = 0;
            let mut news = Vec::new();
            for place in 0..first {
                at_ms += dice.between(0, records.over_ms / first + 1);
                let mut draft = draft(plan, dice, partition);
                if let Some(old) = olds.get(place as usize) {
                    // Restored from elsewhere: much is as it was, and something is not.
                    draft = alike(old, &draft, dice);
                }
                draft.append_at_ms = at_ms;
                draft.generation = generation;
                news.push(draft);
            }
            drafts.extend(news.iter().cloned());
            olds = news;
        }
    }
    if let Some(schemas) = &plan.schemas {
        let mut dice = dice.of("schemas", 0);
        for draft in &mut drafts {
            draft.schema = schemas.draw(&mut dice);
        }
    }
    if plan.clusters == Clusters::TwoNameless {
        let twin = |draft: &Draft| Draft {
            partition: draft.partition + records.partitions,
            ..draft.clone()
        };
        let twins: Vec<Draft> = drafts.iter().map(twin).collect();
        drafts.extend(twins);
    }
    drafts
}

fn draft(plan: &Plan, dice: &mut Dice, partition: u32) -> Draft {
    let odd = plan.records.odd;
    let number = dice.between(0, 9) as u8;
    let value = match () {
        () if plan.mapping.filters && dice.per_mille(200) => Value::Filtered,
        () if dice.per_mille(odd / 2) => Value::Garbage(number),
        () if dice.per_mille(odd / 5) => Value::Tombstone,
        () => Value::Number(number),
    };
    let keys = plan.records.keys;
    Draft {
        partition,
        key: match dice.between(0, keys) {
            0 => None,
            key => Some(key as u8),
        },
        value,
        schema: None,
        timestamp_off_ms: dice.pick(&[0, 0, -1, -1_000]),
        header: dice.per_mille(300).then_some(number),
        gap: dice.pick(&[0, 0, 0, 1, 5]),
        append_at_ms: 0,
        rejected: dice.per_mille(odd / 2),
        generation: 0,
    }
}

/// The old record, but for one part.
fn alike(old: &Draft, new: &Draft, dice: &mut Dice) -> Draft {
    let mut draft = old.clone();
    draft.rejected = new.rejected;
    match dice.between(0, 3) {
        0 => draft.key = new.key,
        1 => draft.value = new.value,
        2 => draft.header = new.header,
        _ => draft.timestamp_off_ms = new.timestamp_off_ms,
    }
    draft
}
