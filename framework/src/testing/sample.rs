//! One record of a built event, and its JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

#[cfg(feature = "protobuf")]
use crate::extract::Message;
use crate::record::TimestampType;
use crate::testing::registry::RegisteredSchema;

/// When a built record was made, unless it says otherwise: the timestamp of the sample in AWS's developer guide.
const TIMESTAMP_MS_DEFAULT: i64 = 1_545_084_650_987;

/// One record of a built event. A new record has no key and no headers, and its value is null: a tombstone.
///
/// # Example
///
/// ```
/// use lambda_msk::testing::{Event, Sample};
///
/// let event = Event::msk().record(
///     Sample::new("orders", 3)
///         .offset(1_000)
///         .key("c-1")
///         .json(&serde_json::json!({"order_id": 7}))
///         .header("traceparent", "00-"),
/// );
///
/// assert!(event.to_json().contains(
///     r#""records":{"orders-3":[{"topic":"orders","partition":3,"offset":1000,"timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"Yy0x","value":"eyJvcmRlcl9pZCI6N30=","headers":[{"traceparent":[48,48,45]}]}]}"#
/// ));
/// ```
///
/// A record that cannot be decoded:
///
/// ```
/// use lambda_msk::testing::{Event, Sample};
///
/// let event = Event::msk().record(Sample::new("orders", 0).value_base64("***")).build();
///
/// let record = &event.records()?[0];
/// assert_eq!(record.fault().unwrap().code, "reject.value_not_base64");
/// # Ok::<(), lambda_msk::error::EventError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a record does nothing until an event holds it"]
pub struct Sample {
    topic: String,
    partition: i32,
    identifier: Option<String>,
    pub(super) offset: Option<i64>,
    timestamp: i64,
    timestamp_type: TimestampType,
    key: Option<String>,
    value: Option<String>,
    headers: Vec<(String, Option<Vec<u8>>)>,
    key_schema: Option<Schema>,
    value_schema: Option<Schema>,
    fields: Fields,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    data_format: String,
    schema_id: String,
}

