//! What lines of metrics add up to, over a whole run of `cargo msk dev`: poison, retries, records that are given up, and a destination that is stopped for a while. What they say is held against the
//! mapping's counts, those of the service outside, the letters, and the topic. `make sums` runs it with 100,000 records.

mod run;
mod service;
mod topic;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::run::{Line, Run};

const TOPIC: &str = "orders";
const PARTITIONS: usize = 8;
/// Records that have to be retried, that no handler can read, and that the service refuses: so many of each.
const BAD_EACH: usize = 40;
/// Records that fail until the mapping gives them up.
const HOPELESS: usize = 3;
/// How far `TimeLagMs` may be from what is computed.
const LAG_MS: u64 = 100;

/// Partition and offset.
type Place = (i32, i64);

/// What is to become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Good,
    /// The service is too busy at first.
    Later,
    /// It is always too busy.
    Hopeless,
    /// It does not want it.
    Refused,
    /// It is no order.
    Poison,
}

impl Kind {
    const ALL: [(Self, &str); 5] = [
        (Self::Good, "good"),
        (Self::Later, "later"),
        (Self::Hopeless, "hopeless"),
        (Self::Refused, "refused"),
        (Self::Poison, "poison"),
    ];

    /// The bad ones are spread over the whole run, and over the partitions.
    fn of_number(number: usize, records: usize) -> Self {
        let bad = records / BAD_EACH;
        let hopeless = records / HOPELESS;
        // Not where the partitions' number would put them all into one.
        match (number % bad, number % hopeless) {
            (_, at) if at == hopeless / 2 => Self::Hopeless,
            (at, _) if at == bad / 5 + number / bad % PARTITIONS => Self::Later,
            (at, _) if at == bad / 2 + number / bad % PARTITIONS => Self::Poison,
            (at, _) if at == bad * 4 / 5 + number / bad % PARTITIONS => Self::Refused,
            _ => Self::Good,
        }
    }

    fn of_order(order: &Value) -> Self {
        let is = order["is"].as_str().unwrap();
        let found = Self::ALL.iter().find(|(_, name)| *name == is);
        found.unwrap().0
    }

    fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(kind, _)| *kind == self);
        found.unwrap().1
    }
}

/// How many records the run has: a few for each change, many on demand.
fn records() -> usize {
    let given = std::env::var("SUMS_RECORDS").ok();
    given.map_or(3_000, |given| given.parse().unwrap())
}

