//! Letters to a real queue server, through the client that the destination makes itself. `tests/services/run` starts one.

use aws_sdk_sqs::Client;
use serde_json::Value;

use super::SqsDestination;
use super::stub::{config, letter_of_bytes, letter_of_random_bytes, outcomes, unpacked};
use crate::deadline::Deadline;
use crate::destination::Destination;
use crate::destination::fixture::{invocation, letter_of, letters};
use crate::limits::{SQS_MESSAGE_BYTES_MAX, SQS_RECORD_BYTES_SAFE};

/// A queue of the test's own, at the server that `tests/services/run` has started; and a client of its own to read it.
async fn real_queue() -> (String, Client) {
    let endpoint = std::env::var("AWS_ENDPOINT_URL_SQS").expect("run by tests/services/run");
    let client = Client::from_conf(config().endpoint_url(endpoint).build());
    let name = format!("dlq-{}-{}", std::process::id(), fastrand::u32(..));
    let queue = client.create_queue().queue_name(name).send().await.unwrap();
    (queue.queue_url.unwrap(), client)
}

/// All messages of the queue: body, code, topic.
async fn receive(client: &Client, queue: &str) -> Vec<(String, String, String)> {
    let mut received = Vec::new();
    loop {
        let answer = client
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(10)
            .message_attribute_names("All")
            .send()
            .await
            .unwrap();
        if answer.messages().is_empty() {
            return received;
        }
        for message in answer.messages() {
            let attributes = message.message_attributes().unwrap();
            let of = |name: &str| attributes[name].string_value().unwrap().to_owned();
            let body = message.body().unwrap().to_owned();
            received.push((body, of("code"), of("topic")));
        }
    }
}

#[tokio::test]
#[ignore = "needs a queue: make services"]
async fn letters_come_out_of_a_real_queue_as_they_went_in() {
    let (queue, client) = real_queue().await;
    let letters = letters(23);

    let results = SqsDestination::new(&queue).unwrap().send(&letters).await;

    assert_eq!(outcomes(results), vec!["confirmed"; 23]);
    let mut received = receive(&client, &queue).await;
    let mut sent: Vec<_> = letters
        .iter()
        .map(|letter| {
            (
                letter.envelope(),
                "reject.json".to_owned(),
                "orders".to_owned(),
            )
        })
        .collect();
    received.sort();
    sent.sort();
    assert_eq!(received, sent);
}

#[tokio::test]
#[ignore = "needs a queue: make services"]
async fn a_real_queue_takes_what_counts_as_its_limit() {
    let (queue, client) = real_queue().await;
    let half = SQS_MESSAGE_BYTES_MAX / 2;
    let letters = [
        letter_of_bytes(SQS_MESSAGE_BYTES_MAX),
        letter_of_bytes(half),
        letter_of_bytes(half),
    ];

    let results = SqsDestination::new(&queue).unwrap().send(&letters).await;

    assert_eq!(outcomes(results), vec!["confirmed"; 3]);
    assert_eq!(receive(&client, &queue).await.len(), 3);
}

#[tokio::test]
#[ignore = "needs a queue: make services"]
async fn a_letter_that_is_too_large_comes_out_of_a_real_queue_with_its_payload_beside_it() {
    let (queue, client) = real_queue().await;
    let letter = letter_of_random_bytes(SQS_RECORD_BYTES_SAFE);

    let results = SqsDestination::new(&queue)
        .unwrap()
        .send(std::slice::from_ref(&letter))
        .await;

    assert_eq!(outcomes(results), ["confirmed"]);
    let request = client.receive_message().queue_url(&queue);
    let answer = request.message_attribute_names("All").send().await.unwrap();
    let message = &answer.messages()[0];
    let payload = &message.message_attributes().unwrap()["payload"];
    assert_eq!(payload.data_type(), "Binary");
    let mut received: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    received["payload"] = unpacked(payload.binary_value().unwrap().as_ref());
    received.as_object_mut().unwrap().remove("payloadEncoding");
    let envelope: Value = serde_json::from_str(&letter.envelope()).unwrap();
    // Not `assert_eq`: what differs would be megabytes of text.
    assert!(received == envelope);
}

#[tokio::test]
#[ignore = "needs a queue: make services"]
async fn a_real_queue_takes_what_it_would_refuse_unescaped() {
    let (queue, client) = real_queue().await;
    let raw = "{\"value\":\"a\u{FFFE}\u{FFFF}\u{1FFFE}\u{7f}b\\u0001\"}";
    let letter = letter_of(&invocation(Deadline::UNKNOWN), 15, raw);

    let results = SqsDestination::new(&queue)
        .unwrap()
        .send(std::slice::from_ref(&letter))
        .await;

    assert_eq!(outcomes(results), ["confirmed"]);
    let (body, ..) = receive(&client, &queue).await.remove(0);
    let received: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        received,
        serde_json::from_str::<Value>(&letter.envelope()).unwrap()
    );
}

#[tokio::test]
#[ignore = "needs a queue: make services"]
async fn a_real_server_without_the_queue_says_so_once() {
    let (queue, _) = real_queue().await;
    let missing = format!("{queue}-missing");

    let results = outcomes(
        SqsDestination::new(&missing)
            .unwrap()
            .send(&letters(11))
            .await,
    );

    let missing = format!("`{missing}` refused the request: ");
    for result in results {
        assert!(result.starts_with(&missing), "{result}");
        assert!(
            result.ends_with("; check the region, the account and the name in its address"),
            "{result}"
        );
    }
}
