//! Letters to SNS, answered by a stub in the process.

use std::time::Duration;

use msk_destinations::send::aws_sdk_sns::Client;
use msk_destinations::send::aws_sdk_sns::config::{
    AsyncSleep, BehaviorVersion, Config, Credentials, Region, SharedAsyncSleep, Sleep,
};
use tokio::time::Instant;

use super::SnsDestination;
use crate::deadline::Deadline;
use crate::destination::fixture::{invocation, letter_of, letters, letters_until};
use crate::destination::http_stub::{Came, Reply, SEND, Stub, outcomes};
use crate::destination::{DeadLetter, Destination};
use crate::limits::SNS_MESSAGE_BYTES_MAX;

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:dead";

/// As the SDK's own, named here because a client without aws-config has none.
#[derive(Debug)]
struct TokioSleep;

impl AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration))
    }
}

fn destination(stub: &Stub, topic: &str) -> SnsDestination {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep))
        .http_client(stub.http());
    SnsDestination::with_client(Client::from_conf(config.build()), topic).unwrap()
}

/// The values of the fields whose names end so, in the entries' order.
fn fields(came: &Came, end: &str) -> Vec<String> {
    let fields = came
        .body
        .split('&')
        .filter_map(|field| field.split_once('='));
    let fields = fields.filter(|(name, _)| name.ends_with(end));
    fields.map(|(_, value)| value.to_owned()).collect()
}

/// Takes all but the entries of these ids, which it refuses.
fn takes(came: &Came, refused: &[&str]) -> Reply {
    let (mut good, mut bad) = (String::new(), String::new());
    for id in fields(came, ".Id") {
        if refused.contains(&&*id) {
            bad += &format!(
                "<member><Id>{id}</Id><Code>InvalidParameter</Code><Message>so it is</Message><SenderFault>true</SenderFault></member>"
            );
        } else {
            good += &format!("<member><Id>{id}</Id><MessageId>m</MessageId></member>");
        }
    }
    let body = format!(
        "<PublishBatchResponse><PublishBatchResult><Successful>{good}</Successful><Failed>{bad}</Failed></PublishBatchResult></PublishBatchResponse>"
    );
    Reply::Says(200, Vec::new(), body)
}

fn says(status: u16, code: &str) -> Reply {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>so it is</Message></Error></ErrorResponse>"
    );
    Reply::Says(status, Vec::new(), body)
}

