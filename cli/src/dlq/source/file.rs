//! A file with a letter on each line, as the function's destination writes it, and standard input.
//!
//! Writers append under a lock (`flock`). A settled line is overwritten with blanks in its place, which no reader minds; the end of a run
//! takes the blanks out, with a new file in place of the old one: writers see that, and write to the new one.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::found::{Found, LETTERS_MAX, More, Read as All, Receipt};
use crate::dlq::aside::aside;
use crate::dlq::document;
use crate::fault::Fault;
use crate::files::{document as json, source};

/// So much of a file is read: a hundred thousand letters of five kilobytes.
const FILE_BYTES_MAX: usize = 512 * 1024 * 1024;

pub(crate) struct File {
    path: PathBuf,
    /// Whether a line was overwritten.
    blanked: bool,
}

impl File {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            blanked: false,
        }
    }

    pub(crate) async fn read(&self) -> Result<All, Fault> {
        let path = self.path.clone();
        // It may be a pipe.
        aside(move || found(&path)).await?
    }

    /// Overwrites a line with its line break, if it still is where it was.
    pub(crate) fn blank(&mut self, start: u64, bytes: &[u8]) -> Result<(), Fault> {
        let blank = || -> io::Result<bool> {
            let mut file = locked(&self.path, || open(&self.path))?;
            let mut there = vec![0; bytes.len()];
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut there)?;
            if there != bytes {
                return Ok(false);
            }
            file.seek(SeekFrom::Start(start))?;
            file.write_all(&vec![b' '; bytes.len()])?;
            file.sync_data()?;
            Ok(true)
        };
        match blank() {
            Ok(true) => {
                self.blanked = true;
                Ok(())
            }
            Ok(false) => Err(self.fault("the letter is no longer where it was read")),
            Err(error) => Err(self.fault(&error.to_string())),
        }
    }

    /// Takes blanks out.
    pub(crate) fn compact(&mut self) -> Result<(), Fault> {
        if !std::mem::take(&mut self.blanked) {
            return Ok(());
        }
        let compact = || -> io::Result<()> {
            let mut file = locked(&self.path, || open(&self.path))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let mut kept = Vec::new();
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let line = line.trim_ascii_start();
                kept.extend_from_slice(line);
            }
            let mut name = self.path.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}.tmp", std::process::id()));
            let beside = self.path.with_file_name(name);
            let permissions = file.metadata()?.permissions();
            let written = fs::File::create(&beside).and_then(|mut new| {
                new.write_all(&kept)?;
                new.set_permissions(permissions)?;
                new.sync_all()
            });
            let renamed = written.and_then(|()| fs::rename(&beside, &self.path));
            if renamed.is_err() {
                let _ = fs::remove_file(&beside);
            }
            renamed
        };
        compact().map_err(|error| self.fault(&error.to_string()))
    }

    fn fault(&self, why: &str) -> Fault {
        Fault::new(format!(
            "cannot take a settled letter out of {}",
            self.path.display()
        ))
        .at(why)
        .help("nothing is lost: the letter may still stand there, and the ledger skips a record that is done")
    }
}

fn open(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// The file that the path names while its lock is held: another run may have put a new one in its place before.
fn locked(path: &Path, open: impl Fn() -> io::Result<fs::File>) -> io::Result<fs::File> {
    loop {
        let file = open()?;
        file.lock()?;
        if is_current(path, &file)? {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn is_current(path: &Path, file: &fs::File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let (open, named) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

/// Other systems do not let an open file be renamed or removed.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
fn is_current(_: &Path, _: &fs::File) -> io::Result<bool> {
    Ok(true)
}

pub(crate) async fn standard_input() -> Result<All, Fault> {
    let mut all = aside(|| found(Path::new("-"))).await??;
    for found in &mut all.found {
        found.receipt = Receipt::None;
    }
    Ok(all)
}

fn found(path: &Path) -> Result<All, Fault> {
    let name = source::name(path);
    let bytes = source::read(path, FILE_BYTES_MAX).map_err(|error| {
        Fault::new(format!("cannot read dead letters from {name}"))
            .at(error.to_string())
            .help("check the path: the function writes to the file of its LAMBDA_MSK_ON_FAILURE=file:PATH")
    })?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Fault::new(format!(
            "expected at most {FILE_BYTES_MAX} bytes, found more in {name}"
        ))
        .help("split the file: split -l 10000 FILE"));
    }
    if let Some(encoded) = json::encoding(&bytes) {
        return Err(Fault::new(format!("{name} {}", encoded.what)).help(encoded.help));
    }
    // One that somebody has pretty-printed.
    if let Ok(letter) = document::read(&bytes, None) {
        let receipt = Receipt::Line { start: 0, bytes };
        let found = Found {
            at: "line 1".to_owned(),
            letter: Ok(letter),
            receipt,
        };
        return Ok(All {
            found: vec![found],
            more: More::Nothing,
            until: None,
        });
    }
    let mut all = All {
        found: Vec::new(),
        more: More::Nothing,
        until: None,
    };
    let mut start = 0;
    for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let at = start;
        start += line.len() as u64;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if all.found.len() == LETTERS_MAX {
            all.more = More::Rest;
            break;
        }
        all.found.push(Found {
            at: format!("line {number}"),
            letter: document::read(line, None),
            receipt: Receipt::Line {
                start: at,
                bytes: line.to_vec(),
            },
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;
    use std::io::Read;

    use super::{locked, open};

    #[test]
    fn a_file_that_was_replaced_before_its_lock_is_opened_anew() {
        let path = std::env::temp_dir().join(format!("msk-dlq-lock-{}", std::process::id()));
        let beside = path.with_extension("tmp");
        fs::write(&path, "old").unwrap();
        fs::write(&beside, "new").unwrap();
        let opened = Cell::new(0);

        let file = locked(&path, || {
            let file = open(&path)?;
            if opened.replace(opened.get() + 1) == 0 {
                fs::rename(&beside, &path)?;
            }
            Ok(file)
        });

        let mut text = String::new();
        file.unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((&*text, opened.get()), ("new", 2));
        fs::remove_file(path).unwrap();
    }
}
