//! A long campaign while it runs: how far it is, what fails, and whether somebody wants it to end. Used by `simulate`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use msk_simulation::Campaign;
use tokio::time::Instant;

use super::text::progress;
use crate::fault::Fault;

/// Time between two lines of progress: a run that is waited for ends before the first one, and a night's fit a screen or two.
const PROGRESS_EVERY: Duration = Duration::from_secs(30);

/// The file that failing seeds are appended to.
pub(super) struct Failures {
    path: PathBuf,
    file: File,
}

impl Failures {
    /// Before anything runs, so that a fault in the path does not cost a night.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| fault(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Unbuffered: what was found stands there whatever happens next.
    pub(super) fn write(&mut self, some: &Campaign) -> Result<(), Fault> {
        let lines = lines(some);
        let written = self.file.write_all(lines.as_bytes());
        written.map_err(|error| fault(&self.path, &error))
    }
}

/// One a failing seed: seed, promise, time, what was broken.
fn lines(some: &Campaign) -> String {
    let broken = some.broken.iter().map(|(seed, violation)| {
        let (promise, at_ms) = (violation.invariant, violation.at_ms);
        format!("{seed}\t{promise}\t{at_ms} ms\t{}\n", violation.text)
    });
    let differing = some.differing.iter();
    let differing = differing.map(|seed| format!("{seed}\tnot the same twice\t\t\n"));
    let panicked = some.panicked.iter();
    let panicked = panicked.map(|seed| format!("{seed}\tpanicked\t\t\n"));
    broken.chain(differing).chain(panicked).collect()
}

fn fault(path: &Path, error: &io::Error) -> Fault {
    Fault::new(format!("cannot write to {}", path.display())).at(error.to_string())
}

/// How far it is, on standard error.
pub(super) struct Progress {
    asked: u64,
    runs: u64,
    failed: usize,
    started: Instant,
    said: Instant,
}

impl Progress {
    /// Says that it begins.
    pub(super) fn of(seeds: &Range<u64>, threads: usize) -> Self {
        let Range { start, end } = seeds;
        let asked = end - start;
        if asked > 1 {
            say(&format!("seeds {start}..{end}, threads: {threads}"));
        }
        let started = Instant::now();
        Self {
            asked,
            runs: 0,
            failed: 0,
            started,
            said: started,
        }
    }

    pub(super) fn add(&mut self, some: &Campaign) {
        self.runs += some.runs;
        self.failed += some.failed();
        if self.said.elapsed() < PROGRESS_EVERY {
            return;
        }
        self.said = Instant::now();
        let seconds = self.started.elapsed().as_secs_f64();
        say(&progress(self.runs, self.asked, self.failed, seconds));
    }
}

fn say(line: &str) {
    // With standard error gone there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Set once Ctrl-C or SIGTERM has come; from its return on none is missed. Where the system lets nobody listen, either ends the process as it does by default.
pub(super) fn stopped_by_a_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    let (listens, listening) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        if runtime.is_ok_and(|runtime| runtime.block_on(signal(listens)).is_ok()) {
            set.store(true, Ordering::Relaxed);
        }
    });
    // An error says that nobody listens, nor ever will.
    let _ = listening.recv();
    stop
}

#[cfg(unix)]
async fn signal(listens: Sender<()>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let _ = listens.send(());
    tokio::select! {
        _ = interrupted.recv() => Ok(()),
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal(listens: Sender<()>) -> io::Result<()> {
    drop(listens);
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use msk_simulation::Campaign;
    use msk_simulation::oracle::{Invariant, Violation};

    use super::{Failures, lines};

    fn failing() -> Campaign {
        let violation = Violation {
            at_ms: 937,
            invariant: Invariant::NothingLost,
            text: "orders-0@5 was never done".to_owned(),
        };
        Campaign {
            runs: 16,
            broken: vec![(4_711, violation)],
            differing: vec![4_712],
            panicked: vec![4_713],
            ..Campaign::default()
        }
    }

    #[test]
    fn a_failing_seed_is_a_line_that_begins_with_the_seed() {
        assert_eq!(
            lines(&failing()),
            "4711\tnothing lost\t937 ms\torders-0@5 was never done\n4712\tnot the same twice\t\t\n4713\tpanicked\t\t\n"
        );
        assert_eq!(lines(&Campaign::default()), "");
    }

    #[test]
    fn failing_seeds_are_appended_to_those_of_the_night_before() {
        let directory = std::env::temp_dir().join(format!("simulate-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("failing-seeds.tsv");

        for _ in 0..2 {
            Failures::open(&path).unwrap().write(&failing()).unwrap();
        }

        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(text, lines(&failing()).repeat(2));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_before_anything_runs() {
        let missing = std::env::temp_dir().join("no-such-directory/failing-seeds.tsv");

        let fault = Failures::open(&missing).err().unwrap().text();

        assert!(fault.contains("no-such-directory"), "{fault}");
    }
}
