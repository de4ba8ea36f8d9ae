//! A destination that sends letters to an SQS queue, through the AWS SDK.

mod entry;
mod fault;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Region;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchError, SendMessageBatchOutput};
use msk_destinations::address::{Queue, SqsQueueError};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::destination::sqs::entry::{Entry, batches};
use crate::destination::sqs::fault::{CREDENTIALS, Fault, advice, why};
use crate::destination::{DeadLetter, Destination, SendError, leave_at};
use crate::limits::{RETRY_BACKOFF_BASE_MS, RETRY_BACKOFF_MAX_MS, SQS_TRY_MS_MAX};

/// Sends letters to a standard SQS queue, an envelope a message. `LAMBDA_MSK_ON_FAILURE=` the queue's URL or ARN; needs the feature `sqs`.
///
/// Each message carries two attributes, `code` and `topic`, for readers that filter. The function's role needs `sqs:SendMessage` on the queue, and
/// `kms:GenerateDataKey` and `kms:Decrypt` where the queue is encrypted with a key of its own.
///
/// A letter is confirmed once SQS says so by its id. What SQS could not take is tried again, with back-off, for at most
/// [`SEND_MS_MAX`](crate::limits::SEND_MS_MAX) after the last success and not past the invocation's deadline; what it refuses is not. An answer that is lost on the way makes a letter
/// come twice: tell repeats by the payload's `redrive`.
///
/// # Large letters
///
/// A letter over [`SQS_MESSAGE_BYTES_MAX`](crate::limits::SQS_MESSAGE_BYTES_MAX), base64 and all, goes in two parts. Its body is the envelope without `payload`, with
/// `"payloadEncoding":"gzip"` in its place; the payload is the message's attribute `payload` (`Binary`), packed by gzip. Ask for the attributes, or they do not come:
///
/// ```sh
/// aws sqs receive-message --queue-url $QUEUE --message-attribute-names All |
///     jq -r '.Messages[0].MessageAttributes.payload.BinaryValue' | base64 -d | gunzip
/// ```
///
/// So each record of [`SQS_RECORD_BYTES_SAFE`](crate::limits::SQS_RECORD_BYTES_SAFE) bytes fits, and one of JSON or text may be several times as large. What still does not
/// fit is not sent, and its record fails; the letters beside it go. Lambda's events are up to 6 MB, so where records can be that large, use another destination.
///
/// FIFO queues are refused, as Lambda's own destinations refuse them: SQS would confirm and drop what it takes for a repeat, and one unread letter would
/// hold up those of its group.
///
/// Characters that SQS does not take (U+FFFE and U+FFFF) are written as JSON escapes.
pub struct SqsDestination {
    queue: Queue,
    /// Made at the first letter: a function that rejects nothing does not pay for it at its start, and a snapshot holds no credentials or connections.
    client: OnceCell<Client>,
}

impl SqsDestination {
    /// The queue of that URL or ARN, through a client of its own: region and endpoint from the address, the rest from the environment as every AWS tool
    /// reads it. A URL that is not AWS's own (an emulator, a VPC endpoint) is also the endpoint.
    ///
    /// # Errors
    ///
    /// The text names no queue, or a FIFO queue. Whether the queue exists shows with the first letter.
    pub fn new(queue: &str) -> Result<Self, SqsQueueError> {
        Ok(Self::at(Queue::parse(queue)?))
    }

