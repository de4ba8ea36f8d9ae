//! Schemas of typed payloads: where they are had, how payloads are framed, and which schemas the records of an invocation need. Set by `builder`, fetched by `process`, read by `extract`.
//!
//! Records on a topic are often not JSON but Avro or Protobuf, behind a *frame* that names the schema in a *registry*. A handler says what it wants by its argument, and the builder where
//! schemas are had. Each schema is fetched once in the life of the process, before the first record that needs it.
//!
//! # Extractors
//!
//! | on the topic | take | feature |
//! |---|---|---|
//! | Avro | `Avro<T>`, of any `T` that has serde's `Deserialize` | `avro` |
//! | Protobuf | `Protobuf<T>`, of any message of `prost` that has a name (`prost::Name`) | `protobuf` |
//! | JSON, plain or behind a frame | [`Json<T>`](crate::Json) | |
//! | any of these as the key | `Key<Avro<T>>`, `Key<Protobuf<T>>`, [`Key<Json<T>>`](crate::Key) | |
//!
//! # Rules
//!
//! - The frame is found by fixed rules and never tried: see [`Framing`]. Bytes without the expected frame are rejected with `reject.schema_framing`.
//! - An id that the registry does not have is rejected with `reject.schema_not_found`, a schema of another format with `reject.schema_format`, one that cannot be read with
//!   `reject.schema`. Payloads that do not fit their schema or the type are rejected with `reject.avro`, `reject.protobuf`, `reject.json` or `reject.json_schema`.
//! - A registry that is down, slow or refuses access rejects nothing: the records that need it are Failed with `schema.unavailable` and redelivered, and other lanes run.

#[cfg(feature = "avro")]
mod avro;
mod behind;
mod choose;
mod needs;
mod reading;

use std::fmt;
use std::sync::Arc;

use msk_schemas::cache::Cache;
pub use msk_schemas::frame::Framing;
use msk_schemas::frame::{Framed, Given, KEY_HEADER, Kind, VALUE_HEADER};
pub use msk_schemas::id::{Format, Reference, SchemaId, Source};
pub use msk_schemas::registry::{FetchError, Fetching, Registry};

#[cfg(feature = "avro")]
pub(crate) use self::avro::Reader;
#[cfg(any(feature = "avro", feature = "protobuf", feature = "json-schema"))]
pub(crate) use self::behind::{FRAMING, inflate};
pub(crate) use self::choose::{Auth, Choice, auth, registry};
#[cfg(feature = "protobuf")]
pub(crate) use self::needs::KnownMessage;
pub(crate) use self::needs::unavailable;
pub(crate) use self::needs::{BatchSchemas, SchemaNeeds};
#[doc(hidden)]
pub use self::reading::ReadingOptions;
pub(crate) use self::reading::{Reading, extractor};
use crate::part::Part;
use crate::record::Record;

/// The schemas of typed payloads: the registry, and how payloads are framed. For [`Builder::schemas`](crate::builder::Builder::schemas); each setting has a variable, which takes precedence.
///
/// # Example
///
/// ```
/// use lambda_msk::Consumer;
/// use lambda_msk::schemas::{Framing, Schemas};
///
/// let schemas = Schemas::confluent("https://registry.example")
///     .basic_auth("orders", "secret")
///     .framing(Framing::Confluent)
///     .warm([17, 18]);
/// # let schemas = Schemas::none();
/// let consumer = Consumer::builder().schemas(schemas).topic("orders", async |_: lambda_msk::Record| {}).build();
/// # consumer.unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to `Builder::schemas`"]
pub struct Schemas {
    pub(crate) registry: Choice,
    pub(crate) auth: Option<Auth>,
    pub(crate) framing: Framing,
    pub(crate) format: RecordFormat,
    pub(crate) warm: Vec<SchemaId>,
}

impl Schemas {
    /// Creates schemas without a registry: the schema is in the code, as the type of the argument or [`Options::reader_schema`](crate::handler::Options::reader_schema), and stands for the
    /// writer's. The default.
    pub fn none() -> Self {
        Self::chosen(Choice::None)
    }

    /// Creates schemas of a registry that speaks Confluent's API: Confluent's, Apicurio's (`https://HOST/apis/ccompat/v7`), Karapace, Redpanda. The URL is
    /// `http(s)://HOST[:PORT][/PATH]`, and the path is kept (`LAMBDA_MSK_SCHEMA_REGISTRY`). [`build`](crate::builder::Builder::build) checks it.
    ///
    /// Needs the feature `schema-registry`.
    pub fn confluent(url: impl Into<String>) -> Self {
        Self::chosen(Choice::Confluent(url.into()))
    }

