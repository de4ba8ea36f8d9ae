//! Until when letters, and records of letters that hold only coordinates, can be had: what `cargo msk dlq list` says of a topic's retention.

use msk_kafka::{Cluster, Outgoing, Producer};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::support::broker::{bootstrap, topic_with};
use crate::support::build::cargo_msk;
use crate::support::ends;
use crate::support::redrive::list;

/// 2100: nothing is deleted while the test runs.
const WRITTEN_MS: i64 = 4_102_444_800_000;
const NO_AWS: &str = "http://127.0.0.1:9";

/// A topic with these settings, and one record of that time.
async fn with_record(stem: &str, settings: &[(&str, &str)], value: &str) -> String {
    // Its time is long after the broker's.
    let far = ("message.timestamp.after.max.ms", "9223372036854775807");
    let topic = topic_with(&bootstrap(), stem, 1, &[settings, &[far]].concat()).await;
    let producer = Producer::new(&Cluster::new(bootstrap())).unwrap();
    let mut outgoing = Outgoing::to(&topic);
    outgoing.partition = Some(0);
    outgoing.value = Some(value.as_bytes());
    outgoing.timestamp = Some(WRITTEN_MS);
    producer.send(&[outgoing]).await.unwrap();
    topic
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_list_says_from_when_on_retention_may_delete_letters_and_records() {
    let two_hours = ("retention.ms", "7200000");
    let day = ("retention.ms", "86400000");
    let orders = with_record("kept-orders", &[two_hours], "{}").await;
    let at = "2100-01-01T00:00:00Z";
    let span = json!({"firstRecordOffset": "0", "lastRecordOffset": "0", "firstRecordTimestamp": at, "lastRecordTimestamp": at});
    let letter = json!({
        "requestContext": {"requestId": "r", "functionArn": "arn:aws:lambda:r:1:function:f", "condition": "RetriesExhausted", "approximateInvokeCount": 1},
        "responseContext": null, "version": "1.0", "timestamp": at,
        "KafkaBatchInfo": {"batchSize": 1, "bootstrapServers": bootstrap(), "payloadSize": 1, "recordsInfo": {(format!("{orders}-0")): span}},
    });
    let dead = with_record("kept-dead", &[day], &letter.to_string()).await;

    let from = format!("kafka://{dead}?bootstrap={}", bootstrap());
    spawn_blocking(cargo_msk).await.unwrap();
    let listed = ends(list(&from, NO_AWS)).await;

    let record = &listed["coordinatesOnly"]["asked"][0];
    assert_eq!(record["found"], 1, "{listed:#}");
    assert_eq!(record["until"], "2100-01-01T02:00:00.000Z", "{listed:#}");
    assert_eq!(listed["until"], "2100-01-02T00:00:00.000Z", "{listed:#}");
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_topic_tells_its_limits_of_age_and_of_size() {
    let cluster = Cluster::new(bootstrap());
    let limits = [("retention.ms", "60000"), ("retention.bytes", "5000")];
    let limited = topic_with(&bootstrap(), "kept-limited", 1, &limits).await;
    let for_ever = topic_with(&bootstrap(), "kept-for-ever", 1, &[]).await;
    let compact = [limits[0], ("cleanup.policy", "compact")];
    let compacted = topic_with(&bootstrap(), "kept-compacted", 1, &compact).await;

    let told = cluster.retention(&limited).await.unwrap();
    assert_eq!((told.ms, told.bytes), (Some(60_000), Some(5_000)));
    for topic in [for_ever, compacted] {
        let told = cluster.retention(&topic).await.unwrap();
        assert_eq!((told.ms, told.bytes), (None, None), "{topic}");
    }
    assert_eq!(cluster.retention("kept-nowhere").await, None);
}
