//! Invokes a consumer with an event as Lambda would, and reads each record's outcome.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::consumer::Consumer;
use crate::invocation::Invocation;
use crate::invoked::Invoked;
use crate::report::RecordReport;
use crate::testing::event::Event;
use crate::testing::machine::Machine;

/// Time that an invocation is given when nothing else is said.
const TIME_GIVEN: Duration = Duration::from_secs(60);

/// When the first invocation of a test takes place: 2026-01-01T00:00:00Z.
const START_MS: i64 = 1_767_225_600_000;

/// When the first invocation of each runtime began: from then on wall time goes with tokio's, paused where that is.
static STARTED: Mutex<BTreeMap<String, Instant>> = Mutex::new(BTreeMap::new());

/// The wall clock of all invocations in this runtime, as one that is ahead so far reads it.
fn clock(ahead: SignedDuration) -> Clock {
    let runtime = Handle::current().id().to_string();
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    let at = *started.entry(runtime).or_insert_with(Instant::now);
    let start = Timestamp::from_millisecond(START_MS).unwrap_or_default();
    let start = start.saturating_add(ahead).unwrap_or(Timestamp::MAX);
    Clock::From { start, at }
}

/// Invokes a consumer with an event, with a minute until the deadline. To set another time or request id, use [`Invoke`].
///
/// The event is an [`Event`], or JSON as text or bytes. With `#[tokio::test(start_paused = true)]` waits take no time.
///
/// # Example
///
/// ```
/// use lambda_msk::testing::{Event, Sample, invoke};
/// use lambda_msk::destination::MemoryDestination;
/// use lambda_msk::{Consumer, Failure, Json, Outcome};
///
/// async fn ship(Json(order): Json<u64>) -> Result<(), Failure> {
///     if order == 0 { Err(Failure::reject("no such order")) } else { Ok(()) }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let consumer = Consumer::builder().topic("orders", ship).on_failure(MemoryDestination::new()).build().unwrap();
/// let event = Event::msk().record(Sample::new("orders", 0).value("7")).record(Sample::new("orders", 0).value("0"));
/// let invoked = invoke(&consumer, event).await;
/// assert_eq!(invoked.outcomes(), [Outcome::Done, Outcome::Rejected]);
/// # }
/// ```
pub async fn invoke(consumer: &Consumer, event: impl Into<Event>) -> Invoked {
    Invoke::new(event).run(consumer).await
}

/// An [`Invocation`] for tests: with a minute until its deadline, and a wall clock that follows tokio's clock.
#[derive(Clone, Debug)]
#[must_use = "an invocation does nothing until `.run(&consumer).await`"]
pub struct Invoke {
    body: Bytes,
    request_id: String,
    time_given: Option<Duration>,
    deadline_ms: Option<u64>,
    ahead: SignedDuration,
    machine: Option<Machine>,
}

impl Invoke {
    /// Creates an invocation with that event and a minute until the deadline.
    pub fn new(event: impl Into<Event>) -> Self {
        Self {
            body: event.into().into_bytes(),
            request_id: "test-request".to_owned(),
            time_given: Some(TIME_GIVEN),
            deadline_ms: None,
            ahead: SignedDuration::ZERO,
            machine: None,
        }
    }

    /// Sets the time until the deadline.
    pub fn time_given(mut self, time: Duration) -> Self {
        self.time_given = Some(time);
        self
    }

    /// Leaves the deadline out, as some emulators do.
    pub fn without_deadline(mut self) -> Self {
        self.time_given = None;
        self
    }

    /// Sets the request id.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Sets the clock skew of the process: its wall clock is ahead of other invocations' by `ahead`, or behind if negative.
    pub fn clock_ahead(mut self, ahead: SignedDuration) -> Self {
        self.ahead = ahead;
        self
    }

    /// Sets the deadline as Lambda gives it, in milliseconds since 1970, independent of the process's own clock. Overrides [`time_given`](Self::time_given).
    pub fn deadline_ms(mut self, deadline_ms: u64) -> Self {
        self.deadline_ms = Some(deadline_ms);
        self
    }

    /// Runs the invocation on a simulated machine, with its wall clock and its tokens. Overrides [`clock_ahead`](Self::clock_ahead).
    pub fn on(mut self, machine: &Machine) -> Self {
        self.machine = Some(machine.clone());
        self
    }

    /// Runs the invocation to its end, through [`Consumer::invoke`].
    pub async fn run(self, consumer: &Consumer) -> Invoked {
        consumer.invoke(self.into_invocation()).await
    }

    /// Converts this into an [`Invocation`], for code that calls [`Consumer::invoke`] itself.
    pub fn into_invocation(self) -> Invocation {
        let clock = match &self.machine {
            Some(machine) => machine.clock(),
            None => clock(self.ahead),
        };
        let given = || {
            self.time_given.map_or(0, |time| {
                let now = clock.now().as_millisecond().unsigned_abs();
                now + u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 2)
            })
        };
        let deadline_ms = self.deadline_ms.unwrap_or_else(given);
        let mut invocation = Invocation::new(self.body)
            .request_id(self.request_id)
            .deadline_ms(deadline_ms)
            .function_name("test")
            .function_arn("arn:aws:lambda:eu-west-1:123456789012:function:test");
        invocation.clock = clock;
        invocation
    }
}

impl Invoked {
    /// The report of one record.
    ///
    /// # Panics
    ///
    /// The event holds no such record.
    pub fn record(&self, topic: &str, partition: i32, offset: i64) -> &RecordReport {
        self.records()
            .iter()
            .find(|report| {
                let record = &report.record;
                let at = (record.topic(), record.partition(), record.offset());
                at == (topic, partition, offset)
            })
            .unwrap_or_else(|| panic!("the event held no record {topic}-{partition}@{offset}"))
    }
}
