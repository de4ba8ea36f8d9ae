//! Whole deliveries, from the event to the objects of a bucket.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use lambda_msk::Outcome::{Done, Failed};
use lambda_msk::testing::{Event, Invoked, Sample, invoke};
use lambda_msk::{Consumer, Outcome};

use crate::settings::Settings;
use crate::stub::{Reply, Stub};
use crate::{Place, Store, TOPIC, consumer_of};

const NEW_YEAR: i64 = 1_767_225_600_000; // 2026-01-01T00:00Z

fn settings(records: usize) -> Settings {
    let variable = |name: &str| match name {
        "FILES_S3" => Some("s3://my-bucket/files".to_owned()),
        "BULK_RECORDS" => Some(records.to_string()),
        _ => None,
    };
    let (settings, faults) = Settings::read(TOPIC, variable);
    assert!(faults.is_empty(), "{faults:?}");
    settings
}

async fn consumer(stub: &Stub, records: usize) -> Consumer {
    let settings = settings(records);
    let store = Store::with_client(settings.place.clone(), stub.client().await);
    let consumer = consumer_of(&settings, store, Vec::new()).build();
    consumer.expect("the consumer is configured")
}

/// Records of a partition with these offsets, a second apart from the new year on.
fn event(partitions: &[(i32, std::ops::Range<i64>)]) -> Event {
    let of = |(partition, offsets): &(i32, std::ops::Range<i64>)| {
        let partition = *partition;
        offsets.clone().map(move |offset| {
            let sample = Sample::new(TOPIC, partition).offset(offset);
            let time = NEW_YEAR + 1_000 * offset;
            sample
                .timestamp(time)
                .value(format!("{{\"order_id\":{offset}}}"))
        })
    };
    Event::msk().records(partitions.iter().flat_map(of)).build()
}

/// Each outcome that there is.
fn outcomes(invoked: &Invoked) -> Vec<Outcome> {
    let mut all = invoked.outcomes();
    all.dedup();
    all
}

/// The key of a file of the new year.
fn key(partition: i32, first: i64, last: i64) -> String {
    format!("files/{TOPIC}/2026-01-01/{TOPIC}+{partition}+{first:019}+{last:019}.ndjson.gz")
}

fn keys(stub: &Stub) -> Vec<String> {
    stub.objects().into_keys().collect()
}

fn text(gzip: &[u8]) -> String {
    let mut text = String::new();
    let mut gzip = GzDecoder::new(gzip);
    gzip.read_to_string(&mut text).expect("gzip of UTF-8");
    text
}

