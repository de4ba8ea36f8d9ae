//! A record before its first try: its handler, its idempotency key, and the arguments of the first try. Called by `lane`.

use std::sync::Arc;

use crate::delivery::Delivery;
use crate::failure::Rejection;
use crate::handler::Route;
use crate::process::attempt::Taken;
use crate::process::batch::BatchRun;
use crate::record::Record;
use crate::report::Problem;

/// What a record runs with. Neither depends on what the extractors make of the record.
pub(super) struct Known<'a> {
    pub(super) route: &'a Route,
    /// *None: records are known by where they stand.*
    pub(super) key: Option<Arc<str>>,
}

/// Why a record's handler will not run.
pub(super) enum NotRun {
    Rejected(Rejection),
    /// No handler takes it, and it is to wait for one.
    Unhandled(Problem),
}

impl From<Rejection> for NotRun {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl<'a> BatchRun<'a> {
    /// `route`: of its topic. *Err: its handler will not run.*
    pub(super) fn prepare(
        &self,
        record: &Record,
        route: Option<&'a Route>,
        delivery: &mut Delivery,
    ) -> Result<(Known<'a>, Taken), NotRun> {
        let known = self.know(record, route)?;
        let first = self.take(record, known.route, delivery, 1)?;
        Ok((known, first))
    }

    /// *Err: its handler will not run.*
    fn know(&self, record: &Record, route: Option<&'a Route>) -> Result<Known<'a>, NotRun> {
        if let (Some(fault), false) = (record.fault(), route.is_none() && self.fails_unhandled) {
            return Err(Rejection::from(fault).into());
        }
        let Some(route) = route else {
            let message = format!(
                "no handler for topic `{}`: add `.topic(…)` or `.fallback(…)`",
                record.topic()
            );
            return Err(match self.fails_unhandled {
                true => NotRun::Unhandled(Problem::new("handler.missing", message)),
                false => Rejection::new(Rejection::NO_HANDLER, message).into(),
            });
        };
        let key = self.invocation.record_key(record)?;
        Ok(Known { route, key })
    }
}
