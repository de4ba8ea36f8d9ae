//! `cargo msk dev`.

mod answer;
mod broker;
mod connect;
mod destination;
mod failed;
mod fates;
mod json;
mod layout;
mod lines;
mod live;
mod names;
mod nothing;
mod on_failure;
mod produce;
mod reading;
mod settings;
mod show;
mod start;
mod summary;
mod template;
mod watch;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use msk_mapping::Function;
use tokio::runtime::Runtime;

use self::connect::Setting;
use self::produce::{Format, Wanted};
use self::settings::{Mode, Settings};
use self::show::Show;
use self::watch::Watched;
use self::work::Work;
use crate::fault::{Fault, warn};
use crate::interrupts;
use crate::invoke::target;
use crate::timeout;
use crate::variable;

/// The consumer group, unless a flag or a template names one.
const GROUP: &str = "cargo-msk-dev";
/// The function's time-out, unless a flag or a template has one.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Past any desk's.
const PARTITIONS_MAX: i32 = 1_000;
/// Threads: one for the mapping and the Runtime API, one beside it while a client of the broker is busy.
const THREADS: usize = 2;
/// How long threads that wait for a broker may hold the end up.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// Read topics as Lambda would: poll, invoke, commit, retry, give up, with a function on your desk.
///
/// The function is built with cargo, or is any command that speaks the Runtime API. As many of its processes run as there
/// are invocations at once. Without --bootstrap, a Kafka broker runs in this process, and --produce fills it.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = format!("\
The mapping's setting and the function's must agree: --function-response-types
ReportBatchItemFailures goes with --env LAMBDA_MSK_FAILURE_REPORTING=partial.

Several --topic are several mappings with the same settings, as on Lambda, where a mapping has one.

--produce takes files of three kinds: lines of JSON, each the value of one record; Kafka events as
Lambda sends them, whose records keep key, value, headers, time and partition; and dead letters, one
a line, whose records are written as they were. --produce-format text, hex or base64 takes lines of
other values.

--template reads what template.yaml deploys: one mapping, and its function's time-out, environment
and binary. What only a stack knows (ARNs, queues, buckets) is left out with a line that says which
flag gives it. The cluster is never the template's: without --bootstrap it is in this process.

--json writes one object a line, each with its kind in `event`. The last one is `end`, whatever ends
the run: it holds `verdict` and `exitCode`, `mappings` with the sums of each, in `records` those that
were not done, in `nothingRead` why a mapping read nothing, and in `error` why the run could not go
on. A command line that is refused is no run.

A failed batch is tried again for ever unless --maximum-retry-attempts or --on-failure says
otherwise: that is Lambda's default too, and then --once does not end.

Examples:
  cargo msk dev --topic orders --produce events/orders.json --once
  cargo msk dev --bootstrap 127.0.0.1:9092 --topic orders --group desk --bin handler
  cargo msk dev --topic orders --produce events/poison.json --maximum-retry-attempts 2 \\
      --on-failure file:given-up.ndjson --once
  cargo msk dev --template template.yaml --parameter Topic=orders --produce events/orders.json \\
      --once
  cargo msk dev --bootstrap b-1.example:9096 --topic orders --set security.protocol=SASL_SSL \\
      --set sasl.mechanism=SCRAM-SHA-512 --set sasl.username=alice --set sasl.password=@env:PASSWORD

{}", crate::verdict::DEV_HELP))]
pub(crate) struct Args {
    /// A topic. Several: a mapping each.
    #[arg(long = "topic", value_name = "TOPIC")]
    topics: Vec<String>,
    /// The brokers, HOST:PORT with commas between them. [default: one in this process]
    #[arg(long, value_name = "HOST:PORT", value_parser = names::bootstrap)]
    bootstrap: Option<String>,
    /// The consumer group. [default: cargo-msk-dev]
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// A setting of librdkafka. Secrets: KEY=@env:NAME or KEY=@file:PATH.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = connect::setting)]
    set: Vec<Setting>,
    /// Write these records first: FILE.ndjson, events as in events/*.json, or dead letters (`-`: standard input).
    #[arg(long, value_name = "FILE", num_args = 1..)]
    produce: Vec<PathBuf>,
    /// What --produce's files hold: a value a line as json, text, hex or base64, or a Kafka event or dead letters. [default: what the file is, or else lines of JSON]
    #[arg(long, value_enum, value_name = "FORMAT", requires = "produce")]
    produce_format: Option<Format>,
    /// Partitions of each topic of the broker in this process. [default: 3]
    #[arg(long, value_name = "N", conflicts_with = "bootstrap", value_parser = clap::value_parser!(i32).range(1..=i64::from(PARTITIONS_MAX)))]
    partitions: Option<i32>,
    /// The binary to build and run. Default: the only one of this package, or of the workspace's default members.
    #[arg(long, value_name = "NAME", conflicts_with = "function")]
    bin: Option<String>,
    /// Run this command instead; words are split as a shell would.
    #[arg(long, value_name = "COMMAND")]
    function: Option<String>,
    /// Build with the release profile, as for a deployment.
    #[arg(long, conflicts_with = "function")]
    release: bool,
    /// The function's time-out: 30s, 500ms, 2m. [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = timeout::parse)]
    timeout: Option<Duration>,
    /// Set a variable of the function's environment.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable::parse)]
    env: Vec<(String, String)>,
    /// Build the function anew when one of its files changes, and give it the next invocations.
    #[arg(long, conflicts_with = "function")]
    watch: bool,
    /// End once everything in the topics is settled.
    #[arg(long)]
    once: bool,
    /// Write one JSON object a line to standard output.
    #[arg(long)]
    json: bool,
    /// Write lines to a terminal too, as to a pipe: no view.
    #[arg(long, conflicts_with = "json")]
    lines: bool,
    #[command(flatten)]
    template: template::Chosen,
    #[command(flatten)]
    settings: Settings,
}

impl Args {
    fn group(&self) -> &str {
        self.group.as_deref().unwrap_or(GROUP)
    }
}

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
    let cluster = connect::cluster(&bootstrap, &args.set)?;
    // Before the build: it is the slower of the two to find wrong.
    for topic in &args.topics {
        args.settings
            .configuration(topic, args.group(), &bootstrap, String::new())?;
    }
    let (function, watched) = function(args)?;
    let work = Work {
        args,
        cluster: &cluster,
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

#[cfg(test)]
mod tests;
