//! A destination from the text of `LAMBDA_MSK_ON_FAILURE`. Called by `settings`.

use msk_destinations::address::{Address, AddressError, SqsQueueError};

use crate::destination::overflow::Overflow;
use crate::destination::{BoxDestination, FileDestination};

const ALLOWED: &str = "expected the URL or ARN of an SQS queue, the ARN of an SNS topic, `s3://BUCKET/PREFIX`, `kafka://TOPIC`, or `file:PATH`";

const ALLOWED_LARGE: &str = "expected `s3://BUCKET/PREFIX` or a bucket's ARN";

/// The destination that the text names, or the fault and the expected forms.
///
/// Only looks at the text: no file is opened, no request made.
pub(crate) fn choose(text: &str) -> Result<BoxDestination, String> {
    match read(text)? {
        Address::File(path) => Ok(BoxDestination::new(FileDestination::new(path))),
        #[cfg(feature = "sqs")]
        Address::Queue(queue) => Ok(BoxDestination::new(super::SqsDestination::at(queue))),
        #[cfg(not(feature = "sqs"))]
        Address::Queue(_) => Err(without("an SQS queue", "sqs")),
        #[cfg(feature = "sns")]
        Address::SnsTopic(arn) => Ok(BoxDestination::new(super::SnsDestination::at(arn))),
        #[cfg(not(feature = "sns"))]
        Address::SnsTopic(_) => Err(without("an SNS topic", "sns")),
        #[cfg(feature = "s3")]
        Address::Bucket { name, prefix } => {
            Ok(BoxDestination::new(super::S3Destination::at(name, prefix)))
        }
        #[cfg(not(feature = "s3"))]
        Address::Bucket { .. } => Err(without("an S3 bucket", "s3")),
        #[cfg(feature = "kafka")]
        Address::KafkaTopic(topic) => Ok(BoxDestination::new(super::KafkaDestination::at(topic))),
        #[cfg(not(feature = "kafka"))]
        Address::KafkaTopic(_) => Err(without("a Kafka topic", "kafka")),
        _ => Err(format!(
            "names a place that this version cannot send to; {ALLOWED}"
        )),
    }
}

/// The overflow that the text names, as [`choose`].
pub(crate) fn choose_overflow(text: &str) -> Result<Overflow, String> {
    match Address::parse(text) {
        #[cfg(feature = "s3")]
        Ok(Address::Bucket { name, prefix }) => {
            Ok(Overflow::to(super::S3Destination::at(name, prefix)))
        }
        #[cfg(not(feature = "s3"))]
        Ok(Address::Bucket { .. }) => Err(without("an S3 bucket", "s3")),
        Ok(_) => Err(format!("is no S3 bucket; {ALLOWED_LARGE}")),
        Err(error @ AddressError::NoBucket) => Err(error.to_string()),
        Err(_) => Err(format!("names no S3 bucket; {ALLOWED_LARGE}")),
    }
}

/// What is wrong with the text of an address, in a program with every feature.
#[cfg(feature = "testing")]
pub(crate) fn check(text: &str) -> Result<(), String> {
    read(text).map(drop)
}

fn read(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|error| match error {
        AddressError::Unknown if text.starts_with("arn:") => {
            format!("{}; {ALLOWED}", SqsQueueError::NotAQueue)
        }
        AddressError::Unknown | AddressError::Queue(_) => format!("{error}; {ALLOWED}"),
        error => error.to_string(),
    })
}

#[cfg(not(all(feature = "sqs", feature = "sns", feature = "s3", feature = "kafka")))]
fn without(kind: &str, feature: &str) -> String {
    format!(
        "names {kind}, but this program was built without it: add the feature `{feature}` of lambda-msk, or use `file:PATH`"
    )
}

#[cfg(test)]
mod tests {
    #[allow(unused_imports, reason = "by feature")]
    use super::{choose, choose_overflow};
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

    #[cfg(feature = "sns")]
    #[test]
    fn a_topic_of_sns_by_its_arn_becomes_a_topic() {
        let described = |text| choose(text).unwrap().describe();
        assert_eq!(
            described("arn:aws:sns:eu-central-1:123456789012:dead"),
            "sns:dead"
        );
        assert_eq!(
            described("arn:aws:sns:eu-central-1:123456789012:dead.fifo"),
            "sns:dead.fifo"
        );
        assert_eq!(
            refusal("arn:aws:sns:dead"),
            "names no SNS topic: write `arn:aws:sns:REGION:ACCOUNT:NAME`"
        );
    }

    #[cfg(feature = "s3")]
    #[test]
    fn a_bucket_with_a_prefix_or_its_arn_becomes_a_bucket() {
        let described = |text| choose(text).unwrap().describe();
        assert_eq!(described("s3://given-up/orders/"), "s3://given-up/orders");
        assert_eq!(described("arn:aws:s3:::given-up"), "s3://given-up");
    }

    #[cfg(feature = "s3")]
    #[test]
    fn an_overflow_is_a_bucket_and_nothing_else() {
        let overflow = |text| choose_overflow(text).map(|overflow| overflow.describe());
        assert_eq!(
            overflow("s3://large/orders"),
            Ok("s3://large/orders".to_owned())
        );
        for text in [
            "file:large",
            "kafka://large",
            "large",
            "s3://",
            "arn:aws:sns:a:1:b",
        ] {
            assert!(
                overflow(text).unwrap_err().contains("s3://BUCKET/PREFIX"),
                "{text}"
            );
        }
    }

    #[cfg(feature = "kafka")]
    #[test]
    fn a_topic_of_kafka_becomes_a_topic() {
        let described = |text| choose(text).unwrap().describe();
        assert_eq!(described("kafka://dead"), "kafka://dead");
        assert_eq!(
            described("kafka://dead?bootstrap=b:9092&headers=spring"),
            "kafka://dead?bootstrap=b:9092&headers=spring"
        );
        assert!(refusal("kafka://dead?acks=0").contains("unknown parameter"));
    }

    #[cfg(not(any(feature = "sqs", feature = "sns", feature = "s3", feature = "kafka")))]
    #[test]
    fn a_build_without_a_feature_refuses_its_destination_and_names_it() {
        for (text, feature) in [
            ("arn:aws:sqs:eu-central-1:123456789012:orders-dlq", "sqs"),
            ("arn:aws:sns:eu-central-1:123456789012:orders-dlq", "sns"),
            ("s3://bucket/prefix", "s3"),
            ("kafka://orders-dlq", "kafka"),
        ] {
            let refusal = refusal(text);
            assert!(
                refusal.contains(&format!("feature `{feature}`")),
                "{refusal}"
            );
        }
        assert!(
            choose_overflow("s3://bucket")
                .unwrap_err()
                .contains("feature `s3`")
        );
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
