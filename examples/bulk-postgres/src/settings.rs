//! What the environment says: the database, the topic, and how many orders one transaction takes. Called by the consumer.

use std::ffi::OsString;
use std::ops::RangeInclusive;

use lambda_msk::error::ConfigurationFault;
use lambda_msk::limits::{
    BATCH_BYTES_DEFAULT, BATCH_RECORDS_DEFAULT, BATCH_RECORDS_MAX, EVENT_BYTES_MAX,
};
use lambda_msk::postgres::Database;

/// The most that one transaction takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Orders: from 1 to 10,000.
    pub records: usize,
    /// Bytes of their keys and values.
    pub bytes: usize,
}

/// What the function is started with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) database: Database,
    /// *None: the default.*
    pub(crate) topic: Option<String>,
    pub(crate) limits: Limits,
    /// Each keeps the function from starting, and names its variable. None shows a password.
    pub(crate) faults: Vec<ConfigurationFault>,
}

impl Settings {
    /// From variables. An empty one counts as unset. Nothing is connected here: a database that is down does not keep the function from starting.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut faults = Vec::new();
        let (url, topic) = (known(&variable, "DATABASE_URL"), known(&variable, "TOPIC"));
        let checked = |url: &str| {
            let database = Database::new(url)?;
            database.check().map(|()| database)
        };
        let database = match url.map(|url| url.as_deref().map(checked)) {
            Ok(Some(Ok(database))) => Some(database),
            Ok(Some(Err(error))) => {
                faults.push(ConfigurationFault::new("DATABASE_URL", error.to_string()));
                None
            }
            Err(reason) => {
                faults.push(ConfigurationFault::new("DATABASE_URL", reason));
                None
            }
            Ok(None) => {
                let reason = "expected the address of a Postgres database, found nothing: set it to postgres://USER:PASSWORD@HOST:PORT/DATABASE";
                faults.push(ConfigurationFault::new("DATABASE_URL", reason));
                None
            }
        };
        let mut number = |name: &str, default: usize, range: RangeInclusive<usize>| {
            let text = known(&variable, name).map_err(str::to_owned);
            let read = text.and_then(|text| match text {
                Some(text) => within(&text, &range),
                None => Ok(default),
            });
            read.unwrap_or_else(|reason| {
                faults.push(ConfigurationFault::new(name, reason));
                default
            })
        };
        let limits = Limits {
            records: number("BULK_RECORDS", BATCH_RECORDS_DEFAULT, 1..=BATCH_RECORDS_MAX),
            bytes: number("BULK_BYTES", BATCH_BYTES_DEFAULT, 1..=EVENT_BYTES_MAX),
        };
        let topic = topic.unwrap_or_else(|reason| {
            faults.push(ConfigurationFault::new("TOPIC", reason));
            None
        });
        Self {
            database: database.unwrap_or_else(nowhere),
            topic,
            limits,
            faults,
        }
    }
}

/// The text of a variable that is set.
fn known(
    variable: impl Fn(&str) -> Option<OsString>,
    name: &str,
) -> Result<Option<String>, &'static str> {
    let text = variable(name).filter(|text| !text.is_empty());
    let text = text.map(OsString::into_string).transpose();
    text.map_err(|_| "expected text in UTF-8, found other bytes")
}

/// What cannot be read as a number is not shown: it may be a password that stands in the wrong variable.
fn within(text: &str, range: &RangeInclusive<usize>) -> Result<usize, String> {
    let expected = format!(
        "expected a number from {} to {}",
        range.start(),
        range.end()
    );
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(number) => Err(format!("{expected}, found {number}")),
        Err(_) => Err(format!("{expected}, found another text")),
    }
}

/// Stands where a fault keeps the function from starting.
fn nowhere() -> Database {
    Database::new("postgres://nowhere/none").expect("an address")
}
