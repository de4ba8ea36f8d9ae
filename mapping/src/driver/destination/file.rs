//! A destination that appends to a file: not one of Lambda's, for local runs.

use std::path::PathBuf;
use std::time::Duration;

use msk_destinations::send::File;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::{Destination, SendFuture, Undelivered};
use crate::document::Documents;
use crate::limits::{DELIVER_LEAVE_MS, DELIVER_MS};
use crate::machine::{Configuration, Discarded};

/// Appends one line of JSON for each record: the message that Lambda would send to a Kafka topic, with an event of that
/// one record in `payload`. `cargo msk invoke` accepts the file as it is.
///
/// A missing file is created, a missing folder is not. A record counts as delivered once it is on the disk.
#[derive(Debug, Clone)]
pub struct FileDestination {
    file: File,
    documents: Documents,
}

impl FileDestination {
    /// The file at a path, for the mapping with this configuration.
    pub fn new(path: impl Into<PathBuf>, configuration: &Configuration) -> Self {
        Self {
            file: File::new(path),
            documents: Documents::of(configuration),
        }
    }
}

impl Destination for FileDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        let messages = self.documents.messages(discarded);
        let file = self.file.clone();
        let until = Instant::now() + Duration::from_millis(DELIVER_MS - DELIVER_LEAVE_MS);
        Box::pin(async move {
            let runtime = Handle::current();
            let written = spawn_blocking(move || {
                let lines = messages.iter().map(|message| &message.value);
                runtime.block_on(file.append(lines, until))
            });
            match written.await {
                Ok(written) => written.map_err(|error| Undelivered(Box::new(error))),
                Err(error) => Err(Undelivered(Box::new(error))),
            }
        })
    }

    fn check(&self) -> SendFuture<'_> {
        let file = self.file.clone();
        Box::pin(async move {
            let opened = spawn_blocking(move || file.check()).await;
            match opened {
                Ok(opened) => opened.map_err(|error| Undelivered(Box::new(error))),
                Err(error) => Err(Undelivered(Box::new(error))),
            }
        })
    }

    fn describe(&self) -> String {
        format!("file:{}", self.file.path().display())
    }
}
