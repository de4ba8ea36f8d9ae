//! Records against a registry in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use msk_schemas::frame::{KEY_HEADER, VALUE_HEADER};
use msk_schemas::id::{Format, SchemaId, Source};
use serde_json::{Value, json};

use super::{Checked, FetchError, Fetching, Registry, Unavailable, Validator};
use crate::machine::{
    Configuration, EventRecordFormat, ProtobufIndexes, SchemaFault, SchemaRegistryConfig,
    StartingPosition, ValidatedAttribute, Validity,
};
use crate::record::{DataFormat, Record, TopicPartition};

const ORDER: &str = r#"{"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"]}]}"#;
/// `{id: 7, note: "a"}` by it.
const AN_ORDER: &[u8] = &[14, 2, 2, b'a'];
const SHOP: &str = r#"syntax = "proto3"; package shop;
    message Cart { uint64 id = 1; message Line { string sku = 1; } }
    message Account { uint64 cents = 1; }"#;
/// protoc counts the map's entry as a nested message, and Confluent's Java client does not.
const COUNTED: &str = r#"syntax = "proto3"; package shop;
    message Cart { map<string, int32> notes = 1; message A { uint64 x = 1; } message Line { uint64 x = 1; } }"#;
/// `{cents: 5}` of `shop.Account`.
const AN_ACCOUNT: &[u8] = &[8, 5];
const CLICK: &str =
    r#"{"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}"#;

const AVRO: u32 = 1;
const PROTOBUF: u32 = 2;
const JSON: u32 = 3;
const BROKEN: u32 = 4;
const TWO_WAYS: u32 = 5;
const GLUE: [u8; 16] = [0xab; 16];

#[derive(Debug, Default, Clone)]
struct Memory {
    asked: Arc<Mutex<Vec<SchemaId>>>,
    away: bool,
}

impl Registry for Memory {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        self.asked.lock().unwrap().push(id);
        let schemas: HashMap<SchemaId, Source> = HashMap::from([
            (AVRO.into(), Source::new(Format::Avro, ORDER)),
            (PROTOBUF.into(), Source::new(Format::Protobuf, SHOP)),
            (JSON.into(), Source::new(Format::Json, CLICK)),
            (BROKEN.into(), Source::new(Format::Avro, "{")),
            (TWO_WAYS.into(), Source::new(Format::Protobuf, COUNTED)),
            (SchemaId::Guid([1; 16]), Source::new(Format::Avro, ORDER)),
            (SchemaId::Version(GLUE), Source::new(Format::Protobuf, SHOP)),
            (SchemaId::Version([1; 16]), Source::new(Format::Avro, ORDER)),
        ]);
        let found = match self.away {
            true => Err(FetchError::Unavailable("the registry is away".to_owned())),
            false => schemas.get(&id).cloned().ok_or(FetchError::NotFound(id)),
        };
        Box::pin(std::future::ready(found))
    }

    fn place(&self) -> &'static str {
        "http://registry"
    }
}

/// Where the records of a test come from: Confluent's frame, a number, a payload.
fn framed(id: u32, payload: &[u8]) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), payload].concat()
}

fn glued(id: [u8; 16], compression: u8, payload: &[u8]) -> Vec<u8> {
    [&[3, compression][..], &id, payload].concat()
}

fn record(offset: i64) -> Record {
    Record::new(TopicPartition::new("orders", 0), offset)
}

fn settings(format: EventRecordFormat) -> Configuration {
    let source = crate::event::Source::SelfManaged {
        bootstrap_servers: None,
    };
    let mut settings = Configuration::new(source, "orders", StartingPosition::TrimHorizon);
    settings.schema_registry_config = Some(SchemaRegistryConfig {
        uri: "http://registry".to_owned(),
        event_record_format: Some(format),
        validated: vec![ValidatedAttribute::Key, ValidatedAttribute::Value],
    });
    settings
}

async fn check_with(settings: &Configuration, records: Vec<Record>) -> Vec<Checked> {
    let validator = Validator::of(settings, Box::new(Memory::default())).unwrap();
    validator.check(records).await.unwrap()
}

async fn checked(format: EventRecordFormat, record: Record) -> Checked {
    let mut checked = check_with(&settings(format), vec![record]).await;
    checked.pop().unwrap()
}

