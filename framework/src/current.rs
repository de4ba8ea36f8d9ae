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

/// Runs something in the name of a record, if there is one. It is moved to the thread and back, also after a panic, as is the one before it.
pub(crate) fn in_the_name_of<T>(current: &mut Option<Current>, run: impl FnOnce() -> T) -> T {
    struct Back<'c>(&'c mut Option<Current>);
    impl Drop for Back<'_> {
        fn drop(&mut self) {
            swap(self.0);
        }
    }
    fn swap(current: &mut Option<Current>) {
        let _ = CURRENT.try_with(|held| std::mem::swap(&mut *held.borrow_mut(), current));
    }
    if current.is_none() {
        return run();
    }
    swap(current);
    let _back = Back(current);
    run()
}

/// What a log line adds of the record in whose name this thread runs.
#[cfg(feature = "logging")]
pub(crate) fn read<T>(read: impl FnOnce(&Current) -> T) -> Option<T> {
    let of = |held: &RefCell<Option<Current>>| held.borrow().as_ref().map(read);
    CURRENT.try_with(of).ok().flatten()
}
