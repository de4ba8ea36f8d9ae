//! Messages in batches, each with a result of its own: what SQS and SNS share. Called by `sqs` and `sns`.

use std::collections::{HashMap, VecDeque};

use tokio::time::Instant;

use super::chance::back_off;
use super::error::{Failed, ServiceError, why};
use super::patience::{Patience, Progress};
use crate::limits::BATCH_ENTRIES_MAX;

/// A message on its way.
pub(super) struct Entry<R> {
    /// Its place in the call.
    pub(super) at: usize,
    pub(super) bytes: usize,
    pub(super) request: R,
}

/// A service that takes batches.
pub(super) trait Service: Sync {
    /// One message in a request.
    type Request: Send + Sync;

    /// The address, for errors.
    fn place(&self) -> &str;

    /// Most bytes of one request.
    fn bytes_max(&self) -> usize;

    /// The order of messages counts: what failed goes before what follows.
    fn is_ordered(&self) -> bool;

    /// Sends a batch once.
    fn request(
        &self,
        batch: &[Entry<Self::Request>],
    ) -> impl Future<Output = Result<Output, Failed>> + Send;
}

/// What a service says of the entries of a batch, by their ids: in any order.
#[derive(Default)]
pub(super) struct Output {
    pub(super) confirmed: Vec<String>,
    pub(super) failed: Vec<FailedEntry>,
}

/// An entry that the service has not taken.
pub(super) struct FailedEntry {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) message: Option<String>,
    pub(super) sender_fault: bool,
}

/// Sends all messages through the client, which may have to be made. Returns one result for each, in their order.
pub(super) async fn send<'c, S: Service, C: 'c>(
    place: &str,
    client: impl Future<Output = &'c C>,
    service: impl FnOnce(&'c C) -> S,
    entries: Vec<Entry<S::Request>>,
    patience: Patience,
) -> Vec<Result<(), ServiceError>> {
    let progress = Progress::begin(patience);
    let Some(client) = progress.in_time(client).await else {
        let not_sent = |_| Err(ServiceError::not_sent(place));
        return entries.iter().map(not_sent).collect();
    };
    send_all(&service(client), entries, progress).await
}

async fn send_all<S: Service>(
    service: &S,
    entries: Vec<Entry<S::Request>>,
    progress: Progress,
) -> Vec<Result<(), ServiceError>> {
    let not_sent = || Err(ServiceError::not_sent(service.place()));
    let mut call = Call {
        service,
        progress,
        results: entries.iter().map(|_| not_sent()).collect(),
    };
    let mut waiting = entries;
    for tried in 0.. {
        waiting = call.round(waiting).await;
        let wait = back_off(tried);
        if waiting.is_empty() || Instant::now() + wait >= call.progress.until() {
            break;
        }
        tokio::time::sleep(wait).await;
    }
    call.results
}

/// One call of `send` on its way.
struct Call<'s, S> {
    service: &'s S,
    progress: Progress,
    /// One for each message.
    results: Vec<Result<(), ServiceError>>,
}

