//! What `testing::Event` writes is what the decoder reads: field by field, and for every event of the strategy.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use lambda_msk::Record;
use lambda_msk::error::EventError;
use lambda_msk::record::{EventSourceKind, TimestampType};
use lambda_msk::testing::{Event, EventBuilder, Sample};
use serde_json::{Value, json};

fn records(event: impl Into<Event>) -> Result<Vec<Record>, EventError> {
    event.into().records()
}

fn json_of(event: &EventBuilder) -> Value {
    serde_json::from_str(&event.to_json()).unwrap()
}

#[test]
fn offsets_go_on_from_the_record_before_them_in_each_partition() {
    let sample = Sample::new;
    let event = Event::msk()
        .record(sample("a", 0))
        .record(sample("a", 1).offset(7))
        .record(sample("a", 0))
        .record(sample("a", 1))
        .record(sample("a", 0).offset(9));

    let shown: Vec<String> = records(event)
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();

    assert_eq!(shown, ["a-0@0", "a-0@1", "a-0@9", "a-1@7", "a-1@8"]);
}

#[test]
fn a_self_managed_event_has_no_arn() {
    let record = &records(Event::self_managed().record(Sample::new("a", 0))).unwrap()[0];
    assert_eq!(record.event_source().kind, EventSourceKind::SelfManaged);
    assert_eq!(record.event_source().arn, None);
}

#[test]
fn the_fields_stand_in_the_order_in_which_lambda_sends_them() {
    let sample = Sample::new("a", 0)
        .key("k")
        .value("v")
        .header("h", [0, 127, 128, 255])
        .null_header("n")
        .key_schema("AVRO", "1")
        .value_schema("JSON", "2");
    let event = Event::msk()
        .arn("arn")
        .bootstrap_servers("b:9098")
        .record(sample)
        .redrive("dl-1");

    assert_eq!(
        event.to_json(),
        r#"{"eventSource":"aws:kafka","eventSourceArn":"arn","bootstrapServers":"b:9098","redrive":"dl-1","records":{"a-0":[{"topic":"a","partition":0,"offset":0,"timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"aw==","value":"dg==","headers":[{"h":[0,127,-128,-1]},{"n":null}],"keySchemaMetadata":{"dataFormat":"AVRO","schemaId":"1"},"valueSchemaMetadata":{"dataFormat":"JSON","schemaId":"2"}}]}}"#
    );
}

#[test]
fn a_raw_field_takes_the_place_of_the_one_there_and_twice_is_a_duplicate() {
    let event = Event::msk()
        .record(Sample::new("a", 0).value("v").raw_field("value", "7"))
        .raw_field("new", "[1]");
    assert_eq!(json_of(&event)["records"]["a-0"][0]["value"], json!(7));
    assert_eq!(json_of(&event)["new"], json!([1]));

    let twice = Sample::new("a", 0)
        .raw_field("key", "null")
        .raw_field("key", "null");
    let record = &records(Event::msk().record(twice)).unwrap()[0];
    assert_eq!(record.fault().unwrap().code, "reject.duplicate_field");
}

#[test]
fn a_field_can_be_left_out() {
    let event = Event::msk()
        .record(Sample::new("a", 0).value("v").without("value"))
        .without("eventSource");
    assert_eq!(json_of(&event)["records"]["a-0"][0].get("value"), None);
    assert_eq!(records(event).unwrap_err().code(), "event.missing_field");
}

#[test]
fn an_identifier_of_its_own_is_the_map_key() {
    let event = Event::msk()
        .record(Sample::new("a", 0).identifier("elsewhere"))
        .empty_partition("empty");
    assert_eq!(
        json_of(&event)["records"]["elsewhere"][0]["topic"],
        json!("a")
    );
    assert_eq!(json_of(&event)["records"]["empty"], json!([]));
}

#[test]
#[should_panic(expected = "expected JSON for the field `key`, found")]
fn a_raw_field_that_is_not_json_is_a_fault_of_the_test() {
    let _ = Sample::new("a", 0).raw_field("key", "*");
}