    /// Creates schemas of an AWS Glue registry, by its ARN (`arn:aws:glue:REGION:ACCOUNT:registry/NAME`); the region is the ARN's (`LAMBDA_MSK_SCHEMA_REGISTRY`). The function needs
    /// the permission `glue:GetSchemaVersion`. [`build`](crate::builder::Builder::build) checks the ARN.
    ///
    /// Needs the feature `glue`.
    pub fn glue(arn: impl Into<String>) -> Self {
        Self::chosen(Choice::Glue(arn.into()))
    }

    /// Creates schemas of a registry of your own.
    pub fn of(registry: impl Registry) -> Self {
        Self::chosen(Choice::Own(Arc::new(Cache::new(Box::new(registry)))))
    }

    fn chosen(registry: Choice) -> Self {
        Self {
            registry,
            auth: None,
            framing: Framing::default(),
            format: RecordFormat::default(),
            warm: Vec::new(),
        }
    }

    /// Sets user and password for a registry of Confluent's API (`LAMBDA_MSK_SCHEMA_REGISTRY_AUTH`, as `USER:PASSWORD`).
    /// They go to the registry in code, not to another one that `LAMBDA_MSK_SCHEMA_REGISTRY` names; so do a token and a secret.
    pub fn basic_auth(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.auth = Some(Auth::Basic {
            user: user.into(),
            password: password.into(),
        });
        self
    }

    /// Sets the bearer token for a registry of Confluent's API (`LAMBDA_MSK_SCHEMA_REGISTRY_AUTH`, a text without a colon).
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.auth = Some(Auth::Bearer(token.into()));
        self
    }

    /// Sets the secret of AWS Secrets Manager that has the credentials for a registry of Confluent's API, by its ARN (`LAMBDA_MSK_SCHEMA_REGISTRY_AUTH`, as `@secretsmanager:ARN`): JSON with `username` and
    /// `password`, `USER:PASSWORD`, or a bearer token. It is read before the first request, and once more if the registry refuses what it says, at most every 30 seconds. JSON without these two keys is an outage that says so.
    ///
    /// Needs the feature `secrets`, and the permission `secretsmanager:GetSecretValue`.
    pub fn secret(mut self, arn: impl Into<String>) -> Self {
        self.auth = Some(Auth::Secret(arn.into()));
        self
    }

    /// Sets what names the schema of a payload (`LAMBDA_MSK_SCHEMA_FRAMING`). Default: [`Framing::Auto`].
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Sets the form in which the mapping delivers what it has validated (`LAMBDA_MSK_SCHEMA_FORMAT`): the `EventRecordFormat` of its `SchemaRegistryConfig`. The event does not tell it.
    pub fn record_format(mut self, format: RecordFormat) -> Self {
        self.format = format;
        self
    }

    /// Sets schemas to fetch at init, before the first event and before SnapStart's snapshot, so that the first invocation asks the registry nothing. A schema that cannot be had is a
    /// warning: it is fetched later.
    pub fn warm<I: Into<SchemaId>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.warm.extend(ids.into_iter().map(Into::into));
        self
    }
}

/// The form in which an event source mapping delivers keys and values that it has validated: its `EventRecordFormat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordFormat {
    /// The producer's bytes, without their frame.
    #[default]
    Source,
    /// JSON, whatever the producer wrote.
    Json,
}

/// The parts of a record that are read by a schema, each with its format: what an extractor returns from [`FromRecord::schemas`](crate::extract::FromRecord::schemas).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaUse {
    key: Option<Format>,
    value: Option<Format>,
    /// A part that was asked for in two formats, with both.
    torn: Option<(Part, [Format; 2])>,
    /// JSON is validated: a schema is needed without a frame, too.
    validates: bool,
}

impl SchemaUse {
    /// No part.
    pub const NONE: Self = Self {
        key: None,
        value: None,
        torn: None,
        validates: false,
    };

    /// One part.
    pub const fn of(part: Part, format: Format) -> Self {
        match part {
            Part::Key => Self {
                key: Some(format),
                ..Self::NONE
            },
            Part::Value => Self {
                value: Some(format),
                ..Self::NONE
            },
        }
    }

