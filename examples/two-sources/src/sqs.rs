//! The half for SQS, by hand: a message is an order, and the response lists messages that are not done. Called by the service.

use serde::{Deserialize, Serialize};

use crate::order::{Order, ship};

/// The fields of a message that the function reads.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    message_id: String,
    body: String,
    event_source: String,
}

#[derive(Deserialize)]
struct Messages {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

/// The response to a batch of messages: those that the queue keeps.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SqsBatchResponse {
    /// In the event's order. Empty: SQS deletes all of them.
    pub batch_item_failures: Vec<SqsBatchItemFailure>,
}

/// One message that is not done.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SqsBatchItemFailure {
    /// The message's id.
    pub item_identifier: String,
}

/// The messages of an SQS event. *None: the event is of another source.*
pub(crate) fn messages(event: &str) -> Option<Vec<Message>> {
    let messages = serde_json::from_str::<Messages>(event).ok()?.records;
    let of_sqs = |message: &Message| message.event_source == "aws:sqs";
    messages.iter().all(of_sqs).then_some(messages)
}

/// Ships the messages' orders, one after another.
pub(crate) fn answer(messages: &[Message]) -> SqsBatchResponse {
    let open = messages.iter().filter(|message| !is_done(message));
    SqsBatchResponse {
        batch_item_failures: open
            .map(|message| SqsBatchItemFailure {
                item_identifier: message.message_id.clone(),
            })
            .collect(),
    }
}

fn is_done(message: &Message) -> bool {
    let Message {
        message_id, body, ..
    } = message;
    // serde_json's text may quote what it read: a payload stays out of the log.
    let Ok(order) = serde_json::from_str::<Order>(body) else {
        tracing::error!(
            message_id,
            "expected an order in the message, found something else"
        );
        return false;
    };
    let shipped = ship(&order);
    if let Err(error) = &shipped {
        tracing::error!(message_id, %error, "the message's order was not shipped");
    }
    shipped.is_ok()
}