#[test]
fn a_timestamp_type_can_be_left_open() {
    let event = Event::msk().record(Sample::new("a", 0).timestamp_type(TimestampType::Unknown));
    assert_eq!(
        json_of(&event)["records"]["a-0"][0].get("timestampType"),
        None
    );
}

/// For every event: each field as JSON says it against each field as the decoder gives it.
#[cfg(feature = "proptest")]
mod round_trip {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use lambda_msk::Record;
    use lambda_msk::record::{EventSourceKind, SchemaMetadata, TimestampType};
    use lambda_msk::testing::{EventBuilder, strategy};
    use proptest::{prop_assert, prop_assert_eq, proptest};
    use serde_json::Value;

    fn bytes(json: &Value) -> Option<Vec<u8>> {
        Some(STANDARD.decode(json.as_str()?).unwrap())
    }

    fn headers(json: &Value) -> Vec<(String, Option<Vec<u8>>)> {
        let list = json.as_array().unwrap().iter();
        list.map(|header| {
            let (name, value) = header.as_object().unwrap().iter().next().unwrap();
            let signed = |byte: &Value| (byte.as_i64().unwrap() as i8).cast_unsigned();
            let value = value
                .as_array()
                .map(|value| value.iter().map(signed).collect());
            (name.clone(), value)
        })
        .collect()
    }

    fn schema(schema: Option<&SchemaMetadata>) -> Value {
        schema.map_or(Value::Null, |schema| {
            serde_json::json!({"dataFormat": schema.data_format, "schemaId": schema.schema_id})
        })
    }

    fn compare(json: &Value, record: &Record) {
        assert_eq!(record.fault(), None);
        assert_eq!(record.topic(), json["topic"]);
        assert_eq!(record.partition(), json["partition"]);
        assert_eq!(record.offset(), json["offset"]);
        assert_eq!(record.timestamp_millis(), json["timestamp"]);
        let timestamp_type = match record.timestamp_type() {
            TimestampType::CreateTime => Value::from("CREATE_TIME"),
            TimestampType::LogAppendTime => Value::from("LOG_APPEND_TIME"),
            _ => Value::Null,
        };
        assert_eq!(timestamp_type, json["timestampType"]);
        assert_eq!(record.key(), bytes(&json["key"]).as_deref());
        assert_eq!(record.value(), bytes(&json["value"]).as_deref());
        let read: Vec<_> = record
            .headers()
            .iter()
            .map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)))
            .collect();
        assert_eq!(read, headers(&json["headers"]));
        assert_eq!(schema(record.key_schema()), json["keySchemaMetadata"]);
        assert_eq!(schema(record.value_schema()), json["valueSchemaMetadata"]);
        let raw: Value = serde_json::from_slice(&record.raw_json()).unwrap();
        assert_eq!(&raw, json);
    }

    fn check(event: &EventBuilder) {
        let json: Value = serde_json::from_str(&event.to_json()).unwrap();
        let records = event.build().records().unwrap();
        let partitions = json["records"].as_object().unwrap();
        assert_eq!(
            records.len(),
            partitions
                .values()
                .map(|records| records.as_array().unwrap().len())
                .sum::<usize>()
        );
        for record in &records {
            let array = partitions[&record.topic_partition().to_string()]
                .as_array()
                .unwrap();
            let own = array
                .iter()
                .find(|other| other["offset"] == record.offset())
                .unwrap();
            compare(own, record);
        }
    }

    proptest! {
        #[test]
        fn every_event_comes_back_as_it_was_built(event in strategy::event()) {
            check(&event);
        }

        #[test]
        fn the_source_comes_back(event in strategy::event()) {
            let json = event.to_json();
            for record in event.build().records().unwrap() {
                let msk = record.event_source().kind == EventSourceKind::Msk;
                prop_assert_eq!(msk, json.starts_with(r#"{"eventSource":"aws:kafka""#));
                prop_assert_eq!(msk, record.event_source().arn.is_some());
                prop_assert!(record.event_source().bootstrap_servers.is_some() == json.contains("bootstrapServers"));
            }
        }
    }
}
