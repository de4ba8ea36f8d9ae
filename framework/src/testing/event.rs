//! Events for tests: built record by record, loaded from a file, or made of any bytes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::sample::{Fields, Sample};
use crate::event::{EventError, decode};
use crate::record::{EventSourceKind, Record};

const ARN_DEFAULT: &str = "arn:aws:kafka:us-east-1:123456789012:cluster/demo-cluster-1/a1b2c3d4-5678-90ab-cdef-11111EXAMPLE-1";
const BOOTSTRAP_MSK: &str = "b-1.demo-cluster-1.a1bcde.c1.kafka.us-east-1.amazonaws.com:9098,b-2.demo-cluster-1.a1bcde.c1.kafka.us-east-1.amazonaws.com:9098";
const BOOTSTRAP_SELF_MANAGED: &str = "abc.xyz.com:9092,xyz.abc.com:9092";

/// The body of one invocation, as Lambda would send it, or, for tests, as Lambda would never send it.
///
/// [`Event::msk`] and [`Event::self_managed`] build an event, [`Event::from_file`] loads one. Any other body comes from bytes: `Event::from(r#"{"Records":[]}"#)`.
///
/// # Example
///
/// ```
/// use lambda_msk::testing::{Event, Sample};
///
/// let event = Event::msk()
///     .record(Sample::new("orders", 0).offset(15).key("c-1").value("hello"))
///     .record(Sample::new("orders", 0)) // a tombstone at 16
///     .build();
///
/// let records = event.records()?;
/// assert_eq!(records[0].value(), Some(&b"hello"[..]));
/// assert_eq!(records[1].to_string(), "orders-0@16");
/// assert_eq!(records[1].value(), None);
/// # Ok::<(), lambda_msk::error::EventError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Event(Bytes);

impl Event {
    /// Starts an event of an Amazon MSK cluster.
    pub fn msk() -> EventBuilder {
        EventBuilder::new(EventSourceKind::Msk)
    }

    /// Starts an event of a self-managed cluster, which has no ARN.
    pub fn self_managed() -> EventBuilder {
        EventBuilder::new(EventSourceKind::SelfManaged)
    }

    /// Loads the event in a file, byte by byte. A relative path starts at the package's root, where `cargo test` runs the tests.
    ///
    /// # Errors
    ///
    /// The file cannot be read. Its content is not checked: a malformed event is a valid fixture.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_msk::testing::Event;
    ///
    /// let error = Event::from_file("events/missing.json").unwrap_err();
    /// assert!(error.to_string().contains("events/missing.json"));
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, FixtureError> {
        let path = path.as_ref();
        match std::fs::read(path) {
            Ok(bytes) => Ok(Self(bytes.into())),
            Err(source) => Err(FixtureError {
                path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
                source,
            }),
        }
    }

    /// Decodes the records as handlers would see them, in the event's order, including those with a [`fault`](Record::fault).
    ///
    /// # Errors
    ///
    /// The event cannot be read as a whole: none of its records would reach a handler.
    pub fn records(&self) -> Result<Vec<Record>, EventError> {
        let batch = Arc::new(decode(self.0.clone())?);
        Ok(batch.iter().collect())
    }

    /// The body's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Converts the event into its bytes, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl fmt::Debug for Event {
    /// The body as text: test data, so nothing to hide.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Event")
            .field(&String::from_utf8_lossy(&self.0))
            .finish()
    }
}

impl From<EventBuilder> for Event {
    fn from(builder: EventBuilder) -> Self {
        builder.build()
    }
}

impl From<Event> for Bytes {
    fn from(event: Event) -> Self {
        event.0
    }
}

impl From<EventBuilder> for Bytes {
    fn from(builder: EventBuilder) -> Self {
        builder.build().0
    }
}

impl From<&str> for Event {
    fn from(body: &str) -> Self {
        Self(Bytes::copy_from_slice(body.as_bytes()))
    }
}

impl From<String> for Event {
    fn from(body: String) -> Self {
        Self(body.into())
    }
}

impl From<Vec<u8>> for Event {
    fn from(body: Vec<u8>) -> Self {
        Self(body.into())
    }
}

impl From<Bytes> for Event {
    fn from(body: Bytes) -> Self {
        Self(body)
    }
}

/// The reason why a fixture could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the event file {}", path.display())]
pub struct FixtureError {
    path: PathBuf,
    source: std::io::Error,
}

