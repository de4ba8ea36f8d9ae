//! Letters in an SQS queue. What is only looked at becomes visible again at once; what is redriven stays invisible while the run goes on.
//!
//! A FIFO queue gives a group's next messages only when those before them are deleted, so a redrive reads it again after each round.

use std::collections::HashSet;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flate2::read::GzDecoder;
use jiff::Timestamp;
use msk_destinations::address;
use msk_destinations::send::Sqs;
use msk_destinations::send::aws_sdk_sqs::Client;
use msk_destinations::send::aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName,
    QueueAttributeName,
};
use msk_mapping::limits::EVENT_BYTES_MAX;

use super::found::{self as words, Found, LETTERS_MAX, More, Read as All, Receipt, Use};
use super::sdk;
use crate::dlq::document;
use crate::fault::Fault;

/// Messages of one request: SQS's own limit.
const BATCH: i32 = 10;
/// How long messages stay invisible without an extension: long enough for a slow network, short enough after a kill.
const VISIBILITY_S: i32 = 120;
/// An extension comes three times before the end.
const EXTENSION_S: u64 = 40;
/// A long poll asks all of SQS's servers, a short one only some.
const WAIT_S: i32 = 1;
/// So many polls in a row that bring nothing end the reading.
const EMPTY_MAX: u32 = 2;

pub(crate) struct Queue {
    sqs: Sqs,
    /// Handles of messages that are invisible for this run.
    held: Arc<Mutex<HashSet<String>>>,
    extends: Option<tokio::task::JoinHandle<()>>,
    /// The ids of all messages that were received.
    seen: HashSet<Option<String>>,
    /// How many of them were deleted.
    deleted: u64,
}

impl Queue {
    pub(crate) fn open(text: &str) -> Result<Self, Fault> {
        let queue = address::Queue::parse(text).map_err(|error| {
            Fault::new(format!("the queue in --from {error}")).help(words::HELP)
        })?;
        Ok(Self {
            sqs: Sqs::new(queue),
            held: Arc::default(),
            extends: None,
            seen: HashSet::new(),
            deleted: 0,
        })
    }

    pub(crate) async fn read(&mut self, used: Use) -> Result<All, Fault> {
        let client = self.sqs.client().await.clone();
        let url = self.sqs.queue().url().to_owned();
        let extends = || extend(client.clone(), url.clone(), Arc::clone(&self.held));
        self.extends.get_or_insert_with(extends);
        let read = self.receive(&client, &url, used).await;
        if used == Use::Look || read.is_err() {
            self.give_back().await?;
        }
        read
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.sqs.queue().is_fifo()
    }

    async fn receive(&mut self, client: &Client, url: &str, used: Use) -> Result<All, Fault> {
        let (mut all, mut empty, mut oldest) = (Vec::new(), 0, None);
        while empty < EMPTY_MAX && all.len() < LETTERS_MAX {
            // What a FIFO queue has behind these comes once they are gone: who takes them out reads again, and need not wait.
            let goes_on = used == Use::Redrive && self.is_fifo() && !all.is_empty();
            if goes_on && empty > 0 {
                break;
            }
            let asked = client
                .receive_message()
                .queue_url(url)
                .max_number_of_messages(BATCH)
                .visibility_timeout(VISIBILITY_S)
                .wait_time_seconds(if goes_on { 0 } else { WAIT_S })
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
            let answer = Box::pin(asked.send()).await.map_err(|error| {
                let what = format!("cannot read dead letters from {url}");
                sdk::fault(&what, "sqs:ReceiveMessage", error)
            })?;
            let messages = answer.messages.unwrap_or_default();
            empty = if messages.is_empty() { empty + 1 } else { 0 };
            for message in messages {
                let Some(handle) = message.receipt_handle() else {
                    continue;
                };
                lock(&self.held).insert(handle.to_owned());
                if self.seen.insert(message.message_id.clone()) {
                    oldest = [oldest, sent(&message)].into_iter().flatten().min();
                    all.push(found(&message, handle));
                }
            }
        }
        let (there, kept_s) = attributes(client, url).await?;
        let here = (self.seen.len() as u64).saturating_sub(self.deleted);
        let unseen = there.saturating_sub(here);
        let more = if unseen == 0 {
            More::Nothing
        } else {
            More::Messages(unseen)
        };
        let until = oldest.zip(kept_s).and_then(|(sent, kept_s)| {
            let until = sent.checked_add(kept_s.checked_mul(1_000)?)?;
            Timestamp::from_millisecond(until).ok()
        });
        Ok(All {
            found: all,
            more,
            until,
        })
    }

