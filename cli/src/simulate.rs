//! `cargo msk simulate`.

mod follow;
mod text;

use std::num::NonZero;
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;

use msk_simulation::{SimulationError, campaign_while, run_in_detail};
use tokio::time::Instant;

use self::follow::{Failures, Progress, stopped_by_a_signal};
use crate::fault::{Fault, print};

/// The exit code for a promise that was broken.
const EXIT_BROKEN: u8 = 1;

/// Run the framework and the mapping under simulated faults, each run from one seed, and check what they promise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk simulate --seeds 0..100000
  cargo msk simulate --seed 4711 --trace
  cargo msk simulate --seeds 20000000..30000000 --failures failing-seeds.tsv

A long run reports its progress on standard error; Ctrl-C ends it and shows what was found.
docs/src/simulation.md explains how to read a failing seed.

Exit codes: 0 all promises held; 1 one was broken, a run was not the same twice, or it panicked; 2 wrong arguments;
130 stopped before the end, and nothing was broken so far.")]
pub(crate) struct Args {
    /// Run this seed.
    #[arg(long, value_name = "N", required_unless_present = "seeds")]
    seed: Option<u64>,
    /// Run each seed of this range, except the last.
    #[arg(long, value_name = "FROM..TO", conflicts_with = "seed")]
    seeds: Option<Seeds>,
    /// Print the events of the run, one a line.
    #[arg(long, requires = "seed", conflicts_with = "once_more")]
    trace: bool,
    /// Make each run twice, and compare the two.
    #[arg(long)]
    once_more: bool,
    /// Append each failing seed to this file as soon as it is found: seed, promise, time and violation, separated by tabs.
    #[arg(long, value_name = "FILE", requires = "seeds")]
    failures: Option<PathBuf>,
    /// Number of threads; each run stays in one. Default: the number of processors.
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
        let range = range.ok_or("expected two numbers, the lower first, such as 0..1000")?;
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
    let threads = threads.map_or(1, NonZero::get);
    let asked = seeds.end - seeds.start;
    let mut failures = args.failures.as_deref().map(Failures::open).transpose()?;
    let mut unwritten = None;
    let stop = stopped_by_a_signal();
    let mut progress = Progress::of(&seeds, threads);
    let started = Instant::now();
    let outcome = campaign_while(seeds, threads, args.once_more, |some| {
        let written = failures.as_mut().map(|failures| failures.write(some));
        unwritten = written.and_then(Result::err);
        progress.add(some);
        match unwritten.is_some() || stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let outcome = outcome.map_err(|error| fault(&error))?;
    let seconds = started.elapsed().as_secs_f64();
    print(&text::outcome(&outcome, asked, seconds))?;
    match unwritten {
        Some(fault) => Err(fault),
        None if outcome.is_sound() && outcome.runs < asked => Err(Fault::interrupted()),
        None => Ok(code(outcome.is_sound())),
    }
}

fn code(sound: bool) -> ExitCode {
    match sound {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_BROKEN),
    }
}

fn fault(error: &SimulationError) -> Fault {
    Fault::from_error(error).help("this is a fault of the simulation, not of your function")
}

#[cfg(test)]
mod tests {
    use super::Seeds;

    #[test]
    fn a_range_of_seeds_is_two_numbers_the_lower_first() {
        assert_eq!("3..7".parse(), Ok(Seeds(3..7)));
        for wrong in ["", "7", "7..3", "3..3", "a..b", "3..=7", "-1..3"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }
}
