//! The invocation and the record in whose name this thread runs, for the log lines of `logging`: they add its coordinates when a line is written, and a handler that logs
//! nothing pays for no span. Set by `consumer` and `process`, read by `logging`.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::LocalKey;

use crate::partition::TopicPartition;

/// Whether this process's log lines read what is set here.
static LINES_NAME_RECORDS: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
    static REQUEST: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// A record's coordinates, and the number of the try.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "logging"),
    allow(dead_code, reason = "no line reads it")
)]
pub(crate) struct Current {
    pub(crate) partition: TopicPartition,
    pub(crate) offset: i64,
    pub(crate) attempt: u32,
    /// The number of records of its call: it is the first of them.
    pub(crate) records: u32,
}

/// From now on lines are written by a formatter that asks for the current record.
#[cfg(feature = "logging")]
pub(crate) fn lines_name_records() {
    LINES_NAME_RECORDS.store(true, Ordering::Relaxed);
}

/// Whether lines ask for the current record: if not, another subscriber may, and has to be given a span.
pub(crate) fn do_lines_name_records() -> bool {
    LINES_NAME_RECORDS.load(Ordering::Relaxed)
}

type Held<T> = LocalKey<RefCell<Option<T>>>;

/// Runs something in the name of a record. The one before it comes back, also after a panic.
pub(crate) fn in_the_name_of<T>(current: Current, run: impl FnOnce() -> T) -> T {
    holding(&CURRENT, Some(current), run)
}

fn holding<H: 'static, T>(place: &'static Held<H>, held: Option<H>, run: impl FnOnce() -> T) -> T {
    struct Back<H: 'static>(&'static Held<H>, Option<H>);
    impl<H> Drop for Back<H> {
        fn drop(&mut self) {
            let _ = self.0.try_with(|held| held.replace(self.1.take()));
        }
    }
    let before = place.try_with(|place| place.replace(held));
    let _back = Back(place, before.unwrap_or_default());
    run()
}

/// Polls what an invocation does in its name. `request`: *None: no line asks for it.*
pub(crate) async fn of_request<F: Future>(request: Option<Arc<str>>, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| match &request {
        None => work.as_mut().poll(context),
        Some(request) => holding(&REQUEST, Some(Arc::clone(request)), || {
            work.as_mut().poll(context)
        }),
    })
    .await
}

/// The id of an invocation for its log lines. *None: no line asks for it, or it has none.*
pub(crate) fn request(id: &str) -> Option<Arc<str>> {
    (do_lines_name_records() && !id.is_empty()).then(|| id.into())
}

/// In whose name a thread runs.
#[cfg(feature = "logging")]
#[derive(Clone, Debug)]
pub(crate) struct Name {
    request: Option<Arc<str>>,
    record: Option<Current>,
}

#[cfg(feature = "logging")]
impl Name {
    pub(crate) fn of_this_thread() -> Self {
        Self {
            request: request_here(),
            record: read(Current::clone),
        }
    }

    pub(crate) fn around<T>(&self, run: impl FnOnce() -> T) -> T {
        holding(&REQUEST, self.request.clone(), || {
            holding(&CURRENT, self.record.clone(), run)
        })
    }
}

/// The id of the invocation in whose name this thread runs.
#[cfg(feature = "logging")]
pub(crate) fn request_here() -> Option<Arc<str>> {
    let id = |held: &RefCell<Option<Arc<str>>>| held.borrow().clone();
    REQUEST.try_with(id).ok().flatten()
}

/// What a log line adds of the record in whose name this thread runs.
#[cfg(feature = "logging")]
pub(crate) fn read<T>(read: impl FnOnce(&Current) -> T) -> Option<T> {
    let of = |held: &RefCell<Option<Current>>| held.borrow().as_ref().map(read);
    CURRENT.try_with(of).ok().flatten()
}