    /// The parts of both. One part in two formats is a fault that [`build`](crate::builder::Builder::build) names.
    pub const fn and(self, other: Self) -> Self {
        let torn = match (self.torn, other.torn) {
            (None, None) => match torn(Part::Key, self.key, other.key) {
                None => torn(Part::Value, self.value, other.value),
                torn => torn,
            },
            (None, torn) | (torn, _) => torn,
        };
        Self {
            key: if self.key.is_some() {
                self.key
            } else {
                other.key
            },
            value: if self.value.is_some() {
                self.value
            } else {
                other.value
            },
            torn,
            validates: self.validates || other.validates,
        }
    }

    /// The format of a part. *None: the part is read without a schema.*
    pub const fn format(self, part: Part) -> Option<Format> {
        match part {
            Part::Key => self.key,
            Part::Value => self.value,
        }
    }

    /// JSON values by their schemas.
    pub(crate) const VALIDATED: Self = Self {
        value: Some(Format::Json),
        validates: true,
        ..Self::NONE
    };

    pub(crate) fn validates(self) -> bool {
        self.validates
    }

    /// A part that was asked for in two formats, with both.
    pub(crate) fn torn(self) -> Option<(Part, [Format; 2])> {
        self.torn
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

const fn torn(
    part: Part,
    one: Option<Format>,
    other: Option<Format>,
) -> Option<(Part, [Format; 2])> {
    match (one, other) {
        // `==` is no const function.
        (Some(Format::Avro), Some(Format::Avro))
        | (Some(Format::Protobuf), Some(Format::Protobuf))
        | (Some(Format::Json), Some(Format::Json)) => None,
        (Some(one), Some(other)) => Some((part, [one, other])),
        _ => None,
    }
}

/// How typed payloads are read. One a consumer.
pub(crate) struct Typed {
    /// *None: there is no registry, and the reader's schema stands for the writer's.*
    pub(crate) cache: Option<Arc<Cache>>,
    /// What was set is no registry or no framing, which is a fault: no other fault is to follow from it.
    pub(crate) is_refused: bool,
    pub(crate) framing: Framing,
    pub(crate) format: RecordFormat,
    pub(crate) warm: Vec<SchemaId>,
}

impl Typed {
    /// Without a registry.
    #[cfg(test)]
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self {
            cache: None,
            is_refused: false,
            framing: Framing::Auto,
            format: RecordFormat::Source,
            warm: Vec::new(),
        })
    }

    /// Whether the mapping makes JSON of what it validates.
    pub(crate) fn delivers_json(&self) -> bool {
        self.format == RecordFormat::Json && self.framing == Framing::Auto
    }

    /// Whether the mapping has made JSON of the part.
    pub(crate) fn is_json(&self, record: &Record, part: Part) -> bool {
        self.delivers_json() && metadata(record, part).is_some()
    }

    /// The frame of the bytes, which are the part's. *None: there is none, though one is needed.*
    pub(crate) fn framed<'a>(
        &self,
        record: &'a Record,
        part: Part,
        bytes: &'a [u8],
        format: Format,
    ) -> Option<Framed<'a>> {
        self.framing.find(given(record, part, bytes), format)
    }

    /// The id by which the registry knows the schema of a frame: in an event's metadata a GUID looks like an id of Glue's.
    pub(crate) fn id(&self, framed: &Framed<'_>) -> Option<SchemaId> {
        match (framed.kind, framed.id, &self.cache) {
            (Kind::Metadata, Some(SchemaId::Version(uuid)), Some(cache)) if cache.has_guids() => {
                Some(SchemaId::Guid(uuid))
            }
            (_, id, _) => id,
        }
    }

    /// The schema's number, and the bytes behind it, of a part behind Confluent's frame alone. *None: `framed` tells.*
    #[inline]
    pub(crate) fn number<'a>(
        &self,
        record: &'a Record,
        part: Part,
        bytes: &'a [u8],
    ) -> Option<(u32, &'a [u8])> {
        self.framing.number(given(record, part, bytes))
    }
}

#[inline]
fn given<'a>(record: &'a Record, part: Part, bytes: &'a [u8]) -> Given<'a> {
    let header = match part {
        Part::Key => KEY_HEADER,
        Part::Value => VALUE_HEADER,
    };
    Given {
        metadata: metadata(record, part),
        header: record.header(header),
        bytes,
    }
}

fn metadata(record: &Record, part: Part) -> Option<Option<&str>> {
    let metadata = match part {
        Part::Key => record.key_schema(),
        Part::Value => record.value_schema(),
    };
    metadata.map(|metadata| metadata.schema_id.as_deref())
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed")
            .field("registry", &self.cache.as_ref().map(|cache| cache.place()))
            .field("framing", &self.framing)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
