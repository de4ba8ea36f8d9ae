//! `cargo msk invoke`.

mod answer;
mod delivery;
mod event;
mod explain;
mod heard;
mod json;
mod table;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use msk_mapping::response;
use msk_mapping::{Environment, Function, Invocation, Logs};

use self::delivery::Delivery;
use self::heard::Heard;
use crate::fault::{Fault, print, print_document, warn};
use crate::flags::output::{Logs as Wanted, Output};
use crate::flags::registry::Registry;
use crate::flags::response_types::ResponseTypes;
use crate::flags::timeout;
use crate::flags::variable;
use crate::function::dead_letters::Mark;
use crate::function::payloads::{self, Reader};
use crate::function::{log_level, log_line, measured, target};
use crate::interrupts;
use crate::text::cut;
use crate::verdict::Verdict;

/// So many deliveries are a load test, which this is not.
const TIMES_MAX: u32 = 100_000;

/// Deliver an event to a function over the Lambda Runtime API and show what Lambda would do next.
///
/// The function is built with cargo, or is any command that speaks the Runtime API. It runs as on Lambda: one process,
/// one event at a time, killed at its time-out. Its own output goes to standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
The mapping's setting and the function's must agree. Tell this command what the mapping is set to
with --function-response-types, and the function with --env LAMBDA_MSK_FAILURE_REPORTING=partial.

Lambda's documentation contradicts itself about which records are redelivered after a partial batch
response: only the listed ones, or all of their partition from the lowest listed offset on. Both are
shown. COMMIT is the offset at which the consumer group continues.

Examples:
  cargo msk invoke --event events/orders.json
  cargo msk invoke --event events/poison.json --env LAMBDA_MSK_FAILURE_REPORTING=partial
  cargo msk event --topic orders --records 100 | cargo msk invoke --event - --times 3
  cargo msk invoke --event e.json --bin ship --release --timeout 5s --json | jq .allDone
  cargo msk invoke --event e.json --function 'python3 function.py'

A file of dead letters works too: each letter's record is delivered in an event of its own.

{}", crate::verdict::INVOKE_HELP))]
pub(crate) struct Args {
    /// The event, or a file of dead letters (`-`: standard input).
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// The binary to build and run. Default: the only one of this package, or of the workspace's default members.
    #[arg(long, value_name = "NAME", conflicts_with = "function")]
    bin: Option<String>,
    /// Run this command instead; words are split as in a shell.
    #[arg(long, value_name = "COMMAND")]
    function: Option<String>,
    /// Build with the release profile, as for a deployment.
    #[arg(long, conflicts_with = "function")]
    release: bool,
    /// The function's time-out: 30s, 500ms, 2m.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = timeout::parse)]
    timeout: Duration,
    /// Deliver the event N times to the same process.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(TIMES_MAX)))]
    times: u32,
    /// Set a variable of the function's environment.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable::parse)]
    env: Vec<(String, String)>,
    /// FunctionResponseTypes of the mapping.
    #[arg(long, alias = "failure-reporting", value_enum, value_name = "TYPE", default_value_t = ResponseTypes::ReportBatchItemFailures)]
    function_response_types: ResponseTypes,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    registry: Registry,
    /// Write one JSON document to standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    if let Some(remark) = timeout::remark(args.timeout) {
        warn(&remark);
    }
    let bodies = event::bodies(args.event.as_deref())?;
    let function = match &args.function {
        Some(command) => target::command(command)?,
        None => target::build(args.bin.as_deref(), args.release)?.0,
    };
    let measures = measured::setting(&args.env).into_iter();
    let function = measures.fold(function, |function, (name, value)| {
        function.env(name, value)
    });
    let function = args.env.iter().fold(function, |function, (name, value)| {
        function.env(name, value)
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the runtime").at(error.to_string()))?;
    runtime.block_on(async {
        let mut interrupts = interrupts::listen();
        tokio::select! {
            outcome = deliver(args, function, &bodies) => outcome,
            // The process is killed as the other side is dropped.
            Some(()) = interrupts.recv() => Err(Fault::interrupted()),
        }
    })
}

/// The function with an ear for what it says of its records. What is to be shown of it goes on to standard error.
fn heard_by(function: Function, heard: &Arc<Mutex<Heard>>, wanted: Wanted) -> Function {
    let heard = Arc::clone(heard);
    function.logs(Logs::lines(move |line| {
        log_line::write(&line, wanted);
        heard::held(&heard).line(&line);
    }))
}

async fn deliver(args: &Args, function: Function, bodies: &[Bytes]) -> Result<ExitCode, Fault> {
    let name = function.identity().name().to_owned();
    let mark = Mark::set(&args.env);
    if let Some(remark) = log_level::remark(&args.env) {
        warn(&remark);
    }
    let reporting = args.function_response_types.into();
    let heard = Arc::default();
    let mut environment = Environment::new(heard_by(function, &heard, args.output.logs));
    let reader = match args.output.payloads {
        true => Some(Reader::of(&args.env, args.registry.named()?)),
        false => None,
    };
    let mut payloads = Vec::new();
    let (mut deliveries, mut events) = (Vec::new(), Vec::new());
    let mut verdict = Verdict::AllDone;
    let mut all = Heard::default();
    let times =
        u32::try_from(bodies.len()).map_or(u32::MAX, |bodies| bodies.saturating_mul(args.times));
    let mut number = 0;
    for body in bodies {
        let event = response::Event::parse(body);
        let invocation = Invocation::new(body.clone(), args.timeout);
        if let Some(reader) = &reader {
            let read = payloads::read(body, reader).await;
            if args.json {
                payloads.push(read.json());
            } else {
                print(&table::payloads(&read, cut::columns_of_stdout()))?;
            }
        }
        for _ in 0..args.times {
            number += 1;
            let before = mark.as_ref().map(Mark::renewed);
            let report = environment.invoke(&invocation).await.map_err(|error| {
                Fault::from_error(&error)
                    .help("check --function, or the binary and its permissions")
            })?;
            let mut said = std::mem::take(&mut *heard::held(&heard));
            said.letters(before.iter().flat_map(|before| before.read().letters));
            all.add(&said);
            let delivery = Delivery::new(number, times, report, &event, reporting, said);
            verdict = verdict.max(delivery.verdict());
            if args.json {
                deliveries.push(json::delivery(&delivery));
            } else {
                // Between what the function wrote and what is said of it.
                let _ = writeln!(anstream::stderr());
                print(&table::delivery(&delivery))?;
            }
        }
        events.push((body.len(), event));
    }
    environment.stop().await;
    let letters = mark.map(|mark| mark.read());
    if args.json {
        let run = json::RunDocument {
            function: &name,
            events: &events,
            response_types: args.function_response_types,
            payloads: reader.as_ref().map(|_| &*payloads),
            deliveries: &deliveries,
            dead_letters: letters.as_ref(),
            heard: &all,
            verdict,
        };
        print_document(run.document().as_bytes())?;
    } else {
        print(&table::records(&all, letters.as_ref()))?;
    }
    Ok(ExitCode::from(verdict.exit_code()))
}
