//! Letters to SQS, answered by a stub in the process; and a lost answer over a real socket.

mod large;

use std::time::Duration;

use aws_sdk_sqs::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::SqsDestination;
use super::stub::{
    QUEUE, Reply, Stub, config, error, failure, letter_of_bytes, outcomes, success, taken,
};
use crate::deadline::Deadline;
use crate::destination::Destination;
use crate::destination::fixture::{invocation, letter_of, letters, letters_until};
use crate::limits::{SEND_MS_MAX, SQS_MESSAGE_BYTES_MAX};

#[tokio::test(start_paused = true)]
async fn twenty_five_letters_go_in_batches_of_ten() {
    let stub = Stub::default();

    let results = stub.destination().send(&letters(25)).await;

    assert!(results.iter().all(Result::is_ok));
    let sizes: Vec<usize> = stub.ids().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_the_envelope_with_code_and_topic_beside_it() {
    let stub = Stub::default();
    let letters = letters(1);

    assert!(stub.destination().send(&letters).await[0].is_ok());

    let request = stub.requests.lock().unwrap().remove(0);
    assert_eq!(
        request,
        json!({
            "QueueUrl": QUEUE,
            "Entries": [{
                "Id": "0",
                "MessageBody": letters[0].envelope(),
                "MessageAttributes": {
                    "code": {"DataType": "String", "StringValue": "reject.json"},
                    "topic": {"DataType": "String", "StringValue": "orders"},
                    "partition": {"DataType": "String", "StringValue": "0"},
                },
            }],
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_ends_at_the_last_byte_that_sqs_takes() {
    let half = SQS_MESSAGE_BYTES_MAX / 2;
    let fits = Stub::default();
    let one_over = Stub::default();

    let first = fits
        .destination()
        .send(&[letter_of_bytes(half), letter_of_bytes(half)])
        .await;
    let second = one_over
        .destination()
        .send(&[letter_of_bytes(half), letter_of_bytes(half + 1)])
        .await;

    assert!(first.iter().chain(&second).all(Result::is_ok));
    assert_eq!(fits.ids(), [["0", "1"]]);
    assert_eq!(one_over.ids(), [["0"], ["1"]]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_sqs_could_not_take_is_sent_again_alone() {
    let stub = Stub::new([Reply::Says(
        200,
        json!({
            "Successful": [success("0"), success("2")],
            "Failed": [failure("1", false, "InternalError")],
        }),
    )]);

    let results = stub.destination().send(&letters(3)).await;

    assert!(results.iter().all(Result::is_ok));
    assert_eq!(stub.ids(), [vec!["0", "1", "2"], vec!["1"]]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_sqs_refuses_is_an_error_at_once() {
    let stub = Stub::new([Reply::Says(
        200,
        json!({
            "Successful": [success("0")],
            "Failed": [failure("1", true, "InvalidMessageContents")],
        }),
    )]);
    let started = Instant::now();

    let results = outcomes(stub.destination().send(&letters(2)).await);

    assert_eq!(results[0], "confirmed");
    assert_eq!(
        results[1],
        format!("`{QUEUE}` refused the letter: InvalidMessageContents: so it is")
    );
    assert_eq!(stub.ids().len(), 1);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_never_succeeds_ends_with_the_time_and_keeps_the_others() {
    let failed = || {
        Reply::Says(
            200,
            json!({"Successful": [], "Failed": [failure("1", false, "InternalError")]}),
        )
    };
    let stub = Stub::new(
        [Reply::Says(
            200,
            json!({
                "Successful": [success("0")],
                "Failed": [failure("1", false, "InternalError")],
            }),
        )]
        .into_iter()
        .chain((0..10_000).map(|_| failed())),
    );
    let letters = letters_until(Duration::from_secs(3), &["a".to_owned(), "b".to_owned()]);
    let started = Instant::now();

    let results = outcomes(stub.destination().send(&letters).await);

    assert_eq!(results[0], "confirmed");
    assert_eq!(
        results[1],
        format!(
            "`{QUEUE}` could not accept the letter, and the time for retries is up: InternalError: so it is"
        )
    );
    assert!(started.elapsed() < Duration::from_secs(3));
    assert!((4..12).contains(&stub.ids().len()));
}

#[tokio::test(start_paused = true)]
async fn answers_are_matched_by_id_in_any_order() {
    let stub = Stub::new([
        Reply::Backwards,
        Reply::Says(
            200,
            json!({
                "Successful": [success("12"), success("10")],
                "Failed": [failure("11", true, "InvalidMessageContents")],
            }),
        ),
    ]);

    let results = stub.destination().send(&letters(13)).await;

    let refused: Vec<usize> = (0..13).filter(|at| results[*at].is_err()).collect();
    assert_eq!(refused, [11]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_without_an_answer_is_not_confirmed() {
    let stub = Stub::new([Reply::Says(
        200,
        json!({"Successful": [success("0"), success("7")], "Failed": []}),
    )]);

    let results = outcomes(stub.destination().send(&letters(2)).await);

    assert_eq!(results[0], "confirmed");
    assert_eq!(
        results[1],
        format!("the response of `{QUEUE}` has no entry for the letter")
    );
}

#[tokio::test(start_paused = true)]
async fn a_throttled_request_succeeds_later() {
    // More than the SDK's own three tries.
    let script = (0..5).map(|_| error(400, "RequestThrottled"));
    let stub = Stub::new(script.chain([error(503, "ServiceUnavailable")]));

    let results = stub.destination().send(&letters(2)).await;

    assert!(results.iter().all(Result::is_ok));
    assert_eq!(stub.ids().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_does_not_stand_in_the_way_of_the_next() {
    let stub = Stub::new((0..3).map(|_| error(500, "InternalError")));

    let results = stub.destination().send(&letters(12)).await;

    assert!(results.iter().all(Result::is_ok));
    let first: Vec<String> = stub.ids().iter().map(|ids| ids[0].clone()).collect();
    assert_eq!(first, ["0", "0", "0", "10", "8"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again() {
    let stub = Stub::new([Reply::Lost]);

    let results = stub.destination().send(&letters(2)).await;

    assert!(results.iter().all(Result::is_ok));
    assert_eq!(stub.ids(), [["0", "1"], ["0", "1"]]);
}

#[tokio::test(start_paused = true)]
async fn what_was_confirmed_in_time_stays_confirmed() {
    let stub = Stub::new([Reply::All, Reply::Silence]);
    let values = vec!["a".to_owned(); 25];
    let letters = letters_until(Duration::from_secs(2), &values);
    let until = letters[0].send_until().unwrap();

    let results = outcomes(stub.destination().send(&letters).await);

    assert!(Instant::now() < until, "dropped before it answered");
    assert!(results[..10].iter().all(|result| result == "confirmed"));
    let silent = format!("`{QUEUE}` did not respond in the time left; it may have the letter");
    assert!(results[10..20].iter().all(|result| *result == silent));
    let unsent = format!("no time was left to send the letter to `{QUEUE}`");
    assert!(results[20..].iter().all(|result| *result == unsent));
}

#[tokio::test(start_paused = true)]
async fn without_a_deadline_an_outage_ends_after_the_longest_send() {
    let stub = Stub::new((0..10_000).map(|_| error(503, "ServiceUnavailable")));
    let started = Instant::now();

    let results = outcomes(stub.destination().send(&letters(1)).await);

    assert_eq!(
        results,
        [format!(
            "`{QUEUE}` refused the request: ServiceUnavailable: so it is"
        )]
    );
    assert!(started.elapsed() <= Duration::from_millis(SEND_MS_MAX));
    assert!(started.elapsed() >= Duration::from_millis(SEND_MS_MAX / 2));
}

#[tokio::test(start_paused = true)]
async fn a_slow_queue_gets_all_letters_though_it_takes_longer_than_an_outage_may() {
    let slow = Duration::from_millis(SEND_MS_MAX / 4);
    let stub = Stub::new((0..10).map(|_| Reply::Slow(slow)));

    let results = stub.destination().send(&letters(100)).await;

    assert!(results.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn a_send_whose_time_is_up_makes_no_request() {
    let stub = Stub::default();
    let letters = letters_until(Duration::ZERO, &["a".to_owned()]);

    let results = stub.destination().send(&letters).await;

    assert!(results[0].is_err());
    assert!(stub.ids().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_request_without_permission_is_not_repeated_and_says_which() {
    let stub = Stub::new([error(403, "AccessDeniedException")]);

    let results = outcomes(stub.destination().send(&letters(11)).await);

    let denied = format!(
        "`{QUEUE}` refused the request: AccessDeniedException: so it is; the function's role needs `sqs:SendMessage` on it"
    );
    assert_eq!(results, vec![denied; 11]);
    assert_eq!(stub.ids().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_exist_is_named_with_what_to_check() {
    let stub = Stub::new([error(400, "QueueDoesNotExist")]);

    let results = outcomes(stub.destination().send(&letters(1)).await);

    assert_eq!(
        results,
        [format!(
            "`{QUEUE}` refused the request: QueueDoesNotExist: so it is; check the region, the account and the name in its address"
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_too_long_for_the_queue_goes_letter_by_letter() {
    let stub = Stub::new([
        error(400, "BatchRequestTooLong"),
        Reply::All,
        error(400, "InvalidParameterValue"),
    ]);

    let results = outcomes(stub.destination().send(&letters(3)).await);

    assert_eq!(results[0], "confirmed");
    assert_eq!(
        results[1],
        format!("`{QUEUE}` refused the letter: InvalidParameterValue: so it is")
    );
    assert_eq!(results[2], "confirmed");
    assert_eq!(
        stub.ids(),
        [vec!["0", "1", "2"], vec!["0"], vec!["1"], vec!["2"]]
    );
}

#[tokio::test(start_paused = true)]
async fn characters_that_sqs_refuses_are_escaped() {
    let stub = Stub::default();
    let raw = "{\"value\":\"a\u{FFFE}\u{FFFF}b\"}";
    let letter = letter_of(&invocation(Deadline::UNKNOWN), 15, raw);

    assert!(stub.destination().send(std::slice::from_ref(&letter)).await[0].is_ok());

    let requests = stub.requests.lock().unwrap();
    let body = requests[0]["Entries"][0]["MessageBody"].as_str().unwrap();
    assert!(body.contains(r"a\ufffe\uffffb"));
    let sent: Value = serde_json::from_str(body).unwrap();
    let envelope: Value = serde_json::from_str(&letter.envelope()).unwrap();
    assert_eq!(sent, envelope);
}

#[test]
fn debug_and_description_name_the_queue_only() {
    let destination = SqsDestination::new(QUEUE).unwrap();

    assert_eq!(destination.describe(), "sqs:orders-dlq");
    assert_eq!(
        format!("{destination:?}"),
        format!("SqsDestination {{ queue: {QUEUE:?}, .. }}")
    );
}

/// Reads one whole HTTP request.
async fn read_request(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let len: usize = head
                .split_once("content-length: ")
                .unwrap()
                .1
                .lines()
                .next()
                .unwrap()
                .parse()
                .unwrap();
            if body.len() >= len {
                return String::from_utf8(bytes).unwrap();
            }
        }
        assert!(socket.read_buf(&mut bytes).await.unwrap() > 0);
    }
}

/// Real sockets, so real time: bounded by the SDK's one back-off of at most a second.
#[tokio::test]
async fn a_connection_that_breaks_after_the_write_is_tried_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let queue = format!("{endpoint}/queue/orders-dlq");
    let client = Client::from_conf(config().endpoint_url(&endpoint).build());
    let destination = SqsDestination::with_client(client, &queue).unwrap();

    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let first = read_request(&mut socket).await;
        drop(socket);
        let (mut socket, _) = listener.accept().await.unwrap();
        let second = read_request(&mut socket).await;
        let body = taken(["0".to_owned()].iter()).to_string();
        let len = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\n\r\n{body}");
        socket.write_all(answer.as_bytes()).await.unwrap();
        (first, second)
    };
    let letters = letters(1);
    let (results, (first, second)) = tokio::join!(destination.send(&letters), server);

    assert!(results[0].is_ok());
    let body = |request: &str| request.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(body(&first), body(&second));
}
