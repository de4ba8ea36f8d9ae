//! The event, exactly as Lambda sends it. Made by the machine for a batch, measured while the batch grows.

mod size;
mod write;

use bytes::Bytes;

pub use self::size::Size;
use self::write::{Sink, envelope_end, envelope_start, record};
use crate::record::Record;

/// Where the records come from, as the event says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// Amazon MSK.
    Msk {
        /// The cluster's ARN.
        arn: String,
        /// The brokers, `HOST:PORT`, joined by commas. None: the event does not name them.
        bootstrap_servers: Option<String>,
    },
    /// Any other cluster.
    SelfManaged {
        /// The brokers, `HOST:PORT`, joined by commas. None: the event does not name them.
        bootstrap_servers: Option<String>,
    },
}

impl Source {
    /// The event's `eventSource`.
    pub const fn event_source(&self) -> &'static str {
        match self {
            Self::Msk { .. } => "aws:kafka",
            Self::SelfManaged { .. } => "SelfManagedKafka",
        }
    }

    /// The cluster's ARN. None: a self-managed cluster has none.
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Msk { arn, .. } => Some(arn),
            Self::SelfManaged { .. } => None,
        }
    }

    /// The brokers, joined by commas.
    pub fn bootstrap_servers(&self) -> Option<&str> {
        match self {
            Self::Msk {
                bootstrap_servers, ..
            }
            | Self::SelfManaged { bootstrap_servers } => bootstrap_servers.as_deref(),
        }
    }
}

/// How a key or value that is not there stands in the event. Both were seen from Lambda; its documentation has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Nulls {
    /// The field is missing.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
}

/// What is the same in each event of a mapping.
///
/// # Example
///
/// ```
/// use msk_mapping::event::{Envelope, Nulls, Source};
/// use msk_mapping::record::{Record, TopicPartition};
///
/// let source = Source::SelfManaged { bootstrap_servers: None };
/// let envelope = Envelope::new(source, Nulls::Absent);
/// let record = Record::new(TopicPartition::new("orders", 0), 15).with_value("{}").with_header("h", vec![0xc3, 0xab]);
/// assert_eq!(
///     envelope.event([&record]),
///     r#"{"eventSource":"SelfManagedKafka","records":{"orders-0":[{"topic":"orders","partition":0,"offset":15,
/// "timestamp":-1,"timestampType":"CREATE_TIME","value":"e30=","headers":[{"h":[-61,-85]}]}]}}"#.replace('\n', "")
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    source: Source,
    nulls: Nulls,
}

impl Envelope {
    /// The envelope of a source's events.
    pub fn new(source: Source, nulls: Nulls) -> Self {
        Self { source, nulls }
    }

    /// Where the records come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The event of some records, as JSON. Those of one partition have to stand side by side.
    pub fn event<'r>(&self, records: impl IntoIterator<Item = &'r Record>) -> Bytes {
        let mut json = Vec::new();
        envelope_start(&mut json, &self.source);
        let mut last: Option<&Record> = None;
        for next in records {
            match last {
                Some(last) if last.partition == next.partition => json.raw(b","),
                Some(_) => {
                    json.raw(b"],");
                    write::partition_start(&mut json, &next.partition);
                }
                None => write::partition_start(&mut json, &next.partition),
            }
            record(&mut json, next, self.nulls);
            last = Some(next);
        }
        if last.is_some() {
            json.raw(b"]");
        }
        envelope_end(&mut json);
        Bytes::from(json)
    }
}
