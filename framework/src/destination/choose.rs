//! A destination from the text of `LAMBDA_MSK_ON_FAILURE`. Called by `settings`.

use crate::destination::queue::Queue;
use crate::destination::{BoxDestination, FileDestination};

const ALLOWED: &str = "allowed are the URL or ARN of an SQS queue, and `file:PATH`";

/// The destination that the text names, or what is wrong with it and what is allowed.
///
/// Only looks at the text: no file is opened, no request made.
pub(crate) fn choose(text: &str) -> Result<BoxDestination, String> {
    match read(text)? {
        Address::File(path) => Ok(BoxDestination::new(FileDestination::new(path))),
        Address::Queue(queue) => sqs(queue),
    }
}

/// What a text names, by the one grammar of addresses.
enum Address<'t> {
    File(&'t str),
    Queue(Queue),
}

/// What is wrong with the text of a file's or a queue's address, in a program with every feature.
#[cfg(feature = "testing")]
pub(crate) fn check(text: &str) -> Result<(), String> {
    read(text).map(drop)
}

fn read(text: &str) -> Result<Address<'_>, String> {
    if let Some(path) = text.strip_prefix("file:") {
        return file(path).map(Address::File);
    }
    if let Some(kind) = planned(text) {
        return Err(format!(
            "names {kind}, which this version cannot send to; {ALLOWED}"
        ));
    }
    let looks_like_queue = ["arn:", "http://", "https://"]
        .iter()
        .any(|start| text.starts_with(start));
    if !looks_like_queue {
        return Err(format!("is no destination; {ALLOWED}"));
    }
    match Queue::parse(text) {
        Ok(queue) => Ok(Address::Queue(queue)),
        Err(error) => Err(format!("{error}; {ALLOWED}")),
    }
}

/// What will be a destination one day, and is none yet.
fn planned(text: &str) -> Option<&'static str> {
    let service = text
        .strip_prefix("arn:")
        .and_then(|rest| rest.split(':').nth(1));
    match service {
        Some("sns") => Some("an SNS topic"),
        Some("s3") => Some("an S3 bucket"),
        _ if text.starts_with("s3://") => Some("an S3 bucket"),
        _ if text.starts_with("kafka://") => Some("a Kafka topic"),
        _ => None,
    }
}

fn file(path: &str) -> Result<&str, String> {
    // `file:///tmp/x` as a URL has an empty host; the path starts behind it.
    let path = match path.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(_) => {
            return Err("names a file on another host: write `file:PATH`, without `//`".to_owned());
        }
        None => path,
    };
    if path.is_empty() {
        return Err("names no file: write `file:PATH`".to_owned());
    }
    if path.ends_with('/') {
        return Err(
            "names a directory: write `file:PATH` with the name of a file in it".to_owned(),
        );
    }
    if path.contains('\0') {
        return Err("has a zero byte in the file's path".to_owned());
    }
    Ok(path)
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
            "names a directory: write `file:PATH` with the name of a file in it"
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
                    "names {kind}, which this version cannot send to; allowed are the URL or ARN of an SQS queue, and `file:PATH`"
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
