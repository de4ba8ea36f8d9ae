//! `cargo msk dev`.

mod broker;
mod connect;
mod destination;
mod failed;
mod json;
mod lines;
mod live;
mod names;
mod on_failure;
mod produce;
mod reading;
mod settings;
mod show;
mod start;
mod template;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use msk_mapping::Function;
use msk_mapping::driver::{Cluster, Control, Driver, EmbeddedBroker, Producer, Status, Unread};
use msk_mapping::machine::Configuration;
use tokio::task::{JoinHandle, JoinSet};

use self::connect::Setting;
use self::produce::{Format, Wanted};
use self::settings::{Mode, Settings};
use self::show::Show;
use self::watch::Watched;
use crate::fault::{EXIT_FAULT, Fault, warn};
use crate::interrupts;
use crate::invoke::{self, target};

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
#[command(after_help = "\
The mapping's setting and the function's must agree: --function-response-types
ReportBatchItemFailures goes with --env LAMBDA_MSK_FAILURE_REPORTING=partial.

Several --topic are several mappings with the same settings, as on Lambda, where a mapping has one.

--produce takes files of two kinds: lines of JSON, each the value of one record, and Kafka events as
Lambda sends them, whose records keep key, value, headers, time and partition. --produce-format text,
hex or base64 takes lines of other values.

--template reads what template.yaml deploys: one mapping, and its function's time-out, environment
and binary. What only a stack knows (ARNs, queues, buckets) is left out with a line that says which
flag gives it. The cluster is never the template's: without --bootstrap it is in this process.

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

Exit codes: 0 every record was done; 1 some were given up (sent to --on-failure, or dropped), or
were listed by the function to a mapping that does not read the list, or none was read though the
topic holds some; 2 wrong arguments, files or
build, no broker or one that refuses, no such destination, a function that does not start, or a
--once that cannot go on: the broker or the topic has gone, or other members of the group have the
rest and do nothing; 130 stopped before --once was through.")]
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
    /// Write these records first: FILE.ndjson, or events as in events/*.json (`-`: standard input).
    #[arg(long, value_name = "FILE", num_args = 1..)]
    produce: Vec<PathBuf>,
    /// What --produce's files hold: a value a line as json, text, hex or base64, or a Kafka event. [default: an event, or else lines of JSON]
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
    #[arg(long, value_name = "TIME", value_parser = invoke::duration)]
    timeout: Option<Duration>,
    /// Set a variable of the function's environment.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = invoke::variable)]
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
    let args = &template::complete(args)?;
    names::check_topics(&args.topics)?;
    let remarks = args.settings.filter_remarks()?;
    remarks.iter().for_each(|remark| warn(remark));
    let (mut wanted, remarks) = produce::read(&args.produce, args.produce_format, &args.topics)?;
    remarks.iter().for_each(|remark| warn(remark));
    if args.bootstrap.is_none() && args.settings.consumption_mode == Some(Mode::Queue) {
        return Err(
            Fault::new("the broker in this process has no share groups").help(
                "--consumption-mode Queue goes with --bootstrap HOST:PORT of Kafka 4.2 or later",
            ),
        );
    }
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the runtime").at(error.to_string()))?;
    let outcome = runtime.block_on(work(
        args,
        &cluster,
        broker.as_ref(),
        function,
        watched,
        &wanted,
    ));
    // A client that waits for a broker which is away would hold the process.
    runtime.shutdown_timeout(SHUTDOWN);
    outcome
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

/// The function with its environment and a place for its logs.
fn dressed(function: Function, env: &[(String, String)], show: &Arc<Show>) -> Function {
    let function = env.iter().fold(function, |function, (name, value)| {
        function.env(name, value)
    });
    function.logs(show.logs())
}

