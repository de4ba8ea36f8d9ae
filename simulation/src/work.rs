//! What the function under test does with a record: an extractor and a state that may panic, and a handler that does what the run's script says. Given to the framework by `function`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use lambda_msk::extract::{Avro, Delivery, FromRecord};
use lambda_msk::failure::{Next, Rejection};
use lambda_msk::schemas::SchemaUse;
use lambda_msk::{Failure, Json, State};
use tokio::time::sleep;

use crate::fact::{How, InvocationId, RecordId, Unread, What};
use crate::inside::{Inside, current};
use crate::process::hold_processor;
use crate::script::{Behaviour, Extraction, Start};

/// The handlers' state. Its clone panics where the script says so.
#[derive(Debug)]
pub(crate) struct Shared(pub(crate) Arc<Inside>);

impl Clone for Shared {
    fn clone(&self) -> Self {
        if self.0.clone_panics() {
            panic("a state that cannot be cloned")
        }
        Self(Arc::clone(&self.0))
    }
}

/// The first argument of the handler: tells that the record's turn has come, and panics where the script says so.
#[derive(Debug)]
pub(crate) struct Looked;

impl FromRecord<Shared> for Looked {
    type Rejection = Infallible;

    fn from_record(delivery: &Delivery, Shared(inside): &Shared) -> Result<Self, Infallible> {
        let (invocation, record) = (current(), inside.record(delivery.record()));
        let extraction = inside.script.extract(record, inside.now_ms());
        inside.note(What::Looked {
            invocation,
            record,
            panics: extraction != Extraction::Works,
        });
        inside.set_clone_panics(extraction == Extraction::ClonePanics);
        match extraction {
            Extraction::Panics => panic("an extractor with a bug"),
            Extraction::Works | Extraction::ClonePanics => Ok(Self),
        }
    }
}

/// Tells that a handler's run was dropped, if it did not end.
struct HandlerRun<'a> {
    inside: &'a Inside,
    invocation: InvocationId,
    record: RecordId,
    ended: bool,
}

impl HandlerRun<'_> {
    fn end(&mut self, how: How) {
        self.ended = true;
        self.inside.note(What::Ended {
            invocation: self.invocation,
            record: self.record,
            how,
        });
    }
}

impl Drop for HandlerRun<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(How::Dropped);
        }
    }
}

/// The value by the schema that its frame names, or plain JSON.
#[derive(Debug)]
pub(crate) struct Number;

impl FromRecord<Shared> for Number {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, shared: &Shared) -> Result<Self, Rejection> {
        let is_framed = delivery
            .value()
            .is_some_and(|value| value.starts_with(&[0]));
        if !is_framed {
            let json = Json::<u64>::from_record(delivery, shared);
            return json.map(|_| Self).map_err(Rejection::from);
        }
        let read = Avro::<u64>::from_record(delivery, shared);
        if let Err(rejection) = &read {
            let why = match (rejection.next, rejection.code) {
                (Next::Retry, _) => Unread::NoSchema,
                (_, "reject.schema_not_found") => Unread::NotFound,
                _ => Unread::Misread,
            };
            let record = shared.0.record(delivery.record());
            shared.0.note(What::Unread {
                invocation: current(),
                record,
                why,
            });
        }
        read.map(|_| Self)
    }

    fn schemas() -> SchemaUse {
        <Avro<u64> as FromRecord<Shared>>::schemas()
    }
}

/// The handler of values that are read by schemas.
pub(crate) async fn work_by_schema(
    looked: Looked,
    delivery: Delivery,
    _: Number,
    state: State<Shared>,
) -> Result<(), Failure> {
    work(looked, delivery, Json(0), state).await
}

pub(crate) async fn work(
    _: Looked,
    delivery: Delivery,
    Json(_): Json<u64>,
    State(Shared(inside)): State<Shared>,
) -> Result<(), Failure> {
    let (invocation, record) = (current(), inside.record(delivery.record()));
    inside.note(What::Started { invocation, record });
    let mut run = HandlerRun {
        inside: &inside,
        invocation,
        record,
        ended: false,
    };
    let Start {
        holds_ms,
        takes_ms,
        behaviour,
    } = inside.script.start(record, inside.now_ms());
    if holds_ms > 0 {
        hold_processor(holds_ms);
    }
    if takes_ms > 0 {
        sleep(Duration::from_millis(takes_ms)).await;
    }
    match behaviour {
        Behaviour::Ok => {
            run.end(How::Ok);
            Ok(())
        }
        Behaviour::Fails => {
            run.end(How::Failed);
            Err(Failure::retry("inventory is down"))
        }
        Behaviour::Rejects => {
            run.end(How::Rejected);
            Err(Failure::reject("no such order"))
        }
        Behaviour::Panics => {
            run.end(How::Panicked);
            panic("a bug")
        }
        Behaviour::Hangs => std::future::pending().await,
    }
}

/// Without the panic hook: nothing is printed.
pub(crate) fn panic(text: &'static str) -> ! {
    std::panic::resume_unwind(Box::new(text))
}
