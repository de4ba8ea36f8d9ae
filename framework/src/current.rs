//! The record whose handler is polled on this thread, for the log lines of `logging`: they add its coordinates when a line is written, and a handler that logs
//! nothing pays for no span. Set by `process`, read by `logging`.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::partition::TopicPartition;

/// Whether this process's log lines read what is set here.
static LINES_NAME_RECORDS: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
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

/// Runs something in the name of a record. The one before it comes back, also after a panic.
pub(crate) fn in_the_name_of<T>(current: Current, run: impl FnOnce() -> T) -> T {
    struct Back(Option<Current>);
    impl Drop for Back {
        fn drop(&mut self) {
            let _ = CURRENT.try_with(|held| held.replace(self.0.take()));
        }
    }
    let before = CURRENT.try_with(|held| held.replace(Some(current)));
    let _back = Back(before.unwrap_or_default());
    run()
}

/// What a log line adds of the record in whose name this thread runs.
#[cfg(feature = "logging")]
pub(crate) fn read<T>(read: impl FnOnce(&Current) -> T) -> Option<T> {
    let of = |held: &RefCell<Option<Current>>| held.borrow().as_ref().map(read);
    CURRENT.try_with(of).ok().flatten()
}
