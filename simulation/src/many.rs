//! What the function under test does with many records in one call: of each, what the run's script says of it alone. Given to the framework by `function`.

use std::time::Duration;

use lambda_msk::extract::Delivery;
use lambda_msk::{Batch, Failure, Json, Outcomes, State};
use tokio::time::sleep;

use crate::fact::{How, InvocationId, RecordId, What};
use crate::inside::{Inside, current};
use crate::plan::Batches;
use crate::process::hold_processor;
use crate::script::{Behaviour, Start};
use crate::work::{Looked, Number, Shared, panic};

/// One call: tells that it was dropped, if it did not end.
struct CallRun<'a> {
    inside: &'a Inside,
    invocation: InvocationId,
    call: u64,
    records: Vec<RecordId>,
    ended: bool,
}

impl CallRun<'_> {
    /// Tells because of which record none of them is done.
    fn spoiled(&self, index: usize, nobodys_fault: bool) {
        self.inside.note(What::Spoiled {
            invocation: self.invocation,
            call: self.call,
            record: self.records[index],
            nobodys_fault,
        });
    }

    /// Tells how each record has ended.
    fn end(&mut self, how: impl Fn(usize) -> How) {
        self.ended = true;
        for (index, record) in self.records.iter().enumerate() {
            self.inside.note(What::Ended {
                invocation: self.invocation,
                record: *record,
                how: how(index),
            });
        }
        self.inside.note(What::CallOver {
            invocation: self.invocation,
            call: self.call,
        });
    }
}

impl Drop for CallRun<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(|_| How::Dropped);
        }
    }
}

/// The handler of values that are read by schemas.
pub(crate) async fn work_many_by_schema(
    batch: Batch<(Looked, Delivery, Number)>,
    State(Shared(inside)): State<Shared>,
) -> Result<Outcomes, Failure> {
    let outcomes = batch.outcomes();
    let records = batch.iter().map(|(_, delivery, _)| delivery);
    work_on(records, outcomes, &inside).await
}

pub(crate) async fn work_many(
    batch: Batch<(Looked, Delivery, Json<u64>)>,
    State(Shared(inside)): State<Shared>,
) -> Result<Outcomes, Failure> {
    let outcomes = batch.outcomes();
    let records = batch.iter().map(|(_, delivery, _)| delivery);
    work_on(records, outcomes, &inside).await
}

async fn work_on(
    records: impl Iterator<Item = &Delivery>,
    outcomes: Outcomes,
    inside: &Inside,
) -> Result<Outcomes, Failure> {
    let invocation = current();
    let records = records.map(|delivery| inside.record(delivery.record()));
    let mut run = CallRun {
        inside,
        invocation,
        call: inside.next_call(),
        records: records.collect(),
        ended: false,
    };
    inside.note(What::Called {
        invocation,
        call: run.call,
        records: run.records.clone(),
    });
    let mut behaviours = Vec::new();
    let (mut holds, mut takes) = (0, 0);
    for record in &run.records {
        let record = *record;
        inside.note(What::Started { invocation, record });
        let Start {
            holds_ms,
            takes_ms,
            behaviour,
        } = inside.script.start(record, inside.now_ms());
        // One call takes no longer than one record does.
        holds = holds_ms.max(holds);
        takes = takes_ms.max(takes);
        behaviours.push(behaviour);
    }
    if holds > 0 {
        hold_processor(holds);
    }
    if takes > 0 {
        sleep(Duration::from_millis(takes)).await;
    }
    ends(&mut run, &behaviours, outcomes).await
}

/// The worst that is to become of one record becomes of the call, where it fails whole; else it is said of the record.
async fn ends(
    run: &mut CallRun<'_>,
    behaviours: &[Behaviour],
    mut outcomes: Outcomes,
) -> Result<Outcomes, Failure> {
    let first = |behaviour| behaviours.iter().position(|of| *of == behaviour);
    if let Some(index) = first(Behaviour::Hangs) {
        run.spoiled(index, false);
        return std::future::pending().await;
    }
    if let Some(index) = first(Behaviour::Panics) {
        run.spoiled(index, false);
        run.end(|_| How::Panicked);
        panic("a bug")
    }
    let often = run
        .inside
        .batches
        .map_or(0, |Batches { fails_whole, .. }| fails_whole);
    let bisects = run.inside.batches.is_some_and(|batches| batches.bisects);
    let records = run.records.clone();
    for (index, (behaviour, record)) in behaviours.iter().zip(records).enumerate() {
        let (whole, nobodys_fault) = run.inside.script.fails_whole(record, often);
        match behaviour {
            Behaviour::Fails if whole => {
                run.spoiled(index, nobodys_fault);
                run.end(|_| How::Failed);
                let failure = Failure::retry("inventory is down");
                return Err(match nobodys_fault {
                    true => failure.whole(),
                    false => failure,
                });
            }
            // Where nothing is halved, it would never be found.
            Behaviour::Rejects if whole && bisects && behaviours.len() > 1 => {
                run.spoiled(index, false);
                run.end(|_| How::Failed);
                // Which one is not said: it is to be found.
                return Err(match nobodys_fault {
                    true => Failure::reject("one of these is no order"),
                    false => Failure::retry("one of these is no order"),
                });
            }
            Behaviour::Fails => outcomes.retry(index, Failure::retry("inventory is down")),
            Behaviour::Rejects => outcomes.reject(index, Failure::reject("no such order")),
            Behaviour::Ok | Behaviour::Panics | Behaviour::Hangs => {}
        }
    }
    run.end(|index| match behaviours[index] {
        Behaviour::Rejects => How::Rejected,
        Behaviour::Fails => How::Failed,
        Behaviour::Ok | Behaviour::Panics | Behaviour::Hangs => How::Ok,
    });
    Ok(outcomes)
}
