//! How many seeds it takes until the oracle says something: `hunt STARTS SEEDS_MAX`. One line a start: the count, the promises that were broken, with commas, and the seed; or `survived`.
//! For `simulation/mutants/run`, which builds it with a fault in the framework or the mapping.

#![allow(clippy::print_stdout, reason = "a program whose output a script reads")]

use std::error::Error;
use std::thread::{self, ScopedJoinHandle, available_parallelism};

use msk_simulation::SimulationError;

/// Seeds between two starts: those of one start are not those of another.
const STARTS_APART: u64 = 1_000_003;

/// How many seeds it took, which promises the run broke, and the run's seed.
type Found = Option<(u64, String, u64)>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().ok_or("usage: hunt STARTS SEEDS_MAX");
    let (starts, most): (u64, u64) = (number()?.parse()?, number()?.parse()?);
    let threads = available_parallelism()?.get() as u64;
    let found = thread::scope(|scope| {
        let hunts = (0..threads).map(|thread| {
            let starts = (thread..starts).step_by(threads as usize);
            let hunt = move || {
                starts
                    .map(|start| hunt(start * STARTS_APART, most))
                    .collect()
            };
            scope.spawn(hunt)
        });
        let hunts: Vec<ScopedJoinHandle<'_, Result<Vec<Found>, SimulationError>>> = hunts.collect();
        hunts
            .into_iter()
            .map(ScopedJoinHandle::join)
            .collect::<Vec<_>>()
    });
    for part in found {
        let part = part.map_err(|_| "a run panicked")?;
        for found in part? {
            match found {
                Some((seeds, invariant, seed)) => println!("{seeds}\t{invariant}\t{seed}"),
                None => println!("survived"),
            }
        }
    }
    Ok(())
}

fn hunt(first: u64, most: u64) -> Result<Found, SimulationError> {
    for seed in first..first + most {
        let mut broken = Vec::new();
        for violation in msk_simulation::run(seed)?.violations {
            let invariant = violation.invariant.to_string();
            if !broken.contains(&invariant) {
                broken.push(invariant);
            }
        }
        if !broken.is_empty() {
            return Ok(Some((seed - first + 1, broken.join(","), seed)));
        }
    }
    Ok(None)
}