async fn work(
    args: &Args,
    cluster: &Cluster,
    broker: Option<&EmbeddedBroker>,
    function: Function,
    watched: Option<Watched>,
    wanted: &[Wanted],
) -> Result<ExitCode, Fault> {
    let mut interrupts = interrupts::listen();
    let show = Arc::new(Show::new(args));
    let function = dressed(function, &args.env, &show);
    let produced = tokio::select! {
        produced = fill(cluster, broker, wanted) => produced?,
        Some(()) = interrupts.recv() => return Err(Fault::interrupted()),
    };
    show.begun(cluster.bootstrap(), produced)?;
    let mut runs = JoinSet::new();
    let mut controls = Vec::new();
    for topic in &args.topics {
        let driver = tokio::select! {
            driver = driver(args, topic, cluster, &function, &show) => driver?,
            Some(()) = interrupts.recv() => return Err(Fault::interrupted()),
        };
        controls.push(driver.control());
        let (topic, show) = (topic.clone(), Arc::clone(&show));
        runs.spawn(driver.run(move |notice| show.notice(&topic, &notice)));
    }
    let _watching = watched.map(|watched| {
        let (env, show, controls) = (args.env.clone(), Arc::clone(&show), controls.clone());
        let watching = async move {
            let dress = |function| dressed(function, &env, &show);
            watch::watch(watched, dress, controls, &show).await;
        };
        AbortOnDrop(tokio::spawn(watching))
    });
    let mut ends = Vec::new();
    let (mut stopped, mut broken) = (false, None);
    loop {
        tokio::select! {
            ended = runs.join_next() => match ended {
                None => break,
                Some(Ok(Ok(status))) => ends.push(status),
                // What the other topics have under way may end.
                Some(Ok(Err(error))) => {
                    broken.get_or_insert_with(|| failed::fault(&error));
                    controls.iter().for_each(Control::drain);
                }
                Some(Err(error)) => return Err(Fault::from_error(&error)),
            },
            Some(()) = interrupts.recv() => {
                if stopped {
                    return Err(Fault::interrupted());
                }
                stopped = true;
                warn("stopping: what is under way may end; Ctrl-C again ends it now");
                controls.iter().for_each(Control::drain);
            }
        }
    }
    ends.sort_by(|one, other| one.topic.cmp(&other.topic));
    if let Some(fault) = broken {
        show.ended(&ends, EXIT_FAULT)?;
        return Err(fault);
    }
    for (end, why) in ends.iter().filter_map(|end| Some((end, end.unread?))) {
        warn(&unread(&end.topic, why));
    }
    let code = exit_code(&ends, args.once && stopped);
    show.ended(&ends, code)?;
    Ok(ExitCode::from(code))
}

/// Writes the records, and sees that a broker of our own has them all.
async fn fill(
    cluster: &Cluster,
    broker: Option<&EmbeddedBroker>,
    wanted: &[Wanted],
) -> Result<usize, Fault> {
    if wanted.is_empty() {
        return Ok(0);
    }
    // A producer that is not let in would try for minutes.
    connect::reach(cluster, &wanted[0].topic).await?;
    let producer = Producer::new(cluster).map_err(|error| failed::fault(&error))?;
    let produced = produce::produce(&producer, wanted).await?;
    if let Some(broker) = broker {
        tokio::task::block_in_place(|| broker::check(broker))?;
    }
    Ok(produced)
}

/// A task that ends with its owner.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn driver(
    args: &Args,
    topic: &str,
    cluster: &Cluster,
    function: &Function,
    show: &Show,
) -> Result<Driver, Fault> {
    let arn = function.identity().arn();
    let configuration =
        args.settings
            .configuration(topic, args.group(), cluster.bootstrap(), arn)?;
    let mut driver = Driver::new(cluster.clone(), configuration.clone(), function.clone())
        .timeout(args.timeout.unwrap_or(TIMEOUT))
        .pollers(pollers(&configuration, cluster, show).await?);
    if args.bootstrap.is_none() {
        driver = driver.alone();
    }
    if args.once {
        driver = driver.until_caught_up();
    }
    destination::add(driver, &configuration, cluster)
}

/// As many pollers as are set, but none without a partition: Lambda runs no more either.
async fn pollers(
    configuration: &Configuration,
    cluster: &Cluster,
    show: &Show,
) -> Result<u32, Fault> {
    let wanted = *configuration.pollers(usize::MAX).end();
    if wanted == 1 {
        return Ok(1);
    }
    let (cluster, topic) = (cluster.clone(), configuration.topic.clone());
    let asked = tokio::task::spawn_blocking(move || cluster.partitions(&topic));
    let partitions = asked
        .await
        .map_err(|error| Fault::from_error(&error))?
        .map_err(|error| failed::fault(&error))?
        .len();
    let pollers = *configuration.pollers(partitions).end();
    if pollers < wanted {
        let (topic, partitions) = (&configuration.topic, lines::count(partitions, "partition"));
        let text = format!("{topic} has {partitions}: {pollers} of {wanted} run, as on Lambda");
        show.remark("pollers", &text);
    }
    Ok(u32::try_from(pollers).unwrap_or(1))
}

/// Why a run of a topic that holds records has read none, and how to read them.
fn unread(topic: &str, why: Unread) -> String {
    let (why, how) = match why {
        Unread::Latest => (
            "a new group begins behind them (LATEST)",
            "--starting-position TRIM_HORIZON with another --group reads them",
        ),
        Unread::AfterTheLast { .. } => (
            "none is of --starting-position-timestamp or later",
            "give an earlier time with another --group",
        ),
        _ => (
            "the group had committed all of them",
            "another --group reads them from --starting-position on",
        ),
    };
    format!("no record of {topic} was read, though there are some: {why}; {how}")
}

/// 0: all done. 1: something was given up or overlooked, or nothing was read. 130: stopped before the end.
fn exit_code(ends: &[Status], interrupted: bool) -> u8 {
    let lost = |status: &Status| {
        status.metrics.dropped + status.metrics.delivered + status.overlooked > 0
            || status.unread.is_some()
    };
    match (interrupted, ends.iter().any(lost)) {
        (true, _) => 130,
        (false, true) => 1,
        (false, false) => 0,
    }
}

#[cfg(test)]
mod tests;
