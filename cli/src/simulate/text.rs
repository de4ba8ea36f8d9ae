//! The outcome of a campaign, for people. Made as text first, so that tests read the same text.

use std::fmt::Write;

use msk_simulation::Campaign;

/// Failing seeds of a kind that are named; the rest is counted.
const SEEDS_NAMED_MAX: usize = 20;

/// Of so many runs that were asked for.
pub(super) fn outcome(outcome: &Campaign, asked: u64, seconds: f64) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    for (seed, violation) in outcome.broken.iter().take(SEEDS_NAMED_MAX) {
        let _ = writeln!(
            text,
            "seed {seed}: {violation}\n  to replay: cargo msk simulate --seed {seed} --trace"
        );
    }
    for seed in outcome.differing.iter().take(SEEDS_NAMED_MAX) {
        let _ = writeln!(
            text,
            "seed {seed}: the second run differed from the first\n  to replay: cargo msk simulate --seed {seed} --once-more"
        );
    }
    for seed in outcome.panicked.iter().take(SEEDS_NAMED_MAX) {
        let _ = writeln!(
            text,
            "seed {seed}: the run panicked\n  to replay: cargo msk simulate --seed {seed} --trace"
        );
    }
    let Campaign { runs, facts, .. } = outcome;
    if *runs < asked {
        let _ = writeln!(text, "stopped after {runs} of {asked} runs");
    }
    let rate = rate(*runs, seconds);
    let _ = writeln!(
        text,
        "{runs} runs, {facts} events, {seconds:.1} s ({rate:.0} runs a second): {}",
        verdict(outcome)
    );
    text
}

fn verdict(outcome: &Campaign) -> String {
    let counts = [
        (outcome.broken.len(), "a promise broken in"),
        (outcome.differing.len(), "a different second run in"),
        (outcome.panicked.len(), "a panic in"),
    ];
    let failed = counts.iter().filter(|(count, _)| *count > 0);
    let failed: Vec<String> = failed
        .map(|(count, what)| format!("{what} {count}"))
        .collect();
    match failed.as_slice() {
        [] => "every promise held".to_owned(),
        failed => failed.join(", "),
    }
}

/// How far a campaign is.
pub(super) fn progress(runs: u64, asked: u64, failed: usize, seconds: f64) -> String {
    let rate = rate(runs, seconds);
    #[expect(clippy::cast_precision_loss, reason = "a rough time for people")]
    let left_minutes = asked.saturating_sub(runs) as f64 / rate.max(0.001) / 60.0;
    format!(
        "{runs} of {asked} runs, {rate:.0} a second, {failed} failed, about {left_minutes:.0} min left"
    )
}

fn rate(runs: u64, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let runs = runs as f64;
    runs / seconds.max(0.001)
}

#[cfg(test)]
mod tests {
    use msk_simulation::Campaign;
    use msk_simulation::oracle::{Invariant, Violation};

    use super::{outcome, progress};

    fn violation() -> Violation {
        Violation {
            at_ms: 937,
            invariant: Invariant::Order,
            text: "orders-0@5 starts".to_owned(),
        }
    }

    #[test]
    fn a_broken_promise_is_named_with_the_command_that_replays_it() {
        let campaign = Campaign {
            runs: 2,
            broken: vec![(4_711, violation())],
            ..Campaign::default()
        };

        let text = outcome(&campaign, 2, 0.5);

        assert_eq!(
            text,
            "seed 4711: 937 ms: order: orders-0@5 starts\n  to replay: cargo msk simulate --seed 4711 --trace\n2 runs, 0 events, 0.5 s (4 runs a second): a promise broken in 1\n"
        );
    }

    #[test]
    fn every_way_to_fail_is_counted_and_a_stop_is_said() {
        let campaign = Campaign {
            runs: 10,
            facts: 70,
            broken: vec![(1, violation()), (2, violation())],
            differing: vec![3],
            panicked: vec![4],
        };

        let text = outcome(&campaign, 100, 2.0);

        let end = text.lines().skip(8).collect::<Vec<_>>();
        assert_eq!(
            end,
            [
                "stopped after 10 of 100 runs",
                "10 runs, 70 events, 2.0 s (5 runs a second): a promise broken in 2, a different second run in 1, a panic in 1"
            ]
        );
    }

    #[test]
    fn progress_is_counted_timed_and_reckoned_to_the_end() {
        assert_eq!(
            progress(2_000_000, 10_000_000, 3, 1_000.0),
            "2000000 of 10000000 runs, 2000 a second, 3 failed, about 67 min left"
        );
        assert_eq!(
            progress(0, 10, 0, 0.0),
            "0 of 10 runs, 0 a second, 0 failed, about 167 min left"
        );
    }
}