/// The value of a valid record, with its schema's format and id.
async fn delivered(format: EventRecordFormat, record: Record) -> (Vec<u8>, DataFormat, String) {
    let checked = checked(format, record).await;
    let Checked {
        validated, reason, ..
    } = checked;
    assert_eq!(reason, None);
    let schema = validated.record.value_schema.unwrap();
    let value = validated.record.value.unwrap().to_vec();
    (value, schema.data_format, schema.schema_id.to_string())
}

async fn as_json(record: Record) -> (Value, DataFormat, String) {
    let (value, format, id) = delivered(EventRecordFormat::Json, record).await;
    (serde_json::from_slice(&value).unwrap(), format, id)
}

async fn as_source(record: Record) -> Vec<u8> {
    delivered(EventRecordFormat::Source, record).await.0
}

async fn fault(record: Record) -> (SchemaFault, String) {
    let before = record.clone();
    let Checked {
        validated, reason, ..
    } = checked(EventRecordFormat::Json, record).await;
    assert_eq!(validated.record, before, "it is given up as it was polled");
    match validated.validity {
        Validity::Invalid(fault) => (fault, reason.unwrap()),
        Validity::Valid { .. } => panic!("it is valid"),
    }
}

async fn misfit(record: Record) -> String {
    let (fault, reason) = fault(record).await;
    assert_eq!(fault, SchemaFault::Deserialization, "{reason}");
    reason
}

#[tokio::test]
async fn avro_is_delivered_as_json_or_without_its_frame() {
    let order = || record(0).with_value(framed(AVRO, AN_ORDER));

    let json = json!({"id": 7, "note": "a"});
    assert_eq!(
        as_json(order()).await,
        (json, DataFormat::Avro, "1".to_owned())
    );
    assert_eq!(as_source(order()).await, AN_ORDER);
}

#[tokio::test]
async fn json_is_delivered_as_it_is_without_its_frame() {
    let text = br#"{ "x": 1 }"#;
    let click = || record(0).with_value(framed(JSON, text));

    let (value, format, id) = delivered(EventRecordFormat::Json, click()).await;

    assert_eq!(
        (&value[..], format, &*id),
        (&text[..], DataFormat::Json, "3")
    );
    assert_eq!(as_source(click()).await, text);
}

#[tokio::test]
async fn protobuf_is_read_as_the_message_that_its_indexes_name() {
    let account = || record(0).with_value(framed(PROTOBUF, &[&[2, 2][..], AN_ACCOUNT].concat()));

    let (json, format, _) = as_json(account()).await;
    let kept = as_source(account()).await;
    let mut settings = settings(EventRecordFormat::Source);
    settings.readings.protobuf_indexes = ProtobufIndexes::Removed;
    let removed = check_with(&settings, vec![account()]).await;

    assert_eq!((json, format), (json!({"cents": 5}), DataFormat::Protobuf));
    assert_eq!(kept, [&[2, 2][..], AN_ACCOUNT].concat());
    let removed = removed[0].validated.record.value.clone();
    assert_eq!(removed.as_deref(), Some(AN_ACCOUNT));
}

#[tokio::test]
async fn glues_frame_names_the_message_by_its_place_also_behind_zlib() {
    // In the order of names: Account, Cart, Cart.Line.
    let message = [&[0][..], AN_ACCOUNT].concat();
    let plain = record(0).with_value(glued(GLUE, 0, &message));
    let zlib = STANDARD.decode("eJxj4GAFAAAYAA4=").unwrap();
    let zlib = record(0).with_value(glued(GLUE, 5, &zlib));

    for framed in [plain, zlib] {
        let (json, format, id) = as_json(framed.clone()).await;

        assert_eq!((json, format), (json!({"cents": 5}), DataFormat::Protobuf));
        assert_eq!(id, "abababab-abab-abab-abab-abababababab");
        assert_eq!(as_source(framed).await, message);
    }
}

