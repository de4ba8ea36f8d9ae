//! `cargo msk simulate`.

use std::fmt::Write;
use std::num::NonZero;
use std::ops::Range;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread::available_parallelism;

use msk_simulation::{Campaign, SimulationError, campaign, run_in_detail};
use tokio::time::Instant;

use crate::fault::{Fault, print};

/// The exit code for a promise that was broken.
const EXIT_BROKEN: u8 = 1;
/// Failing seeds that are named; the rest is counted.
const SEEDS_NAMED_MAX: usize = 20;

/// Run the framework and the mapping through whole schedules of faults, each from one seed, and judge what came out.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk simulate --seeds 0..100000
  cargo msk simulate --seed 4711 --trace

Exit codes: 0 all promises held; 1 one was broken, or a run was not the same twice; 2 wrong arguments.")]
pub(crate) struct Args {
    /// One run of this seed.
    #[arg(long, value_name = "N", required_unless_present = "seeds")]
    seed: Option<u64>,
    /// A run of each seed, the last one not included.
    #[arg(long, value_name = "FROM..TO", conflicts_with = "seed")]
    seeds: Option<Seeds>,
    /// Print what happened in the run, one line an event.
    #[arg(long, requires = "seed", conflicts_with = "once_more")]
    trace: bool,
    /// Make each run twice, and compare.
    #[arg(long)]
    once_more: bool,
    /// Threads; each run stays in one. Default: as many as there are processors.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

/// Seeds from one to another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seeds(Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = text.split_once("..").and_then(|(from, to)| {
            let range = from.parse().ok()?..to.parse().ok()?;
            (!range.is_empty()).then_some(range)
        });
        let range = range
            .ok_or("is no range of seeds: write two numbers, the lower first, as in 0..1000")?;
        Ok(Self(range))
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    if let (Some(seed), true) = (args.seed, args.trace) {
        let run = run_in_detail(seed).map_err(|error| fault(&error))?;
        print(&run.trace())?;
        return Ok(code(run.violations.is_empty()));
    }
    let seeds = match (args.seed, &args.seeds) {
        (Some(seed), _) => seed..seed.saturating_add(1),
        (None, Some(Seeds(seeds))) => seeds.clone(),
        (None, None) => 0..0,
    };
    let threads = args.threads.or_else(|| available_parallelism().ok());
    let started = Instant::now();
    let outcome = campaign(seeds, threads.map_or(1, NonZero::get), args.once_more);
    let outcome = outcome.map_err(|error| fault(&error))?;
    print(&text(&outcome, started.elapsed().as_secs_f64()))?;
    Ok(code(outcome.is_sound()))
}

fn code(sound: bool) -> ExitCode {
    match sound {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_BROKEN),
    }
}

fn fault(error: &SimulationError) -> Fault {
    Fault::from_error(error)
        .help("this is a fault of the simulation: it says nothing of your function")
}

/// What came out, for people.
fn text(outcome: &Campaign, seconds: f64) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    for (seed, violation) in outcome.broken.iter().take(SEEDS_NAMED_MAX) {
        let _ = writeln!(
            text,
            "seed {seed}: {violation}\n  replay it: cargo msk simulate --seed {seed} --trace"
        );
    }
    for seed in outcome.differing.iter().take(SEEDS_NAMED_MAX) {
        let _ = writeln!(
            text,
            "seed {seed}: its second run differed from the first\n  see it: cargo msk simulate --seed {seed} --once-more"
        );
    }
    let Campaign { runs, facts, .. } = outcome;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = *runs as f64 / seconds.max(0.001);
    let _ = writeln!(
        text,
        "{runs} runs, {facts} events, {seconds:.1} s ({rate:.0} runs a second): {}",
        match (outcome.broken.len(), outcome.differing.len()) {
            (0, 0) => "every promise held".to_owned(),
            (broken, 0) => format!("a promise was broken in {broken}"),
            (broken, differing) =>
                format!("a promise was broken in {broken}, and {differing} were not the same twice"),
        }
    );
    text
}

#[cfg(test)]
mod tests {
    use msk_simulation::Campaign;
    use msk_simulation::oracle::{Invariant, Violation};

    use super::{Seeds, text};

    #[test]
    fn a_range_of_seeds_is_two_numbers_the_lower_first() {
        assert_eq!("3..7".parse(), Ok(Seeds(3..7)));
        for wrong in ["", "7", "7..3", "3..3", "a..b", "3..=7", "-1..3"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_broken_promise_is_named_with_the_command_that_replays_it() {
        let violation = Violation {
            at_ms: 937,
            invariant: Invariant::Order,
            text: "orders-0@5 starts".to_owned(),
        };
        let campaign = Campaign {
            runs: 2,
            broken: vec![(4_711, violation)],
            ..Campaign::default()
        };

        let text = text(&campaign, 0.5);

        assert_eq!(
            text,
            "seed 4711: 937 ms: order: orders-0@5 starts\n  replay it: cargo msk simulate --seed 4711 --trace\n2 runs, 0 events, 0.5 s (4 runs a second): a promise was broken in 1\n"
        );
    }
}
