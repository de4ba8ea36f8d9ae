//! What lies in a source, and the words that all sources share.

use jiff::Timestamp;

use crate::dlq::document::Foreign;
use crate::dlq::letter::Letter;
use crate::fault::Fault;
use crate::text::style::BAD;

/// Most letters of one run: more would fill the memory.
pub(crate) const LETTERS_MAX: usize = 100_000;

/// How `--from` is written.
pub(crate) const HELP: &str = "give the URL or ARN of an SQS queue, s3://BUCKET/PREFIX, kafka://TOPIC?bootstrap=HOST:PORT, file:PATH, or - for standard input";

/// One thing that lies in the source.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its place there, for people.
    pub(crate) at: String,
    pub(crate) letter: Result<Letter, Foreign>,
    pub(crate) receipt: Receipt,
}

/// What was read of a source.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) found: Vec<Found>,
    pub(crate) more: More,
    /// When the source may delete the first of its letters. None: it deletes none, or does not tell.
    pub(crate) until: Option<Timestamp>,
}

/// What was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// Nothing, as far as the source tells.
    Nothing,
    /// What lies behind the first `LETTERS_MAX`.
    Rest,
    /// So many messages, about.
    #[cfg(feature = "aws")]
    Messages(u64),
}

impl More {
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::Nothing
    }

    /// Empty: nothing.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Rest => {
                format!("{BAD}more lies there{BAD:#}: one run reads {LETTERS_MAX} letters\n")
            }
            #[cfg(feature = "aws")]
            Self::Messages(count) => format!(
                "{BAD}about {count} more messages were not seen{BAD:#}: another reader has them, or they wait behind others of their group: run again\n"
            ),
        }
    }
}

/// What it takes to remove a letter from its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// Standard input gives nothing up.
    None,
    /// The bytes of a file, and where they begin.
    Line { start: u64, bytes: Vec<u8> },
    /// The handle of a received message.
    #[cfg(feature = "aws")]
    Message { handle: String },
    /// The name of an object.
    #[cfg(feature = "aws")]
    Object { key: String },
    /// A place in a topic.
    #[cfg(feature = "dev")]
    Place { partition: i32, offset: i64 },
}

/// What the letters are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Nothing is taken out.
    Look,
    /// Settled letters are taken out.
    Redrive,
}

/// How a cluster is reached, where the address of a topic does not say.
#[derive(Debug)]
pub(crate) struct Reach<'a> {
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "only topics need a cluster")
    )]
    pub(crate) bootstrap: Option<&'a str>,
    #[cfg(feature = "dev")]
    pub(crate) settings: &'a [crate::dev::Setting],
    #[cfg(feature = "dev")]
    pub(crate) iam: &'a crate::dev::Iam,
}

pub(super) fn unknown(text: &str) -> Fault {
    let found = crate::text::columns::shown(text);
    Fault::new(format!(
        "expected a source of dead letters in --from, found `{found}`"
    ))
    .help(HELP)
}
