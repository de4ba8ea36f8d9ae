//! A bucket at the S3 store that `tests/services/run` has started, and what the example `files-s3` has written there.

use std::collections::BTreeMap;
use std::io::Read;

use aws_config::{BehaviorVersion, Region};
use flate2::read::GzDecoder;
use msk_destinations::send::aws_sdk_s3::Client;
use msk_destinations::send::aws_sdk_s3::config::Builder;
use serde_json::Value;

/// The address of the store.
pub(crate) fn server() -> String {
    std::env::var("LAMBDA_MSK_VERSITYGW").expect("run by tests/services/run")
}

/// A bucket of the test's own.
pub(crate) struct Bucket {
    name: String,
    pub(crate) client: Client,
}

impl Bucket {
    /// A bucket at that server, whose root has the keys of the environment.
    pub(crate) async fn at(server: &str) -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest());
        let config = config.region(Region::new("us-east-1")).endpoint_url(server);
        let builder = Builder::from(&config.load().await).force_path_style(true);
        let client = Client::from_conf(builder.region(Region::new("eu-central-1")).build());
        let name = format!("files-{}-{}", std::process::id(), fastrand::u32(..));
        client.create_bucket().bucket(&name).send().await.unwrap();
        Self { name, client }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The keys of all objects, in their order.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let request = self.client.list_objects_v2().bucket(&self.name);
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            let of_page = page.contents().iter().map(|it| it.key().unwrap());
            keys.extend(of_page.map(str::to_owned));
        }
        keys
    }

    /// The lines of a file, uncompressed.
    pub(crate) async fn lines(&self, key: &str) -> Vec<String> {
        let request = self.client.get_object().bucket(&self.name).key(key);
        let body = request.send().await.unwrap().body.collect().await;
        let body = body.unwrap().into_bytes();
        let mut text = String::new();
        GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
        assert!(text.ends_with('\n'), "{key}");
        text.lines().map(str::to_owned).collect()
    }

    /// Every line below a prefix, by partition and offset, and how many stand there again. Fails if a file's name does not say what it holds, or if a double differs.
    pub(crate) async fn records(&self, prefix: &str, topic: &str) -> (Records, usize) {
        let (mut records, mut doubles) = (Records::new(), 0);
        for key in self.keys().await {
            let name = key.strip_prefix(&format!("{prefix}/{topic}/")).unwrap();
            let name = name.strip_suffix(".ndjson.gz").unwrap();
            let (day, name) = name.split_once('/').unwrap();
            let mut places = Vec::new();
            for line in self.lines(&key).await {
                let record: Value = serde_json::from_str(&line).unwrap();
                assert_eq!(record["topic"], topic, "{key}");
                assert_eq!(day_of(&record["timestamp"]), day, "{key}");
                let number = |field: &str| record[field].as_i64().unwrap();
                let place = (number("partition"), number("offset"));
                places.push(place);
                doubles += match records.insert(place, record.clone()) {
                    None => 0,
                    Some(other) if other == record => 1,
                    Some(other) => panic!("{key}: {record} is a double of {other}"),
                };
            }
            let ((partition, first), (_, last)) = (places[0], places[places.len() - 1]);
            let expected = format!("{topic}+{partition}+{first:019}+{last:019}");
            assert!(
                name == expected || name.starts_with(&(expected + "-")),
                "{key}"
            );
            assert!(places.is_sorted(), "{key}");
            assert!(places.iter().all(|place| place.0 == partition), "{key}");
        }
        (records, doubles)
    }
}

/// Lines by partition and offset.
pub(crate) type Records = BTreeMap<(i64, i64), Value>;

/// As the calendar has it, by another way than the function's own.
fn day_of(timestamp: &Value) -> String {
    match timestamp.as_i64().unwrap() {
        -1 => "unknown".to_owned(),
        millis => {
            let time = jiff::Timestamp::from_millisecond(millis).unwrap();
            time.strftime("%Y-%m-%d").to_string()
        }
    }
}