impl Sample {
    /// Creates a record of that partition.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
            identifier: None,
            offset: None,
            timestamp: TIMESTAMP_MS_DEFAULT,
            timestamp_type: TimestampType::CreateTime,
            key: None,
            value: None,
            headers: Vec::new(),
            key_schema: None,
            value_schema: None,
            fields: Fields::default(),
        }
    }

    /// Sets the offset in the partition, in place of the next one.
    pub fn offset(mut self, offset: i64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Sets the timestamp in milliseconds since 1970, or `-1` for none.
    pub fn timestamp(mut self, millis: i64) -> Self {
        self.timestamp = millis;
        self
    }

    /// Sets the party that set the timestamp. `Unknown` leaves the field out.
    pub fn timestamp_type(mut self, timestamp_type: TimestampType) -> Self {
        self.timestamp_type = timestamp_type;
        self
    }

    /// Sets the key's bytes.
    pub fn key(self, key: impl AsRef<[u8]>) -> Self {
        self.key_base64(STANDARD.encode(key))
    }

    /// Sets the value's bytes. `value("")` is an empty value, not a tombstone.
    pub fn value(self, value: impl AsRef<[u8]>) -> Self {
        self.value_base64(STANDARD.encode(value))
    }

    /// Sets the value to `value` as JSON.
    ///
    /// # Panics
    ///
    /// `value` cannot be written as JSON: a map has keys that are not text, or its `Serialize` returns an error.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        self.value(serde_json::to_vec(value).expect("the value can be written as JSON"))
    }

    /// Sets the value to `value` as Avro behind Confluent's frame, as `KafkaAvroSerializer` writes it.
    ///
    /// # Panics
    ///
    /// `schema` is no Avro schema, or `value` does not fit it.
    #[cfg(feature = "avro")]
    pub fn avro(self, schema: &RegisteredSchema, value: &(impl Serialize + ?Sized)) -> Self {
        self.value(avro(schema, value))
    }

    /// Sets the key to `key` as Avro behind Confluent's frame: see [`avro`](Self::avro).
    ///
    /// # Panics
    ///
    /// `schema` is no Avro schema, or `key` does not fit it.
    #[cfg(feature = "avro")]
    pub fn avro_key(self, schema: &RegisteredSchema, key: &(impl Serialize + ?Sized)) -> Self {
        self.key(avro(schema, key))
    }

    /// Sets the value to `message` behind Confluent's frame with its message indexes, as `KafkaProtobufSerializer` writes it.
    ///
    /// # Panics
    ///
    /// `schema` is no Protobuf schema, or has no message of that name.
    #[cfg(feature = "protobuf")]
    pub fn protobuf<M: Message>(self, schema: &RegisteredSchema, message: &M) -> Self {
        self.value(protobuf(schema, message))
    }

    /// Sets the key to `message` behind Confluent's frame: see [`protobuf`](Self::protobuf).
    ///
    /// # Panics
    ///
    /// `schema` is no Protobuf schema, or has no message of that name.
    #[cfg(feature = "protobuf")]
    pub fn protobuf_key<M: Message>(self, schema: &RegisteredSchema, message: &M) -> Self {
        self.key(protobuf(schema, message))
    }

    /// Sets the value to `value` as JSON behind Confluent's frame, as `KafkaJsonSchemaSerializer` writes it. It is not validated.
    ///
    /// # Panics
    ///
    /// `value` cannot be written as JSON.
    pub fn framed_json(self, schema: &RegisteredSchema, value: &(impl Serialize + ?Sized)) -> Self {
        let json = serde_json::to_vec(value).expect("the value can be written as JSON");
        self.value([schema.frame(), json].concat())
    }

    /// Appends a header; names may repeat.
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.into(), Some(value.as_ref().to_vec())));
        self
    }

    /// Appends a header whose value is null, which differs from an empty value.
    pub fn null_header(mut self, name: impl Into<String>) -> Self {
        self.headers.push((name.into(), None));
        self
    }

    /// Sets the schema of the key, as a mapping with a schema registry sends it: `AVRO`, `PROTOBUF` or `JSON`, and the registry's id.
    pub fn key_schema(
        mut self,
        data_format: impl Into<String>,
        schema_id: impl Into<String>,
    ) -> Self {
        self.key_schema = Some(Schema {
            data_format: data_format.into(),
            schema_id: schema_id.into(),
        });
        self
    }

    /// Sets the schema of the value, as [`key_schema`](Self::key_schema) does for the key.
    pub fn value_schema(
        mut self,
        data_format: impl Into<String>,
        schema_id: impl Into<String>,
    ) -> Self {
        self.value_schema = Some(Schema {
            data_format: data_format.into(),
            schema_id: schema_id.into(),
        });
        self
    }

    /// Sets the key's text in the event: base64, or, for tests, any other text.
    pub fn key_base64(mut self, text: impl Into<String>) -> Self {
        self.key = Some(text.into());
        self
    }

    /// Sets the value's text in the event: base64, or, for tests, any other text.
    pub fn value_base64(mut self, text: impl Into<String>) -> Self {
        self.value = Some(text.into());
        self
    }

    /// Sets the key of the `records` map under which the record stands, in place of `topic-partition`. Handlers never see this key; the response repeats it.
    pub fn identifier(mut self, identifier: impl Into<String>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    /// Leaves a field out: `.without("value")` is a tombstone too, and `.without("offset")` makes a record that no response can identify.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.fields.leave_out(name.into());
        self
    }

    /// Sets the field `name` to `json`: replaces the record's own field, or adds one. `.raw_field("headers", "7")` makes a record that cannot be decoded; the same name twice
    /// makes a duplicate.
    ///
    /// # Panics
    ///
    /// `json` is not JSON.
    pub fn raw_field(mut self, name: impl Into<String>, json: &str) -> Self {
        self.fields.push(name.into(), json);
        self
    }

    /// The same record in that partition.
    #[cfg(feature = "proptest")]
    pub(super) fn of(mut self, topic: &str, partition: i32) -> Self {
        topic.clone_into(&mut self.topic);
        self.partition = partition;
        self
    }

    pub(super) fn identifier_or_default(&self) -> String {
        match &self.identifier {
            Some(identifier) => identifier.clone(),
            None => format!("{}-{}", self.topic, self.partition),
        }
    }
}

