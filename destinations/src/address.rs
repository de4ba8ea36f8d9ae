//! Destination addresses: the one grammar for all destinations of a function and of a mapping.

mod kafka;
mod queue;
mod topic_name;

pub use self::kafka::{KafkaAddress, KafkaAddressError, Security};
pub use self::queue::{Queue, SqsQueueError};
pub use self::topic_name::check_topic_name;

/// The kind of destination, as the beginning of the text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `file:PATH`.
    File,
    /// The URL or ARN of an SQS queue. Any `http://` or `https://` URL counts as one.
    Queue,
    /// The ARN of an SNS topic.
    SnsTopic,
    /// `s3://BUCKET/PREFIX`, or a bucket's ARN.
    Bucket,
    /// `kafka://TOPIC[?bootstrap=…]`.
    KafkaTopic,
}

impl Kind {
    /// The kind of destination that a text names. *None: it names none of these.*
    pub fn of(text: &str) -> Option<Self> {
        let service = text
            .strip_prefix("arn:")
            .and_then(|rest| rest.split(':').nth(1));
        let begins = |start| text.starts_with(start);
        Some(match service {
            Some("sqs") => Self::Queue,
            Some("sns") => Self::SnsTopic,
            Some("s3") => Self::Bucket,
            _ if begins("file:") => Self::File,
            _ if begins("kafka://") => Self::KafkaTopic,
            _ if begins("s3://") => Self::Bucket,
            _ if begins("https://") || begins("http://") => Self::Queue,
            _ => return None,
        })
    }
}

/// The address of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// The path of a file.
    File(String),
    /// An SQS queue.
    Queue(Queue),
    /// The ARN of an SNS topic.
    SnsTopic(String),
    /// An S3 bucket.
    Bucket {
        /// The bucket's name.
        name: String,
        /// The prefix of object names, without a `/` at the end. Empty: no prefix.
        prefix: String,
    },
    /// A Kafka topic.
    KafkaTopic(KafkaAddress),
}

/// The reason why a text is not an address, worded to follow the text: "`file:` names no file".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The text is of no known kind.
    #[error("is not a destination")]
    Unknown,
    /// A file without a path.
    #[error("names no file: write `file:PATH`")]
    NoFile,
    /// `file://HOST/PATH`.
    #[error("names a file on another host: write `file:PATH`, without `//`")]
    OtherHost,
    /// A path that ends in `/`.
    #[error("names a directory: write `file:PATH` with a file in that directory")]
    Directory,
    /// A path with a zero byte.
    #[error("has a zero byte in its path, which no file system allows: remove it")]
    ZeroByte,
    /// A queue's address that cannot be used.
    #[error(transparent)]
    Queue(#[from] SqsQueueError),
    /// An SNS topic's ARN that is not whole.
    #[error("names no SNS topic: write `arn:aws:sns:REGION:ACCOUNT:NAME`")]
    NoSnsTopic,
    /// A bucket's address in neither of its two forms.
    #[error("names no bucket: write `s3://BUCKET/PREFIX`, or `arn:aws:s3:::BUCKET`")]
    NoBucket,
    /// A Kafka topic's address that cannot be used.
    #[error(transparent)]
    Kafka(#[from] KafkaAddressError),
}

impl Address {
    /// Parses an address. No file is opened, and no request is made.
    ///
    /// # Errors
    ///
    /// [`AddressError`] with the fault and its cure.
    ///
    /// # Example
    ///
    /// ```
    /// use msk_destinations::address::{Address, AddressError};
    ///
    /// assert_eq!(Address::parse("file:///tmp/dead"), Ok(Address::File("/tmp/dead".into())));
    /// assert_eq!(Address::parse("file:"), Err(AddressError::NoFile));
    /// ```
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Ok(match Kind::of(text).ok_or(AddressError::Unknown)? {
            Kind::File => Self::File(file(text)?.to_owned()),
            Kind::Queue => Self::Queue(Queue::parse(text)?),
            Kind::SnsTopic if is_sns_topic(text) => Self::SnsTopic(text.to_owned()),
            Kind::SnsTopic => return Err(AddressError::NoSnsTopic),
            Kind::Bucket => {
                let (name, prefix) = bucket(text).ok_or(AddressError::NoBucket)?;
                let (name, prefix) = (name.to_owned(), prefix.to_owned());
                Self::Bucket { name, prefix }
            }
            Kind::KafkaTopic => Self::KafkaTopic(KafkaAddress::parse(text)?),
        })
    }

    /// Whether it is a FIFO queue or a FIFO topic of SNS, which Lambda's own destinations refuse.
    pub fn is_fifo(&self) -> bool {
        match self {
            Self::Queue(queue) => queue.is_fifo(),
            Self::SnsTopic(arn) => arn.ends_with(".fifo"),
            _ => false,
        }
    }
}

