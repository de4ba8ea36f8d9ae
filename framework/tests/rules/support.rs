//! What the rules' tests share: a journal of what handlers did, and batches to run.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once};

use lambda_msk::testing::{Event, Invoked, Sample};
use lambda_msk::{Outcome, Record};

/// What handlers did, in order: `+orders-0@3` a start, `-orders-0@3` an end.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub(crate) fn start(&self, record: &Record) {
        self.write(format!("+{record}"));
    }

    pub(crate) fn end(&self, record: &Record) {
        self.write(format!("-{record}"));
    }

    pub(crate) fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// How many handlers ran at once at most.
    pub(crate) fn most_at_once(&self) -> usize {
        let mut running = 0_usize;
        let mut most = 0;
        for line in self.lines() {
            if line.starts_with('+') {
                running += 1;
                most = most.max(running);
            } else if line.starts_with('-') {
                running -= 1;
            }
        }
        most
    }
}

/// Records of topic `orders`: partition and value of each; offsets count from 0 in each partition.
pub(crate) fn orders<const N: usize>(records: [(i32, &str); N]) -> Event {
    let records = records.map(|(partition, value)| Sample::new("orders", partition).value(value));
    Event::msk().records(records).build()
}

/// The partial answer as text.
pub(crate) fn answer(invoked: &Invoked) -> String {
    serde_json::to_string(invoked.response().unwrap()).unwrap()
}

/// `D`one, `S`kipped, `R`ejected, `F`ailed, `U`nreached, in the event's order.
pub(crate) fn letters(invoked: &Invoked) -> String {
    let letter = |outcome| match outcome {
        Outcome::Done => 'D',
        Outcome::Skipped => 'S',
        Outcome::Rejected => 'R',
        Outcome::Failed => 'F',
        Outcome::Unreached => 'U',
        _ => '?',
    };
    invoked.outcomes().into_iter().map(letter).collect()
}

/// The code of one record's problem.
pub(crate) fn code(invoked: &Invoked, partition: i32, offset: i64) -> String {
    let report = invoked.record("orders", partition, offset);
    report.problem.as_ref().unwrap().code.clone()
}

/// Why a record was to be rejected, and why the destination does not have it.
pub(crate) fn causes(invoked: &Invoked, partition: i32, offset: i64) -> (&str, &str) {
    let problem = invoked.record("orders", partition, offset).problem.as_ref();
    let problem = problem.unwrap();
    (&problem.code, problem.destination.unwrap())
}

/// What the framework logs on this thread, down to the lowest level, as JSON lines.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

thread_local! {
    static LISTENING: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// While it lives, a test's thread is listened to.
pub(crate) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        LISTENING.set(None);
    }
}

impl Lines {
    /// Listens until the guard is dropped.
    ///
    /// One subscriber for the process, whose lines go to the thread that wrote them: with one for each thread, a line that another thread writes
    /// first is switched off for all (`tracing` caches who is interested).
    pub(crate) fn listen(&self) -> Guard {
        static SET: Once = Once::new();
        SET.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .json()
                .flatten_event(true)
                .with_max_level(tracing::Level::TRACE)
                .with_writer(|| LISTENING.with_borrow(|lines| lines.clone().unwrap_or_default()))
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            tracing::callsite::rebuild_interest_cache();
        });
        LISTENING.set(Some(self.clone()));
        Guard
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of that message.
    pub(crate) fn of(&self, message: &str) -> Vec<serde_json::Value> {
        let text = self.text();
        text.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|line| line["message"].as_str().unwrap().starts_with(message))
            .collect()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
