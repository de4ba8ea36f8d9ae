//! Letters to S3, answered by a stub in the process.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use msk_destinations::send::aws_sdk_s3::Client;
use msk_destinations::send::aws_sdk_s3::config::retry::RetryPartition;
use msk_destinations::send::aws_sdk_s3::config::{
    AsyncSleep, BehaviorVersion, Config, Credentials, Region, SharedAsyncSleep, Sleep,
};
use tokio::time::Instant;

use super::S3Destination;
use crate::destination::Destination;
use crate::destination::fixture::{letters, letters_until};
use crate::destination::http_stub::{Came, Reply, SEND, Stub, outcomes};
use crate::limits::{S3_PUTS_AT_ONCE_MAX, SEND_MS_MAX};

const BUCKET: &str = "s3://given-up/desk";
const META: &str = "x-amz-meta-lambda-msk-fingerprint";
const KEY: &str = "s3://given-up/desk/orders/0/15-1545084650987";

/// As the SDK's own, named here because a client without aws-config has none.
#[derive(Debug)]
pub(super) struct TokioSleep;

impl AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration))
    }
}

pub(in crate::destination) fn destination(stub: &Stub) -> S3Destination {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep))
        // Clients of one partition share a number of retries, which one test would use up for another.
        .retry_partition(RetryPartition::new(format!("{:x}", fastrand::u64(..))))
        .force_path_style(true)
        .http_client(stub.http());
    S3Destination::with_client(Client::from_conf(config.build()), BUCKET).unwrap()
}

pub(in crate::destination) fn taken() -> Reply {
    Reply::Says(200, Vec::new(), String::new())
}

fn says(status: u16, code: &str) -> Reply {
    let body = format!("<Error><Code>{code}</Code><Message>so it is</Message></Error>");
    Reply::Says(status, Vec::new(), body)
}

/// An object that stands there.
fn holds(fingerprint: &str) -> Reply {
    Reply::Says(200, vec![(META, fingerprint.to_owned())], String::new())
}

fn path(came: &Came) -> &str {
    let path = came.uri.split('?').next().unwrap();
    path.split_once("/given-up/").unwrap().1
}

