//! `--on-failure`: the text of a destination, as `LAMBDA_MSK_ON_FAILURE` writes it. Read by `settings`.

use msk_mapping::machine::OnFailure;

use super::names;
use crate::fault::Fault;

/// No destination, over the template's.
pub(super) const NONE: &str = "none";

/// The destination that a text names.
pub(crate) fn read(text: &str) -> Result<OnFailure, Fault> {
    if let Some(path) = text.strip_prefix("file:") {
        return file(text, path);
    }
    if let Some(topic) = text.strip_prefix("kafka://") {
        return match topic {
            "" => Err(Fault::new("--on-failure kafka:// names no topic")
                .help("write kafka://TOPIC, a topic of the same cluster")),
            topic => {
                names::check_topic("--on-failure kafka://", topic)?;
                Ok(OnFailure::Kafka(topic.to_owned()))
            }
        };
    }
    let service = text
        .strip_prefix("arn:")
        .and_then(|rest| rest.split(':').nth(1));
    match service {
        Some("sqs") => standard(text, "queue").and(aws(text, "an SQS queue", OnFailure::Sqs)),
        Some("sns") => standard(text, "topic").and(aws(text, "an SNS topic", OnFailure::Sns)),
        Some("s3") => bucket(text),
        _ if text.starts_with("s3://") => bucket(text),
        _ if text.starts_with("https://") || text.starts_with("http://") => {
            standard(text, "queue").and(aws(text, "an SQS queue", OnFailure::Sqs))
        }
        _ => Err(
            Fault::new(format!("--on-failure {text} is no destination")).help(
                "file:PATH, kafka://TOPIC of the same cluster, a queue's URL or ARN, a topic's ARN, or s3://BUCKET/PREFIX",
            ),
        ),
    }
}

/// The bucket that a text names, and what the names of its objects begin with, which may be nothing.
///
/// *None: it names no bucket.*
pub(super) fn bucket_of(text: &str) -> Option<(&str, &str)> {
    let (bucket, prefix) = match text.strip_prefix("s3://") {
        Some(path) => path.split_once('/').unwrap_or((path, "")),
        // arn:aws:s3:::bucket
        None => match text.splitn(6, ':').collect::<Vec<_>>()[..] {
            ["arn", _, "s3", "", "", bucket] => (bucket, ""),
            _ => return None,
        },
    };
    let named = !bucket.is_empty() && !bucket.contains(['/', ':', '*']);
    named.then(|| (bucket, prefix.trim_end_matches('/')))
}

fn file(text: &str, path: &str) -> Result<OnFailure, Fault> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.ends_with('/') {
        return Err(Fault::new(format!("--on-failure {text} names no file"))
            .help("write file:PATH with the name of a file"));
    }
    Ok(OnFailure::Other(path.to_owned()))
}

fn bucket(text: &str) -> Result<OnFailure, Fault> {
    if bucket_of(text).is_none() {
        return Err(Fault::new(format!("--on-failure {text} names no bucket"))
            .help("write s3://BUCKET/PREFIX, or arn:aws:s3:::BUCKET"));
    }
    aws(text, "an S3 bucket", OnFailure::S3)
}

fn standard(text: &str, kind: &str) -> Result<(), Fault> {
    if text.ends_with(".fifo") {
        return Err(
            Fault::new(format!("--on-failure {text} names a FIFO {kind}")).help(format!(
                "a standard one: Lambda's own destinations refuse FIFO {kind}s too"
            )),
        );
    }
    Ok(())
}

/// What is in AWS, where this program can send there.
fn aws(text: &str, kind: &str, named: fn(String) -> OnFailure) -> Result<OnFailure, Fault> {
    if cfg!(feature = "aws") {
        return Ok(named(text.to_owned()));
    }
    Err(Fault::new(format!(
        "--on-failure {text} names {kind}, which this build of cargo msk cannot send to"
    ))
    .help(
        "cargo install cargo-msk --features aws (in this repository: --path cli), which brings the AWS SDK;\n\
         file:PATH shows what would go there",
    ))
}

#[cfg(test)]
mod tests {
    use msk_mapping::machine::OnFailure;

    use super::{bucket_of, read};

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
            ("arn:aws:sqs:eu-west-1:123456789012:q.fifo", "a FIFO queue"),
            ("arn:aws:sns:eu-west-1:123456789012:t.fifo", "a FIFO topic"),
            ("s3://", "names no bucket"),
            ("s3:///prefix", "names no bucket"),
            ("arn:aws:s3:::bucket/key", "names no bucket"),
            ("dead.ndjson", "is no destination"),
            ("file:", "names no file"),
            ("kafka://", "names no topic"),
        ] {
            let fault = named(text).unwrap_err();
            assert!(fault.contains(said), "{text}: {fault}");
        }
    }

    #[test]
    fn a_bucket_is_named_by_its_arn_or_with_a_prefix() {
        for (text, bucket) in [
            ("arn:aws:s3:::given-up", Some(("given-up", ""))),
            ("arn:aws-cn:s3:::given-up", Some(("given-up", ""))),
            ("s3://given-up", Some(("given-up", ""))),
            ("s3://given-up/", Some(("given-up", ""))),
            ("s3://given-up/desk/1/", Some(("given-up", "desk/1"))),
            ("arn:aws:s3:eu-west-1::given-up", None),
        ] {
            assert_eq!(bucket_of(text), bucket, "{text}");
        }
    }
}