/// A builder of an event; [`Event::msk`] and [`Event::self_managed`] start one.
#[derive(Clone, Debug)]
#[must_use = "an event is built by `build` or `to_json`"]
pub struct EventBuilder {
    kind: EventSourceKind,
    arn: Option<String>,
    bootstrap_servers: String,
    /// In the order in which each partition was first named.
    partitions: Vec<(String, Vec<Sample>)>,
    redrive: Option<String>,
    fields: Fields,
}

impl EventBuilder {
    fn new(kind: EventSourceKind) -> Self {
        let (arn, brokers) = match kind {
            EventSourceKind::Msk => (Some(ARN_DEFAULT.to_owned()), BOOTSTRAP_MSK),
            EventSourceKind::SelfManaged => (None, BOOTSTRAP_SELF_MANAGED),
        };
        Self {
            kind,
            arn,
            bootstrap_servers: brokers.to_owned(),
            partitions: Vec::new(),
            redrive: None,
            fields: Fields::default(),
        }
    }

    /// Sets the cluster's ARN, in place of a made-up one.
    pub fn arn(mut self, arn: impl Into<String>) -> Self {
        self.arn = Some(arn.into());
        self
    }

    /// Sets the brokers, separated by commas, in place of made-up ones.
    pub fn bootstrap_servers(mut self, servers: impl Into<String>) -> Self {
        self.bootstrap_servers = servers.into();
        self
    }

    /// Appends a record to its partition. If the record has no offset, it gets the next one: one above the record before it, or 0.
    pub fn record(mut self, mut record: Sample) -> Self {
        let identifier = record.identifier_or_default();
        let place = self
            .partitions
            .iter()
            .position(|(other, _)| *other == identifier);
        let place = place.unwrap_or_else(|| {
            self.partitions.push((identifier, Vec::new()));
            self.partitions.len() - 1
        });
        let records = &mut self.partitions[place].1;
        let next = records.last().and_then(|last| last.offset?.checked_add(1));
        record.offset = record.offset.or(next).or(Some(0));
        records.push(record);
        self
    }

    /// Appends several records, as [`record`](Self::record) does.
    pub fn records(self, records: impl IntoIterator<Item = Sample>) -> Self {
        records.into_iter().fold(self, Self::record)
    }

    /// Adds a partition without records. Lambda does not send one, but the event is valid.
    pub fn empty_partition(mut self, identifier: impl Into<String>) -> Self {
        self.partitions.push((identifier.into(), Vec::new()));
        self
    }

    /// Marks the event as the payload of a dead letter that is fed back: the rejected record runs again.
    pub fn redrive(mut self, id: impl Into<String>) -> Self {
        self.redrive = Some(id.into());
        self
    }

    /// Leaves a field out: `.without("bootstrapServers")`.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.fields.leave_out(name.into());
        self
    }

    /// Sets the field `name` to `json`: replaces the event's own field, or adds one. The same name twice makes a duplicate.
    ///
    /// # Panics
    ///
    /// `json` is not JSON. For a body that is not JSON, use `Event::from`.
    pub fn raw_field(mut self, name: impl Into<String>, json: &str) -> Self {
        self.fields.push(name.into(), json);
        self
    }

    /// Builds the event.
    pub fn build(&self) -> Event {
        Event(self.to_json().into())
    }

    /// The event as JSON, on one line, its fields in Lambda's order.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("maps have text for keys, and raw JSON was checked")
    }
}

impl Serialize for EventBuilder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let source = match self.kind {
            EventSourceKind::Msk => "aws:kafka",
            EventSourceKind::SelfManaged => "SelfManagedKafka",
        };
        let fields = &self.fields;
        fields.entry(&mut map, "eventSource", source)?;
        if let Some(arn) = &self.arn {
            fields.entry(&mut map, "eventSourceArn", arn)?;
        }
        fields.entry(&mut map, "bootstrapServers", &self.bootstrap_servers)?;
        if let Some(redrive) = &self.redrive {
            fields.entry(&mut map, "redrive", redrive)?;
        }
        fields.entry(&mut map, "records", &Partitions(&self.partitions))?;
        fields.serialize_into(&mut map)?;
        map.end()
    }
}

struct Partitions<'a>(&'a [(String, Vec<Sample>)]);

impl Serialize for Partitions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(identifier, records)| (identifier, records)),
        )
    }
}