    /// The queue of that URL or ARN, through this client: its region, endpoint, credentials, time-outs and retries.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_client(client: Client, queue: &str) -> Result<Self, SqsQueueError> {
        Ok(Self {
            queue: Queue::parse(queue)?,
            client: OnceCell::new_with(Some(client)),
        })
    }

    pub(crate) fn at(queue: Queue) -> Self {
        Self {
            queue,
            client: OnceCell::new(),
        }
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| connect(&self.queue)).await
    }

    /// Sends each entry once, and notes its result or the reason it had none. Answers with those worth another try.
    async fn round(&self, client: &Client, entries: Vec<Entry>, call: &mut Call<'_>) -> Vec<Entry> {
        let mut again = Vec::new();
        let mut batches = batches(entries);
        while let Some(batch) = batches.pop_front() {
            if Instant::now() >= call.until {
                return Vec::new();
            }
            match self.request(client, &batch, call.until).await {
                Answer::Each(answers) => {
                    for (entry, answer) in batch.into_iter().zip(answers) {
                        let letter = entry.letter;
                        match &answer {
                            Ok(()) => call.went_on(),
                            Err(Fault::Unable { .. }) => again.push(entry),
                            Err(_) => {}
                        }
                        call.results[letter] = answer;
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
                    call.mark(silent, &self.fault(Fault::no_answer));
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
    fn read(&self, output: &SendMessageBatchOutput, batch: &[Entry]) -> Vec<Result<(), Fault>> {
        let mut answers: HashMap<&str, Result<(), Fault>> = output
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
                Fault::Refused { queue, why }
            } else {
                Fault::Unable { queue, why }
            };
            answers.insert(entry.id(), Err(fault));
        }
        batch
            .iter()
            .map(|entry| {
                answers
                    .remove(entry.request.id())
                    .unwrap_or_else(|| Err(self.fault(Fault::unmentioned)))
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
            let fault = Fault::Unreachable {
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
        // A queue may be set to smaller messages than SQS allows. Alone, each letter shows whether it is the one.
        let one_letters = ["BatchRequestTooLong", "InvalidParameter", "InvalidMessage"]
            .iter()
            .any(|start| code.contains(start));
        if one_letters && entries > 1 {
            return Answer::Split;
        }
        if one_letters {
            return Answer::Each(vec![Err(Fault::Refused { queue, why })]);
        }
        let fault = Fault::Request {
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

    fn fault(&self, make: fn(String) -> Fault) -> Fault {
        make(self.queue.url().to_owned())
    }
}

impl Destination for SqsDestination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let Some(until) = leave_at(letters) else {
            return Vec::new();
        };
        let not_sent = || Err(self.fault(Fault::not_sent));
        let mut call = Call {
            letters,
            until,
            results: letters.iter().map(|_| not_sent()).collect(),
        };
        let mut waiting = Vec::new();
        for (at, letter) in letters.iter().enumerate() {
            match Entry::of(at, letter) {
                Ok(entry) => waiting.push(entry),
                Err(fault) => call.results[at] = Err(fault),
            }
        }
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
            .into_iter()
            .map(|result| result.map_err(SendError::new))
            .collect()
    }

    fn describe(&self) -> String {
        format!("sqs:{}", self.queue.name())
    }
}

impl fmt::Debug for SqsDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsDestination")
            .field("queue", &self.queue.url())
            .finish_non_exhaustive()
    }
}

async fn connect(queue: &Queue) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(SQS_TRY_MS_MAX))
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
    let config = match queue.region() {
        Some(region) => config.region(Region::new(region.to_owned())),
        // An emulator takes any region, so nobody has to set one, and the instance's metadata is not asked.
        None => config.region(
            RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
                .or_else("us-east-1"),
        ),
    };
    let config = config.load().await;
    let mut config = aws_sdk_sqs::config::Builder::from(&config);
    if let Some(endpoint) = queue.endpoint() {
        config = config.endpoint_url(endpoint);
    }
    Client::from_conf(config.build())
}

/// One call of `send` on its way.
struct Call<'a> {
    letters: &'a [DeadLetter],
    /// Nothing is waited for after this.
    until: Instant,
    /// One for each letter.
    results: Vec<Result<(), Fault>>,
}

impl Call<'_> {
    /// A letter was confirmed: the longest wait starts anew, so that a queue which is slow but takes letters gets them all.
    fn went_on(&mut self) {
        self.until = leave_at(self.letters).unwrap_or(self.until);
    }

    fn is_not_sent(&self, entry: &Entry) -> bool {
        matches!(self.results[entry.letter], Err(Fault::NotSent { .. }))
    }

    fn mark<'e>(&mut self, entries: impl IntoIterator<Item = &'e Entry>, fault: &Fault) {
        for entry in entries {
            self.results[entry.letter] = Err(fault.clone());
        }
    }
}

/// Between half and the whole of a bound that doubles.
fn back_off(tried: u32) -> Duration {
    let doubled = RETRY_BACKOFF_BASE_MS.saturating_mul(1 << tried.min(16));
    let bound = doubled.min(RETRY_BACKOFF_MAX_MS);
    Duration::from_millis(fastrand::u64(bound / 2..=bound))
}

/// What came of one request.
enum Answer {
    /// A result for each entry, in the batch's order.
    Each(Vec<Result<(), Fault>>),
    /// The batch is refused whole; each entry alone may not be.
    Split,
    /// It may pass.
    Later(Fault),
    /// No request will succeed.
    Never(Fault),
    /// No answer in the time left.
    TimeUp,
}

#[cfg(test)]
mod real;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
