//! A file to which lines are appended: for development machines, containers and persistent disks.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::chance;
use crate::limits::FILE_LOCK_POLL_MS_MAX;

/// A file to which lines are appended.
///
/// Lines are confirmed once they are on the disk: one `fsync` per call. A missing file is created, a missing directory is not. Several tasks and
/// processes may append to one file; they lock it (`flock`), so lines are neither torn nor mixed. Only a process or machine that dies while it
/// writes leaves part of a line, which was never confirmed; the next call starts on a new line after it.
///
/// The write blocks the calling thread instead of using a thread for blocking work, so no write is in flight after the caller has been dropped.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use msk_destinations::send::File;
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let path = std::env::temp_dir().join(format!("msk-destinations-{}", std::process::id()));
/// let file = File::new(&path);
/// file.append(["one", "two"], Instant::now() + Duration::from_secs(1)).await.unwrap();
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
/// # std::fs::remove_file(path).unwrap();
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
}

impl File {
    /// Creates a sender for the file at `path`; a relative path starts at the process's working directory. The file is not opened before the first line.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends all lines in one write, which is on the disk when the call returns, or appends nothing. No line may contain a line break.
    ///
    /// # Errors
    ///
    /// [`FileError`] with its cure; also if another process held the lock until the time was up.
    pub async fn append(
        &self,
        lines: impl IntoIterator<Item = impl AsRef<str>>,
        until: Instant,
    ) -> Result<(), FileError> {
        // A line break, then a line each.
        let mut text = vec![b'\n'];
        for line in lines {
            text.extend_from_slice(line.as_ref().as_bytes());
            text.push(b'\n');
        }
        let mut file = self.locked(until).await?;
        self.write(&mut file, &text)
    }

    /// Checks that the file can be opened, or created in its directory. The check does not create the file: it could not safely be removed again, since
    /// another process may have begun to write to it.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub fn check(&self) -> io::Result<()> {
        if self.path.try_exists()? {
            let open = OpenOptions::new().append(true).open(&self.path)?;
            return match open.metadata()?.is_file() {
                true => Ok(()),
                false => Err(io::Error::new(
                    ErrorKind::InvalidInput,
                    "it is not a regular file",
                )),
            };
        }
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = fs::metadata(folder)?;
        match (folder.is_dir(), folder.permissions().readonly()) {
            (false, _) => Err(ErrorKind::NotADirectory.into()),
            (true, true) => Err(ErrorKind::PermissionDenied.into()),
            (true, false) => Ok(()),
        }
    }

    /// Waits for the lock without blocking, so that a holder that is stopped or frozen costs the wait and nothing more.
    async fn locked(&self, until: Instant) -> Result<fs::File, FileError> {
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

    fn open(&self) -> Result<fs::File, FileError> {
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
    fn is_current(&self, file: &fs::File) -> Result<bool, FileError> {
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
    fn is_current(&self, _: &fs::File) -> Result<bool, FileError> {
        Ok(true)
    }

    /// Whole lines in one write, on the disk when it returns; or nothing.
    ///
    /// `lines` starts with a line break, left out where the file needs none.
    fn write(&self, file: &mut fs::File, lines: &[u8]) -> Result<(), FileError> {
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
        let wait = Duration::from_millis(chance::up_to(FILE_LOCK_POLL_MS_MAX));
        if Instant::now() + wait >= until {
            return Ok(None);
        }
        tokio::time::sleep(wait).await;
    }
}

/// The file's length, and whether it ends within a line.
fn end_of(file: &mut fs::File) -> io::Result<(u64, bool)> {
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
    fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Other systems have no such call.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The reason why no line of a call was confirmed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the dead-letter file `{}`{advice}", path.display())]
pub struct FileError {
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
            ": its directory does not exist; create it, or use another path"
        }
        ErrorKind::IsADirectory => ": it is a directory; use the path of a file in it",
        ErrorKind::InvalidInput => {
            ": it is not a regular file, and only a regular file stores the letters; use another path"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            ": it is not writable; in Lambda only /tmp is writable, and it does not persist: use a queue there"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            ": the disk is full; free some space, or use a file on another disk"
        }
        ErrorKind::WouldBlock => {
            ": another process held its lock until the time was up; find out which one, or use another file"
        }
        ErrorKind::ResourceBusy => {
            ": until the time was up, its name led to another file after each opening; stop the program that renames or removes it, and do not use a file system whose files change their inode numbers"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests;
