//! A function that answers each event with the event: what a mapping sends is read from what comes back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use msk_mapping::driver::{Cluster, Driver, Notice, Status};
use msk_mapping::machine::Configuration;
use msk_mapping::response::FailureReporting;
use msk_mapping::{Ending, Function, Logs};
use serde_json::Value;
use tokio::time::timeout;

use super::function::ARGS;

/// Far longer than a run of a few records takes.
const ENDS: Duration = Duration::from_secs(60);

/// What a run until all is settled sent, and how it stood then.
pub(crate) struct Echoed {
    pub(crate) events: Vec<Value>,
    pub(crate) status: Status,
    pub(crate) troubles: Vec<String>,
}

impl Echoed {
    /// The records of all events, in the order in which they were sent.
    pub(crate) fn records(&self) -> Vec<&Value> {
        self.events
            .iter()
            .flat_map(|event| event["records"].as_object().unwrap().values())
            .flat_map(|records| records.as_array().unwrap())
            .collect()
    }

    pub(crate) fn offsets(&self) -> Vec<i64> {
        let offset = |record: &&Value| record["offset"].as_i64().unwrap();
        self.records().iter().map(offset).collect()
    }
}

/// This binary as that function.
pub(crate) fn function() -> Function {
    Function::new(std::env::current_exe().unwrap())
        .args(ARGS)
        .env("BEHAVIOUR", "echo")
        .logs(Logs::Discard)
}

/// A driver of that function, until all is settled.
pub(crate) fn driver(cluster: Cluster, mut settings: Configuration) -> Driver {
    // An echo is no partial response, and is not read as one.
    settings.function_response_types = FailureReporting::WholeBatch;
    Driver::new(cluster, settings, function()).until_caught_up()
}

/// Runs them side by side. Answers in their order.
pub(crate) async fn run_all(drivers: impl IntoIterator<Item = Driver>) -> Vec<Echoed> {
    let running: Vec<_> = drivers
        .into_iter()
        .map(|driver| tokio::spawn(run(driver)))
        .collect();
    let mut all = Vec::new();
    for one in running {
        all.push(one.await.unwrap());
    }
    all
}

/// Runs it, for a minute at most.
pub(crate) async fn run(driver: Driver) -> Echoed {
    let heard = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let kept = Arc::clone(&heard);
    let run = driver.run(move |notice| match notice {
        Notice::Ended { report, .. } => {
            let Ending::Response(body) = report.ending else {
                panic!("{:?}", report.ending);
            };
            let event = serde_json::from_slice(&body).unwrap();
            kept.lock().unwrap().0.push(event);
        }
        Notice::Trouble { reason } => kept.lock().unwrap().1.push(reason),
        _ => {}
    });
    let ended = timeout(ENDS, run).await;
    let (events, troubles) = std::mem::take(&mut *heard.lock().unwrap());
    let Ok(status) = ended else {
        panic!("it does not end: {} events, {troubles:?}", events.len());
    };
    Echoed {
        events,
        status: status.unwrap(),
        troubles,
    }
}
