//! The reasons why a service in AWS has not confirmed something, with their cures. Made by the services' senders; its text goes to logs.

use std::error::Error as StdError;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::limits::WHY_BYTES_MAX;

/// The reason why a queue, a topic of SNS or a bucket has not confirmed a message or an object.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// It was not sent: the time was up before.
    #[error("no time was left to send the letter to `{place}`")]
    NotSent {
        /// The address.
        place: String,
    },
    /// It was sent, and no response came in time.
    #[error("`{place}` did not respond in the time left; it may have the letter")]
    NoAnswer {
        /// The address.
        place: String,
    },
    /// The response has no entry for this message.
    #[error("the response of `{place}` has no entry for the letter")]
    Unmentioned {
        /// The address.
        place: String,
    },
    /// This message is refused: a retry would not help.
    #[error("`{place}` refused the letter: {why}")]
    Refused {
        /// The address.
        place: String,
        /// The service's code and words.
        why: String,
    },
    /// The message could not be accepted before the time was up.
    #[error("`{place}` could not accept the letter, and the time for retries is up: {why}")]
    Unable {
        /// The address.
        place: String,
        /// The service's code and words.
        why: String,
    },
    /// The whole request is refused.
    #[error("`{place}` refused the request: {why}{advice}")]
    Request {
        /// The address.
        place: String,
        /// The service's code and words.
        why: String,
        /// The cure; may be empty.
        advice: &'static str,
    },
    /// No request reached the service, or no response came back.
    #[error("no request reached `{place}`, or no response came back{advice}")]
    Unreachable {
        /// The address.
        place: String,
        /// The cure; may be empty.
        advice: &'static str,
        /// The SDK's reason.
        #[source]
        cause: Arc<dyn StdError + Send + Sync>,
    },
}

impl ServiceError {
    pub(super) fn not_sent(place: &str) -> Self {
        let place = place.to_owned();
        Self::NotSent { place }
    }

    pub(super) fn no_answer(place: &str) -> Self {
        let place = place.to_owned();
        Self::NoAnswer { place }
    }
}

/// A request that failed whole.
pub(super) struct Failed {
    pub(super) error: ServiceError,
    /// The service's code. Empty: there was no response, or one without a code.
    pub(super) code: String,
    /// The same request may succeed later.
    pub(super) passes: bool,
}

impl Failed {
    /// What follows from the SDK's error. The SDK has tried three times where that could help. `advice` has the cure by the status and the service's code.
    pub(super) fn of<E>(
        place: &str,
        error: SdkError<E, HttpResponse>,
        advice: fn(u16, &str) -> Option<&'static str>,
    ) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let place = place.to_owned();
        let SdkError::ServiceError(answer) = &error else {
            let passes = match &error {
                SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
                SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
                _ => false,
            };
            let error = ServiceError::Unreachable {
                place,
                advice: if passes { "" } else { CREDENTIALS },
                cause: super::sdk::cause(error),
            };
            let code = String::new();
            return Self {
                error,
                code,
                passes,
            };
        };
        let status = answer.raw().status().as_u16();
        let service = answer.err();
        let code = service.code().unwrap_or_default();
        let error = ServiceError::Request {
            place,
            why: match (service.code(), service.message()) {
                // An answer to HEAD has no body.
                (None, None) => format!("status {status}"),
                (code, message) => why(code, message),
            },
            advice: advice(status, code)
                .or_else(|| of_credentials(code))
                .unwrap_or_default(),
        };
        Self {
            error,
            code: code.to_owned(),
            passes: status >= 500 || status == 429 || code.contains("Throttl"),
        }
    }
}

/// A service's code and words.
pub(super) fn why(code: Option<&str>, message: Option<&str>) -> String {
    match (code, message) {
        (Some(code), Some(message)) => cut(format!("{code}: {message}")),
        (Some(text), None) | (None, Some(text)) => cut(text.to_owned()),
        (None, None) => "without a reason".to_owned(),
    }
}

const CREDENTIALS: &str = "; check that the function has credentials and a region";

fn of_credentials(code: &str) -> Option<&'static str> {
    let names = ["Token", "Signature", "Credential", "InvalidAccessKeyId"];
    names
        .iter()
        .any(|name| code.contains(name))
        .then_some(CREDENTIALS)
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

    #[cfg(feature = "sqs")]
    #[tokio::test]
    async fn an_endpoint_that_cannot_be_read_is_not_shown() {
        use std::error::Error;

        use super::super::sdk::{config, region, said};
        use aws_sdk_sqs::config::Credentials;

        let config = config()
            .region(region("eu-central-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .endpoint_url("user:s3cret@host:9000");
        let client = aws_sdk_sqs::Client::new(&config.load().await);
        let asked = || async {
            let asked = client.get_queue_attributes().queue_url("https://q");
            asked.send().await.expect_err("no endpoint")
        };
        let shown = asked().await;
        assert!(format!("{shown:?}").contains("s3cret"), "{shown:?}");

        let said = said(asked().await);
        let failed = super::Failed::of("q", asked().await, |_, _| None);

        let source = failed.error.source().map(ToString::to_string);
        let text = format!(
            "{said} {said:?} {} {:?} {source:?}",
            failed.error, failed.error
        );
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(text.matches("check AWS_ENDPOINT_URL").count(), 4, "{text}");
    }
}