impl<S: Service> Call<'_, S> {
    /// Sends each entry once, and notes its result or the reason it had none. Answers with those worth another try.
    async fn round(&mut self, entries: Vec<Entry<S::Request>>) -> Vec<Entry<S::Request>> {
        let mut again = Vec::new();
        let mut batches = batches(entries, self.service.bytes_max());
        while let Some(batch) = batches.pop_front() {
            if self.progress.is_over() {
                return Vec::new();
            }
            match self.request(&batch).await {
                Answer::Each(answers) => {
                    for (entry, answer) in batch.into_iter().zip(answers) {
                        let at = entry.at;
                        match &answer {
                            Ok(()) => self.progress.went_on(),
                            Err(ServiceError::Unable { .. }) => again.push(entry),
                            Err(_) => {}
                        }
                        self.results[at] = answer;
                    }
                    if self.service.is_ordered() && !again.is_empty() {
                        again.extend(batches.into_iter().flatten());
                        return again;
                    }
                }
                Answer::Split => {
                    for entry in batch.into_iter().rev() {
                        batches.push_front(vec![entry]);
                    }
                }
                Answer::Later(fault) => {
                    self.mark(&batch, &fault);
                    let others = batches.into_iter().flatten();
                    if self.service.is_ordered() {
                        again.extend(batch);
                        again.extend(others);
                    } else {
                        // Behind the others, so that a batch which always fails does not stand in their way.
                        again.extend(others);
                        again.extend(batch);
                    }
                    return again;
                }
                Answer::Never(fault) => {
                    self.mark(&again, &fault);
                    self.mark(&batch, &fault);
                    self.mark(batches.iter().flatten(), &fault);
                    return Vec::new();
                }
                Answer::TimeUp => {
                    // A reason from an earlier round says more.
                    let silent = batch.iter().filter(|entry| self.is_not_sent(entry));
                    let silent: Vec<_> = silent.collect();
                    self.mark(silent, &ServiceError::no_answer(self.service.place()));
                    return Vec::new();
                }
            }
        }
        again
    }

    async fn request(&self, batch: &[Entry<S::Request>]) -> Answer {
        // On the heap: the SDK's future takes kilobytes.
        let request = Box::pin(self.service.request(batch));
        match self.progress.in_time(request).await {
            None => Answer::TimeUp,
            Some(Ok(output)) => Answer::Each(read(self.service.place(), output, batch)),
            Some(Err(failed)) => whole(failed, batch.len()),
        }
    }

    fn is_not_sent(&self, entry: &Entry<S::Request>) -> bool {
        matches!(self.results[entry.at], Err(ServiceError::NotSent { .. }))
    }

    fn mark<'e>(
        &mut self,
        entries: impl IntoIterator<Item = &'e Entry<S::Request>>,
        fault: &ServiceError,
    ) where
        S::Request: 'e,
    {
        for entry in entries {
            self.results[entry.at] = Err(fault.clone());
        }
    }
}

/// The result of each entry, by its id: a service answers in any order.
fn read<R>(place: &str, output: Output, batch: &[Entry<R>]) -> Vec<Result<(), ServiceError>> {
    let mut answers: HashMap<String, Result<(), ServiceError>> = output
        .confirmed
        .into_iter()
        .map(|id| (id, Ok(())))
        .collect();
    for entry in output.failed {
        let place = place.to_owned();
        let why = why(Some(&entry.code), entry.message.as_deref());
        // Throttling is the caller's fault by name, and passes.
        let refused = entry.sender_fault && !entry.code.contains("Throttl");
        let fault = if refused {
            ServiceError::Refused { place, why }
        } else {
            ServiceError::Unable { place, why }
        };
        answers.insert(entry.id, Err(fault));
    }
    let unmentioned = || {
        let place = place.to_owned();
        Err(ServiceError::Unmentioned { place })
    };
    batch
        .iter()
        .map(|entry| {
            let answer = answers.remove(&entry.at.to_string());
            answer.unwrap_or_else(unmentioned)
        })
        .collect()
}

/// What follows from the failure of a whole request.
fn whole(failed: Failed, entries: usize) -> Answer {
    let Failed {
        error,
        code,
        passes,
    } = failed;
    // A queue may be set to smaller messages than the service allows. Alone, each message shows whether it is the one.
    let singly = ["BatchRequestTooLong", "InvalidParameter", "InvalidMessage"]
        .iter()
        .any(|start| code.contains(start));
    match error {
        _ if singly && entries > 1 => Answer::Split,
        ServiceError::Request { place, why, .. } if singly => {
            Answer::Each(vec![Err(ServiceError::Refused { place, why })])
        }
        error if passes => Answer::Later(error),
        error => Answer::Never(error),
    }
}

/// Batches that the service takes, by number and by bytes, in order.
fn batches<R>(entries: Vec<Entry<R>>, bytes_max: usize) -> VecDeque<Vec<Entry<R>>> {
    let mut batches = VecDeque::new();
    let mut batch: Vec<Entry<R>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let full = batch.len() == BATCH_ENTRIES_MAX || bytes + entry.bytes > bytes_max;
        if full && !batch.is_empty() {
            batches.push_back(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += entry.bytes;
        batch.push(entry);
    }
    if !batch.is_empty() {
        batches.push_back(batch);
    }
    batches
}

/// What came of one request.
enum Answer {
    /// A result for each entry, in the batch's order.
    Each(Vec<Result<(), ServiceError>>),
    /// The batch is refused whole; each entry alone may not be.
    Split,
    /// It may pass.
    Later(ServiceError),
    /// No request will succeed.
    Never(ServiceError),
    /// No answer in the time left.
    TimeUp,
}