#[tokio::test(start_paused = true)]
async fn an_object_is_the_envelope_named_by_coordinates_and_time_and_replaces_none() {
    let stub = Stub::new(|_, _| taken());
    let letters = letters(1);

    let results = destination(&stub).send(&letters).await;

    assert_eq!(outcomes(results), ["confirmed"]);
    let came = stub.came().remove(0);
    assert_eq!(
        (&*came.method, path(&came)),
        ("PUT", "desk/orders/0/15-1545084650987.json")
    );
    assert_eq!(came.header("if-none-match"), Some("*"));
    assert_eq!(came.header(META).unwrap().len(), 32);
    assert!(came.body.contains(&letters[0].envelope()));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_ends_with_the_object_that_stands_there() {
    let stub = Stub::new(|request, came| match request {
        0 => Reply::Lost,
        1 => says(412, "PreconditionFailed"),
        _ => {
            assert_eq!(came.method, "HEAD");
            Reply::Silence
        }
    });
    let letters = letters_until(SEND, &["a".to_owned()]);
    let results = outcomes(destination(&stub).send(&letters).await);
    assert!(results[0].contains("did not respond"), "{}", results[0]);
    let fingerprint = stub.came()[0].header(META).unwrap().to_owned();
    let stub = Stub::new(move |request, _| match request {
        0 => Reply::Lost,
        1 => says(412, "PreconditionFailed"),
        _ => holds(&fingerprint),
    });

    let results = destination(&stub)
        .send(&letters_until(SEND, &["a".to_owned()]))
        .await;

    assert_eq!(outcomes(results), ["confirmed"]);
    assert_eq!(stub.came().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_object_of_another_record_stays_and_the_letter_gets_a_second_name() {
    let stub = Stub::new(|request, _| match request {
        0 => says(412, "PreconditionFailed"),
        1 => holds("another"),
        _ => taken(),
    });

    let results = destination(&stub).send(&letters(1)).await;

    assert_eq!(outcomes(results), ["confirmed"]);
    let came = stub.came();
    let fingerprint = came[2].header(META).unwrap();
    let second = format!("desk/orders/0/15-1545084650987-{fingerprint}.json");
    assert_eq!(path(&came[2]), second);
    assert_eq!(came[2].header("if-none-match"), Some("*"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_named_for_putting_and_for_comparing() {
    let put = Stub::new(|_, _| says(403, "AccessDenied"));
    let head = Stub::new(|request, _| match request {
        0 => says(412, "PreconditionFailed"),
        _ => Reply::Says(403, Vec::new(), String::new()),
    });

    let put_said = outcomes(destination(&put).send(&letters(1)).await);
    let head_said = outcomes(destination(&head).send(&letters(1)).await);

    let denied = format!(
        "`{KEY}.json` refused the request: AccessDenied: so it is; the function's role needs `s3:PutObject` on its objects"
    );
    assert_eq!(put_said, [denied]);
    assert!(head_said[0].contains("`s3:GetObject`"), "{}", head_said[0]);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_elsewhere_or_nowhere_says_what_to_do() {
    let elsewhere = Stub::new(|_, _| says(301, "PermanentRedirect"));
    let nowhere = Stub::new(|_, _| says(404, "NoSuchBucket"));

    let elsewhere = outcomes(destination(&elsewhere).send(&letters(1)).await);
    let nowhere = outcomes(destination(&nowhere).send(&letters(1)).await);

    assert!(
        elsewhere[0].ends_with("use one in the function's region"),
        "{}",
        elsewhere[0]
    );
    assert!(
        nowhere[0].ends_with("; check the bucket's name"),
        "{}",
        nowhere[0]
    );
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_slows_down_takes_the_letter_later() {
    let stub = Stub::new(|request, _| match request {
        0..4 => says(503, "SlowDown"),
        4 => says(409, "ConditionalRequestConflict"),
        _ => taken(),
    });

    let results = destination(&stub).send(&letters(1)).await;

    assert_eq!(outcomes(results), ["confirmed"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_bucket_is_left_after_one_longest_wait_for_however_many_letters() {
    let stub = Stub::new(|_, _| Reply::Silence);
    let letters = letters(3 * S3_PUTS_AT_ONCE_MAX);
    let start = Instant::now();

    let results = destination(&stub).send(&letters).await;

    assert!(results.iter().all(Result::is_err));
    let longest = Duration::from_millis(SEND_MS_MAX);
    assert!(
        start.elapsed() < longest + Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_slow_but_takes_objects_gets_them_all() {
    // Each object is taken at the eighth request, so that a wave of them takes seconds.
    let asked: Mutex<HashMap<String, usize>> = Mutex::default();
    let stub = Stub::new(move |_, came| {
        let mut asked = asked.lock().unwrap();
        let asked = asked.entry(path(came).to_owned()).or_default();
        *asked += 1;
        match asked {
            ..8 => says(503, "SlowDown"),
            _ => taken(),
        }
    });
    let start = Instant::now();

    let results = destination(&stub)
        .send(&letters(8 * S3_PUTS_AT_ONCE_MAX))
        .await;

    assert!(results.iter().all(Result::is_ok));
    assert!(start.elapsed() > Duration::from_millis(SEND_MS_MAX));
}

#[tokio::test(start_paused = true)]
async fn no_answer_until_the_deadline_is_no_confirmation() {
    let stub = Stub::new(|_, _| Reply::Silence);
    let letters = letters_until(SEND, &["a".to_owned(), "b".to_owned()]);
    let until = letters[0].send_until().unwrap();

    let results = outcomes(destination(&stub).send(&letters).await);

    assert!(Instant::now() < until, "dropped before it answered");
    let silent = format!("`{KEY}.json` did not respond in the time left; it may have the letter");
    assert_eq!(results[0], silent);
}
