//! `--on-failure`: the text of a destination, as `LAMBDA_MSK_ON_FAILURE` writes it. Read by `settings`.

use msk_destinations::address::{Address, AddressError, KafkaAddressError};
use msk_mapping::machine::OnFailure;

use super::flags::names;
use crate::fault::Fault;

/// No destination, over the template's.
pub(super) const NONE: &str = "none";

/// The destination that a text names.
pub(crate) fn read(text: &str) -> Result<OnFailure, Fault> {
    match Address::parse(text) {
        Ok(address) if address.is_fifo() => Err(Fault::new(format!(
            "expected a standard queue or topic in --on-failure, found {text}"
        ))
        .help("name a standard one: Lambda's own destinations refuse FIFO queues and topics")),
        Ok(Address::File(path)) => Ok(OnFailure::Other(path)),
        Ok(Address::KafkaTopic(_)) if text.contains('?') => Err(Fault::new(format!(
            "expected kafka://TOPIC in --on-failure, found {text}"
        ))
        .help("write kafka://TOPIC without parameters: Lambda's own destination is a topic of the same cluster")),
        Ok(Address::KafkaTopic(topic)) => Ok(OnFailure::Kafka(topic.topic().to_owned())),
        Ok(Address::Queue(_)) => aws(text, "an SQS queue", OnFailure::Sqs),
        Ok(Address::SnsTopic(_)) => aws(text, "an SNS topic", OnFailure::Sns),
        Ok(Address::Bucket { .. }) => aws(text, "an S3 bucket", OnFailure::S3),
        Ok(_) => Err(no_destination(text)),
        Err(error) => Err(refused(text, &error)),
    }
}

fn refused(text: &str, error: &AddressError) -> Fault {
    match error {
        AddressError::Kafka(KafkaAddressError::NoTopic) => {
            Fault::new("expected a topic in --on-failure kafka://, found none")
                .help("write kafka://TOPIC, a topic of the same cluster")
        }
        AddressError::Kafka(KafkaAddressError::TopicName(reason)) => {
            let topic = text.trim_start_matches("kafka://");
            names::no_topic("--on-failure kafka://", topic, reason)
        }
        AddressError::NoBucket => {
            Fault::new(format!("expected a bucket in --on-failure, found {text}"))
                .help("write s3://BUCKET/PREFIX, or arn:aws:s3:::BUCKET")
        }
        AddressError::Unknown => no_destination(text),
        reason => Fault::new(format!(
            "expected a destination in --on-failure, found {text}"
        ))
        .at(format!("the text {reason}"))
        .help("write file:PATH, or a standard queue's URL or ARN"),
    }
}

fn no_destination(text: &str) -> Fault {
    Fault::new(format!("expected a destination in --on-failure, found {text}")).help(
        "give file:PATH, kafka://TOPIC of the same cluster, a queue's URL or ARN, a topic's ARN, or s3://BUCKET/PREFIX",
    )
}

/// What is in AWS, where this program can send there.
fn aws(text: &str, kind: &str, named: fn(String) -> OnFailure) -> Result<OnFailure, Fault> {
    if cfg!(feature = "aws") {
        return Ok(named(text.to_owned()));
    }
    Err(Fault::new(format!(
        "--on-failure {text} is {kind}, which this build of cargo msk cannot send to"
    ))
    .help(
        "cargo install cargo-msk --features aws (in this repository: --path cli), which brings the AWS SDK;\n\
         file:PATH shows what would be sent there",
    ))
}

#[cfg(test)]
mod tests {
    use msk_mapping::machine::OnFailure;

    use super::read;

    fn named(text: &str) -> Result<OnFailure, String> {
        read(text).map_err(|fault| fault.text())
    }

    #[test]
    fn files_and_topics_are_read_as_the_framework_reads_them() {
        for (text, expected) in [
            (
                "file:dead.ndjson",
                OnFailure::Other("dead.ndjson".to_owned()),
            ),
            ("file:///tmp/dead", OnFailure::Other("/tmp/dead".to_owned())),
            ("kafka://dead", OnFailure::Kafka("dead".to_owned())),
        ] {
            assert_eq!(named(text), Ok(expected));
        }
    }

    #[test]
    fn an_address_is_taken_or_refused_as_by_a_consumer() {
        for text in [
            "file:dead.ndjson",
            "file:/tmp/dead",
            "file:///tmp/dead",
            "file://host/dead",
            "file://dead",
            "file:",
            "file://",
            "file:dir/",
            "file:a\0b",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/q",
            "https://x",
            "https://example.amazonaws.com/123456789012/q",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/q?a=b",
            "http://127.0.0.1:9324/000000000000/q",
            "arn:aws:sqs:eu-west-1:123456789012:q",
            "arn:aws:sqs:eu-west-1:q",
            "arn:aws-iso:sqs:eu-west-1:123456789012:q",
        ] {
            let variables = [("LAMBDA_MSK_ON_FAILURE", text)];
            let builder =
                lambda_msk::Consumer::builder().fallback(async |_: lambda_msk::Record| {});
            let consumer = builder.from_vars(variables).build();
            // A program without a feature says so of an address that it would take with it.
            let taken = |refused: Option<String>, feature: &str| {
                refused.is_none_or(|refused| refused.contains(feature))
            };

            let of_function = taken(
                consumer.err().map(|error| error.to_string()),
                "the feature `sqs`",
            );
            let of_mapping = taken(named(text).err(), "--features aws");

            assert_eq!(of_mapping, of_function, "{text}");
        }
    }

    #[test]
    fn what_is_in_aws_is_taken_where_this_program_can_send_there() {
        for (text, kind) in [
            ("arn:aws:sqs:eu-west-1:123456789012:q", "Sqs"),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/q", "Sqs"),
            ("arn:aws:sns:eu-west-1:123456789012:t", "Sns"),
            ("arn:aws:s3:::bucket", "S3"),
            ("s3://bucket/given-up", "S3"),
        ] {
            let read = named(text);
            if cfg!(feature = "aws") {
                assert_eq!(format!("{:?}", read.unwrap()), format!("{kind}({text:?})"));
            } else {
                assert!(read.unwrap_err().contains("--features aws"), "{text}");
            }
        }
    }

    #[test]
    fn what_names_nothing_is_refused_with_the_form_that_does() {
        for (text, said) in [
            (
                "arn:aws:sqs:eu-west-1:123456789012:q.fifo",
                "a standard queue or topic",
            ),
            (
                "arn:aws:sns:eu-west-1:123456789012:t.fifo",
                "a standard queue or topic",
            ),
            ("kafka://dead?headers=spring", "without parameters"),
            ("s3://", "expected a bucket"),
            ("s3:///prefix", "expected a bucket"),
            ("arn:aws:s3:::bucket/key", "expected a bucket"),
            ("dead.ndjson", "expected a destination"),
            ("file:", "names no file"),
            ("kafka://", "expected a topic"),
        ] {
            let fault = named(text).unwrap_err();
            assert!(fault.contains(said), "{text}: {fault}");
        }
    }
}
