//! `cargo msk dev`.

// What flags mean.
mod flags;
// Where records go that are given up, as a flag names it.
mod on_failure;
// What keeps the Kafka side from going on.
pub(crate) mod failed;
// The command line.
mod args;
// What a template adds to it.
mod template;
// What is shown of a run.
mod show;
// The broker, and what is written to it.
mod cluster;
// The function, built anew.
mod watch;
// What takes the records that are given up.
mod destination;
// What is asked for schemas.
mod registry;
// Records as people see them.
mod payloads;
// A run.
mod work;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use msk_mapping::Function;
use tokio::runtime::Runtime;

pub(crate) use self::args::Args;
pub(crate) use self::cluster::connect::{Setting, cluster as cluster_of, setting};
use self::cluster::produce::{self, Wanted};
use self::cluster::{broker, connect};
pub(crate) use self::flags::iam::Iam;
use self::flags::names;
use self::flags::settings::Mode;
use self::show::Show;
use self::watch::Watched;
use self::work::Work;
use crate::fault::{Fault, warn};
use crate::function::target;
use crate::interrupts;

/// Threads: one for the mapping and the Runtime API, one beside it while a client of the broker is busy.
const THREADS: usize = 2;
/// How long threads that wait for a broker may hold the end up.
const SHUTDOWN: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    let show = Arc::new(Show::new(args));
    let outcome = start(args, &show);
    if let Err(fault) = &outcome {
        show.broken(fault);
    }
    outcome
}

/// All that can be found wrong before the function is built, and then the run.
fn start(args: &Args, show: &Arc<Show>) -> Result<ExitCode, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the runtime").at(error.to_string()))?;
    let outcome = run_on(&runtime, args, show);
    // A client that waits for a broker which is away would hold the process, and so would a pipe that nobody writes.
    runtime.shutdown_timeout(SHUTDOWN);
    outcome
}

fn run_on(runtime: &Runtime, args: &Args, show: &Arc<Show>) -> Result<ExitCode, Fault> {
    // From here to the end: a signal is heard whatever is under way.
    let mut interrupts = runtime.block_on(async { interrupts::listen() });
    let (args, mut wanted) = runtime.block_on(async {
        let args = args.clone();
        let reading = tokio::task::spawn_blocking(move || read(&args));
        tokio::select! {
            read = reading => read.map_err(|error| Fault::from_error(&error))?,
            // Standard input, or a pipe, may never end.
            Some(()) = interrupts.recv() => Err(Fault::interrupted()),
        }
    })?;
    let args = &args;
    let broker = match &args.bootstrap {
        Some(_) => None,
        None => Some(broker::start(args, &mut wanted)?),
    };
    let bootstrap = match (&args.bootstrap, &broker) {
        (Some(bootstrap), _) => bootstrap.clone(),
        (None, Some(broker)) => broker.cluster().bootstrap().to_owned(),
        (None, None) => String::new(),
    };
    let cluster = runtime.block_on(async {
        tokio::select! {
            cluster = connect::cluster(&bootstrap, &args.set, &args.iam) => cluster,
            Some(()) = interrupts.recv() => Err(Fault::interrupted()),
        }
    })?;
    // Before the build: it is the slower of the two to find wrong.
    let configurations = args.topics.iter().map(|topic| {
        args.settings
            .configuration(topic, args.group(), cluster.bootstrap())
    });
    let configurations: Vec<_> = configurations.collect::<Result<_, _>>()?;
    registry::check(&configurations, &args.settings.schemas)?;
    let (function, watched) = function(args)?;
    let work = Work {
        args,
        cluster: &cluster,
        configurations,
        broker: broker.as_ref(),
        wanted: &wanted,
        show,
    };
    runtime.block_on(work.run(function, watched, interrupts))
}

/// The arguments with what the template adds to them, and the records that are to be written.
fn read(args: &Args) -> Result<(Args, Vec<Wanted>), Fault> {
    let args = template::complete(args)?;
    names::check_topics(&args.topics)?;
    let remarks = args.settings.filter_remarks()?;
    remarks.iter().for_each(|remark| warn(remark));
    if args.bootstrap.is_none() && args.settings.consumption_mode == Some(Mode::Queue) {
        return Err(
            Fault::new("the broker in this process has no share groups").help(
                "--consumption-mode Queue goes with --bootstrap HOST:PORT of Kafka 4.2 or later",
            ),
        );
    }
    let (wanted, remarks) = produce::read(&args.produce, args.produce_format, &args.topics)?;
    remarks.iter().for_each(|remark| warn(remark));
    Ok((args, wanted))
}

/// The function, and what to watch of it. None: it is no build of ours.
fn function(args: &Args) -> Result<(Function, Option<Watched>), Fault> {
    if let Some(command) = &args.function {
        return Ok((target::command(command)?, None));
    }
    let (function, executable) = target::build(args.bin.as_deref(), args.release)?;
    let watched = args.watch.then(|| Watched {
        bin: args.bin.clone(),
        release: args.release,
        executable,
    });
    Ok((function, watched))
}
