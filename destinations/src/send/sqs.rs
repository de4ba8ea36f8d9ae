//! Messages to an SQS queue, through the AWS SDK.

mod error;
mod message;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchError, SendMessageBatchOutput};
use tokio::sync::OnceCell;
use tokio::time::Instant;

pub use self::error::SqsError;
use self::error::{CREDENTIALS, advice, why};
pub use self::message::Message;
use self::message::{Entry, batches};
use super::sdk::{self, SdkSaid};
use super::{Patience, chance};
use crate::address::Queue;
use crate::limits::{SEND_BACKOFF_BASE_MS, SEND_BACKOFF_MAX_MS};

/// A standard SQS queue to which messages are sent.
///
/// A message is confirmed once SQS confirms its id. A message that SQS could not accept for the moment is retried, with back-off, as long as the caller's [`Patience`] lasts;
/// a message that SQS refuses is not retried. If a response of SQS is lost, a message may arrive twice.
pub struct Sqs {
    queue: Queue,
    /// Made at the first message: who sends nothing does not pay for it at its start, and a snapshot holds no credentials or connections.
    client: OnceCell<Client>,
}

impl Sqs {
    /// Creates a sender for the queue with a client of its own: region and endpoint come from the address, the rest from the environment, as for every AWS tool. A URL that
    /// is not AWS's own (an emulator, a VPC endpoint) is also the endpoint.
    pub fn new(queue: Queue) -> Self {
        Self {
            queue,
            client: OnceCell::new(),
        }
    }

    /// Creates a sender for the queue with the given client: its region, endpoint, credentials, time-outs and retries.
    pub fn with_client(client: Client, queue: Queue) -> Self {
        Self {
            queue,
            client: OnceCell::new_with(Some(client)),
        }
    }

    /// The queue's address.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Sends the messages, at most ten or one mebibyte per request. Returns one result for each, in their order.
    pub async fn send(
        &self,
        messages: Vec<Message>,
        patience: Patience,
    ) -> Vec<Result<(), SqsError>> {
        let until = patience.until();
        let not_sent = || Err(self.fault(SqsError::not_sent));
        let mut call = Call {
            patience,
            until,
            results: messages.iter().map(|_| not_sent()).collect(),
        };
        let entries = messages.into_iter().enumerate();
        let mut waiting: Vec<Entry> = entries.map(|(at, it)| Entry::of(at, it)).collect();
        if let Ok(client) = tokio::time::timeout_at(until, self.client()).await {
            for tried in 0.. {
                waiting = self.round(client, waiting, &mut call).await;
                let wait = back_off(tried);
                if waiting.is_empty() || Instant::now() + wait >= call.until {
                    break;
                }
                tokio::time::sleep(wait).await;
            }
        }
        call.results
    }

    /// Checks that the queue exists. A missing permission to ask is not an error, since it says nothing about the permission to send.
    ///
    /// # Errors
    ///
    /// [`SdkSaid`]: the queue does not exist, or the service cannot be reached.
    pub async fn check(&self) -> Result<(), SdkSaid> {
        let asked = self.client().await.get_queue_attributes();
        let asked = asked.queue_url(self.queue.url()).send().await;
        sdk::there(asked, is_missing)
    }

    /// The client, created at the first call.
    pub async fn client(&self) -> &Client {
        self.client.get_or_init(|| connect(&self.queue)).await
    }

    /// Sends each entry once, and notes its result or the reason it had none. Answers with those worth another try.
    async fn round(&self, client: &Client, entries: Vec<Entry>, call: &mut Call) -> Vec<Entry> {
        let mut again = Vec::new();
        let mut batches = batches(entries);
        while let Some(batch) = batches.pop_front() {
            if Instant::now() >= call.until {
                return Vec::new();
            }
            match self.request(client, &batch, call.until).await {
                Answer::Each(answers) => {
                    for (entry, answer) in batch.into_iter().zip(answers) {
                        let at = entry.at;
                        match &answer {
                            Ok(()) => call.went_on(),
                            Err(SqsError::Unable { .. }) => again.push(entry),
                            Err(_) => {}
                        }
                        call.results[at] = answer;
                    }
                }
                Answer::Split => {
                    for entry in batch.into_iter().rev() {
                        batches.push_front(vec![entry]);
                    }
                }
                Answer::Later(fault) => {
                    call.mark(&batch, &fault);
                    // Behind the others, so that a batch which always fails does not stand in their way.
                    again.extend(batches.into_iter().flatten());
                    again.extend(batch);
                    return again;
                }
                Answer::Never(fault) => {
                    call.mark(&again, &fault);
                    call.mark(&batch, &fault);
                    call.mark(batches.iter().flatten(), &fault);
                    return Vec::new();
                }
                Answer::TimeUp => {
                    // A reason from an earlier round says more.
                    let silent = batch.iter().filter(|entry| call.is_not_sent(entry));
                    let silent: Vec<&Entry> = silent.collect();
                    call.mark(silent, &self.fault(SqsError::no_answer));
                    return Vec::new();
                }
            }
        }
        again
    }

