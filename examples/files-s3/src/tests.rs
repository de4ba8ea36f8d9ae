//! Whole deliveries, from the event to the objects of a bucket.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::Command;

use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use flate2::read::GzDecoder;
use lambda_msk::Outcome::{Done, Failed};
use lambda_msk::testing::{Event, Invoked, Sample, invoke};
use lambda_msk::{Consumer, Failure, Outcome};

use crate::settings::Settings;
use crate::stub::{Reply, Stub};
use crate::{Place, Store, TOPIC, consumer_of};

const NEW_YEAR: i64 = 1_767_225_600_000; // 2026-01-01T00:00Z

fn settings(records: usize) -> Settings {
    let variable = |name: &str| match name {
        "FILES_S3" => Some("s3://my-bucket/files".into()),
        "BULK_RECORDS" => Some(records.to_string().into()),
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

#[tokio::test]
async fn a_file_whose_names_are_taken_gets_the_next_one() {
    let records = event(&[(0, 0..5)]).records().expect("records");
    let lines_sha256 = crate::files(&records)
        .expect("files")
        .remove(0)
        .lines_sha256;
    let name = |suffix: &str| key(0, 0, 4).replace(".ndjson.gz", &format!("{suffix}.ndjson.gz"));
    let stub = Stub::start(|_, _| Reply::Served);
    stub.holds(&name(""), "other lines");
    stub.holds(&name(&format!("-{lines_sha256}")), "");

    for _ in 0..2 {
        let invoked = invoke(&consumer(&stub, 9).await, event(&[(0, 0..5)])).await;
        assert_eq!(outcomes(&invoked), [Done]);
    }
    let third = name(&format!("-{lines_sha256}-2"));
    assert_eq!(stub.objects().len(), 3);
    assert_eq!(stub.objects()[&third].0, lines_sha256);

    for number in 2..=9 {
        stub.holds(&name(&format!("-{lines_sha256}-{number}")), "");
    }
    let invoked = invoke(&consumer(&stub, 9).await, event(&[(0, 0..5)])).await;
    assert_eq!(invoked.outcomes()[0], Failed);
    assert!(why(&stub).await.contains("move it elsewhere"));
}

#[tokio::test]
async fn what_was_not_sent_says_so_and_shows_no_password() {
    let elsewhere: fn(_) -> _ = |config: Builder| config.endpoint_url("user:s3cret@host:9000");
    let unnamed: fn(_) -> _ = |config: Builder| {
        let none = || async { Err(CredentialsError::not_loaded("s3cret")) };
        config.credentials_provider(provide_credentials_fn(none))
    };
    for (change, code, expected) in [
        (elsewhere, "files.not_sent", "AWS_ENDPOINT_URL_S3"),
        (unnamed, "files.no_credentials", "AWS_PROFILE"),
    ] {
        let stub = Stub::start(|_, _| Reply::Served);

        let failure = refusal(stub.client_with(change).await).await;

        assert_eq!(failure.given_code(), Some(code));
        let said = format!("{} {failure:?}", failure.error());
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        assert!(stub.came().is_empty());
    }
}

/// What the store says of a file.
async fn why(stub: &Stub) -> String {
    let failure = refusal(stub.client().await).await;
    failure.error().to_string()
}

/// What a bucket behind this client says of a file.
async fn refusal(client: Client) -> Failure {
    let store = Store::with_client(settings(9).place, client);
    let records = event(&[(0, 0..5)]).records().expect("records");
    let files = crate::files(&records).expect("files");
    let failure = store.write(files).await.expect_err("it is refused");
    assert!(failure.is_whole());
    failure
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
    let store = Store::new(Place::default(), None);

    let error = consumer_of(&settings, store, faults)
        .build()
        .expect_err("a fault");

    assert!(error.to_string().contains("FILES_S3"), "{error}");
}

/// Says to this test's own process that it is the child, and what it has to find.
const IS_CHILD: &str = "FILES_S3_TEST_CHILD";

/// The profile is that of the process's environment, so the test runs itself in another one.
#[tokio::test]
async fn a_region_that_neither_environment_nor_profile_has_is_a_fault() {
    const NAME: &str = "tests::a_region_that_neither_environment_nor_profile_has_is_a_fault";
    if let Some(expected) = std::env::var_os(IS_CHILD) {
        let built = crate::consumer().await.build();
        match &*expected.to_string_lossy() {
            "fault" => {
                let error = built.expect_err("a fault").to_string();
                assert!(error.contains("AWS_REGION"), "{error}");
            }
            _ => assert!(built.is_ok(), "{:?}", built.err()),
        }
        return;
    }
    let name = format!("files-s3-test-{}", std::process::id());
    let profile = std::env::temp_dir().join(name);
    std::fs::write(&profile, "[default]\nregion = eu-west-1\n").expect("a file");
    let missing = profile.with_extension("missing");
    for (region, config, expected) in [
        ("", &missing, "fault"),
        ("eu-west-1", &missing, "none"),
        ("", &profile, "none"),
    ] {
        let child = Command::new(std::env::current_exe().expect("this test"))
            .args([NAME, "--exact"])
            .env(IS_CHILD, expected)
            .env("FILES_S3", "s3://my-bucket/a")
            .env("AWS_REGION", region)
            .env("AWS_CONFIG_FILE", config)
            .env("AWS_SHARED_CREDENTIALS_FILE", &missing)
            .env_remove("AWS_DEFAULT_REGION")
            .env_remove("AWS_PROFILE")
            .output()
            .expect("a process");

        let text = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{region} {config:?}: {text}");
        assert!(text.contains("1 passed"), "{text}");
    }
    std::fs::remove_file(profile).expect("the file");
}
