//! Where letters lie: a file, standard input, a queue, a bucket, a topic. Each is read without a change, and gives up one settled letter at a time.

#[cfg(feature = "aws")]
mod bucket;
mod file;
mod found;
#[cfg(feature = "aws")]
mod queue;
#[cfg(feature = "aws")]
pub(crate) mod sdk;
#[cfg(feature = "dev")]
pub(crate) mod topic;

#[cfg(feature = "aws")]
pub(crate) use self::bucket::overflow;

use std::path::PathBuf;

use self::found::unknown;
pub(crate) use self::found::{Found, More, Reach, Read, Receipt, Use};
use crate::fault::Fault;
#[cfg_attr(
    feature = "aws",
    allow(unused_imports, reason = "this build has all sources")
)]
use crate::fault::without;

/// An open source.
pub(crate) enum Source {
    StandardInput,
    File(file::File),
    #[cfg(feature = "aws")]
    Queue(queue::Queue),
    #[cfg(feature = "aws")]
    Bucket(bucket::Bucket),
    #[cfg(feature = "dev")]
    Topic(topic::Topic),
}

impl Source {
    pub(crate) async fn open(text: &str, reach: &Reach<'_>) -> Result<Self, Fault> {
        let _ = reach;
        if text == "-" {
            return Ok(Self::StandardInput);
        }
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(unknown(text));
            }
            return Ok(Self::File(file::File::new(PathBuf::from(path))));
        }
        let begins = |start| text.starts_with(start);
        if begins("kafka://") {
            #[cfg(feature = "dev")]
            return Ok(Self::Topic(topic::Topic::open(text, reach).await?));
            #[cfg(not(feature = "dev"))]
            return Err(without("Kafka topics", "dev", "dlq"));
        }
        if begins("s3://") || begins("arn:aws:s3") {
            #[cfg(feature = "aws")]
            return Ok(Self::Bucket(bucket::Bucket::open(text)?));
            #[cfg(not(feature = "aws"))]
            return Err(without("S3 buckets", "aws", "dlq"));
        }
        if begins("https://") || begins("http://") || begins("arn:") {
            #[cfg(feature = "aws")]
            return Ok(Self::Queue(queue::Queue::open(text)?));
            #[cfg(not(feature = "aws"))]
            return Err(without("SQS queues", "aws", "dlq"));
        }
        Err(unknown(text))
    }

    /// All that lies there, at most `LETTERS_MAX`.
    pub(crate) async fn read(&mut self, used: Use) -> Result<Read, Fault> {
        let _ = used;
        match self {
            Self::StandardInput => file::standard_input().await,
            Self::File(file) => file.read().await,
            #[cfg(feature = "aws")]
            Self::Queue(queue) => queue.read(used).await,
            #[cfg(feature = "aws")]
            Self::Bucket(bucket) => bucket.read().await,
            #[cfg(feature = "dev")]
            Self::Topic(topic) => topic.read(used).await,
        }
    }

    /// Whether settled letters can be taken out.
    pub(crate) fn gives_up(&self) -> bool {
        !matches!(self, Self::StandardInput)
    }

    /// Whether more may be read once settled letters are taken out.
    pub(crate) fn goes_on(&self) -> bool {
        match self {
            #[cfg(feature = "aws")]
            Self::Queue(queue) => queue.is_fifo(),
            _ => false,
        }
    }

    /// Takes a settled letter out.
    pub(crate) async fn remove(&mut self, receipt: &Receipt) -> Result<(), Fault> {
        match (self, receipt) {
            (Self::File(file), Receipt::Line { start, bytes }) => file.blank(*start, bytes),
            #[cfg(feature = "aws")]
            (Self::Queue(queue), Receipt::Message { handle }) => queue.delete(handle).await,
            #[cfg(feature = "aws")]
            (Self::Bucket(bucket), Receipt::Object { key }) => bucket.delete(key).await,
            #[cfg(feature = "dev")]
            (Self::Topic(topic), Receipt::Place { partition, offset }) => {
                topic.settle(*partition, *offset).await
            }
            _ => Ok(()),
        }
    }

    /// Ends a run: what was not settled is where others see it again.
    pub(crate) async fn close(&mut self) -> Result<(), Fault> {
        match self {
            Self::File(file) => file.compact(),
            #[cfg(feature = "aws")]
            Self::Queue(queue) => queue.give_back().await,
            _ => Ok(()),
        }
    }

    /// The brokers of a topic, for letters that name no cluster.
    pub(crate) fn brokers(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "dev")]
            Self::Topic(topic) => Some(topic.bootstrap()),
            _ => None,
        }
    }
}
