//! `--function-response-types`: how the mapping reads a function's response, as AWS names it.

use clap::ValueEnum;
use msk_mapping::response::FailureReporting;

/// `FunctionResponseTypes` of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResponseTypes {
    /// The response says which records failed.
    #[value(name = "ReportBatchItemFailures", alias = "partial")]
    ReportBatchItemFailures,
    /// AWS's empty list: Lambda ignores the response's body.
    #[value(name = "[]", alias = "whole-batch")]
    None,
}

impl ResponseTypes {
    /// The list, as AWS writes it.
    pub(crate) fn list(self) -> &'static [&'static str] {
        match self {
            Self::ReportBatchItemFailures => &["ReportBatchItemFailures"],
            Self::None => &[],
        }
    }
}

impl From<ResponseTypes> for FailureReporting {
    fn from(types: ResponseTypes) -> Self {
        match types {
            ResponseTypes::ReportBatchItemFailures => Self::Partial,
            ResponseTypes::None => Self::WholeBatch,
        }
    }
}
