//! Letters as messages of SQS and SNS. Called by `sqs` and `sns`.

use std::future::Future;

use md5::{Digest, Md5};
use msk_destinations::send::{Message, Patience, ServiceError};

use crate::destination::{DeadLetter, SendError, patience};

/// Sends the letters that a message has room for. Returns one result for each letter, in their order.
pub(super) async fn send<F>(
    letters: &[DeadLetter],
    packed: fn(&DeadLetter) -> Result<Message, SendError>,
    send: impl FnOnce(Vec<Message>, Patience) -> F,
) -> Vec<Result<(), SendError>>
where
    F: Future<Output = Vec<Result<(), ServiceError>>>,
{
    let Some(patience) = patience(letters) else {
        return Vec::new();
    };
    let mut messages = Vec::new();
    let mut unsent = Vec::new();
    for letter in letters {
        match packed(letter) {
            Ok(message) => {
                messages.push(message);
                unsent.push(None);
            }
            Err(error) => unsent.push(Some(error)),
        }
    }
    let mut sent = send(messages, patience).await.into_iter();
    let result = |unsent| match unsent {
        Some(error) => Err(error),
        None => {
            let sent = sent.next().expect("a result for each that was sent");
            sent.map_err(SendError::new)
        }
    };
    unsent.into_iter().map(result).collect()
}

/// A message with that body, which is the letter's envelope or a part of it. Code, topic and partition stand beside it, for readers and subscriptions that filter.
pub(super) fn message(letter: &DeadLetter, body: String) -> Message {
    let record = letter.record();
    // A `-` joins them: a topic's name has letters, digits, `.`, `_` and `-`, and no group id has more than 128 of them.
    let group = format!("{}-{}", record.topic(), record.partition());
    let group = match group.len() {
        0..=GROUP_BYTES_MAX => group,
        _ => hash(&group),
    };
    Message::json(body)
        .with_text("code", letter.code())
        .with_text("topic", record.topic())
        .with_text("partition", &record.partition().to_string())
        .in_group(group, deduplication(letter))
}

/// By the letter and not by its record: a record that is redelivered or redriven, and rejected again within five minutes, has another letter, and that one must arrive.
fn deduplication(letter: &DeadLetter) -> String {
    hash(&format!("{} {}", letter.id(), letter.redrives()))
}

fn hash(text: &str) -> String {
    let hash = u128::from_be_bytes(Md5::digest(text).into());
    format!("{hash:032x}")
}

/// Longest group id of a FIFO queue or topic.
const GROUP_BYTES_MAX: usize = 128;
