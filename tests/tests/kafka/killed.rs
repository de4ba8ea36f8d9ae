//! `kill -9` of function, driver and broker while records flow: nothing is lost, order is kept, and what comes twice is
//! what was under way. The judge is the log of the service outside.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::support::broker::{Broker, produce, topic};
use crate::support::build::{cargo_msk, forward};
use crate::support::service::Service;

const RECORDS: usize = 100_000;
const PARTITIONS: i32 = 6;
const BATCH: usize = 200;
/// A poller has at most so many invocations at once.
const INVOCATIONS: usize = 5;
/// How many records a member passes on at once.
const PIECE: usize = 500;
/// What a driver holds of the topic at most, beside its invocations: two batches of each partition and the piece that
/// went beyond them, and what was on its way to it when it said so: four pieces, and one in the member's hands.
const HELD: usize = (2 * BATCH + PIECE) * 6 + 5 * PIECE;
/// Quiet, it is over in a minute.
const LIMIT: Duration = Duration::from_secs(420);

#[derive(Debug, Clone, Copy)]
enum Victim {
    Function,
    Driver,
    Broker,
}

impl Victim {
    /// How many records may come again after one such death: a function has one batch; a driver's batches that were
    /// answered may not be committed yet; a broker that is away commits nothing of what goes on meanwhile.
    fn may_repeat(self) -> usize {
        match self {
            Self::Function => BATCH,
            Self::Driver => 2 * INVOCATIONS * BATCH,
            Self::Broker => 2 * INVOCATIONS * BATCH + HELD,
        }
    }
}

/// A small generator of our own, so that a seed means the same for ever.
pub(crate) fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Three deaths of each kind, in an order and at points that the seed says.
fn plan(seed: u64) -> Vec<(usize, Victim)> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let kinds = [Victim::Function, Victim::Driver, Victim::Broker];
    let mut victims: Vec<Victim> = kinds.iter().cycle().take(9).copied().collect();
    for place in (1..victims.len()).rev() {
        let other = usize::try_from(next(&mut state)).unwrap() % (place + 1);
        victims.swap(place, other);
    }
    let step = RECORDS / 11;
    let at = |number: usize, state: &mut u64| {
        step * (number + 1) + usize::try_from(next(state)).unwrap() % (step / 2)
    };
    let points = (0..victims.len()).map(|number| at(number, &mut state));
    let points: Vec<usize> = points.collect();
    points.into_iter().zip(victims).collect()
}

fn drive(bootstrap: &str, topic: &str, service: &Service) -> Child {
    Command::new(cargo_msk())
        .args([
            "dev",
            "--bootstrap",
            bootstrap,
            "--topic",
            topic,
            "--once",
            "--json",
        ])
        .args(["--batch-size", &BATCH.to_string()])
        .args(["--maximum-batching-window-in-seconds", "0"])
        .args(["--function-response-types", "ReportBatchItemFailures"])
        .arg("--function")
        .arg(forward())
        .args(["--env", "LAMBDA_MSK_FAILURE_REPORTING=partial"])
        .args(["--env", "AWS_LAMBDA_LOG_LEVEL=ERROR"])
        .args(["--env", &format!("FULFILMENT_URL={}", service.url())])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The processes that a process has started.
pub(crate) fn children(parent: u32) -> Vec<i32> {
    let ours = |entry: std::fs::DirEntry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name in parentheses may hold anything.
        let (_, rest) = stat.rsplit_once(')')?;
        let of: u32 = rest.split_whitespace().nth(1)?.parse().ok()?;
        (of == parent).then_some(id)
    };
    let mut found: Vec<i32> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(ours)
        .collect();
    found.sort_unstable();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn nothing_is_lost_and_order_is_kept_whatever_is_killed() {
    let seed = std::env::var("SEED").map_or(7, |seed| seed.parse().unwrap());
    let plan = plan(seed);
    let mut broker = Broker::start("killed").await;
    let topic = topic(&broker.bootstrap(), "killed", PARTITIONS).await;
    let each = produce(&broker.bootstrap(), &topic, PARTITIONS, RECORDS, 200).await;
    let service = Service::start().await;

    let started = Instant::now();
    let mut driver = drive(&broker.bootstrap(), &topic, &service);
    for (at, victim) in &plan {
        service.taken(*at).await;
        match victim {
            Victim::Function => {
                if let Some(id) = children(driver.id()).first() {
                    // It may have ended by itself just now.
                    let _ = kill_process(Pid::from_raw(*id).unwrap(), Signal::KILL);
                }
            }
            Victim::Driver => {
                driver.kill().unwrap();
                driver.wait().unwrap();
                driver = drive(&broker.bootstrap(), &topic, &service);
            }
            Victim::Broker => broker.kill_and_start_again().await,
        }
    }
    let ended = loop {
        if let Some(ended) = driver.try_wait().unwrap() {
            break ended;
        }
        if started.elapsed() > LIMIT {
            driver.kill().unwrap();
            panic!("seed {seed}: not through after {LIMIT:?}");
        }
        sleep(Duration::from_millis(100)).await;
    };

    let again = service.assert_all_in_order(&each);
    let promised: usize = plan.iter().map(|(_, victim)| victim.may_repeat()).sum();
    println!(
        "seed {seed}: {again} of {RECORDS} came again after {plan:?}, in {:?}",
        started.elapsed()
    );
    assert_eq!(ended.code(), Some(0), "seed {seed}");
    assert!(
        again <= promised,
        "seed {seed}: {again} came again, promised are {promised}"
    );
}
