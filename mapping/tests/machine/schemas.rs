//! Records that were checked by the schemas of a registry.

use std::sync::Arc;
use std::time::Duration;

use msk_mapping::document::Documents;
use msk_mapping::filter::Filter;
use msk_mapping::limits::INVALID_DELIVERING_MAX;
use msk_mapping::machine::{
    Because, Condition, Configuration, ConsumptionMode, EventRecordFormat, Input, OnFailure,
    SchemaFault, SchemaRegistryConfig, Validated, ValidatedAttribute, Validity,
};
use msk_mapping::record::{DataFormat, SchemaMetadata};
use serde_json::Value;

use crate::desk::{Desk, POLLER, orders, record, settings, shown};

fn validating() -> Configuration {
    let mut settings = settings();
    settings.schema_registry_config = Some(SchemaRegistryConfig {
        uri: "https://registry.example".to_owned(),
        event_record_format: Some(EventRecordFormat::Json),
        validated: vec![ValidatedAttribute::Value],
    });
    settings
}

fn with_destination() -> Configuration {
    let mut settings = validating();
    settings.on_failure = Some(OnFailure::S3("arn:aws:s3:::failed".to_owned()));
    settings
}

fn valid(offset: i64) -> Validated {
    Validated {
        record: record(0, offset),
        validity: Validity::Valid { filtered: None },
    }
}

fn invalid(offset: i64, fault: SchemaFault) -> Validated {
    Validated {
        record: record(0, offset),
        validity: Validity::Invalid(fault),
    }
}

fn misfit(offset: i64) -> Validated {
    invalid(offset, SchemaFault::Deserialization)
}

fn give(desk: &mut Desk, records: Vec<Validated>) {
    desk.give(Input::Validated {
        poller: POLLER,
        records,
    });
}

#[test]
fn an_invalid_record_without_a_destination_is_dropped_and_committed() {
    let mut desk = Desk::new(validating());

    give(&mut desk, vec![misfit(0), misfit(1)]);

    let told = desk.dropped.iter().map(|lost| {
        assert_eq!(lost.condition, Condition::DeserializationError);
        assert_eq!(lost.because, Because::NoDestination);
        shown(&lost.records)
    });
    assert_eq!(told.collect::<Vec<_>>(), ["orders-0: 0", "orders-0: 1"]);
    assert_eq!(desk.commits, ["orders-0@2"]);
    let metrics = desk.mapping.metrics();
    assert_eq!((metrics.invalid, metrics.dropped), (2, 2));
    assert_eq!((metrics.polled, metrics.committed), (2, 2));
    assert!(desk.mapping.is_idle());
}

#[test]
fn an_invalid_record_has_a_document_of_its_own_with_its_condition() {
    let settings = with_destination();
    let documents = Documents::of(&settings);
    let mut desk = Desk::new(settings);

    give(
        &mut desk,
        vec![misfit(0), invalid(1, SchemaFault::NotFound)],
    );

    let conditions: Vec<Value> = desk
        .deliveries
        .iter()
        .map(|discarded| {
            let document: Value = serde_json::from_str(&documents.with_payload(discarded)).unwrap();
            assert_eq!(document["requestContext"]["approximateInvokeCount"], 0);
            assert_eq!(document["requestContext"]["requestId"], Value::Null);
            assert_eq!(document["KafkaBatchInfo"]["batchSize"], 1);
            document["requestContext"]["condition"].clone()
        })
        .collect();
    assert_eq!(conditions, ["DESERIALIZATION_ERROR", "SCHEMA_NOT_FOUND"]);
    assert!(desk.commits.is_empty());
    desk.deliver();
    desk.deliver();
    assert_eq!(desk.commits, ["orders-0@1", "orders-0@2"]);
    assert_eq!(desk.mapping.metrics().delivered, 2);
}

