//! One function that takes orders from two sources: Kafka, through a consumer that it embeds, and an SQS queue, by hand.
//!
//! Start at [`answer`]: it finds the source of an event, and hands the event to one half or the other. Both mappings need
//! `FunctionResponseTypes: [ReportBatchItemFailures]`, because both responses list the records that are not done.

mod order;
mod sqs;
mod timed;

use lambda_msk::builder::Builder;
use lambda_msk::{BatchResponse, Consumer, FailureReporting, Invocation, Json};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::value::RawValue;

pub use crate::order::{Order, Refused};
pub use crate::sqs::SqsBatchResponse;
pub use crate::timed::Timed;

/// An event of either source, as it came: the consumer reads the bytes itself.
pub type Event = LambdaEvent<Box<RawValue>>;

/// The response to an event, in the form that its source expects.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a batch of Kafka records.
    Kafka(BatchResponse),
    /// To a batch of SQS messages.
    Sqs(SqsBatchResponse),
}

/// The topic, unless `TOPIC` names another: template.yaml sets it to the topic that the mapping reads.
const TOPIC: &str = "orders";

/// The consumer of Kafka's half, with its topic from the environment.
pub fn consumer() -> Builder<()> {
    // An empty variable counts as unset; one that is not UTF-8 is no topic's name, and refused as such.
    let topic = std::env::var_os("TOPIC").filter(|topic| !topic.is_empty());
    let topic = topic.map(|topic| topic.to_string_lossy().into_owned());
    Consumer::builder()
        .topic(
            topic.as_deref().unwrap_or(TOPIC),
            async |Json(order): Json<Order>| order::ship(&order),
        )
        .failure_reporting(FailureReporting::Partial)
}

/// Answers one event.
///
/// # Errors
///
/// The event is of neither source, or is broken: the consumer's error names the fault.
pub async fn answer(consumer: &Consumer, event: Event) -> Result<Answer, Diagnostic> {
    if let Some(messages) = sqs::messages(event.payload.get()) {
        return Ok(Answer::Sqs(sqs::answer(&messages)));
    }
    // No copy: the text's own bytes.
    let body = String::from(Box::<str>::from(event.payload));
    // With request id, deadline, and the function's name and ARN.
    let invocation = Invocation::new(body).context(&event.context);
    let invoked = consumer.invoke(invocation).await;
    Ok(Answer::Kafka(invoked.into_response()?))
}
