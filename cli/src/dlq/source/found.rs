//! What lies in a source, and the words that all sources share.

use crate::dlq::document::Foreign;
use crate::dlq::letter::Letter;
use crate::fault::Fault;

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
#[derive(Debug, Default)]
pub(crate) struct Reach<'a> {
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "only topics need a cluster")
    )]
    pub(crate) bootstrap: Option<&'a str>,
    #[cfg(feature = "dev")]
    pub(crate) settings: &'a [crate::dev::Setting],
}

pub(super) fn unknown(text: &str) -> Fault {
    let found = crate::text::columns::shown(text);
    Fault::new(format!(
        "expected a source of dead letters in --from, found `{found}`"
    ))
    .help(HELP)
}

#[cfg_attr(
    all(feature = "aws", feature = "dev"),
    allow(dead_code, reason = "this build has all sources")
)]
pub(crate) fn without(what: &str, feature: &str) -> Fault {
    Fault::new(format!("this cargo-msk was built without {what}")).help(format!(
        "install it with: cargo install --locked cargo-msk --features {feature}\n\
         in its repository: cargo run -p cargo-msk --features {feature} -- dlq …"
    ))
}