fn sum(lines: &[Line], name: &str) -> u64 {
    lines.iter().map(|line| line.count(name)).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_lines_of_metrics_add_up_to_is_what_mapping_service_and_topic_say() {
    let records = records();

    let run = Run::of(records).await;

    assert_outcomes(&run, records);
    assert_runs(&run);
    assert_bytes(&run);
    assert_the_desk_says_the_same(&run);
    assert_lags(&run);
}

/// Outcomes are those that the mapping, the service and the letters count.
fn assert_outcomes(run: &Run, records: usize) {
    let Run { lines, service, .. } = run;
    let of = |name| sum(lines, name);
    let outcomes = of("Done") + of("Skipped") + of("Rejected") + of("Failed") + of("Unreached");
    assert_eq!(outcomes, run.mapping("invoked"), "records of all lines");
    assert_eq!(
        of("Failed") + of("Unreached"),
        run.mapping("failedInvoke"),
        "failed and unreached"
    );
    assert_eq!(of("Done"), service.accepted.len() as u64, "done");
    assert_eq!(of("Rejected"), run.letters.len() as u64, "rejected");
    let lines_of = lines.len() as u64;
    assert_eq!(lines_of, run.mapping("invocations"), "one line each");
    for name in ["Unhandled", "StoreErrors", "ClockAhead"] {
        assert_eq!(of(name), 0, "{name}");
    }
    // A ledger in memory does not know what another process was sent again.
    assert_eq!(of("OverlookedRecords"), run.overlooked);
    // Nothing is lost, and all of it happened.
    assert_eq!(run.mapping("committed"), records as u64);
    let taken: BTreeSet<Place> = service.accepted.iter().map(|(place, _)| *place).collect();
    let letters: BTreeSet<Place> = run.letters.iter().map(|(place, _)| *place).collect();
    // Another process may have had to reject one again.
    assert_eq!(letters.len() as u64, run.mapping("rejected"));
    let ended = taken.len() + letters.len();
    assert_eq!(ended as u64 + run.mapping("delivered"), records as u64);
    assert!(run.mapping("delivered") >= HOPELESS as u64);
    assert!(of("Skipped") > 0 && of("Unreached") > 0);
}

/// Each run of a handler is a request, and each try beyond an invocation's first one is counted.
fn assert_runs(run: &Run) {
    let Run { lines, service, .. } = run;
    let spread = |name| lines.iter().map(|line| line.values(name)).sum::<u64>();
    let starts = service.tries.len() as u64;
    assert_eq!(spread("HandlerMs"), service.requests(), "runs");
    assert_eq!(spread("RecordAgeMs"), starts, "first starts");
    assert_eq!(sum(lines, "Retried"), service.requests() - starts);
    assert!(sum(lines, "Retried") > BAD_EACH as u64);
    // What the service refused, and no letter tells of: the destination stood still.
    let refused = run.letters.iter().filter(|(_, letter)| letter.is_refused);
    let unsent = service.refused - refused.count();
    let errors = sum(lines, "DestinationErrors");
    assert!(errors >= unsent as u64, "{errors} of {unsent}");
    assert_eq!(errors, run.unsent, "letters that were not taken");
    assert!(errors > 0, "the destination was never missed");
}

fn assert_bytes(run: &Run) {
    let places = run.invoked.values().flatten();
    let bytes: u64 = places.map(|place| run.topic[place].bytes).sum();
    assert_eq!(sum(&run.lines, "RecordBytes"), bytes);
}

/// The sums that `--json` has of the same lines.
fn assert_the_desk_says_the_same(run: &Run) {
    let sums = &run.end["mappings"][0]["metrics"]["sums"];
    for name in [
        "Done",
        "Skipped",
        "Rejected",
        "Failed",
        "Unreached",
        "Retried",
        "RecordBytes",
    ] {
        assert_eq!(sums[name], sum(&run.lines, name), "{name}");
    }
}

/// `TimeLagMs` is the age of the unsettled record with the lowest offset, as the topic has its time, when the line was written.
fn assert_lags(run: &Run) {
    let mut settled: BTreeMap<Place, i64> = BTreeMap::new();
    let letters = run
        .letters
        .iter()
        .map(|(place, letter)| (*place, letter.at));
    for (place, at) in run.service.accepted.iter().copied().chain(letters) {
        let first = settled.entry(place).or_insert(at);
        *first = at.min(*first);
    }
    let mut late = 0;
    for line in &run.lines {
        let request = &line.request;
        // The line's own time is true: behind the invocation's last request, and before it was read.
        let last = run.service.last.get(request).copied();
        assert!(last.unwrap_or(line.at) <= line.at && line.at <= line.read_at);
        let mut lowest: BTreeMap<i32, i64> = BTreeMap::new();
        let invoked = run.invoked[request].iter().copied();
        for place in invoked.filter(|place| settled.get(place).is_none_or(|at| *at > line.at)) {
            let offset = lowest.entry(place.0).or_insert(place.1);
            *offset = place.1.min(*offset);
        }
        let lags = lowest.into_iter().map(|place| {
            let lag = line.at - run.topic[&place].timestamp_ms;
            u64::try_from(lag).unwrap()
        });
        let lag = lags.max().unwrap_or(0);
        late += usize::from(lag > 0);
        let said = line.count("TimeLagMs");
        assert!(said.abs_diff(lag) <= LAG_MS, "{request}: {said}, not {lag}");
    }
    assert!(
        late > 0 && late < run.lines.len(),
        "{late} lines have a lag"
    );
}
