//! Where letters go: a function on Lambda, one on the desk, or a topic.

use std::time::Duration;

use msk_mapping::Function;
use tokio::sync::mpsc::UnboundedReceiver;

use super::answer::Delivered;
use super::args::{self, Args};
use super::item::Item;
use super::local::Local;
use super::to::To;
use crate::dlq::source::Found;
use crate::fault::Fault;
use crate::function::target;

/// The time-out of a function on the desk.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(30);

/// A target before the run.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// A program to start.
    Local(Box<Function>),
    /// Nothing to build.
    Nothing,
}

/// The target, built if it is a binary.
pub(crate) fn prepare(args: &Args) -> Result<Prepared, Fault> {
    args::check(args)?;
    match &args.to {
        #[cfg(not(feature = "aws"))]
        To::Function(_) => Err(crate::fault::without("Lambda", "aws", "dlq")),
        #[cfg(not(feature = "dev"))]
        To::Topic(_) => Err(crate::fault::without("Kafka topics", "dev", "dlq")),
        _ if args.dry_run => Ok(Prepared::Nothing),
        To::Bin(name) => {
            let (function, _) = target::build(Some(name), args.release)?;
            Ok(Prepared::Local(Box::new(function)))
        }
        To::Command(command) => Ok(Prepared::Local(Box::new(target::command(command)?))),
        #[cfg(any(feature = "aws", feature = "dev"))]
        _ => Ok(Prepared::Nothing),
    }
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
    pub(crate) async fn open(
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
                let topic = super::topic::Topic::open(topic.as_deref(), args, brokers).await?;
                Ok(Self::Topic(Box::new(topic)))
            }
            _ => unreachable!("what is not prepared was refused before"),
        }
    }

    /// # Errors
    ///
    /// No event can be delivered.
    pub(crate) async fn deliver(
        &mut self,
        item: &Item,
        found: &Found,
        interrupts: &mut UnboundedReceiver<()>,
    ) -> Result<Delivered, Fault> {
        let _ = &interrupts;
        let Ok(letter) = &found.letter else {
            return Ok(Delivered::Failed("no letter".to_owned()));
        };
        match self {
            Self::Local(local) => local.deliver(item, letter).await,
            #[cfg(feature = "aws")]
            Self::Lambda(lambda) => lambda.deliver(item, interrupts).await,
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
