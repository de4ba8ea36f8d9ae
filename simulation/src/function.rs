//! The function under test: the real framework, with handlers that do what the run's script says. One consumer a process. Made by `service`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::builder::NullKeys;
use lambda_msk::destination::{DeadLetter, Destination, SendError};
use lambda_msk::handler::BatchOptions;
use lambda_msk::idempotency::Guarantee;
use lambda_msk::idempotency::{
    Idempotency, IdempotencyStore, Item, MemoryStore, PerRecord, StoreError, Swap, Swapped,
    WhenStoreFails,
};
use lambda_msk::metrics::Emf;
use lambda_msk::schemas::Schemas;
use lambda_msk::testing::{Event, Invoke};
use lambda_msk::{Consumer, FailureReporting, ProcessingOrder, WhenExhausted, batch};

use crate::fact::{InvocationId, RecordId, What};
use crate::inside::{CURRENT, Inside, current};
use crate::ledger::{NAMESPACE, TOPIC, note_asked, note_read, note_swap};
use crate::many::{work_many, work_many_by_schema};
use crate::oracle::{Ledger, Order, Reporting};
use crate::plan::{Batches, Plan};
use crate::port::{Letter, Reply, Request};
use crate::registry::RemoteRegistry;
use crate::work::{Shared, work, work_by_schema};

/// A consumer as the plan has it, inside a process.
pub(crate) fn consumer(
    plan: &Plan,
    at_most_once: bool,
    inside: &Arc<Inside>,
) -> Result<Consumer, lambda_msk::Error> {
    let function = &plan.function;
    let builder = Consumer::builder()
        .state(Shared(Arc::clone(inside)))
        .namespace(NAMESPACE)
        .order(match plan.terms.order {
            Order::Partition => ProcessingOrder::Partition,
            Order::Key | Order::KeyIfAny => ProcessingOrder::Key,
            Order::Unordered => ProcessingOrder::Unordered,
        })
        .null_keys(match plan.terms.order {
            Order::KeyIfAny => NullKeys::Unordered,
            Order::Partition | Order::Key | Order::Unordered => NullKeys::Ordered,
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
        .metrics(Emf::namespace(NAMESPACE).output(Metrics(Arc::clone(inside))))
        .attempts(function.attempts)
        .concurrency(function.concurrency)
        .progress(function.progress)
        .idempotency(match plan.keeps {
            Ledger::Durable | Ledger::PerRecord => Idempotency::from(Remote(Arc::clone(inside))),
            Ledger::Memory => Idempotency::from(Own {
                inside: Arc::clone(inside),
                memory: MemoryStore::new(),
            }),
            Ledger::None => Idempotency::None,
        });
    let builder = match plan.schemas {
        Some(_) => builder.schemas(Schemas::of(RemoteRegistry(Arc::clone(inside)))),
        None => builder,
    };
    let builder = match (&plan.schemas, function.batches) {
        (Some(_), None) => builder.topic(TOPIC, work_by_schema),
        (None, None) => builder.topic(TOPIC, work),
        (Some(_), Some(batches)) => builder.route(TOPIC, many(batch(work_many_by_schema), batches)),
        (None, Some(batches)) => builder.route(TOPIC, many(batch(work_many), batches)),
    };
    let builder = match plan.keeps {
        Ledger::PerRecord => builder
            .per_record(PerRecord::by(key))
            .guarantee(match at_most_once {
                true => Guarantee::AtMostOnce,
                false => Guarantee::AtLeastOnce,
            }),
        _ => builder,
    };
    let builder: Builder<_> = match function.has_destination {
        true => builder.on_failure(DeadLetterQueue(Arc::clone(inside))),
        false => builder,
    };
    builder.build()
}

fn many<H>(mut batch: BatchOptions<H>, batches: Batches) -> BatchOptions<H> {
    batch = batch.records(batches.records).bytes(batches.bytes);
    batch = batch.bisect(batches.bisects);
    if batches.is_across {
        batch = batch.across_partitions();
    }
    match batches.timeout_ms {
        Some(ms) => batch.timeout(Duration::from_millis(ms)),
        None => batch,
    }
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

/// The store of all processes, at the other end of the wire.
struct Remote(Arc<Inside>);

impl IdempotencyStore for Remote {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        let call = self.0.ask(Request::Read(id.into()));
        let number = call.number();
        let Reply::Read(item) = call.await else {
            return Err(StoreError::permanent("the wires are crossed"));
        };
        if item.is_ok() {
            self.0.told(id, current(), number);
        }
        item
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        if let Some(asked) = note_asked(swap, current()) {
            self.0.note(asked);
        }
        match self.0.ask(Request::Swap(swap.clone())).await {
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

/// Reads the metrics of each invocation.
struct Metrics(Arc<Inside>);

impl io::Write for Metrics {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let outcomes = ["Done", "Skipped", "Rejected", "Failed", "Unreached"];
        let (mut counted, mut retried) = (0, 0);
        for line in lines.split(|byte| *byte == b'\n') {
            if let Ok(line) = serde_json::from_slice::<serde_json::Value>(line) {
                let counts = outcomes.iter().map(|name| line[name].as_u64());
                counted += counts.flatten().sum::<u64>();
                retried += line["Retried"].as_u64().unwrap_or_default();
            }
        }
        let invocation = current();
        self.0.note(What::Measured {
            invocation,
            counted,
            retried,
        });
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The function's dead-letter queue, at the other end of the wire.
struct DeadLetterQueue(Arc<Inside>);

impl Destination for DeadLetterQueue {
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
        let invocation = current();
        for (letter, record) in letters.iter().zip(&records) {
            if says_started(letter) {
                let record = *record;
                inside.note(What::SaidStarted { invocation, record });
            }
            if letter.code().contains("schema") {
                let record = *record;
                inside.note(What::SaidUnread { invocation, record });
            }
        }
        let Reply::Send(confirmed) = inside.ask(request).await else {
            return Vec::new();
        };
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

/// Whether a letter says that its record's handler was started, or may have been.
fn says_started(letter: &DeadLetter) -> bool {
    // A record that nobody has begun has no reason to be given up so.
    letter.code() == "reject.at_most_once" || letter.message().contains("was started")
}

/// The event inside a letter's envelope.
fn payload(letter: &DeadLetter) -> Arc<str> {
    let envelope = serde_json::from_str::<serde_json::Value>(&letter.envelope());
    let payload = envelope.map(|envelope| envelope["payload"].to_string());
    payload.unwrap_or_default().into()
}
