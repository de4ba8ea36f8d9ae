//! A destination that appends letters to a file: for development machines, containers and persistent disks.

use std::path::PathBuf;
use std::sync::Arc;

use msk_destinations::send::{File, Progress};

use crate::destination::{DeadLetter, Destination, SendError, patience};

/// A destination that appends letters to a file, one envelope per line (NDJSON). `LAMBDA_MSK_ON_FAILURE=file:PATH`.
///
/// A letter is confirmed once it is on the disk: one `fsync` per call. A missing file is created, a missing directory is not. Several tasks and
/// processes may append to one file; they lock it (`flock`), so lines are neither torn nor mixed. Only a process or machine that dies while it
/// writes leaves part of a line, which was never confirmed; the next call starts on a new line after it, so readers must skip lines that do not parse.
/// To read a file and empty it, rename it first: a call that has the old file open either finishes in it or creates a new file.
///
/// In Lambda only `/tmp` is writable, and it is lost with the execution environment: use a queue there, or a mounted file system.
///
/// The write blocks the calling thread for one `fsync` (about a millisecond on a local disk) instead of using a thread for blocking work. So no write is
/// in flight and no lock is held when Lambda freezes the process after the response, and runs with paused time are repeatable.
#[derive(Clone, Debug)]
pub struct FileDestination {
    file: File,
}

impl FileDestination {
    /// Creates a destination for the file at `path`; a relative path starts at the process's working directory. The file is not opened before the first letter.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let file = File::new(path);
        Self { file }
    }
}

impl Destination for FileDestination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let Some(patience) = patience(letters) else {
            return Vec::new();
        };
        let envelopes = letters.iter().map(DeadLetter::envelope);
        let sent = self
            .file
            .append(envelopes, Progress::begin(patience).until())
            .await
            .map_err(Arc::new);
        letters
            .iter()
            .map(|_| sent.clone().map_err(SendError::new))
            .collect()
    }

    fn describe(&self) -> String {
        format!("file:{}", self.file.path().display())
    }
}

#[cfg(test)]
mod tests;
