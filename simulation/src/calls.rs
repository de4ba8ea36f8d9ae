//! The far end of processes' calls: the store of all processes and the function's destination, and what can go wrong on the way to them and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambda_msk::idempotency::{Change, Expect, Item, StoreError, Swap, Swapped};
use lambda_msk::schemas::{FetchError, Format, SchemaId, Source};
use tokio::runtime::Runtime;

use crate::dice::Dice;
use crate::fact::{InvocationId, What};
use crate::ledger::{claimed, item_id, note_swap, stored_id, version_id};
use crate::limits::START_MS;
use crate::plan::{Faults, Schemas};
use crate::port::{Letter, Reply, Request};

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// How long it is on its way. *None: it does not come in time, or not at all.*
    pub(crate) there_ms: Option<u64>,
    /// How long the answer is on its way back. *None: it never comes.*
    pub(crate) back_ms: Option<u64>,
    /// Whether the answer is an error, whatever was done.
    pub(crate) fails: bool,
    /// When it is carried out once more, or at last: a network that held it back.
    pub(crate) late_ms: Option<u64>,
    /// Whether this is a fault.
    pub(crate) is_fault: bool,
    /// Whether it may last until the invocation's time is over, and is none.
    pub(crate) holds_up: bool,
}

impl Fate {
    /// What asks the store while nobody reaches it.
    pub(crate) fn refused(dice: &mut Dice) -> Self {
        Self {
            there_ms: None,
            back_ms: Some(dice.between(0, 12)),
            fails: true,
            late_ms: None,
            is_fault: true,
            holds_up: false,
        }
    }

    /// Of a call of the destination.
    pub(crate) fn of_send(faults: &Faults, dice: &mut Dice) -> Self {
        let there_ms = match () {
            () if dice.per_mille(faults.send_hangs) => None,
            () if dice.per_mille(faults.send_slow) => {
                let most = dice.pick(&[1_000, 5_000, 20_000]);
                Some(dice.between(100, most))
            }
            () => return Self::of(faults, dice),
        };
        Self {
            there_ms,
            back_ms: there_ms.map(|_| dice.between(0, 12)),
            fails: false,
            late_ms: None,
            is_fault: false,
            holds_up: true,
        }
    }

    /// Of a request for a schema. Whatever becomes of it, what is promised of other records holds.
    pub(crate) fn of_fetch(schemas: Option<&Schemas>, now_ms: u64, dice: &mut Dice) -> Self {
        let usual = Self {
            there_ms: Some(dice.between(0, 12)),
            back_ms: Some(dice.between(0, 12)),
            fails: false,
            late_ms: None,
            is_fault: false,
            holds_up: false,
        };
        let Some(schemas) = schemas else { return usual };
        let refused = Self {
            there_ms: None,
            fails: true,
            ..usual
        };
        let hangs = Self {
            there_ms: None,
            back_ms: None,
            ..usual
        };
        match () {
            () if schemas.is_out(now_ms) => match dice.per_mille(300) {
                true => hangs,
                false => refused,
            },
            () if dice.per_mille(schemas.refused) => refused,
            () if dice.per_mille(schemas.hangs) => hangs,
            () if dice.per_mille(schemas.slow) => {
                // Up to the limit, and beyond it.
                let most = dice.pick(&[300, 2_000, 5_000]);
                Self {
                    there_ms: Some(dice.between(10, most)),
                    ..usual
                }
            }
            () => usual,
        }
    }

    pub(crate) fn of(faults: &Faults, dice: &mut Dice) -> Self {
        let usual = Self {
            there_ms: Some(dice.between(0, 12)),
            back_ms: Some(dice.between(0, 12)),
            fails: false,
            late_ms: None,
            is_fault: false,
            holds_up: false,
        };
        let fault = Self {
            is_fault: true,
            ..usual
        };
        match () {
            // Throttled.
            () if dice.per_mille(faults.call_fails) => Self {
                there_ms: None,
                fails: true,
                ..fault
            },
            // Done, and it does not say so.
            () if dice.per_mille(faults.answer_of_call_lost) => Self {
                back_ms: dice.per_mille(500).then_some(dice.between(1, 1_500)),
                fails: true,
                ..fault
            },
            // Not done, and done much later.
            () if dice.per_mille(faults.call_late) => Self {
                there_ms: None,
                back_ms: dice.per_mille(500).then_some(dice.between(1, 1_500)),
                fails: true,
                late_ms: Some(dice.between(10, 30_000)),
                ..fault
            },
            // Done twice.
            () if dice.per_mille(faults.call_twice) => Self {
                late_ms: Some(dice.between(10, 30_000)),
                ..fault
            },
            () if dice.per_mille(faults.call_slow) => Self {
                there_ms: Some(dice.between(10, 4_000)),
                back_ms: Some(dice.between(10, 4_000)),
                ..fault
            },
            () => usual,
        }
    }
}

