//! From a report to the response that Lambda reads. Pure; called by `consumer`.

use std::sync::Arc;

use serde::Serialize;

use crate::outcome::Outcome;
use crate::report::Report;

/// Failure reporting: how Lambda learns which records are not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureReporting {
    /// If any record is not done, the invocation ends with an error, and Lambda redelivers the whole batch. Safe with any setting of the mapping.
    #[default]
    WholeBatch,
    /// The response lists the records that are not done, and Lambda redelivers those.
    ///
    /// Requires `FunctionResponseTypes: [ReportBatchItemFailures]` in the mapping: a mapping without it ignores the list and commits everything,
    /// failed records included. `template.yaml` sets both by one parameter.
    Partial,
}

/// The response to Lambda: the records that are not done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BatchResponse {
    /// The records that are not done, in the event's order. Empty: all are settled, and Lambda commits the batch.
    pub batch_item_failures: Vec<KafkaBatchItemFailure>,
}

/// One record that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct KafkaBatchItemFailure {
    /// The record's identifier.
    pub item_identifier: KafkaItemIdentifier,
}

/// A record as Lambda identifies it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KafkaItemIdentifier {
    /// The key of the event's `records` map, verbatim.
    #[serde(serialize_with = "text")]
    pub partition: Arc<str>,
    /// The record's offset, as a JSON number.
    pub offset: i64,
}

fn text<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// Records of a batch that are not done, under [`FailureReporting::WholeBatch`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{failed} failed and {unreached} unreached of {records} records; the first is {first}: Lambda redelivers the whole batch"
)]
#[non_exhaustive]
pub struct Incomplete {
    /// Records that were tried and are not done.
    pub failed: usize,
    /// Records that were not started.
    pub unreached: usize,
    /// Records of the event.
    pub records: usize,
    /// The first record that is not done and why: `orders-0@15 (handler.failed)`, `orders-0@15 (reject.json, and no destination is set)`.
    pub first: String,
}

impl BatchResponse {
    /// The response to a batch that ended so.
    pub(crate) fn of(report: &Report, reporting: FailureReporting) -> Result<Self, Incomplete> {
        let open: Vec<_> = report
            .records
            .iter()
            .filter(|record| !record.outcome.is_settled())
            .collect();
        let Some(first) = open.first() else {
            return Ok(Self::default());
        };
        match reporting {
            FailureReporting::WholeBatch => Err(Incomplete {
                failed: report.count(Outcome::Failed),
                unreached: report.count(Outcome::Unreached),
                records: report.records.len(),
                first: match &first.problem {
                    Some(problem) => format!("{} ({})", first.record, problem.in_short()),
                    None => format!("{} ({})", first.record, first.outcome),
                },
            }),
            FailureReporting::Partial => Ok(Self {
                batch_item_failures: open
                    .into_iter()
                    .map(|report| KafkaBatchItemFailure {
                        item_identifier: KafkaItemIdentifier {
                            partition: Arc::clone(report.record.identifier()),
                            offset: report.record.offset(),
                        },
                    })
                    .collect(),
            }),
        }
    }
}
