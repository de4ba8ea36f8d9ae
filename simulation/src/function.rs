//! The function under test: the real framework, with handlers that do what the run's script says. One consumer a process. Made by `service`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lambda_msk::idempotency::{
    Idempotency, IdempotencyStore, Item, MemoryStore, PerRecord, StoreError, Swap, Swapped,
    WhenStoreFails,
};
use lambda_msk::testing::{Event, Invoke};
use lambda_msk::{
    Builder, Consumer, DeadLetter, Delivery, Destination, Failure, FailureReporting, Guarantee,
    Json, ProcessingOrder, SendError, State, WhenExhausted,
};
use tokio::task_local;
use tokio::time::sleep;

use crate::environment::{OwnTime, Process};
use crate::fact::{EnvironmentId, Fact, How, InvocationId, RecordId, What};
use crate::ledger::{NAMESPACE, TOPIC, item_id, note_read, note_swap};
use crate::oracle::{Ledger, Order, Reporting};
use crate::plan::Plan;
use crate::port::{Letter, Port, Reply, Request};
use crate::script::{Behaviour, Script};

/// The facts of a run. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<Fact>>>);

impl Journal {
    pub(crate) fn write(&self, at_ms: u64, what: What) {
        let mut facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        facts.push(Fact { at_ms, what });
    }

    pub(crate) fn take(&self) -> Vec<Fact> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a process of the function knows of the run. Handlers, store and destination share it.
#[derive(Debug)]
pub(crate) struct Inside {
    environment: EnvironmentId,
    port: Port,
    time: OwnTime,
    journal: Journal,
    script: Arc<Script>,
    /// What each of its invocations was given, by place.
    given: Mutex<BTreeMap<InvocationId, Given>>,
}

type Given = BTreeMap<(i32, i64), RecordId>;

task_local! {
    /// The invocation that is being run: a process may be in several.
    static CURRENT: InvocationId;
}

impl Inside {
    pub(crate) fn of<T>(
        process: &Process<T>,
        environment: EnvironmentId,
        journal: &Journal,
        script: &Arc<Script>,
    ) -> Arc<Self> {
        Arc::new(Self {
            environment,
            port: process.port().clone(),
            time: process.time().clone(),
            journal: journal.clone(),
            script: Arc::clone(script),
            given: Mutex::default(),
        })
    }

    /// What a dead process does is seen by nobody.
    fn note(&self, what: What) {
        if !self.port.is_cut() {
            self.journal.write(self.time.world_ms(), what);
        }
    }

    /// What a ledger holds is known to the invocation from now on.
    fn told(&self, id: &str, invocation: InvocationId, call: u64) {
        if item_id(id, None).is_some() {
            self.note(What::Told { invocation, call });
        }
    }

    fn given(&self) -> MutexGuard<'_, BTreeMap<InvocationId, Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(
        &self,
        invocation: InvocationId,
        records: impl IntoIterator<Item = ((i32, i64), RecordId)>,
    ) {
        self.given()
            .insert(invocation, records.into_iter().collect());
    }

    pub(crate) fn leave(&self, invocation: InvocationId) {
        self.given().remove(&invocation);
    }

    fn record(&self, record: &lambda_msk::Record) -> RecordId {
        let at = (record.partition(), record.offset().0);
        self.given()[&current()][&at]
    }
}

/// The invocation that is being run.
fn current() -> InvocationId {
    CURRENT.get()
}

/// A consumer as the plan has it, inside a process.
pub(crate) fn consumer(
    plan: &Plan,
    at_most_once: bool,
    inside: &Arc<Inside>,
) -> Result<Consumer, lambda_msk::Error> {
    let function = &plan.function;
    let builder = Consumer::builder()
        .state(Arc::clone(inside))
        .topic(TOPIC, work)
        .namespace(NAMESPACE)
        .order(match plan.terms.order {
            Order::Partition => ProcessingOrder::Partition,
            Order::Key => ProcessingOrder::Key,
            Order::Unordered => ProcessingOrder::Unordered,
        })
        .failure_reporting(match plan.terms.reporting {
            Reporting::WholeBatch => FailureReporting::WholeBatch,
            Reporting::Partial => FailureReporting::Partial,
        })
        .when_store_fails(match function.without_store {
            true => WhenStoreFails::Process,
            false => WhenStoreFails::Fail,
        })
        .when_exhausted(match function.rejects_exhausted {
            true => WhenExhausted::Reject,
            false => WhenExhausted::Fail,
        })
        .attempts(function.attempts)
        .concurrency(function.concurrency)
        .progress(function.progress)
        .idempotency(match plan.terms.ledger {
            Ledger::Durable | Ledger::PerRecord => Idempotency::from(Remote(Arc::clone(inside))),
            Ledger::Memory => Idempotency::from(Own {
                inside: Arc::clone(inside),
                memory: MemoryStore::new(),
            }),
            Ledger::None => Idempotency::None,
        });
    let builder = match plan.terms.ledger {
        Ledger::PerRecord => builder
            .per_record(PerRecord::by(key))
            .guarantee(match at_most_once {
                true => Guarantee::AtMostOnce,
                false => Guarantee::AtLeastOnce,
            }),
        _ => builder,
    };
    let builder: Builder<_> = match function.has_destination {
        true => builder.on_failure(Queue(Arc::clone(inside))),
        false => builder,
    };
    builder.build()
}