#[tokio::test(start_paused = true)]
async fn twenty_five_letters_are_published_in_batches_of_ten() {
    let stub = Stub::new(|_, came| takes(came, &[]));

    let results = destination(&stub, TOPIC).send(&letters(25)).await;

    assert_eq!(outcomes(results), vec!["confirmed"; 25]);
    let came = stub.came();
    let sizes: Vec<usize> = came.iter().map(|came| fields(came, ".Id").len()).collect();
    assert_eq!(sizes, [10, 10, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_message_has_code_topic_and_partition_for_filters_and_no_group() {
    let stub = Stub::new(|_, came| takes(came, &[]));

    let results = destination(&stub, TOPIC).send(&letters(1)).await;

    assert_eq!(outcomes(results), ["confirmed"]);
    let came = stub.came().remove(0);
    let mut names = fields(&came, ".Name");
    names.sort();
    assert_eq!(names, ["code", "partition", "topic"]);
    let mut values = fields(&came, ".StringValue");
    values.sort();
    assert_eq!(values, ["0", "orders", "reject.json"]);
    assert!(fields(&came, ".MessageGroupId").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refused_letter_among_good_ones_is_an_error_alone_and_at_once() {
    let stub = Stub::new(|_, came| takes(came, &["1"]));
    let started = Instant::now();

    let results = outcomes(destination(&stub, TOPIC).send(&letters(3)).await);

    let refused = format!("`{TOPIC}` refused the letter: InvalidParameter: so it is");
    assert_eq!(results, ["confirmed", &refused, "confirmed"]);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_topic_without_permission_names_the_action() {
    let stub = Stub::new(|_, _| says(403, "AuthorizationError"));

    let results = outcomes(destination(&stub, TOPIC).send(&letters(1)).await);

    let denied = format!(
        "`{TOPIC}` refused the request: AuthorizationError: so it is; the function's role needs `sns:Publish` on it"
    );
    assert_eq!(results, [denied]);
    assert_eq!(stub.came().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_does_not_exist_says_what_to_check() {
    let stub = Stub::new(|_, _| says(404, "NotFound"));

    let results = outcomes(destination(&stub, TOPIC).send(&letters(1)).await);

    assert!(results[0].ends_with("; check the region, the account and the name in its ARN"));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_topic_gets_its_letters_later() {
    let stub = Stub::new(|request, came| match request {
        0..5 => says(400, "Throttled"),
        _ => takes(came, &[]),
    });

    let results = destination(&stub, TOPIC).send(&letters(2)).await;

    assert_eq!(outcomes(results), ["confirmed"; 2]);
}

#[tokio::test(start_paused = true)]
async fn no_answer_until_the_deadline_is_no_confirmation() {
    let stub = Stub::new(|_, _| Reply::Silence);
    let letters = letters_until(SEND, &["a".to_owned()]);
    let until = letters[0].send_until().unwrap();

    let results = outcomes(destination(&stub, TOPIC).send(&letters).await);

    assert!(Instant::now() < until, "dropped before it answered");
    let silent = format!("`{TOPIC}` did not respond in the time left; it may have the letter");
    assert_eq!(results, [silent]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_a_fifo_topic_is_asked_for_again_with_the_same_ids() {
    let stub = Stub::new(|request, came| match request {
        0 => Reply::Lost,
        _ => takes(came, &[]),
    });

    let results = destination(&stub, &format!("{TOPIC}.fifo"))
        .send(&letters(2))
        .await;

    assert_eq!(outcomes(results), ["confirmed"; 2]);
    let came = stub.came();
    let ids = |came: &Came| fields(came, ".MessageDeduplicationId");
    assert_eq!(ids(&came[0]), ids(&came[1]));
    assert_ne!(ids(&came[0])[0], ids(&came[0])[1]);
    assert_eq!(fields(&came[0], ".MessageGroupId"), ["orders-0"; 2]);
}

fn redriven(count: u32) -> DeadLetter {
    use crate::testing::{Event, Sample};

    let event = Event::msk()
        .raw_field("redrive", &format!(r#"{{"id":"r","count":{count}}}"#))
        .record(Sample::new("orders", 0).offset(15).value("x"));
    let record = event.build().records().unwrap().remove(0);
    let invocation = invocation(Deadline::UNKNOWN);
    DeadLetter::new(record, "reject.json", String::new(), 0, &invocation)
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_rejected_after_a_redrive_is_no_duplicate_to_a_fifo_topic() {
    let stub = Stub::new(|_, came| takes(came, &[]));

    let letters = [redriven(1), redriven(2)];
    let results = destination(&stub, &format!("{TOPIC}.fifo"))
        .send(&letters)
        .await;

    assert_eq!(outcomes(results), ["confirmed"; 2]);
    let ids = fields(&stub.came()[0], ".MessageDeduplicationId");
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_over_256_kib_is_not_sent_and_says_what_takes_it() {
    let stub = Stub::new(|_, came| takes(came, &[]));
    let raw = format!(r#"{{"value":"{}"}}"#, "a".repeat(SNS_MESSAGE_BYTES_MAX));
    let large = letter_of(&invocation(Deadline::UNKNOWN), 15, &raw);
    let small = letters(1).remove(0);

    let results = outcomes(destination(&stub, TOPIC).send(&[large, small]).await);

    assert!(results[0].starts_with("expected a letter of at most 262144 bytes for SNS, found 26"));
    assert!(
        results[0].contains("LAMBDA_MSK_ON_FAILURE_LARGE"),
        "{}",
        results[0]
    );
    assert_eq!(results[1], "confirmed");
}
