//! The reasons why a message is not confirmed, with their cures. Made by `sqs`; its text goes to logs.

use std::sync::Arc;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;

use crate::limits::WHY_BYTES_MAX;

/// The reason why a message is not confirmed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqsError {
    /// The message was not sent: the time was up before.
    #[error("no time was left to send the letter to `{queue}`")]
    NotSent {
        /// The queue's URL.
        queue: String,
    },
    /// The message was sent, and no response came in time.
    #[error("`{queue}` did not respond in the time left; it may have the letter")]
    NoAnswer {
        /// The queue's URL.
        queue: String,
    },
    /// The response has no entry for this message.
    #[error("the response of `{queue}` has no entry for the letter")]
    Unmentioned {
        /// The queue's URL.
        queue: String,
    },
    /// The queue refuses this message: a retry would not help.
    #[error("`{queue}` refused the letter: {why}")]
    Refused {
        /// The queue's URL.
        queue: String,
        /// The service's code and words.
        why: String,
    },
    /// The queue could not accept the message before the time was up.
    #[error("`{queue}` could not accept the letter, and the time for retries is up: {why}")]
    Unable {
        /// The queue's URL.
        queue: String,
        /// The service's code and words.
        why: String,
    },
    /// The queue refused the request.
    #[error("`{queue}` refused the request: {why}{advice}")]
    Request {
        /// The queue's URL.
        queue: String,
        /// The service's code and words.
        why: String,
        /// The cure; may be empty.
        advice: &'static str,
    },
    /// No request reached the queue, or no response came back.
    #[error("no request reached `{queue}`, or no response came back{advice}")]
    Unreachable {
        /// The queue's URL.
        queue: String,
        /// The cure; may be empty.
        advice: &'static str,
        /// The SDK's reason.
        #[source]
        cause: Arc<SdkError<SendMessageBatchError>>,
    },
}

impl SqsError {
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

/// Cuts a text to the named length, at a character's border, and says how much is gone.
fn cut(mut text: String) -> String {
    if text.len() <= WHY_BYTES_MAX {
        return text;
    }
    let whole = text.len();
    let end = text.floor_char_boundary(WHY_BYTES_MAX);
    text.truncate(end);
    text.push_str(&format!("… ({} bytes cut)", whole - end));
    text
}

#[cfg(test)]
mod tests {
    use super::{WHY_BYTES_MAX, cut};

    #[test]
    fn what_a_service_says_is_cut_at_a_characters_border() {
        let text = "ä".repeat(WHY_BYTES_MAX / 2);

        assert_eq!(cut(text.clone()), text);
        assert_eq!(
            cut(format!("a{text}")).len(),
            1 + text.len() - 2 + "… (2 bytes cut)".len()
        );
    }
}