    async fn request(&self, client: &Client, batch: &[Entry], until: Instant) -> Answer {
        let request = client
            .send_message_batch()
            .queue_url(self.queue.url())
            .set_entries(Some(
                batch.iter().map(|entry| entry.request.clone()).collect(),
            ))
            .send();
        // On the heap: the SDK's future takes kilobytes.
        match tokio::time::timeout_at(until, Box::pin(request)).await {
            Err(_) => Answer::TimeUp,
            Ok(Ok(output)) => Answer::Each(self.read(&output, batch)),
            Ok(Err(error)) => self.read_error(error, batch.len()),
        }
    }

    /// The result of each entry, by its id: SQS answers in any order.
    fn read(&self, output: &SendMessageBatchOutput, batch: &[Entry]) -> Vec<Result<(), SqsError>> {
        let mut answers: HashMap<&str, Result<(), SqsError>> = output
            .successful()
            .iter()
            .map(|entry| (entry.id(), Ok(())))
            .collect();
        for entry in output.failed() {
            let queue = self.queue.url().to_owned();
            let why = why(Some(entry.code()), entry.message());
            // Throttling is the caller's fault by name, and passes.
            let refused = entry.sender_fault() && !entry.code().contains("Throttl");
            let fault = if refused {
                SqsError::Refused { queue, why }
            } else {
                SqsError::Unable { queue, why }
            };
            answers.insert(entry.id(), Err(fault));
        }
        batch
            .iter()
            .map(|entry| {
                answers
                    .remove(entry.request.id())
                    .unwrap_or_else(|| Err(self.fault(SqsError::unmentioned)))
            })
            .collect()
    }

    /// What follows from the failure of a whole request. The SDK has tried three times where that could help.
    fn read_error(&self, error: SdkError<SendMessageBatchError>, entries: usize) -> Answer {
        let queue = self.queue.url().to_owned();
        let SdkError::ServiceError(answer) = &error else {
            let passes = match &error {
                SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
                SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
                _ => false,
            };
            let fault = SqsError::Unreachable {
                queue,
                advice: if passes { "" } else { CREDENTIALS },
                cause: Arc::new(error),
            };
            return if passes {
                Answer::Later(fault)
            } else {
                Answer::Never(fault)
            };
        };
        let status = answer.raw().status().as_u16();
        let service = answer.err();
        let code = service.code().unwrap_or_default();
        let why = why(service.code(), service.message());
        // A queue may be set to smaller messages than SQS allows. Alone, each message shows whether it is the one.
        let singly = ["BatchRequestTooLong", "InvalidParameter", "InvalidMessage"]
            .iter()
            .any(|start| code.contains(start));
        if singly && entries > 1 {
            return Answer::Split;
        }
        if singly {
            return Answer::Each(vec![Err(SqsError::Refused { queue, why })]);
        }
        let fault = SqsError::Request {
            queue,
            why,
            advice: advice(service),
        };
        if status >= 500 || status == 429 || code.contains("Throttl") {
            Answer::Later(fault)
        } else {
            Answer::Never(fault)
        }
    }

    fn fault(&self, make: fn(String) -> SqsError) -> SqsError {
        make(self.queue.url().to_owned())
    }
}

impl fmt::Debug for Sqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqs")
            .field("queue", &self.queue.url())
            .finish_non_exhaustive()
    }
}

async fn connect(queue: &Queue) -> Client {
    let config = match queue.region() {
        Some(region) => sdk::config().region(sdk::region(region)),
        None => sdk::config().region(sdk::any_region()),
    };
    let config = config.load().await;
    let mut config = aws_sdk_sqs::config::Builder::from(&config);
    if let Some(endpoint) = queue.endpoint() {
        config = config.endpoint_url(endpoint);
    }
    Client::from_conf(config.build())
}

/// By either of its names: an emulator may leave out the older one, which AWS sends in a header.
fn is_missing(error: &GetQueueAttributesError) -> bool {
    error.is_queue_does_not_exist() || error.meta().code() == Some("QueueDoesNotExist")
}

/// One call of `send` on its way.
struct Call {
    patience: Patience,
    /// Nothing is waited for after this.
    until: Instant,
    /// One for each message.
    results: Vec<Result<(), SqsError>>,
}

impl Call {
    /// A message was confirmed: the longest wait starts anew, so that a queue which is slow but takes messages gets them all.
    fn went_on(&mut self) {
        self.until = self.patience.until();
    }

    fn is_not_sent(&self, entry: &Entry) -> bool {
        matches!(self.results[entry.at], Err(SqsError::NotSent { .. }))
    }

    fn mark<'e>(&mut self, entries: impl IntoIterator<Item = &'e Entry>, fault: &SqsError) {
        for entry in entries {
            self.results[entry.at] = Err(fault.clone());
        }
    }
}

/// Between half and the whole of a bound that doubles.
fn back_off(tried: u32) -> Duration {
    let doubled = SEND_BACKOFF_BASE_MS.saturating_mul(1 << tried.min(16));
    let bound = doubled.min(SEND_BACKOFF_MAX_MS);
    Duration::from_millis(bound / 2 + chance::up_to(bound / 2))
}

/// What came of one request.
enum Answer {
    /// A result for each entry, in the batch's order.
    Each(Vec<Result<(), SqsError>>),
    /// The batch is refused whole; each entry alone may not be.
    Split,
    /// It may pass.
    Later(SqsError),
    /// No request will succeed.
    Never(SqsError),
    /// No answer in the time left.
    TimeUp,
}
