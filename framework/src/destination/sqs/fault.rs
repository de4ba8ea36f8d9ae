//! Why a letter is not confirmed, and what to do about it. Made by `sqs`; its text goes to the log.

use std::sync::Arc;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;

use crate::failure::cut;
use crate::limits::{SQS_MESSAGE_BYTES_MAX, SQS_RECORD_BYTES_SAFE};

/// Why a letter is not confirmed.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(
        "the letter takes {bytes} bytes with its payload packed, and SQS at most {SQS_MESSAGE_BYTES_MAX}, which any record of {SQS_RECORD_BYTES_SAFE} bytes fits into: use a destination without that limit (`file:PATH`), or keep the record through the mapping's own S3 destination"
    )]
    TooLarge { bytes: usize },
    #[error("no time was left to send the letter to `{queue}`")]
    NotSent { queue: String },
    #[error("`{queue}` did not answer in the time left; it may hold the letter")]
    NoAnswer { queue: String },
    #[error("`{queue}` answered, but said nothing of the letter")]
    Unmentioned { queue: String },
    #[error("`{queue}` refused the letter: {why}")]
    Refused { queue: String, why: String },
    #[error("`{queue}` could not take the letter, and the time to try again is up: {why}")]
    Unable { queue: String, why: String },
    #[error("`{queue}` did not take the request: {why}{advice}")]
    Request {
        queue: String,
        why: String,
        advice: &'static str,
    },
    #[error("no request reached `{queue}`, or no answer came back{advice}")]
    Unreachable {
        queue: String,
        advice: &'static str,
        #[source]
        cause: Arc<SdkError<SendMessageBatchError>>,
    },
}

impl Fault {
    pub(super) fn not_sent(queue: String) -> Self {
        Self::NotSent { queue }
    }

    pub(super) fn no_answer(queue: String) -> Self {
        Self::NoAnswer { queue }
    }

    pub(super) fn unmentioned(queue: String) -> Self {
        Self::Unmentioned { queue }
    }
}

/// SQS's code and words.
pub(super) fn why(code: Option<&str>, message: Option<&str>) -> String {
    match (code, message) {
        (Some(code), Some(message)) => cut(format!("{code}: {message}")),
        (Some(text), None) | (None, Some(text)) => cut(text.to_owned()),
        (None, None) => "without a reason".to_owned(),
    }
}

pub(super) const CREDENTIALS: &str = "; check that the function has credentials and a region";

/// What to do about it.
pub(super) fn advice(error: &SendMessageBatchError) -> &'static str {
    // By code and not by variant: SQS names one fault differently in its two protocols, and emulators mix them.
    let code = error.code().unwrap_or_default();
    if code.contains("QueueDoesNotExist") || code.contains("NonExistentQueue") {
        "; check the region, the account and the name in its address"
    } else if code.to_ascii_lowercase().contains("kms") {
        "; the function's role needs `kms:GenerateDataKey` and `kms:Decrypt` on the queue's key"
    } else if code.contains("AccessDenied") {
        "; the function's role needs `sqs:SendMessage` on it"
    } else if code.contains("Token") || code.contains("Signature") || code.contains("Credential") {
        CREDENTIALS
    } else {
        ""
    }
}
