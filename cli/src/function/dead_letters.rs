//! The dead letters that a function of lambda-msk appended to a file while it ran. Other functions have none. Read by `dev` and
//! `invoke`, since a log may say nothing of rejected records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::function::said::{Place, Reason};

/// The variable that names the destination.
pub(crate) const ON_FAILURE: &str = "LAMBDA_MSK_ON_FAILURE";
/// So many letters are read; the others are counted.
const LETTERS_MAX: usize = 10_000;

/// A file of dead letters, and where it ended before the function ran.
#[derive(Debug)]
pub(crate) struct Mark {
    path: PathBuf,
    end: u64,
}

/// What was appended since.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DeadLetters {
    pub(crate) path: PathBuf,
    pub(crate) count: usize,
    /// The first ones.
    pub(crate) letters: Vec<Letter>,
}

/// A rejected record, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) place: Place,
    pub(crate) reason: Reason,
}

impl Mark {
    /// None: the function's destination is no file.
    pub(crate) fn set(env: &[(String, String)]) -> Option<Self> {
        let destination = variable(env, ON_FAILURE)?;
        // What the framework refuses is no file.
        lambda_msk::testing::check_on_failure(&destination).ok()?;
        let path = destination.strip_prefix("file:")?;
        let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
        let end = end(&path);
        Some(Self { path, end })
    }

    /// The same file, from its end now on.
    pub(crate) fn renewed(&self) -> Self {
        Self {
            path: self.path.clone(),
            end: end(&self.path),
        }
    }

    /// What was appended to the file since: nothing, if there is no such file.
    pub(crate) fn read(&self) -> DeadLetters {
        let (count, letters) = read(&self.path, self.end).unwrap_or_default();
        DeadLetters {
            path: self.path.clone(),
            count,
            letters,
        }
    }
}

/// A variable of the function: what it is given wins over what it inherits. None: unset, or empty.
pub(crate) fn variable(env: &[(String, String)], wanted: &str) -> Option<String> {
    let given = env.iter().rev().find(|(name, _)| name == wanted);
    let value = match given {
        Some((_, value)) => value.clone(),
        None => std::env::var(wanted).ok()?,
    };
    (!value.is_empty()).then_some(value)
}

fn end(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

fn read(path: &Path, from: u64) -> io::Result<(usize, Vec<Letter>)> {
    let mut file = File::open(path)?;
    // Shorter than before: it was made anew.
    let from = if file.metadata()?.len() < from {
        0
    } else {
        from
    };
    file.seek(SeekFrom::Start(from))?;
    let mut lines = BufReader::new(file);
    let mut letters = Vec::new();
    let mut count = 0;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        count += 1;
        if letters.len() < LETTERS_MAX {
            letters.extend(letter(&line));
        }
        line.clear();
    }
    Ok((count, letters))
}

/// None: the line is no letter of ours.
fn letter(line: &[u8]) -> Option<Letter> {
    #[derive(Deserialize)]
    struct Wire {
        failure: Failure,
        payload: Payload,
    }

    #[derive(Deserialize)]
    struct Failure {
        code: String,
        message: String,
    }

    #[derive(Deserialize)]
    struct Payload {
        redrive: Redrive,
    }

    #[derive(Deserialize)]
    struct Redrive {
        /// The letter's: the request's, a colon, the record's coordinates.
        id: String,
    }

    let wire: Wire = serde_json::from_slice(line).ok()?;
    let (_, record) = wire.payload.redrive.id.split_once(':')?;
    let (partition, offset) = record.rsplit_once('@')?;
    let (topic, partition) = partition.rsplit_once('-')?;
    Some(Letter {
        place: Place {
            topic: topic.to_owned(),
            partition: partition.parse().ok()?,
            offset: offset.parse().ok()?,
        },
        reason: Reason {
            code: wire.failure.code,
            why: wire.failure.message,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::Mark;

    const LETTER: &str = r#"{"failure":{"code":"reject.json","message":"no"},"payload":{"redrive":{"id":"7d9c:orders-0@41","count":1}}}"#;

    #[test]
    fn only_what_was_appended_is_read() {
        let path = std::env::temp_dir().join(format!("cargo-msk-{}.ndjson", std::process::id()));
        fs::write(&path, "of an earlier run\n").unwrap();
        let env = format!("file:{}", path.display());
        let mark = Mark::set(&[("LAMBDA_MSK_ON_FAILURE".to_owned(), env)]).unwrap();

        let nothing = mark.read();
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        writeln!(file, "{LETTER}\nnot a letter").unwrap();
        let letters = mark.read();
        fs::remove_file(&path).unwrap();

        assert_eq!((nothing.count, nothing.letters.len()), (0, 0));
        assert_eq!((letters.count, letters.letters.len()), (2, 1));
        assert_eq!(letters.letters[0].place.to_string(), "orders-0@41");
        assert_eq!(mark.read().count, 0);
    }

    #[test]
    fn another_destination_is_no_file() {
        let queue = "arn:aws:sqs:us-east-1:123456789012:q".to_owned();

        assert!(Mark::set(&[("LAMBDA_MSK_ON_FAILURE".to_owned(), queue)]).is_none());
    }
}
