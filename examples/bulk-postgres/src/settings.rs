//! What the environment says: the database, the topic, and how many orders one transaction takes. Called by the consumer.

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
    /// From variables. Nothing is connected here: a database that is down does not keep the function from starting.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut faults = Vec::new();
        let checked = |url: String| {
            let database = Database::new(&url)?;
            database.check().map(|()| database)
        };
        let database = match variable("DATABASE_URL").map(checked) {
            Some(Ok(database)) => Some(database),
            Some(Err(error)) => {
                faults.push(ConfigurationFault::new("DATABASE_URL", error.to_string()));
                None
            }
            None => {
                let reason = "expected the address of a Postgres database, found nothing: set it to postgres://USER:PASSWORD@HOST:PORT/DATABASE";
                faults.push(ConfigurationFault::new("DATABASE_URL", reason));
                None
            }
        };
        let mut number = |name: &str, default: usize, range: RangeInclusive<usize>| {
            let Some(text) = variable(name) else {
                return default;
            };
            match text.parse() {
                Ok(number) if range.contains(&number) => number,
                _ => {
                    let (least, most) = (range.start(), range.end());
                    let reason =
                        format!("expected a number from {least} to {most}, found {text:?}");
                    faults.push(ConfigurationFault::new(name, reason));
                    default
                }
            }
        };
        let limits = Limits {
            records: number("BULK_RECORDS", BATCH_RECORDS_DEFAULT, 1..=BATCH_RECORDS_MAX),
            bytes: number("BULK_BYTES", BATCH_BYTES_DEFAULT, 1..=EVENT_BYTES_MAX),
        };
        Self {
            database: database.unwrap_or_else(nowhere),
            topic: variable("TOPIC"),
            limits,
            faults,
        }
    }
}

/// Stands where a fault keeps the function from starting.
fn nowhere() -> Database {
    Database::new("postgres://nowhere/none").expect("an address")
}
