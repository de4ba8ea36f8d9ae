//! Whole schedules: every cell of the matrix, each kind of fault, the same run twice.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::thread::available_parallelism;

use msk_simulation::fact::What;
use msk_simulation::oracle::Ledger;
use msk_simulation::{Run, campaign, run, run_in_detail};

/// Seventy runs of each cell of the matrix. `make simulate` makes as many as one likes.
const SEEDS: u64 = 70 * 36;

fn threads() -> usize {
    available_parallelism().unwrap().get()
}

#[test]
fn no_schedule_breaks_a_promise() {
    let campaign = campaign(0..SEEDS, threads(), false).unwrap();

    assert_eq!(campaign.runs, SEEDS);
    assert_eq!(
        campaign.broken,
        [],
        "replay a seed: cargo msk simulate --seed N --trace"
    );
}

#[test]
fn a_schedule_is_the_same_twice() {
    let campaign = campaign(0..SEEDS / 20, threads(), true).unwrap();

    assert_eq!(campaign.differing, [0; 0]);
}

#[test]
fn two_seeds_are_two_schedules() {
    let hashes: BTreeSet<u32> = (0..100).map(|seed| run(seed).unwrap().hash()).collect();

    assert_eq!(hashes.len(), 100);
}

#[test]
fn neighbouring_seeds_are_of_different_cells_of_the_matrix() {
    let cells: BTreeSet<String> = (1_000..1_036)
        .map(|seed| {
            let terms = run(seed).unwrap().terms;
            format!("{:?} {:?} {:?}", terms.order, terms.reporting, terms.ledger)
        })
        .collect();

    // Some of those with a store keep records by key. The mapping's reading, the fourth side of the matrix, is none of the oracle's terms.
    assert!(cells.len() >= 3 * 2 * 3);
}

/// Invocations that began while their process was in another one, of the same partition or not.
fn beside_another(run: &Run) -> usize {
    let mut under_way: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut beside = 0;
    for fact in &run.facts {
        match fact.what {
            What::Delivered {
                invocation,
                environment,
                ..
            } => {
                let others = under_way.entry(environment).or_default();
                beside += usize::from(!others.is_empty());
                others.insert(invocation);
            }
            What::Answered { invocation, .. } => {
                for others in under_way.values_mut() {
                    others.remove(&invocation);
                }
            }
            What::Killed { environment } => {
                under_way.remove(&environment);
            }
            _ => {}
        }
    }
    beside
}

#[test]
fn some_processes_are_in_several_invocations_at_once_with_each_ledger() {
    let mut beside: BTreeMap<String, usize> = BTreeMap::new();

    for seed in 0..180 {
        let run = run(seed).unwrap();
        *beside.entry(format!("{:?}", run.terms.ledger)).or_default() += beside_another(&run);
    }

    let often = |ledger: &str| beside.get(ledger).is_some_and(|times| *times > 0);
    for ledger in ["Durable", "PerRecord", "Memory", "None"] {
        assert!(often(ledger), "{ledger}: {beside:?}");
    }
}

/// Handlers' starts in invocations that the store never gave anything to.
fn starts_without_store(run: &Run) -> usize {
    let mut told = BTreeSet::new();
    let mut starts = 0;
    for fact in &run.facts {
        match fact.what {
            What::Taken { invocation, .. }
            | What::Read { invocation, .. }
            | What::Claimed { invocation, .. } => {
                told.insert(invocation);
            }
            What::Started { invocation, .. } if !told.contains(&invocation) => starts += 1,
            _ => {}
        }
    }
    starts
}

#[test]
fn records_run_without_the_store_where_that_was_chosen_and_nowhere_else() {
    let (mut chosen, mut else_where) = (0, 0);

    for seed in 0..SEEDS / 5 {
        let run = run(seed).unwrap();
        match (run.terms.ledger, run.terms.without_store) {
            (Ledger::None, _) => {}
            (_, true) => chosen += starts_without_store(&run),
            (_, false) => else_where += starts_without_store(&run),
        }
        if seed > 180 && chosen > 0 {
            break;
        }
    }

    assert!(chosen > 0, "none of them did");
    assert_eq!(else_where, 0);
}

/// A simulation in which nothing happens finds nothing.
#[test]
fn each_kind_of_fault_happens() {
    let faults = [
        "ends: Failed",
        "ends: Panicked",
        "ends: Rejected",
        "ends: Dropped",
        "is killed",
        "is frozen for",
        "goes on",
        "the connection to invocation",
        "Throttled",
        "TimedOut",
        "(throttled)",
        "(its answer is lost)",
        "(held back)",
        "(will land twice)",
        "(slow)",
        "is not read: NotFound",
        ": Abandoned",
        ": Unavailable",
        "lands late: take",
        "lands late: write",
        "lands late: give back",
        "lands late: send",
        "is refused the ledger",
        "the commit of",
        "is taken from poller",
        "is made anew",
        "is set back to",
        "is out of range",
        "joins the group",
        "leaves the group",
        "is gone without a word",
        "the lock of",
        "is not heard",
        "is refused: another one has it",
        "accepted:",
        "archived:",
        "the group begins log",
        "erased:",
        "is deleted",
        "the clock of environment",
        ", fed back",
        "gives up record",
        "Attempts",
        "Age",
        "answers: an error",
        "answers: not done [orders",
        "an extractor panics",
        "(never answered)",
        "holds the processor",
        "are of a second cluster",
    ];
    let mut missing: BTreeSet<&str> = faults.into();

    for seed in 0..SEEDS {
        let trace = run_in_detail(seed).unwrap().trace();
        missing.retain(|fault| !trace.contains(fault));
        if missing.is_empty() {
            return;
        }
    }

    panic!("in {SEEDS} schedules none of these: {missing:?}");
}