    pub(crate) async fn delete(&mut self, handle: &str) -> Result<(), Fault> {
        let url = self.sqs.queue().url();
        let asked = self.sqs.client().await.delete_message();
        let asked = asked.queue_url(url).receipt_handle(handle).send();
        Box::pin(asked).await.map_err(|error| {
            let what = format!("cannot take a settled letter out of {url}");
            sdk::fault(&what, "sqs:DeleteMessage", error)
        })?;
        lock(&self.held).remove(handle);
        self.deleted += 1;
        Ok(())
    }

    /// Makes what is left visible at once.
    pub(crate) async fn give_back(&mut self) -> Result<(), Fault> {
        if let Some(extends) = self.extends.take() {
            extends.abort();
        }
        let handles: Vec<String> = lock(&self.held).drain().collect();
        let client = self.sqs.client().await;
        visible(client, self.sqs.queue().url(), &handles, 0).await
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        if let Some(extends) = self.extends.take() {
            extends.abort();
        }
    }
}

fn lock(held: &Mutex<HashSet<String>>) -> std::sync::MutexGuard<'_, HashSet<String>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When a message was sent, in milliseconds since 1970.
fn sent(message: &Message) -> Option<i64> {
    let attributes = message.attributes()?;
    let sent = attributes.get(&MessageSystemAttributeName::SentTimestamp)?;
    sent.parse().ok()
}

/// About how many messages lie there, also those that a reader has; and for how many seconds the queue keeps a message, if it tells. Delayed messages are no
/// letters yet.
async fn attributes(client: &Client, url: &str) -> Result<(u64, Option<i64>), Fault> {
    let kept = QueueAttributeName::MessageRetentionPeriod;
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let asked = client
        .get_queue_attributes()
        .queue_url(url)
        .set_attribute_names(Some([&names[..], std::slice::from_ref(&kept)].concat()));
    let answer = Box::pin(asked.send()).await.map_err(|error| {
        let what = format!("cannot tell whether all letters of {url} were read");
        sdk::fault(&what, "sqs:GetQueueAttributes", error)
    })?;
    let attributes = answer.attributes.unwrap_or_default();
    let number = |name| {
        let text = attributes.get(name);
        text.and_then(|text| text.parse().ok()).unwrap_or(0_u64)
    };
    let kept_s = attributes.get(&kept).and_then(|text| text.parse().ok());
    let count = names.iter().map(number).fold(0, u64::saturating_add);
    Ok((count, kept_s))
}

/// Keeps messages invisible as long as the run goes on.
fn extend(
    client: Client,
    url: String,
    held: Arc<Mutex<HashSet<String>>>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(EXTENSION_S)).await;
            let handles: Vec<String> = lock(&held).iter().cloned().collect();
            // One that fails comes again with the next extension; a message that others see is run twice at most, and the ledger skips it.
            let _ = visible(&client, &url, &handles, VISIBILITY_S).await;
        }
    })
}

async fn visible(
    client: &Client,
    url: &str,
    handles: &[String],
    seconds: i32,
) -> Result<(), Fault> {
    for batch in handles.chunks(BATCH as usize) {
        let mut request = client.change_message_visibility_batch().queue_url(url);
        for (number, handle) in batch.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(handle)
                .visibility_timeout(seconds)
                .build()
                .map_err(|error| Fault::from_error(&error))?;
            request = request.entries(entry);
        }
        Box::pin(request.send()).await.map_err(|error| {
            let what = format!(
                "cannot give letters back to {url}: they are visible again after {VISIBILITY_S} s"
            );
            sdk::fault(&what, "sqs:ChangeMessageVisibility", error)
        })?;
    }
    Ok(())
}

fn found(message: &Message, handle: &str) -> Found {
    let beside = message
        .message_attributes()
        .and_then(|attributes| attributes.get("payload"))
        .and_then(|attribute| attribute.binary_value());
    let beside = beside.and_then(|packed| {
        let mut event = Vec::new();
        let unpacked = GzDecoder::new(packed.as_ref()).take(EVENT_BYTES_MAX as u64 + 1);
        let mut unpacked = unpacked;
        unpacked.read_to_end(&mut event).ok()?;
        (event.len() <= EVENT_BYTES_MAX).then_some(event)
    });
    let body = message.body().unwrap_or_default();
    Found {
        at: format!(
            "message {}",
            message.message_id().unwrap_or("without an id")
        ),
        letter: document::read(body.as_bytes(), beside.as_deref()),
        receipt: Receipt::Message {
            handle: handle.to_owned(),
        },
    }
}
