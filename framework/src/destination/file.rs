//! A destination that appends letters to a file: for desks, containers and disks that stay.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::destination::{DeadLetter, Destination, SendError, leave_at};
use crate::limits::FILE_LOCK_POLL_MS_MAX;

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
    path: PathBuf,
}

impl FileDestination {
    /// Appends to the file at `path`; a relative one starts at the process's working directory. Nothing is opened before the first letter.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Waits for the lock without blocking, so that a holder that is stopped or frozen costs the wait and nothing more.
    async fn locked(&self, until: Instant) -> Result<File, FileError> {
        let mut held = true;
        let locked = retried(until, || {
            let file = self.open()?;
            match file.try_lock() {
                Ok(()) if self.is_current(&file)? => return Ok(Some(file)),
                // Renamed or removed between open and lock: what is written there is not where the next reader looks.
                Ok(()) => held = false,
                Err(TryLockError::WouldBlock) => held = true,
                Err(TryLockError::Error(cause)) => return Err(self.error("lock", cause)),
            }
            Ok(None)
        });
        let locked = locked.await?;
        locked.ok_or_else(|| match held {
            true => self.error("lock", ErrorKind::WouldBlock.into()),
            false => self.error("lock", ErrorKind::ResourceBusy.into()),
        })
    }

    fn open(&self) -> Result<File, FileError> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&self.path)
            .map_err(|cause| self.error("open", cause))?;
        let kind = file.metadata().map_err(|cause| self.error("open", cause))?;
        if kind.is_file() {
            Ok(file)
        } else {
            // A pipe or terminal keeps nothing, so nothing can be confirmed.
            Err(self.error("use", ErrorKind::InvalidInput.into()))
        }
    }

    /// Whether the path still leads to the open file.
    #[cfg(unix)]
    fn is_current(&self, file: &File) -> Result<bool, FileError> {
        use std::os::unix::fs::MetadataExt;

        let open = file.metadata().map_err(|cause| self.error("open", cause))?;
        match fs::metadata(&self.path) {
            Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(self.error("open", cause)),
        }
    }

    /// Other systems do not let an open file be renamed or removed.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on unix")]
    fn is_current(&self, _: &File) -> Result<bool, FileError> {
        Ok(true)
    }

    /// Whole lines in one write, on the disk when it returns; or nothing.
    ///
    /// `lines` starts with a line break, left out where the file needs none.
    fn append(&self, file: &mut File, lines: &[u8]) -> Result<(), FileError> {
        let (former, torn) = end_of(file).map_err(|cause| self.error("read", cause))?;
        let lines = if torn { lines } else { &lines[1..] };
        let written = file.write_all(lines).and_then(|()| file.sync_data());
        if let Err(cause) = written {
            // The whole call counts as not sent. If this fails too, the next call starts on a new line.
            let _ = file.set_len(former);
            return Err(self.error("write to", cause));
        }
        if former == 0 {
            sync_directory(&self.path).map_err(|cause| self.error("write to", cause))?;
        }
        Ok(())
    }

    fn error(&self, action: &'static str, cause: io::Error) -> FileError {
        FileError {
            action,
            path: self.path.clone(),
            advice: advice(cause.kind()),
            cause,
        }
    }
}

impl Destination for FileDestination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let Some(until) = leave_at(letters) else {
            return Vec::new();
        };
        let lines = lines(letters);
        let sent = match self.locked(until).await {
            Ok(mut file) => self.append(&mut file, &lines).map_err(Arc::new),
            Err(error) => Err(Arc::new(error)),
        };
        letters
            .iter()
            .map(|_| sent.clone().map_err(SendError::new))
            .collect()
    }

    fn describe(&self) -> String {
        format!("file:{}", self.path.display())
    }
}

/// Tries until it succeeds, fails or the time is up, with a short wait after each try: whatever the file system answers, others get their turn.
///
/// *None: the time is up.*
async fn retried<T, E>(
    until: Instant,
    mut once: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    loop {
        if let Some(found) = once()? {
            return Ok(Some(found));
        }
        let wait = Duration::from_millis(fastrand::u64(1..=FILE_LOCK_POLL_MS_MAX));
        if Instant::now() + wait >= until {
            return Ok(None);
        }
        tokio::time::sleep(wait).await;
    }
}

/// A line break, then a line for each letter.
fn lines(letters: &[DeadLetter]) -> Vec<u8> {
    let mut lines = vec![b'\n'];
    for letter in letters {
        lines.extend_from_slice(letter.envelope().as_bytes());
        lines.push(b'\n');
    }
    lines
}

/// The file's length, and whether it ends within a line.
fn end_of(file: &mut File) -> io::Result<(u64, bool)> {
    let len = file.seek(SeekFrom::End(0))?;
    if len == 0 {
        return Ok((0, false));
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok((len, last != *b"\n"))
}

/// A new file's name is on the disk only once its directory is.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Other systems have no such call.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Why nothing of a call was confirmed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the dead-letter file `{}`{advice}", path.display())]
struct FileError {
    action: &'static str,
    path: PathBuf,
    advice: &'static str,
    #[source]
    cause: io::Error,
}

/// What to do about it.
fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            ": its directory does not exist; make it, or name another"
        }
        ErrorKind::IsADirectory => ": it is a directory; name a file in it",
        ErrorKind::InvalidInput => {
            ": it is no regular file, and nothing else keeps what it is given"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            ": it must not be written; in Lambda only /tmp can be, and it does not last: use a queue there"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            ": there is no room; make some, or name a file elsewhere"
        }
        ErrorKind::WouldBlock => ": another process held its lock until the time was up",
        ErrorKind::ResourceBusy => {
            ": each time it was open, its name led to another file, until the time was up; what renames or removes it must pause, and a file system whose files change their numbers cannot be used"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests;
