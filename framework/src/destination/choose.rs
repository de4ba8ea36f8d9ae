//! A destination from the text of `LAMBDA_MSK_ON_FAILURE`. Called by `settings`.

use msk_destinations::address::{Address, AddressError, Kind, Queue, SqsQueueError};

use crate::destination::{BoxDestination, FileDestination};

const ALLOWED: &str = "expected the URL or ARN of an SQS queue, or `file:PATH`";

/// The destination that the text names, or the fault and the expected forms.
///
/// Only looks at the text: no file is opened, no request made.
pub(crate) fn choose(text: &str) -> Result<BoxDestination, String> {
    match read(text)? {
        Sendable::File(path) => Ok(BoxDestination::new(FileDestination::new(path))),
        Sendable::Queue(queue) => sqs(queue),
    }
}

/// What is wrong with the text of a file's or a queue's address, in a program with every feature.
#[cfg(feature = "testing")]
pub(crate) fn check(text: &str) -> Result<(), String> {
    read(text).map(drop)
}

/// An address that this version can send to.
enum Sendable {
    File(String),
    Queue(Queue),
}

fn read(text: &str) -> Result<Sendable, String> {
    let planned = match Kind::of(text) {
        Some(Kind::SnsTopic) => Some("an SNS topic"),
        Some(Kind::Bucket) => Some("an S3 bucket"),
        Some(Kind::KafkaTopic) => Some("a Kafka topic"),
        _ => None,
    };
    let cannot = |kind| format!("names {kind}, which this version cannot send to; {ALLOWED}");
    if let Some(kind) = planned {
        return Err(cannot(kind));
    }
    match Address::parse(text) {
        Ok(Address::File(path)) => Ok(Sendable::File(path)),
        Ok(Address::Queue(queue)) => Ok(Sendable::Queue(queue)),
        Ok(_) => Err(cannot("a place")),
        Err(AddressError::Unknown) if text.starts_with("arn:") => {
            Err(format!("{}; {ALLOWED}", SqsQueueError::NotAQueue))
        }
        Err(error @ (AddressError::Unknown | AddressError::Queue(_))) => {
            Err(format!("{error}; {ALLOWED}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(feature = "sqs")]
#[expect(clippy::unnecessary_wraps, reason = "as without the feature")]
fn sqs(queue: Queue) -> Result<BoxDestination, String> {
    use crate::destination::SqsDestination;

    Ok(BoxDestination::new(SqsDestination::at(queue)))
}

#[cfg(not(feature = "sqs"))]
fn sqs(_: Queue) -> Result<BoxDestination, String> {
    Err("names an SQS queue, but this program was built without it: add the feature `sqs` of lambda-msk, or use `file:PATH`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::choose;
    use crate::destination::Destination;

    fn refusal(text: &str) -> String {
        choose(text).unwrap_err()
    }

    #[test]
    fn a_path_behind_file_becomes_a_file() {
        let described = |text| choose(text).unwrap().describe();
        assert_eq!(described("file:/tmp/dlq.ndjson"), "file:/tmp/dlq.ndjson");
        assert_eq!(described("file:out/dlq.ndjson"), "file:out/dlq.ndjson");
        assert_eq!(described("file:///tmp/dlq.ndjson"), "file:/tmp/dlq.ndjson");
        assert_eq!(described("file:with space"), "file:with space");
    }

    #[test]
    fn a_path_that_names_no_file_is_refused() {
        assert_eq!(refusal("file:"), "names no file: write `file:PATH`");
        assert_eq!(
            refusal("file:/tmp/"),
            "names a directory: write `file:PATH` with a file in that directory"
        );
        assert_eq!(
            refusal("file://host/dlq"),
            "names a file on another host: write `file:PATH`, without `//`"
        );
        assert!(choose("file:\0").is_err());
    }

    #[cfg(feature = "sqs")]
    #[test]
    fn a_queue_by_url_or_arn_becomes_a_queue() {
        for text in [
            "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq",
            "http://127.0.0.1:9324/000000000000/orders-dlq",
            "arn:aws:sqs:eu-central-1:123456789012:orders-dlq",
        ] {
            assert_eq!(choose(text).unwrap().describe(), "sqs:orders-dlq");
        }
    }

    #[cfg(not(feature = "sqs"))]
    #[test]
    fn a_queue_in_a_build_without_sqs_is_refused_with_the_feature_to_add() {
        assert!(
            refusal("arn:aws:sqs:eu-central-1:123456789012:orders-dlq").contains("feature `sqs`")
        );
    }

    #[test]
    fn what_is_planned_is_refused_by_name() {
        for (text, kind) in [
            (
                "arn:aws:sns:eu-central-1:123456789012:orders-dlq",
                "an SNS topic",
            ),
            ("arn:aws:s3:::bucket", "an S3 bucket"),
            ("s3://bucket/prefix", "an S3 bucket"),
            ("kafka://orders-dlq", "a Kafka topic"),
        ] {
            assert_eq!(
                refusal(text),
                format!(
                    "names {kind}, which this version cannot send to; expected the URL or ARN of an SQS queue, or `file:PATH`"
                )
            );
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_allowed() {
        for text in [
            "",
            " ",
            "orders-dlq",
            "/tmp/dlq",
            "arn:",
            "arn:aws",
            "http://",
            "https://x",
            "ünï:",
            "file",
            "FILE:x",
            "\0",
            "://",
            "https://\u{7f}/a/b",
        ] {
            let refusal = refusal(text);
            assert!(refusal.ends_with("`file:PATH`"), "{text}: {refusal}");
        }
    }
}
