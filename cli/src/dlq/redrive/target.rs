//! Where letters go: a function on Lambda, one on the desk, or a topic.

use std::time::Duration;

use msk_mapping::Function;
use msk_mapping::response::{Event, FailureReporting, Partition, Read};

use super::local::Local;
use super::{Args, Item};
use crate::dlq::Found;
use crate::fault::Fault;
use crate::function::target;

/// The time-out of a function on the desk.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(30);

/// The text of `--to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Function(String),
    Bin(String),
    Command(String),
    /// None: the topic that each record came from.
    Topic(Option<String>),
}

impl To {
    pub(crate) fn is_topic(&self) -> bool {
        matches!(self, Self::Topic(_))
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Function(name) => format!("the function {name}"),
            Self::Bin(name) => format!("the binary {name}"),
            Self::Command(_) => "the command".to_owned(),
            Self::Topic(Some(topic)) => format!("the topic {topic}"),
            Self::Topic(None) => "its own topic".to_owned(),
        }
    }
}

/// For clap.
pub(crate) fn to(text: &str) -> Result<To, String> {
    let to = match text.split_once(':') {
        None if text == "topic" => return Ok(To::Topic(None)),
        Some((_, "")) | None => None,
        Some(("function", name)) => Some(To::Function(name.to_owned())),
        Some(("bin", name)) => Some(To::Bin(name.to_owned())),
        Some(("command", command)) => Some(To::Command(command.to_owned())),
        Some(("topic", topic)) => {
            lambda_msk::record::check_topic_name(topic).map_err(|error| error.to_string())?;
            Some(To::Topic(Some(topic.to_owned())))
        }
        Some(_) => None,
    };
    to.ok_or_else(|| {
        "expected function:NAME, bin:NAME, command:COMMAND, topic or topic:NAME".to_owned()
    })
}

/// A target before the run.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// A program to start.
    Local(Box<Function>),
    /// Nothing to build.
    Nothing,
}

pub(crate) fn prepare(to: &To, release: bool, dry_run: bool) -> Result<Prepared, Fault> {
    match to {
        #[cfg(not(feature = "aws"))]
        To::Function(_) => Err(crate::dlq::source::without("Lambda", "aws")),
        #[cfg(not(feature = "dev"))]
        To::Topic(_) => Err(crate::dlq::source::without("Kafka topics", "dev")),
        _ if dry_run => Ok(Prepared::Nothing),
        To::Bin(name) => {
            let (function, _) = target::build(Some(name), release)?;
            Ok(Prepared::Local(Box::new(function)))
        }
        To::Command(command) => Ok(Prepared::Local(Box::new(target::command(command)?))),
        #[cfg(any(feature = "aws", feature = "dev"))]
        _ => Ok(Prepared::Nothing),
    }
}

/// What came of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// Each of its records is settled.
    Settled,
    /// At least one is not, and why.
    Failed(String),
}

/// An open target.
pub(crate) enum Target {
    Local(Box<Local>),
    #[cfg(feature = "aws")]
    Lambda(Box<super::lambda::Lambda>),
    #[cfg(feature = "dev")]
    Topic(Box<super::topic::Topic>),
}

impl Target {
    pub(crate) fn open(
        args: &Args,
        prepared: Prepared,
        brokers: Option<&str>,
    ) -> Result<Self, Fault> {
        let _ = brokers;
        match (&args.to, prepared) {
            (_, Prepared::Local(function)) => {
                let timeout = args.timeout.unwrap_or(LOCAL_TIMEOUT);
                Ok(Self::Local(Box::new(Local::new(*function, args, timeout))))
            }
            #[cfg(feature = "aws")]
            (To::Function(name), Prepared::Nothing) => {
                let lambda = super::lambda::Lambda::new(name, args.timeout);
                Ok(Self::Lambda(Box::new(lambda)))
            }
            #[cfg(feature = "dev")]
            (To::Topic(topic), Prepared::Nothing) => {
                let topic = super::topic::Topic::open(topic.as_deref(), args, brokers)?;
                Ok(Self::Topic(Box::new(topic)))
            }
            _ => unreachable!("what is not prepared was refused before"),
        }
    }

    /// # Errors
    ///
    /// No event can be delivered.
    pub(crate) async fn deliver(&mut self, item: &Item, found: &Found) -> Result<Delivered, Fault> {
        let Ok(letter) = &found.letter else {
            return Ok(Delivered::Failed("no letter".to_owned()));
        };
        match self {
            Self::Local(local) => local.deliver(item, letter).await,
            #[cfg(feature = "aws")]
            Self::Lambda(lambda) => lambda.deliver(item).await,
            #[cfg(feature = "dev")]
            Self::Topic(topic) => topic.deliver(item, letter).await,
        }
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Local(local) => local.close().await,
            #[cfg(any(feature = "aws", feature = "dev"))]
            _ => {}
        }
    }
}

/// What an answer says of an event's records.
pub(crate) fn read(event: &str, answer: &[u8]) -> Delivered {
    let Ok(event) = Event::parse(event.as_bytes()) else {
        return Delivered::Failed("the letter's event has no record".to_owned());
    };
    let read = Read::response(&event, answer, FailureReporting::Partial);
    if read.all_done() {
        return Delivered::Settled;
    }
    let listed: usize = read.partitions().iter().map(Partition::again).sum();
    Delivered::Failed(match listed {
        0 => "the function lists failures where Lambda does not read them".to_owned(),
        _ => {
            "the function's answer lists its record as not done: its own output says why".to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Delivered, To, read, to};

    const EVENT: &str = r#"{"eventSource":"aws:kafka","records":{"orders-0":[{"topic":"orders","partition":0,"offset":41}]}}"#;

    #[test]
    fn a_target_is_named_by_its_kind() {
        assert_eq!(to("topic"), Ok(To::Topic(None)));
        assert_eq!(to("topic:orders"), Ok(To::Topic(Some("orders".to_owned()))));
        assert_eq!(
            to("function:arn:aws:lambda:r:1:function:f"),
            Ok(To::Function("arn:aws:lambda:r:1:function:f".to_owned()))
        );
        for wrong in ["", "orders", "bin:", "queue:x", "topic:a b"] {
            assert!(to(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_an_answer_that_does_not_list_the_record_settles_it() {
        let listed =
            br#"{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-0","offset":41}}]}"#;

        assert_eq!(
            read(EVENT, br#"{"batchItemFailures":[]}"#),
            Delivered::Settled
        );
        for answer in [&listed[..], b"not JSON", br#"{"batchItemFailures":[{}]}"#] {
            assert!(matches!(read(EVENT, answer), Delivered::Failed(_)));
        }
    }
}
