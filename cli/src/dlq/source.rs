//! Where letters lie: a file, standard input, a queue, a bucket, a topic. Each is read without a change, and gives up one settled letter at a time.

#[cfg(feature = "aws")]
mod bucket;
mod file;
#[cfg(feature = "aws")]
mod queue;
#[cfg(feature = "aws")]
pub(crate) mod sdk;
#[cfg(feature = "dev")]
pub(crate) mod topic;

#[cfg(feature = "aws")]
pub(crate) use self::bucket::overflow;

use std::path::PathBuf;

use super::document::Foreign;
use super::letter::Letter;
use crate::fault::Fault;

/// Most letters of one run: more would fill the memory.
pub(crate) const LETTERS_MAX: usize = 100_000;

/// How `--from` is written.
pub(crate) const HELP: &str = "give the URL or ARN of an SQS queue, s3://BUCKET/PREFIX, kafka://TOPIC?bootstrap=HOST:PORT, file:PATH, or - for standard input";

/// One thing that lies in the source.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its place there, for people.
    pub(crate) at: String,
    pub(crate) letter: Result<Letter, Foreign>,
    pub(crate) receipt: Receipt,
}

/// What it takes to remove a letter from its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// Standard input gives nothing up.
    None,
    /// The bytes of a file, and where they begin.
    Line { start: u64, bytes: Vec<u8> },
    /// The handle of a received message.
    #[cfg(feature = "aws")]
    Message { handle: String },
    /// The name of an object.
    #[cfg(feature = "aws")]
    Object { key: String },
    /// A place in a topic.
    #[cfg(feature = "dev")]
    Place { partition: i32, offset: i64 },
}

/// What the letters are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Nothing is taken out.
    Look,
    /// Settled letters are taken out.
    Redrive,
}

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

/// How a cluster is reached, where the address of a topic does not say.
#[derive(Debug, Default)]
pub(crate) struct Reach<'a> {
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "only topics need a cluster")
    )]
    pub(crate) bootstrap: Option<&'a str>,
    #[cfg(feature = "dev")]
    pub(crate) settings: &'a [crate::dev::Setting],
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
            return Err(without("Kafka topics", "dev"));
        }
        if begins("s3://") || begins("arn:aws:s3") {
            #[cfg(feature = "aws")]
            return Ok(Self::Bucket(bucket::Bucket::open(text)?));
            #[cfg(not(feature = "aws"))]
            return Err(without("S3 buckets", "aws"));
        }
        if begins("https://") || begins("http://") || begins("arn:") {
            #[cfg(feature = "aws")]
            return Ok(Self::Queue(queue::Queue::open(text)?));
            #[cfg(not(feature = "aws"))]
            return Err(without("SQS queues", "aws"));
        }
        Err(unknown(text))
    }

    /// All that lies there, at most [`LETTERS_MAX`].
    pub(crate) async fn read(&mut self, used: Use) -> Result<Vec<Found>, Fault> {
        let _ = used;
        match self {
            Self::StandardInput => file::standard_input(),
            Self::File(file) => file.read(),
            #[cfg(feature = "aws")]
            Self::Queue(queue) => queue.read(used).await,
            #[cfg(feature = "aws")]
            Self::Bucket(bucket) => bucket.read().await,
            #[cfg(feature = "dev")]
            Self::Topic(topic) => topic.read().await,
        }
    }

    /// Whether settled letters can be taken out.
    pub(crate) fn gives_up(&self) -> bool {
        !matches!(self, Self::StandardInput)
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

fn unknown(text: &str) -> Fault {
    let found = crate::text::columns::shown(text);
    Fault::new(format!(
        "expected a source of dead letters in --from, found `{found}`"
    ))
    .help(HELP)
}

#[cfg_attr(
    all(feature = "aws", feature = "dev"),
    allow(dead_code, reason = "this build has all sources")
)]
pub(crate) fn without(what: &str, feature: &str) -> Fault {
    Fault::new(format!("this cargo-msk was built without {what}")).help(format!(
        "install it with: cargo install --locked cargo-msk --features {feature}\n\
         in its repository: cargo run -p cargo-msk --features {feature} -- dlq …"
    ))
}
