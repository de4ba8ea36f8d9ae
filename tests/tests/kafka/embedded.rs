//! The broker in the process: what comes out is what went in.

use bytes::Bytes;
use msk_mapping::driver::{Cluster, EmbeddedBroker, Outgoing, Producer, Status, Unread};
use msk_mapping::machine::StartingPosition;
use msk_mapping::record::Header;
use serde_json::{Value, json};

use crate::consume::settings;
use crate::support::echo;

/// The events that a function was sent until all is settled; and how it stood then.
async fn echoed(cluster: Cluster, topic: &str) -> (Vec<Value>, Status) {
    let settings = settings(cluster.bootstrap(), topic);
    let echoed = echo::run(echo::driver(cluster, settings).alone()).await;
    (echoed.events, echoed.status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_arrives_as_it_was_produced_nulls_and_repeats_included() {
    let broker = EmbeddedBroker::start([("orders", 1)]).unwrap();
    let header = |name: &str, value: Option<&'static [u8]>| Header {
        name: name.to_owned(),
        value: value.map(Bytes::from_static),
    };
    let headers = [
        header("a", Some(b"\xc3\xab")),
        header("a", None),
        header("", Some(b"")),
    ];
    let mut full = Outgoing::to("orders");
    full.key = Some(b"k".as_slice());
    full.value = Some(b"v".as_slice());
    full.headers = &headers;
    full.timestamp = Some(1_767_225_600_123);
    let mut empty = Outgoing::to("orders");
    empty.key = Some(b"".as_slice());
    empty.value = Some(b"".as_slice());
    let nothing = Outgoing::to("orders");
    let producer = Producer::new(&broker.cluster()).unwrap();
    producer.send(&[full, empty, nothing]).await.unwrap();

    let (events, status) = echoed(broker.cluster(), "orders").await;

    let records: Vec<&Value> = events
        .iter()
        .flat_map(|event| event["records"]["orders-0"].as_array().unwrap())
        .collect();
    assert_eq!((records.len(), status.lag()), (3, Some(0)));
    assert_eq!(
        *records[0],
        json!({
            "topic": "orders", "partition": 0, "offset": 0,
            "timestamp": 1_767_225_600_123_i64, "timestampType": "CREATE_TIME",
            "key": "aw==", "value": "dg==",
            "headers": [{"a": [-61, -85]}, {"a": null}, {"": []}],
        })
    );
    assert_eq!(records[1]["key"], json!(""));
    assert_eq!(records[1]["value"], json!(""));
    assert_eq!(
        (records[2].get("key"), records[2].get("value")),
        (None, None)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_from_a_time_on_reads_what_is_of_that_time_or_later() {
    let broker = EmbeddedBroker::start([("orders", 2)]).unwrap();
    let first = 1_767_225_600_000;
    let record = |second: i64| {
        let mut record = Outgoing::to("orders");
        record.partition = Some(0);
        record.timestamp = Some(first + 1_000 * second);
        record
    };
    let records: Vec<_> = (0..10).map(record).collect();
    let producer = Producer::new(&broker.cluster()).unwrap();
    producer.send(&records).await.unwrap();
    let from = |second: i64, group: &str| {
        let mut settings = settings(broker.cluster().bootstrap(), "orders");
        settings.starting_position = StartingPosition::AtTimestamp(first + 1_000 * second);
        settings.consumer_group_id = Some(group.to_owned());
        echo::run(echo::driver(broker.cluster(), settings).alone())
    };

    let middle = from(5, "middle").await;
    let after = from(100, "after").await;

    assert_eq!(middle.offsets(), [5, 6, 7, 8, 9]);
    assert_eq!(middle.status.unread, None);
    assert_eq!(after.offsets(), [0_i64; 0]);
    let millis = first + 100_000;
    assert_eq!(after.status.unread, Some(Unread::AfterTheLast { millis }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_takes_over_where_it_left_off() {
    let broker = EmbeddedBroker::start([("orders", 2)]).unwrap();
    let producer = Producer::new(&broker.cluster()).unwrap();
    let records = |count: usize| vec![Outgoing::to("orders"); count];
    let sent = |events: &[Value]| {
        let records = |event: &Value| event["records"].as_object().unwrap().clone();
        let of_each = events.iter().flat_map(records);
        of_each
            .map(|(_, records)| records.as_array().unwrap().len())
            .sum::<usize>()
    };
    producer.send(&records(250)).await.unwrap();
    let (first, _) = echoed(broker.cluster(), "orders").await;
    producer.send(&records(30)).await.unwrap();

    let (second, status) = echoed(broker.cluster(), "orders").await;

    assert_eq!((sent(&first), sent(&second)), (250, 30));
    assert_eq!(status.metrics.polled, 30);
}