#[test]
fn an_invalid_record_holds_up_no_batch_of_its_partition() {
    let mut desk = Desk::new(with_destination());

    give(&mut desk, vec![valid(0), misfit(1), valid(2)]);
    desk.wait(Duration::from_millis(500));

    let batch = desk.batch();
    assert_eq!(shown(&batch.partitions), "orders-0: 0 2");
    desk.answer(&batch, "null");
    assert_eq!(
        desk.commits,
        ["orders-0@1"],
        "the invalid one is on its way"
    );
    desk.deliver();
    assert_eq!(desk.commits.last().unwrap(), "orders-0@3");
}

#[test]
fn an_invalid_record_frees_no_partition_whose_batch_is_in_flight() {
    let mut desk = Desk::new(validating());
    give(&mut desk, vec![valid(0)]);
    desk.wait(Duration::from_millis(500));
    let batch = desk.batch();

    give(&mut desk, vec![misfit(1), valid(2)]);
    desk.wait(Duration::from_millis(500));

    assert!(desk.batches.is_empty(), "the partition waits");
    desk.answer(&batch, "null");
    assert_eq!(shown(&desk.batch().partitions), "orders-0: 2");
}

#[test]
fn few_invalid_records_are_on_their_way_at_once_and_the_others_follow() {
    let mut desk = Desk::new(with_destination());
    let many = i64::try_from(INVALID_DELIVERING_MAX).unwrap() + 25;

    give(&mut desk, (0..many).map(misfit).collect());

    assert_eq!(desk.deliveries.len(), INVALID_DELIVERING_MAX);
    assert!(!desk.polls(0), "enough of them wait");
    for _ in 0..many {
        desk.deliver();
    }
    assert_eq!(desk.commits.last().unwrap(), &format!("orders-0@{many}"));
    assert!(desk.mapping.is_idle() && desk.polls(0));
}

#[test]
fn an_invalid_record_of_a_revoked_partition_comes_again() {
    let mut desk = Desk::new(with_destination());
    give(&mut desk, vec![misfit(0)]);

    desk.revoke(0);
    desk.assign(0, Some(0));
    desk.deliver();
    give(&mut desk, vec![misfit(0)]);

    assert!(desk.commits.is_empty());
    assert_eq!(desk.deliveries.len(), 1);
    desk.deliver();
    assert_eq!(desk.commits, ["orders-0@1"]);
}

#[test]
fn an_invalid_record_of_a_partition_that_is_leaving_is_not_sent() {
    let mut desk = Desk::new(with_destination());
    desk.give(Input::Revoking {
        poller: POLLER,
        partition: orders(0),
    });

    give(&mut desk, vec![misfit(0)]);

    assert!(desk.deliveries.is_empty());
}

#[test]
fn an_invalid_record_in_queue_mode_is_rejected_and_not_released() {
    let mut settings = validating();
    settings.source = msk_mapping::event::Source::SelfManaged {
        bootstrap_servers: None,
    };
    settings.consumption_mode = ConsumptionMode::Queue;
    let mut desk = Desk::new(settings);

    give(&mut desk, vec![misfit(4)]);

    let [(records, with)] = &desk.acknowledged[..] else {
        panic!("{:?}", desk.acknowledged)
    };
    assert_eq!(records, "orders-0: 4");
    assert_eq!(*with, msk_mapping::machine::Acknowledgement::Reject);
}

