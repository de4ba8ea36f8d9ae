//! The rules of behaviour, one module a rule, through the public API alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod emf;
mod keyed;
mod shared_store;
mod support;

mod at_most_once;
mod batches;
mod batches_that_fail;
mod embedded;
mod flush;
mod framed_json;
mod idempotency_key;
mod layers;
mod ledger_for_people;
mod ledger_leases;
mod ledger_merges;
mod ledger_writes;
mod log_lines;
mod mapping_overlooks;
mod metrics;
mod metrics_settings;
#[cfg(all(feature = "avro", feature = "protobuf", feature = "schema-registry"))]
mod misread;
mod panics;
mod per_record;
mod per_record_claims;
mod per_record_ends;
mod per_record_keys;
mod per_record_rejected;
mod places;
mod queue_memory;
mod rejection_that_may_pass;

mod rule_01_lanes;
mod rule_02_failure_names_what_happens_next;
mod rule_03_retry_in_place;
mod rule_04_failed_stops_its_lane;
mod rule_05_rejected_means_delivered;
mod rule_06_deadline;
mod rule_07_response;
mod rule_08_not_a_kafka_event;
mod rule_09_topic_without_a_handler;
mod rule_10_no_payload_in_logs_and_errors;
mod skipped_records;
mod store_requests;
mod thread_held;
mod time_outs;
mod traces;
mod turns;
#[cfg(feature = "avro")]
mod typed_avro;
#[cfg(feature = "avro")]
mod typed_fetches;
#[cfg(feature = "json-schema")]
mod typed_json_schema;
#[cfg(feature = "protobuf")]
mod typed_protobuf;
mod unnamed_clusters;
