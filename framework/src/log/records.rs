//! The lines about records that ended well, and those that count records without a line. Called by `log`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tracing::{debug, enabled, warn};

use crate::limits::{CODE_LOG_LINES_MAX, SETTLED_LOG_LINES_MAX};
use crate::outcome::Outcome;
use crate::report::{RecordReport, Report};

/// How many records of one code have no line.
#[derive(Clone, Copy, Debug, Default)]
struct LeftOut {
    failed: u64,
    rejected: u64,
    lost: u64,
}

impl LeftOut {
    fn more(self) -> u64 {
        self.failed + self.rejected + self.lost
    }

    fn and(self, other: Self) -> Self {
        Self {
            failed: self.failed + other.failed,
            rejected: self.rejected + other.rejected,
            lost: self.lost + other.lost,
        }
    }
}

/// Instead of a code: those of all that have no line.
const OTHERS: &str = "(others)";

/// Counts the failed, rejected and lost records behind the bound, by their codes: whoever counts codes in a log adds `more` up.
pub(super) fn left_out<'r>(request_id: &str, records: impl Iterator<Item = &'r RecordReport>) {
    let mut by_code: BTreeMap<&str, LeftOut> = BTreeMap::new();
    for record in records {
        let code = record.problem.as_ref().map_or("", |problem| &problem.code);
        let of_code = by_code.entry(code).or_default();
        match record.outcome {
            Outcome::Failed => of_code.failed += 1,
            Outcome::Rejected => of_code.rejected += 1,
            _ => of_code.lost += 1,
        }
    }
    let mut codes: Vec<(&str, LeftOut)> = by_code.into_iter().collect();
    codes.sort_by_key(|(_, of_code)| Reverse(of_code.more()));
    let others = codes.split_off(codes.len().min(CODE_LOG_LINES_MAX));
    let others = others.into_iter().map(|(_, of_code)| of_code);
    codes.extend(others.reduce(LeftOut::and).map(|others| (OTHERS, others)));
    for (code, of_code) in codes {
        let LeftOut {
            failed,
            rejected,
            lost,
        } = of_code;
        warn!(
            request_id,
            code,
            more = of_code.more(),
            failed,
            rejected,
            lost,
            "more records have no log line of their own"
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
