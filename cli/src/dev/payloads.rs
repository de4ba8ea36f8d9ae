//! `--payloads`: the records of each event, read beside the run. Started by `work`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::show::Show;
use crate::function::payloads::{self, Reader};

/// So many events wait to be shown; while there are so many, the next ones are not.
const EVENTS_MAX: usize = 64;
/// How long the end waits for what is not shown yet.
const END: Duration = Duration::from_secs(5);

/// Takes the events of all mappings.
#[derive(Clone)]
pub(super) struct Payloads {
    events: Sender<(String, Bytes)>,
    show: Arc<Show>,
}

impl Payloads {
    /// Starts to show what is taken, until nobody takes more.
    pub(super) fn start(reader: Reader, show: Arc<Show>) -> (Self, JoinHandle<()>) {
        let (events, taken) = mpsc::channel(EVENTS_MAX);
        let showing = tokio::spawn(run(taken, reader, Arc::clone(&show)));
        (Self { events, show }, showing)
    }

    /// What a mapping calls with each event.
    pub(super) fn of(&self, topic: &str) -> impl Fn(&Bytes) + Send + Sync + use<> {
        let (this, topic) = (self.clone(), topic.to_owned());
        move |event| {
            let taken = this.events.try_send((topic.clone(), event.clone()));
            if taken.is_err() {
                let text = format!(
                    "the records of an event of {topic} are not shown: too many events wait for it"
                );
                this.show.remark("payload", &text);
            }
        }
    }
}

async fn run(mut taken: Receiver<(String, Bytes)>, reader: Reader, show: Arc<Show>) {
    while let Some((topic, event)) = taken.recv().await {
        let read = payloads::read(&event, &reader).await;
        show.payloads(&topic, &read);
    }
}

/// Waits until all is shown. A registry that does not answer holds nothing up for long.
pub(super) async fn finish(mut showing: JoinHandle<()>) {
    if timeout(END, &mut showing).await.is_err() {
        showing.abort();
    }
}