#[tokio::test]
async fn a_header_names_the_schema_and_the_value_has_no_frame() {
    let number = [0, 0, 0, 0, 1];
    let guid = [&[1][..], &[1; 16]].concat();
    for header in [&number[..], &guid] {
        let order = record(0)
            .with_value(AN_ORDER)
            .with_header(VALUE_HEADER, header.to_vec());

        assert_eq!(
            as_json(order.clone()).await.0,
            json!({"id": 7, "note": "a"})
        );
        assert_eq!(as_source(order).await, AN_ORDER);
    }
    let account = record(0)
        .with_value(AN_ACCOUNT)
        .with_header(VALUE_HEADER, vec![0, 0, 0, 0, 2, 2, 2]);
    assert_eq!(as_json(account).await.0, json!({"cents": 5}));
}

#[tokio::test]
async fn a_header_that_is_not_of_its_schemas_form_is_the_users_own() {
    // The schema is Protobuf's, and the header has no message indexes.
    let order = record(0)
        .with_value(framed(AVRO, AN_ORDER))
        .with_header(VALUE_HEADER, vec![0, 0, 0, 0, 2]);

    assert_eq!(as_json(order).await.0, json!({"id": 7, "note": "a"}));
}

#[tokio::test]
async fn keys_are_checked_by_their_own_schemas() {
    let both = record(0)
        .with_key(framed(JSON, br#"{"x":1}"#))
        .with_value(framed(AVRO, AN_ORDER));
    let checked = checked(EventRecordFormat::Json, both).await.validated;

    let schema = checked.record.key_schema.unwrap();
    assert_eq!(
        (schema.data_format, &*schema.schema_id),
        (DataFormat::Json, "3")
    );
    assert_eq!(checked.record.key.as_deref(), Some(&br#"{"x":1}"#[..]));
    let key = record(0)
        .with_key(AN_ORDER)
        .with_header(KEY_HEADER, vec![0, 0, 0, 0, 1]);
    let key = self::checked(EventRecordFormat::Json, key).await;
    assert_eq!(key.reason, None);
    let wrong = record(0)
        .with_key("plain")
        .with_value(framed(AVRO, AN_ORDER));
    assert!(
        misfit(wrong)
            .await
            .starts_with("the key (5 bytes): expected the id of a schema")
    );
}

#[tokio::test]
async fn what_is_not_validated_stays_as_it_is_without_metadata() {
    let mut settings = settings(EventRecordFormat::Json);
    settings.schema_registry_config.as_mut().unwrap().validated = vec![ValidatedAttribute::Value];
    let plain = record(0).with_key("k").with_value(framed(AVRO, AN_ORDER));

    let checked = check_with(&settings, vec![plain]).await;

    let record = &checked[0].validated.record;
    assert_eq!(record.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(record.key_schema, None);
    assert!(record.value_schema.is_some());
}

#[tokio::test]
async fn null_is_valid_and_empty_is_not() {
    let tombstone = checked(EventRecordFormat::Json, record(0)).await;

    assert_eq!(tombstone.reason, None);
    assert_eq!(tombstone.validated.record, record(0));
    let empty = misfit(record(0).with_value(Vec::new())).await;
    assert!(
        empty.starts_with("the value (0 bytes): expected the id"),
        "{empty}"
    );
}

#[tokio::test]
async fn bytes_that_do_not_fit_their_schema_are_invalid() {
    let avro = |payload: &[u8]| record(0).with_value(framed(AVRO, payload));

    let left = misfit(avro(&[AN_ORDER, &[0]].concat())).await;
    misfit(avro(&AN_ORDER[..3])).await;
    misfit(avro(b"")).await;
    let json = misfit(record(0).with_value(framed(JSON, br#"{"x":"secret"}"#))).await;
    let text = misfit(record(0).with_value(framed(JSON, b"secret"))).await;
    let indexes = misfit(record(0).with_value(framed(PROTOBUF, &[2, 40]))).await;
    misfit(record(0).with_value(framed(PROTOBUF, &[0, 0xff]))).await;
    misfit(record(0).with_value(glued(GLUE, 5, b"not zlib"))).await;
    misfit(record(0).with_value(glued(GLUE, 0, &[9]))).await;
    misfit(record(0).with_value(framed(BROKEN, AN_ORDER))).await;

    assert!(left.starts_with("the value (10 bytes): "), "{left}");
    assert!(json.contains("$.x") && !json.contains("secret"), "{json}");
    assert!(
        text.contains("line 1") && !text.contains("secret"),
        "{text}"
    );
    assert!(indexes.contains("the message indexes [20]"), "{indexes}");
}

#[tokio::test]
async fn an_id_that_the_registry_does_not_have_is_named() {
    let unknown = record(0).with_value(framed(999, AN_ORDER));

    let (fault, reason) = fault(unknown).await;

    assert_eq!(fault, SchemaFault::NotFound);
    assert_eq!(
        reason,
        "the value (9 bytes): the registry http://registry has no schema 999"
    );
}

#[tokio::test]
async fn a_schema_is_asked_for_once() {
    let memory = Memory::default();
    let registry = Box::new(memory.clone());
    let validator = Validator::of(&settings(EventRecordFormat::Json), registry).unwrap();
    let orders = |ids: [u32; 4]| {
        ids.map(|id| record(0).with_value(framed(id, AN_ORDER)))
            .to_vec()
    };

    validator
        .check(orders([AVRO, 999, AVRO, 999]))
        .await
        .unwrap();
    validator
        .check(orders([999, AVRO, AVRO, 999]))
        .await
        .unwrap();

    let mut asked = memory.asked.lock().unwrap().clone();
    asked.sort();
    assert_eq!(asked, [AVRO.into(), 999.into()]);
}

#[tokio::test]
async fn indexes_that_name_two_messages_are_invalid_with_both_names() {
    let indexes = |indexes: &[u8]| {
        let payload = [indexes, &[8, 5]].concat();
        record(0).with_value(framed(TWO_WAYS, &payload))
    };

    // Most serializers mean A by this, and Java's means Line.
    let (fault, reason) = fault(indexes(&[4, 0, 2])).await;

    assert_eq!(fault, SchemaFault::Deserialization);
    assert!(
        reason.contains("`shop.Cart.A` or `shop.Cart.Line`"),
        "{reason}"
    );
    // Only one way has a message there.
    let (json, ..) = as_json(indexes(&[4, 0, 4])).await;
    assert_eq!(json, json!({"x": 5}));
}

#[tokio::test]
async fn bytes_behind_a_header_are_not_taken_for_a_frame() {
    let memory = Memory::default();
    let registry = Box::new(memory.clone());
    let validator = Validator::of(&settings(EventRecordFormat::Json), registry).unwrap();
    // `{id: 0, note: …}`: the value itself begins as a frame does.
    let value = [0, 2, 8, b'a', b'b', b'c', b'd'];
    let order = record(0)
        .with_value(value.to_vec())
        .with_header(VALUE_HEADER, vec![0, 0, 0, 0, 1]);

    let checked = validator.check(vec![order]).await.unwrap();

    assert_eq!(checked[0].reason, None);
    assert_eq!(*memory.asked.lock().unwrap(), [AVRO.into()]);
}

#[tokio::test]
async fn a_registry_that_is_away_decides_nothing() {
    let registry = Box::new(Memory {
        away: true,
        ..Memory::default()
    });
    let validator = Validator::of(&settings(EventRecordFormat::Json), registry).unwrap();
    let records = vec![
        record(0).with_value("plain"),
        record(1).with_value(framed(AVRO, AN_ORDER)),
    ];

    let Unavailable {
        records: back,
        reason,
    } = validator.check(records.clone()).await.unwrap_err();

    assert_eq!(back, records);
    assert_eq!(&*reason, "the registry is away");
}

#[tokio::test]
async fn a_filter_gets_the_json_of_a_value_that_is_delivered_as_source() {
    let mut settings = settings(EventRecordFormat::Source);
    settings.filter_criteria = Some(Arc::new(|_| true));
    let order = record(0).with_value(framed(AVRO, AN_ORDER));

    let checked = check_with(&settings, vec![order]).await;

    let Validity::Valid { filtered } = &checked[0].validated.validity else {
        panic!()
    };
    let filtered: Value = serde_json::from_slice(filtered.as_ref().unwrap()).unwrap();
    assert_eq!(filtered, json!({"id": 7, "note": "a"}));
    let delivered = checked[0].validated.record.value.as_deref();
    assert_eq!(delivered, Some(AN_ORDER));
}

#[tokio::test]
async fn a_mapping_without_a_registry_checks_nothing() {
    let mut settings = settings(EventRecordFormat::Json);
    settings.schema_registry_config = None;

    assert!(Validator::of(&settings, Box::new(Memory::default())).is_none());
}
