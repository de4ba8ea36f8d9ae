//! Letters that are larger than a message: packed, or refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::destination::Destination;
use crate::destination::sqs::stub::{
    Stub, letter_of_bytes, letter_of_random_bytes, outcomes, unpacked,
};
use crate::limits::{SQS_MESSAGE_BYTES_MAX, SQS_RECORD_BYTES_SAFE};

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_too_large_goes_with_its_payload_packed_beside_it() {
    let stub = Stub::default();
    let letters = [
        letter_of_bytes(SQS_MESSAGE_BYTES_MAX),
        letter_of_bytes(SQS_MESSAGE_BYTES_MAX + 1),
    ];

    let results = outcomes(stub.destination().send(&letters).await);

    assert_eq!(results, ["confirmed", "confirmed"]);
    let requests = stub.requests.lock().unwrap();
    let [whole, packed] = [0, 1].map(|at| requests[at]["Entries"][0].clone());
    assert_eq!(whole["MessageBody"], letters[0].envelope());
    assert!(whole["MessageAttributes"].get("payload").is_none());
    // The whole letter is the body with `payload` in the place of `payloadEncoding`.
    let body = packed["MessageBody"].as_str().unwrap();
    let mut letter: Value = serde_json::from_str(body).unwrap();
    let attributes = &packed["MessageAttributes"];
    assert_eq!(attributes["code"]["StringValue"], "reject.json");
    assert_eq!(attributes["topic"]["StringValue"], "orders");
    assert_eq!(attributes["payload"]["DataType"], "Binary");
    let payload = attributes["payload"]["BinaryValue"].as_str().unwrap();
    let fields = letter.as_object_mut().unwrap();
    assert_eq!(fields.remove("payloadEncoding"), Some(json!("gzip")));
    let payload = unpacked(&STANDARD.decode(payload).unwrap());
    assert!(fields.insert("payload".to_owned(), payload).is_none());
    let envelope: Value = serde_json::from_str(&letters[1].envelope()).unwrap();
    assert_eq!(letter, envelope);
}

#[tokio::test(start_paused = true)]
async fn any_record_of_the_safe_size_fits() {
    let stub = Stub::default();
    let letters = [letter_of_random_bytes(SQS_RECORD_BYTES_SAFE)];

    let results = outcomes(stub.destination().send(&letters).await);

    assert_eq!(results, ["confirmed"]);
}

#[tokio::test(start_paused = true)]
async fn packed_letters_share_a_request_by_what_they_take() {
    let stub = Stub::default();
    let letters = [
        letter_of_bytes(2 * SQS_MESSAGE_BYTES_MAX),
        letter_of_bytes(2 * SQS_MESSAGE_BYTES_MAX),
        letter_of_random_bytes(SQS_RECORD_BYTES_SAFE),
        letter_of_bytes(SQS_MESSAGE_BYTES_MAX / 2),
    ];

    let results = stub.destination().send(&letters).await;

    assert!(results.iter().all(Result::is_ok));
    assert_eq!(stub.ids(), [vec!["0", "1", "2"], vec!["3"]]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_too_large_is_refused_with_what_to_use_and_the_others_go() {
    let stub = Stub::default();
    let letters = [
        letter_of_bytes(2_000),
        letter_of_random_bytes(SQS_MESSAGE_BYTES_MAX),
        letter_of_bytes(2_000),
    ];

    let results = outcomes(stub.destination().send(&letters).await);

    let (bytes, why) = results[1]
        .strip_prefix("expected a letter of at most 1048576 bytes for SQS, found ")
        .and_then(|rest| rest.split_once(' '))
        .unwrap();
    assert!(bytes.parse::<usize>().unwrap() > SQS_MESSAGE_BYTES_MAX);
    assert_eq!(
        why,
        "with its payload compressed (any record of 1000000 bytes fits): set LAMBDA_MSK_ON_FAILURE_LARGE=s3://BUCKET/PREFIX, which takes such letters"
    );
    assert_eq!([&results[0], &results[2]], ["confirmed", "confirmed"]);
    assert_eq!(stub.ids(), [["0", "1"]]);
}
