//! A record before its first try: its handler, its idempotency key, and the arguments of the first try. Called by `lane`.

use std::sync::Arc;

use crate::delivery::Delivery;
use crate::failure::{Next, Rejection};
use crate::handler::Route;
use crate::process::attempt::Taken;
use crate::process::batch::BatchRun;
use crate::record::Record;
use crate::report::Problem;

/// A record before its first try.
pub(super) struct Prepared<'r> {
    pub(super) route: &'r Route,
    /// *None: records are known by where they stand.*
    pub(super) key: Option<Arc<str>>,
    pub(super) taken: Taken,
}

/// Why a record's handler will not run.
pub(super) enum NotRun {
    Rejected(Rejection),
    /// It waits for its next delivery: no handler takes it yet, or what it is read by cannot be had now.
    Failed(Box<Problem>),
}

impl From<Rejection> for NotRun {
    fn from(rejection: Rejection) -> Self {
        match rejection.next {
            Next::Reject => Self::Rejected(rejection),
            Next::Retry => {
                let problem = Problem::new(rejection.code, rejection.message);
                Self::Failed(Box::new(problem))
            }
        }
    }
}

impl BatchRun<'_> {
    /// `route`: of its topic. *Err: its handler will not run.*
    pub(super) fn prepare<'r>(
        &self,
        record: &Record,
        route: Option<&'r Route>,
        delivery: &mut Delivery,
    ) -> Result<Prepared<'r>, NotRun> {
        let route = self.may_run(record, route)?;
        let key = self.invocation.record_key(record)?;
        let taken = self.take(record, route, delivery, 1)?;
        Ok(Prepared { route, key, taken })
    }

    /// Its handler, before any argument is taken. *Err: it will not run.*
    #[inline]
    pub(super) fn may_run<'r>(
        &self,
        record: &Record,
        route: Option<&'r Route>,
    ) -> Result<&'r Route, NotRun> {
        if let (Some(fault), false) = (record.fault(), route.is_none() && self.fails_unhandled) {
            return Err(Rejection::from(fault).into());
        }
        let Some(route) = route else {
            return Err(self.unhandled(record));
        };
        if let Some(needs) = &self.schemas {
            // Before any argument: a handler that takes a `Result` is not to see an outage as a record that cannot be read.
            let unavailable = needs.unavailable(&self.invocation.schemas, record, route.uses());
            unavailable.map_or(Ok(()), |rejection| Err(NotRun::from(rejection)))?;
        }
        Ok(route)
    }

    #[cold]
    fn unhandled(&self, record: &Record) -> NotRun {
        let message = format!(
            "no handler for topic `{}`: add `.topic(…)` or `.fallback(…)`",
            record.topic()
        );
        match self.fails_unhandled {
            true => NotRun::Failed(Box::new(Problem::new("handler.missing", message))),
            false => Rejection::new(Rejection::NO_HANDLER, message).into(),
        }
    }
}
