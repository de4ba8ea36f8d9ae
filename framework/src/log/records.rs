//! The lines about records that ended well, and those that count records without a line. Called by `log`.

use tracing::{debug, enabled, warn};

use crate::limits::SETTLED_LOG_LINES_MAX;
use crate::outcome::Outcome;
use crate::report::{RecordReport, Report};

/// Counts the failed, rejected and lost records behind the bound.
pub(super) fn left_out<'r>(request_id: &str, records: impl Iterator<Item = &'r RecordReport>) {
    let (mut failed, mut rejected, mut lost) = (0_u64, 0_u64, 0_u64);
    for record in records {
        match record.outcome {
            Outcome::Failed => failed += 1,
            Outcome::Rejected => rejected += 1,
            _ => lost += 1,
        }
    }
    let more = failed + rejected + lost;
    if more > 0 {
        warn!(
            request_id,
            more, failed, rejected, lost, "more records have no log line of their own"
        );
    }
}

/// Those that have ended well, and those that were not reached.
pub(super) fn settled(request_id: &str, report: &Report) {
    if !enabled!(tracing::Level::DEBUG) {
        return;
    }
    let ended_so = |record: &&RecordReport| match record.outcome {
        Outcome::Done | Outcome::Unreached => true,
        Outcome::Skipped => !record.is_lost(),
        Outcome::Failed | Outcome::Rejected => false,
    };
    let mut records = report.records.iter().filter(ended_so);
    for report in records.by_ref().take(SETTLED_LOG_LINES_MAX) {
        let record = &report.record;
        macro_rules! line {
            ($message:literal) => {
                debug!(
                    request_id,
                    topic = record.topic(),
                    partition = record.partition(),
                    offset = record.offset(),
                    attempts = report.attempts,
                    $message
                )
            };
        }
        match report.outcome {
            Outcome::Done => line!("record done"),
            Outcome::Skipped => line!("record skipped"),
            _ => line!("record unreached"),
        }
    }
    let more = records.count();
    if more > 0 {
        debug!(
            request_id,
            more, "more records that are settled or unreached have no log line of their own"
        );
    }
}