#[tokio::test]
async fn a_delivery_becomes_files_and_the_same_delivery_again_becomes_no_more() {
    let stub = Stub::start(|_, _| Reply::Served);
    let records = [(0, 10..15), (1, 0..2)];

    let first = invoke(&consumer(&stub, 3).await, event(&records)).await;
    let objects = stub.objects();
    // In another process, which knows nothing of the first.
    let again = invoke(&consumer(&stub, 3).await, event(&records)).await;

    assert_eq!(outcomes(&first), [Done]);
    assert_eq!(outcomes(&again), [Done]);
    assert_eq!(
        objects.keys().cloned().collect::<Vec<_>>(),
        [key(0, 10, 12), key(0, 13, 14), key(1, 0, 1)]
    );
    assert_eq!(stub.objects(), objects);
    let lines = text(&objects[&key(0, 13, 14)].1);
    let line = |offset: i64| {
        let time = NEW_YEAR + 1_000 * offset;
        format!(
            "{{\"topic\":\"{TOPIC}\",\"partition\":0,\"offset\":{offset},\"timestamp\":{time},\"key\":null,\"value\":\"{{\\\"order_id\\\":{offset}}}\"}}\n"
        )
    };
    assert_eq!(lines, line(13) + &line(14));
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_one_file() {
    let stub = Stub::start(|number, _| match number {
        0 => Reply::Lost,
        _ => Reply::Served,
    });

    let invoked = invoke(&consumer(&stub, 9).await, event(&[(0, 0..5)])).await;

    assert_eq!(outcomes(&invoked), [Done]);
    assert_eq!(keys(&stub), [key(0, 0, 4)]);
    let methods: Vec<_> = stub.came().into_iter().map(|(method, _)| method).collect();
    assert_eq!(methods, ["PUT", "PUT", "HEAD"]);
}

#[tokio::test]
async fn a_file_of_a_topic_made_anew_gets_a_name_of_its_own() {
    let stub = Stub::start(|_, _| Reply::Served);
    stub.holds(&key(0, 0, 4), "other lines");

    let invoked = invoke(&consumer(&stub, 9).await, event(&[(0, 0..5)])).await;
    let again = invoke(&consumer(&stub, 9).await, event(&[(0, 0..5)])).await;

    assert_eq!(
        (outcomes(&invoked), outcomes(&again)),
        (vec![Done], vec![Done])
    );
    let objects = stub.objects();
    assert_eq!(objects[&key(0, 0, 4)].1, b"of others");
    let (second, (lines_sha256, gzip)) = objects.first_key_value().expect("a second object");
    let name = key(0, 0, 4).replace(".ndjson.gz", &format!("-{lines_sha256}.ndjson.gz"));
    assert_eq!((objects.len(), second), (2, &name));
    assert_eq!(text(gzip).lines().count(), 5);
}

#[tokio::test]
async fn a_bucket_that_is_down_is_asked_again_for_the_same_files() {
    // The SDK tries three times.
    let stub = Stub::start(|number, _| match number {
        0..4 => Reply::Refused(503, "SlowDown"),
        _ => Reply::Served,
    });

    let invoked = invoke(&consumer(&stub, 9).await, event(&[(0, 0..5)])).await;

    assert_eq!(outcomes(&invoked), [Done]);
    assert_eq!(keys(&stub), [key(0, 0, 4)]);
}

#[tokio::test]
async fn a_bucket_that_refuses_leaves_records_failed_and_no_file_of_another_name() {
    for (put, head, expected) in [
        (
            Some((403, "AccessDenied")),
            None,
            "the function's role needs s3:PutObject",
        ),
        (
            None,
            Some((403, "")),
            "the function's role needs s3:GetObject",
        ),
        (
            Some((404, "NoSuchBucket")),
            None,
            "check the bucket's name in FILES_S3",
        ),
        (
            Some((301, "PermanentRedirect")),
            None,
            "the bucket is in another region",
        ),
        (
            Some((403, "SignatureDoesNotMatch")),
            None,
            "check the function's credentials",
        ),
        (
            Some((400, "KMS.DisabledException")),
            None,
            "the function's role needs kms:GenerateDataKey",
        ),
    ] {
        let stub = Stub::start(move |_, method| {
            let reply = if method == "PUT" { put } else { head };
            reply.map_or(Reply::Served, |(status, code)| Reply::Refused(status, code))
        });
        if head.is_some() {
            stub.holds(&key(0, 0, 4), "other lines");
        }
        let consumer = consumer(&stub, 9).await;

        let invoked = invoke(&consumer, event(&[(0, 0..5)])).await;

        assert_ne!(outcomes(&invoked), [Done], "{expected}");
        assert_eq!(invoked.outcomes()[0], Failed, "{expected}");
        let asked: BTreeSet<_> = stub.came().into_iter().map(|(_, key)| key).collect();
        assert_eq!(asked, BTreeSet::from([key(0, 0, 4)]), "{expected}");
        let said = why(&stub).await;
        assert!(said.contains(expected), "{said}");
    }
}

/// What the store says of a file.
async fn why(stub: &Stub) -> String {
    let place = settings(9).place;
    let store = Store::with_client(place, stub.client().await);
    let records = event(&[(0, 0..5)]).records().expect("records");
    let files = crate::files(&records).expect("files");
    let failure = store.write(files).await.expect_err("it is refused");
    assert!(failure.is_whole());
    failure.error().to_string()
}

#[tokio::test]
async fn the_sample_events_become_files() {
    for (file, expected) in [("batch", 2), ("odd", 4)] {
        let stub = Stub::start(|_, _| Reply::Served);
        let path = format!("{}/events/{file}.json", env!("CARGO_MANIFEST_DIR"));

        let invoked = invoke(
            &consumer(&stub, 500).await,
            Event::from_file(path).expect("an event"),
        )
        .await;

        assert_eq!(outcomes(&invoked), [Done], "{file}");
        assert_eq!(stub.objects().len(), expected, "{file}: {:?}", keys(&stub));
    }
}

#[test]
fn a_variable_that_is_missing_ends_the_start_and_is_named() {
    let (settings, faults) = Settings::read(TOPIC, |_| None);
    let store = Store::new(Place::default());

    let error = consumer_of(&settings, store, faults)
        .build()
        .expect_err("a fault");

    assert!(error.to_string().contains("FILES_S3"), "{error}");
}
