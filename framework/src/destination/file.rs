//! A destination that appends letters to a file: for desks, containers and disks that stay.

use std::path::PathBuf;
use std::sync::Arc;

use msk_destinations::send::File;

use crate::destination::{DeadLetter, Destination, SendError, patience};

/// Appends letters to a file, one envelope a line (NDJSON). `LAMBDA_MSK_ON_FAILURE=file:PATH`.
///
/// A letter is confirmed once it is on the disk: one `fsync` a call. The file is made where it is missing, its directory is not. Several tasks and
/// processes may append to one file; they lock it (`flock`), so lines are neither torn nor mixed. Only a process or machine that dies while it
/// writes leaves part of a line, which was never confirmed; the next call starts on a new line behind it, so readers skip what does not parse.
/// To read a file and empty it, rename it away first: a call that still holds the old one writes there or starts anew under the name.
///
/// In Lambda only `/tmp` can be written, and it is gone with the execution environment: use a queue there, or a mounted file system.
///
/// The write is made in place, not on a thread for blocking work. It takes an `fsync` (about a millisecond on a local disk), and this way no write is
/// under way and no lock held once the answer has left and Lambda freezes the process; and runs with paused time stay the same from run to run.
#[derive(Clone, Debug)]
pub struct FileDestination {
    file: File,
}

impl FileDestination {
    /// Appends to the file at `path`; a relative one starts at the process's working directory. Nothing is opened before the first letter.
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
            .append(envelopes, patience.until())
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