/// A key that no two records share: not even where a log is made anew, and one of them stands where the other stood.
fn key(record: &lambda_msk::Record) -> Option<String> {
    let (key, value) = (record.key(), record.value());
    let headers = record.headers();
    let headers: Vec<_> = headers.iter().collect();
    let at_ms = record.timestamp_millis();
    Some(format!(
        "{record} of {at_ms}: {key:?} {value:?} {headers:?}"
    ))
}

/// One invocation's answer: its body, or that it was an error.
pub(crate) type Answered = Option<String>;

/// An invocation, to be run in the process.
pub(crate) async fn invocation(
    number: InvocationId,
    consumer: Consumer,
    invoke: Invoke,
) -> Answered {
    let invoked = CURRENT.scope(number, invoke.run(&consumer)).await;
    let response = invoked.response().ok()?;
    // Names and numbers: it has no way to fail.
    serde_json::to_string(response).ok()
}

/// The event of these bytes.
pub(crate) fn event(body: &[u8]) -> Event {
    Event::from(body.to_vec())
}

/// Tells that a handler's run was dropped, if it did not end.
struct Run<'a> {
    inside: &'a Inside,
    invocation: InvocationId,
    record: RecordId,
    ended: bool,
}

impl Run<'_> {
    fn end(&mut self, how: How) {
        self.ended = true;
        self.inside.note(What::Ended {
            invocation: self.invocation,
            record: self.record,
            how,
        });
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(How::Dropped);
        }
    }
}

async fn work(
    delivery: Delivery,
    Json(_): Json<u64>,
    State(inside): State<Arc<Inside>>,
) -> Result<(), Failure> {
    let (invocation, record) = (current(), inside.record(delivery.record()));
    inside.note(What::Started { invocation, record });
    let mut run = Run {
        inside: &inside,
        invocation,
        record,
        ended: false,
    };
    let (takes_ms, behaviour) = inside.script.start(record, inside.time.world_ms());
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
            // Without the panic hook: nothing is printed.
            std::panic::resume_unwind(Box::new("a bug"))
        }
        Behaviour::Hangs => std::future::pending().await,
    }
}

/// The store of all processes, at the other end of the wire.
struct Remote(Arc<Inside>);

impl IdempotencyStore for Remote {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        let (invocation, asked) = (current(), Request::Read(id.into()));
        let call = self.0.port.call(invocation, asked);
        let number = call.number();
        let Reply::Read(item) = call.await else {
            return Err(StoreError::permanent("the wires are crossed"));
        };
        if item.is_ok() {
            self.0.told(id, invocation, number);
        }
        item
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        match self
            .0
            .port
            .call(current(), Request::Swap(swap.clone()))
            .await
        {
            Reply::Swap(swapped) => swapped,
            _ => Err(StoreError::permanent("the wires are crossed")),
        }
    }

    fn describe(&self) -> String {
        "simulated:table".to_owned()
    }
}

/// The framework's own store in memory, watched.
struct Own {
    inside: Arc<Inside>,
    memory: MemoryStore,
}

impl IdempotencyStore for Own {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        let item = self.memory.read(id).await?;
        let (environment, invocation) = (Some(self.inside.environment), current());
        // Its answer is there at once.
        let call = 0;
        if let Some(read) = note_read(id, environment, invocation, call) {
            self.inside.note(read);
        }
        self.inside.told(id, invocation, call);
        Ok(item)
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let swapped = self.memory.swap(swap).await?;
        let (environment, invocation) = (Some(self.inside.environment), current());
        for what in note_swap(swap, &swapped, environment, invocation).await {
            self.inside.note(what);
        }
        Ok(swapped)
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn is_durable(&self) -> bool {
        false
    }
}

/// The function's dead-letter queue, at the other end of the wire.
struct Queue(Arc<Inside>);

impl Destination for Queue {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let inside = &self.0;
        let records: Vec<RecordId> = letters
            .iter()
            .map(|letter| inside.record(letter.record()))
            .collect();
        let sent = letters.iter().zip(&records).map(|(letter, record)| Letter {
            record: *record,
            payload: payload(letter),
        });
        let request = Request::Send(sent.collect());
        let Reply::Send(confirmed) = inside.port.call(current(), request).await else {
            return Vec::new();
        };
        let invocation = current();
        let answers = records.into_iter().zip(confirmed);
        answers
            .map(|(record, confirmed)| {
                if !confirmed {
                    return Err(SendError::new("the queue is throttled"));
                }
                inside.note(What::Confirmed { invocation, record });
                Ok(())
            })
            .collect()
    }

    fn describe(&self) -> String {
        "simulated:queue".to_owned()
    }
}

/// The event inside a letter's envelope.
fn payload(letter: &DeadLetter) -> Arc<str> {
    let envelope = serde_json::from_str::<serde_json::Value>(&letter.envelope());
    let payload = envelope.map(|envelope| envelope["payload"].to_string());
    payload.unwrap_or_default().into()
}