#[test]
fn a_filter_looks_at_what_stands_for_the_value() {
    let filter = Filter::parse([r#"{"value":{"kind":["order"]}}"#]).unwrap();
    let mut settings = validating();
    settings.filter_criteria = Some(Arc::new(move |value| filter.matches(value)));
    let mut desk = Desk::new(settings);
    let with = |offset, json: &'static str| Validated {
        record: record(0, offset).with_value(vec![0xff]),
        validity: Validity::Valid {
            filtered: Some(json.into()),
        },
    };

    give(
        &mut desk,
        vec![
            with(0, r#"{"kind":"order"}"#),
            with(1, r#"{"kind":"click"}"#),
        ],
    );
    desk.wait(Duration::from_millis(500));

    let batch = desk.batch();
    assert_eq!(shown(&batch.partitions), "orders-0: 0");
    assert!(String::from_utf8_lossy(&batch.body).contains(r#""value":"/w==""#));
    assert_eq!(desk.mapping.metrics().filtered_out, 1);
}

#[test]
fn a_filter_never_sees_an_invalid_record() {
    let mut settings = validating();
    settings.filter_criteria = Some(Arc::new(|_| panic!("it is asked")));
    let mut desk = Desk::new(settings);

    give(&mut desk, vec![misfit(0)]);

    assert_eq!(desk.dropped.len(), 1);
    assert_eq!(desk.mapping.metrics().filtered_out, 0);
}

#[test]
fn the_event_names_the_schemas_of_key_and_value() {
    let mut desk = Desk::new(validating());
    let schema = |data_format, id: &str| {
        let schema_id = id.into();
        Some(SchemaMetadata {
            data_format,
            schema_id,
        })
    };
    let mut read = valid(0);
    read.record = read.record.with_key("k");
    read.record.key_schema = schema(DataFormat::Json, "7");
    read.record.value_schema = schema(DataFormat::Avro, "12");
    let bytes = desk
        .mapping
        .configuration()
        .envelope()
        .event([&read.record]);
    let size = desk.mapping.configuration().envelope().size();
    let counted = desk
        .mapping
        .configuration()
        .envelope()
        .record_bytes(&read.record);

    give(&mut desk, vec![read]);
    desk.wait(Duration::from_millis(500));

    let event: Value = serde_json::from_slice(&desk.batch().body).unwrap();
    let record = &event["records"]["orders-0"][0];
    assert_eq!(
        record["valueSchemaMetadata"],
        serde_json::json!({"dataFormat": "AVRO", "schemaId": "12"})
    );
    assert_eq!(
        record["keySchemaMetadata"],
        serde_json::json!({"dataFormat": "JSON", "schemaId": "7"})
    );
    assert_eq!(size.with(&orders(0), counted), bytes.len());
}

#[test]
fn what_lambda_would_refuse_of_a_schema_registry_is_named() {
    let faults = |config: SchemaRegistryConfig, provisioned: bool| {
        let mut settings = settings();
        settings.schema_registry_config = Some(config);
        if !provisioned {
            settings.provisioned_poller_config = None;
            settings.function_response_types = msk_mapping::response::FailureReporting::WholeBatch;
        }
        let faults = settings.check().unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let config = |uri: &str, validated: &[ValidatedAttribute]| SchemaRegistryConfig {
        uri: uri.to_owned(),
        event_record_format: None,
        validated: validated.to_vec(),
    };
    let right = validating().schema_registry_config.unwrap();
    let glue = "arn:aws:glue:eu-west-1:123456789012:registry/shop";

    assert_eq!(
        faults(config("", &[]), true),
        [
            "SchemaRegistryConfig.SchemaRegistryURI is missing: give a registry's URL or ARN",
            "SchemaRegistryConfig.EventRecordFormat is missing: give JSON or SOURCE",
            "SchemaRegistryConfig.SchemaValidationConfigs is empty: give KEY, VALUE or both",
        ]
    );
    let twice = [ValidatedAttribute::Key, ValidatedAttribute::Key];
    let of_twice = faults(config("ftp://r", &twice), true);
    assert!(
        of_twice[0].contains("expected https://HOST"),
        "{of_twice:?}"
    );
    assert!(
        of_twice[2].ends_with("has KEY twice: give it once"),
        "{of_twice:?}"
    );
    assert_eq!(faults(config(glue, &twice[..1]), true).len(), 1);
    assert_eq!(
        faults(right, false),
        ["SchemaRegistryConfig needs provisioned mode: set ProvisionedPollerConfig"]
    );
    assert!(validating().check().is_ok());
}