#[cfg(feature = "avro")]
fn avro(schema: &RegisteredSchema, value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    let compiled = msk_schemas::avro::Schema::of(schema.source());
    let compiled = compiled.unwrap_or_else(|error| panic!("expected an Avro schema: {error}"));
    let bytes = msk_schemas::avro::to_vec(&compiled, value);
    let bytes = bytes.unwrap_or_else(|error| panic!("the value does not fit the schema: {error}"));
    [schema.frame(), bytes].concat()
}

#[cfg(feature = "protobuf")]
fn protobuf<M: Message>(schema: &RegisteredSchema, message: &M) -> Vec<u8> {
    let file = msk_schemas::protobuf::File::of(schema.source());
    let file = file.unwrap_or_else(|error| panic!("expected a Protobuf schema: {error}"));
    let name = M::full_name();
    let indexes = file.indexes_of(&name);
    let indexes = indexes.unwrap_or_else(|| panic!("the schema has no message `{name}`"));
    let indexes = msk_schemas::frame::write_message_indexes(indexes);
    [schema.frame(), indexes, message.encode_to_vec()].concat()
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let fields = &self.fields;
        fields.entry(&mut map, "topic", &self.topic)?;
        fields.entry(&mut map, "partition", &self.partition)?;
        fields.entry(&mut map, "offset", &self.offset)?;
        fields.entry(&mut map, "timestamp", &self.timestamp)?;
        match self.timestamp_type {
            TimestampType::CreateTime => fields.entry(&mut map, "timestampType", "CREATE_TIME")?,
            TimestampType::LogAppendTime => {
                fields.entry(&mut map, "timestampType", "LOG_APPEND_TIME")?;
            }
            TimestampType::Unknown => {}
        }
        if let Some(key) = &self.key {
            fields.entry(&mut map, "key", key)?;
        }
        fields.entry(&mut map, "value", &self.value)?;
        fields.entry(&mut map, "headers", &HeaderList(&self.headers))?;
        if let Some(schema) = &self.key_schema {
            fields.entry(&mut map, "keySchemaMetadata", schema)?;
        }
        if let Some(schema) = &self.value_schema {
            fields.entry(&mut map, "valueSchemaMetadata", schema)?;
        }
        fields.serialize_into(&mut map)?;
        map.end()
    }
}

/// Objects of one entry each; the bytes are signed, as Java's are.
struct HeaderList<'a>(&'a [(String, Option<Vec<u8>>)]);

impl Serialize for HeaderList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (name, value) in self.0 {
            let signed: Option<Vec<i8>> = value
                .as_ref()
                .map(|value| value.iter().map(|byte| byte.cast_signed()).collect());
            list.serialize_element(&OneEntry(name, &signed))?;
        }
        list.end()
    }
}

struct OneEntry<'a>(&'a str, &'a Option<Vec<i8>>);

impl Serialize for OneEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, self.1)])
    }
}

/// Fields given as JSON, or left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, Option<Box<RawValue>>)>);

impl Fields {
    pub(super) fn leave_out(&mut self, name: String) {
        self.0.push((name, None));
    }

    pub(super) fn push(&mut self, name: String, json: &str) {
        match RawValue::from_string(json.to_owned()) {
            Ok(json) => self.0.push((name, Some(json))),
            Err(error) => {
                panic!("expected JSON for the field `{name}`, found `{json}`: {error}")
            }
        }
    }

    /// Writes a field of the builder's own, unless it was replaced or left out.
    pub(super) fn entry<M: SerializeMap>(
        &self,
        map: &mut M,
        name: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), M::Error> {
        match self.0.iter().any(|(other, _)| other == name) {
            true => Ok(()),
            false => map.serialize_entry(name, value),
        }
    }

    pub(super) fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let mut given = self
            .0
            .iter()
            .filter_map(|(name, json)| Some((name, json.as_ref()?)));
        given.try_for_each(|(name, json)| map.serialize_entry(name, json))
    }
}