/// Store and destination.
#[derive(Debug)]
pub(crate) struct Services {
    table: BTreeMap<Arc<str>, Item>,
    /// Letters that stand at the destination.
    pub(crate) letters: Vec<Letter>,
    /// For reading items by the framework's reader, which asks tokio for the time.
    reading: Runtime,
}

impl Services {
    pub(crate) fn new() -> std::io::Result<Self> {
        let reading = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        Ok(Self {
            table: BTreeMap::new(),
            letters: Vec::new(),
            reading,
        })
    }

    /// Carries a call out: the answer, and what was seen.
    pub(crate) fn carry_out(
        &mut self,
        request: &Request,
        invocation: InvocationId,
    ) -> (Reply, Vec<What>) {
        match request {
            Request::Fetch(id) => {
                let source = Schemas::text(*id).map(|text| Source::new(Format::Avro, text));
                let answer = source.ok_or(FetchError::NotFound(SchemaId::Number(*id)));
                (Reply::Fetch(answer), Vec::new())
            }
            Request::Read(id) => {
                let item = self.table.get(id).cloned();
                (Reply::Read(Ok(item)), Vec::new())
            }
            Request::Swap(swap) => {
                let swapped = self.swap(swap);
                let note = note_swap(swap, &swapped, None, invocation);
                let noted = self.reading.block_on(note);
                (Reply::Swap(Ok(swapped)), noted)
            }
            Request::Send(letters) => {
                self.letters.extend(letters.iter().cloned());
                let landed = letters.iter().map(|letter| What::Landed {
                    invocation,
                    record: letter.record,
                });
                (Reply::Send(vec![true; letters.len()]), landed.collect())
            }
        }
    }

    fn swap(&mut self, swap: &Swap) -> Swapped {
        let stands = self.table.get(&swap.id);
        if !swap.expect.holds(stands) {
            return Swapped::Refused(stands.cloned());
        }
        let item = swap.change.applied(stands);
        match &item {
            Some(item) => self.table.insert(Arc::clone(&swap.id), item.clone()),
            None => self.table.remove(&swap.id),
        };
        Swapped::Applied(item)
    }

    /// Deletes what has expired, and, if all is wanted, whatever nobody holds.
    pub(crate) fn delete(&mut self, now_ms: u64, all: bool) -> Vec<What> {
        let wall_ms = now_ms + START_MS.unsigned_abs();
        let mut deleted = Vec::new();
        self.table.retain(|id, item| {
            let expired = item.expires_s < wall_ms / 1_000;
            // Clocks that differ: nobody holds it by any of them.
            let free = item.held_until_ms + 60_000 < wall_ms;
            let stays = !(expired || all && free);
            if !stays {
                deleted.extend(gone(id, item));
            }
            stays
        });
        deleted
    }
}

/// An item that stands no more. *None: it was never noted as anybody's.*
fn gone(id: &str, item: &Item) -> Option<What> {
    if let Some(item) = item_id(id, None) {
        return Some(What::Deleted { item });
    }
    let (partition, offset) = claimed(item)?;
    Some(What::Unmarked {
        partition,
        offset,
        stored: stored_id(id, None),
    })
}

/// The answer of a call that failed.
pub(crate) fn failure(request: &Request) -> Reply {
    let error = || StoreError::transient("the table is throttled");
    match request {
        Request::Read(_) => Reply::Read(Err(error())),
        Request::Swap(_) => Reply::Swap(Err(error())),
        Request::Send(letters) => Reply::Send(vec![false; letters.len()]),
        Request::Fetch(_) => {
            let reason = "the registry is out of reach".to_owned();
            Reply::Fetch(Err(FetchError::Unavailable(reason)))
        }
    }
}

/// For readers of the trace. Versions are those of [`What::Stands`].
pub(crate) fn describe(request: &Request) -> String {
    match request {
        Request::Read(id) => format!("read {}", short(id)),
        Request::Swap(swap) => {
            let what = match &swap.change {
                Change::Hold { .. } => "take",
                Change::Put(item) if item.held_until_ms == 0 => "give back",
                Change::Put(_) => "write",
                Change::Delete => "delete",
            };
            let wanted = match &swap.change {
                Change::Put(item) => item.version.as_ref(),
                Change::Hold { .. } | Change::Delete => None,
            };
            let wanted = wanted.map(|wanted| format!(" as {}", version_id(wanted)));
            let expected = match &swap.expect {
                Expect::Absent => "if there is none".to_owned(),
                Expect::Version(expected) => format!("over {}", version_id(expected)),
                Expect::Free { .. } => "if it is free".to_owned(),
            };
            let id = short(&swap.id);
            format!("{what} {id}{}, {expected}", wanted.unwrap_or_default())
        }
        Request::Fetch(id) => format!("fetch schema {id}"),
        Request::Send(letters) => format!("send {} letters", letters.len()),
    }
}

fn short(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