/// `arn:aws:sns:REGION:ACCOUNT:NAME`. A subscription's ARN has one part more.
fn is_sns_topic(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = |part: &&str| !part.is_empty() && part.bytes().all(legal);
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == 6 && parts.iter().all(is_name)
}

fn file(text: &str) -> Result<&str, AddressError> {
    let path = text.strip_prefix("file:").unwrap_or(text);
    // `file:///tmp/x` as a URL has an empty host; the path starts behind it.
    let path = match path.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(_) => return Err(AddressError::OtherHost),
        None => path,
    };
    if path.is_empty() {
        return Err(AddressError::NoFile);
    }
    if path.ends_with('/') {
        return Err(AddressError::Directory);
    }
    if path.contains('\0') {
        return Err(AddressError::ZeroByte);
    }
    Ok(path)
}

/// The bucket that a text names, and what the names of its objects begin with, which may be nothing.
///
/// *None: it names no bucket.*
fn bucket(text: &str) -> Option<(&str, &str)> {
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

#[cfg(test)]
mod tests {
    use super::{Address, AddressError, KafkaAddress, KafkaAddressError, bucket};

    #[test]
    fn each_kind_is_read() {
        let bucket = Address::Bucket {
            name: "given-up".to_owned(),
            prefix: "desk".to_owned(),
        };
        let topic = "arn:aws:sns:eu-west-1:123456789012:t";
        for (text, read) in [
            ("file:dead.ndjson", Address::File("dead.ndjson".to_owned())),
            ("s3://given-up/desk/", bucket),
            (topic, Address::SnsTopic(topic.to_owned())),
            (
                "kafka://dead",
                Address::KafkaTopic(KafkaAddress::parse("kafka://dead").unwrap()),
            ),
        ] {
            assert_eq!(Address::parse(text), Ok(read), "{text}");
        }
        let queue = Address::parse("arn:aws:sqs:eu-west-1:123456789012:q");
        assert!(matches!(queue, Ok(Address::Queue(_))));
    }

    #[test]
    fn what_names_nothing_is_refused_by_its_fault() {
        for (text, error) in [
            ("dead.ndjson", AddressError::Unknown),
            ("arn:aws:lambda:eu-west-1:1:f", AddressError::Unknown),
            ("file:", AddressError::NoFile),
            ("file://host/dead", AddressError::OtherHost),
            ("file:dir/", AddressError::Directory),
            ("file:a\0b", AddressError::ZeroByte),
            ("arn:aws:sns:eu-west-1:1", AddressError::NoSnsTopic),
            ("arn:aws:sns:eu-west-1:1:t:9f-1", AddressError::NoSnsTopic),
            ("arn:aws:sns:eu-west-1:1:", AddressError::NoSnsTopic),
            ("s3:///prefix", AddressError::NoBucket),
            ("kafka://", AddressError::Kafka(KafkaAddressError::NoTopic)),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text:?}");
        }
        let comma = Address::parse("kafka://orders,returns");
        assert!(matches!(
            comma,
            Err(AddressError::Kafka(KafkaAddressError::TopicName(_)))
        ));
    }

    #[test]
    fn a_fifo_queue_and_a_fifo_topic_are_known_as_such() {
        for (text, is_fifo) in [
            ("arn:aws:sns:eu-west-1:123456789012:t.fifo", true),
            ("arn:aws:sqs:eu-west-1:123456789012:q.fifo", true),
            ("arn:aws:sns:eu-west-1:123456789012:t", false),
            ("file:dead.fifo", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_fifo(), is_fifo, "{text}");
        }
    }

    #[test]
    fn a_bucket_is_named_by_its_arn_or_with_a_prefix() {
        for (text, named) in [
            ("arn:aws:s3:::given-up", Some(("given-up", ""))),
            ("arn:aws-cn:s3:::given-up", Some(("given-up", ""))),
            ("s3://given-up", Some(("given-up", ""))),
            ("s3://given-up/", Some(("given-up", ""))),
            ("s3://given-up/desk/1/", Some(("given-up", "desk/1"))),
            ("arn:aws:s3:eu-west-1::given-up", None),
        ] {
            assert_eq!(bucket(text), named, "{text}");
        }
    }
}
