//! A destination that appends to a file: not one of Lambda's, but the one that a desk has.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Destination, SendFuture, Undelivered};
use crate::document::Documents;
use crate::machine::{Configuration, Discarded};

/// Appends one line of JSON for each record: what a Kafka topic would get from Lambda, whose `payload` is an event with
/// that one record. `cargo msk invoke` takes it as it is.
///
/// The file is made where it is missing, its folder is not. A record is delivered once it is on the disk.
#[derive(Debug, Clone)]
pub struct FileDestination {
    path: PathBuf,
    documents: Documents,
    /// One writer at a time, so that lines are whole.
    writing: Arc<Mutex<()>>,
}

impl FileDestination {
    /// The file at a path, for the mapping with this configuration.
    pub fn new(path: impl Into<PathBuf>, configuration: &Configuration) -> Self {
        Self {
            path: path.into(),
            documents: Documents::of(configuration),
            writing: Arc::default(),
        }
    }
}

impl Destination for FileDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        let messages = self.documents.messages(discarded);
        let lines: String = messages
            .into_iter()
            .map(|message| message.value + "\n")
            .collect();
        let (path, writing) = (self.path.clone(), Arc::clone(&self.writing));
        Box::pin(async move {
            let written = tokio::task::spawn_blocking(move || {
                let _one_at_a_time = writing.lock().unwrap_or_else(PoisonError::into_inner);
                append(&path, lines.as_bytes())
            });
            match written.await {
                Ok(written) => written.map_err(|error| Undelivered(Box::new(error))),
                Err(error) => Err(Undelivered(Box::new(error))),
            }
        })
    }

    fn check(&self) -> SendFuture<'_> {
        let path = self.path.clone();
        Box::pin(async move {
            let opened = tokio::task::spawn_blocking(move || probe(&path)).await;
            match opened {
                Ok(opened) => opened.map_err(|error| Undelivered(Box::new(error))),
                Err(error) => Err(Undelivered(Box::new(error))),
            }
        })
    }

    fn describe(&self) -> String {
        format!("file:{}", self.path.display())
    }
}

fn append(path: &Path, lines: &[u8]) -> std::io::Result<()> {
    let mut file = open(path)?;
    file.write_all(lines)?;
    file.sync_data()
}

/// Whether it can be opened, or made where its folder is. It is not made: nobody could take it away again, since another run
/// may have begun to write to it.
fn probe(path: &Path) -> std::io::Result<()> {
    if path.try_exists()? {
        return open(path).map(drop);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = std::fs::metadata(folder)?;
    match (folder.is_dir(), folder.permissions().readonly()) {
        (false, _) => Err(ErrorKind::NotADirectory.into()),
        (true, true) => Err(ErrorKind::PermissionDenied.into()),
        (true, false) => Ok(()),
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
