//! `cargo msk invoke`.

mod answer;
mod dead_letters;
mod explain;
mod json;
mod table;
pub(crate) mod target;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::ValueEnum;
use msk_mapping::limits::{EVENT_BYTES_MAX, TIMEOUT_MAX_MS};
use msk_mapping::response::{self, FailureReporting, Read as Reading};
use msk_mapping::{Ending, Environment, Function, Invocation, Report};

use self::answer::Answer;
use self::dead_letters::Mark;
use self::explain::Problem;
use crate::document;
use crate::fault::{Fault, print, print_document};

/// So many deliveries are a load test, which this is not.
const TIMES_MAX: u32 = 100_000;

/// Deliver an event to a function over the Lambda Runtime API and show what Lambda would do next.
///
/// The function is built with cargo, or is any command that speaks the Runtime API. It runs as on Lambda: one process,
/// one event at a time, killed when its time is over. Its own output goes to standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The mapping's setting and the function's must agree. Tell this command what the mapping is set to
with --failure-reporting, and the function with --env LAMBDA_MSK_FAILURE_REPORTING=partial.

Lambda's documentation says two things about what is sent again after a partial batch response:
only the records that were listed, or everything of their partition from the lowest one on. Both
are shown. COMMIT is the position at which the consumer group goes on meanwhile.

Examples:
  cargo msk invoke --event events/orders.json
  cargo msk invoke --event events/poison.json --env LAMBDA_MSK_FAILURE_REPORTING=partial
  cargo msk event --topic orders --records 100 | cargo msk invoke --event - --times 3
  cargo msk invoke --event e.json --bin ship --release --timeout 5s --json | jq .allDone
  cargo msk invoke --event e.json --function 'python3 function.py'

Exit codes: 0 every record was done in every delivery; 1 some were not, or the function failed;
2 wrong arguments, files or build.")]
pub(crate) struct Args {
    /// The event (`-`: standard input).
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// The binary to build and run. Default: the only one of this package, or of the workspace's default members.
    #[arg(long, value_name = "NAME", conflicts_with = "function")]
    bin: Option<String>,
    /// Run this command instead; words are split as a shell would.
    #[arg(long, value_name = "COMMAND")]
    function: Option<String>,
    /// Build with the release profile, as for a deployment.
    #[arg(long, conflicts_with = "function")]
    release: bool,
    /// The function's time-out: 30s, 500ms, 2m.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration)]
    timeout: Duration,
    /// Deliver the event so many times to the same process.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(TIMES_MAX)))]
    times: u32,
    /// Set a variable of the function's environment.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// What the mapping is set to.
    #[arg(long, value_enum, default_value_t = Reporting::Partial)]
    failure_reporting: Reporting,
    /// Write one JSON document to standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reporting {
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`.
    Partial,
    /// No `FunctionResponseTypes`: Lambda ignores the response's body.
    WholeBatch,
}

impl From<Reporting> for FailureReporting {
    fn from(reporting: Reporting) -> Self {
        match reporting {
            Reporting::Partial => Self::Partial,
            Reporting::WholeBatch => Self::WholeBatch,
        }
    }
}

/// One delivery with its reading: all that is shown.
#[derive(Debug)]
struct Delivery {
    number: u32,
    times: u32,
    report: Report,
    /// None: the event is not Kafka's, so there is nothing to commit.
    read: Option<Reading>,
    /// None: the function did not answer with a response.
    answer: Option<Answer>,
    problem: Option<Problem>,
}

impl Delivery {
    fn new(
        number: u32,
        times: u32,
        report: Report,
        event: &Result<response::Event, String>,
        args: &Args,
    ) -> Self {
        let read = event.as_ref().ok().map(|event| match &report.ending {
            Ending::Response(body) => Reading::response(event, body, args.failure_reporting.into()),
            _ => Reading::error(event),
        });
        let reporting = args.failure_reporting.into();
        let answer = answer::answer(&report.ending, read.as_ref(), reporting);
        let problem = explain::problem(
            &report,
            read.as_ref(),
            event.as_ref().err().map(String::as_str),
        );
        Self {
            number,
            times,
            report,
            read,
            answer,
            problem,
        }
    }

    /// Whether there is nothing that a script should stop at.
    fn all_done(&self) -> bool {
        match &self.read {
            Some(read) => read.all_done(),
            None => matches!(self.report.ending, Ending::Response(_)),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    let body = event(args.event.as_deref())?;
    let function = match &args.function {
        Some(command) => target::command(command)?,
        None => target::build(args.bin.as_deref(), args.release)?.0,
    };
    let function = args.env.iter().fold(function, |function, (name, value)| {
        function.env(name, value)
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the runtime").at(error.to_string()))?;
    runtime.block_on(async {
        tokio::select! {
            outcome = deliver(args, function, body) => outcome,
            // The process is killed as the other side is dropped.
            _ = tokio::signal::ctrl_c() => Err(Fault::interrupted()),
        }
    })
}

async fn deliver(args: &Args, function: Function, body: Bytes) -> Result<ExitCode, Fault> {
    let event =
        response::Event::parse(&body).map_err(|error| match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        });
    let name = function.identity().name().to_owned();
    let mark = Mark::set(&args.env);
    let mut environment = Environment::new(function);
    let invocation = Invocation::new(body, args.timeout);
    let mut deliveries = Vec::new();
    let mut all_done = true;
    for number in 1..=args.times {
        let report = environment.invoke(&invocation).await.map_err(|error| {
            Fault::from_error(&error).help("check --function, or the binary and its permissions")
        })?;
        let delivery = Delivery::new(number, args.times, report, &event, args);
        all_done &= delivery.all_done();
        if args.json {
            deliveries.push(json::delivery(&delivery));
        } else {
            // Between what the function wrote and what is said of it.
            let _ = writeln!(anstream::stderr());
            print(&table::delivery(&delivery))?;
        }
    }
    environment.stop().await;
    let letters = mark.map(|mark| mark.read());
    if args.json {
        let run = json::Run {
            function: &name,
            bytes: invocation.body().len(),
            event: &event,
            reporting: args.failure_reporting.into(),
            deliveries: &deliveries,
            dead_letters: letters.as_ref(),
            all_done,
        };
        print_document(run.document().as_bytes())?;
    } else if let Some(letters) = letters {
        print(&table::dead_letters(&letters))?;
    }
    Ok(if all_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn event(path: Option<&Path>) -> Result<Bytes, Fault> {
    let Some(path) = path else {
        return Err(Fault::new("no event to deliver").help(
            "give one with --event FILE: there are samples in events/,\n\
             and `cargo msk event --topic orders | cargo msk invoke --event -` makes one",
        ));
    };
    let name = path.display();
    let mut body = Vec::new();
    // One byte more than Lambda takes tells a file that is too long, without reading all of it.
    let limit = EVENT_BYTES_MAX as u64 + 1;
    let read = if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut body)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut body))
    };
    read.map_err(|error| {
        Fault::new(format!("cannot read the event {name}"))
            .at(error.to_string())
            .help("there are samples in events/, and `cargo msk event --topic orders` makes one")
    })?;
    if body.len() > EVENT_BYTES_MAX {
        return Err(Fault::new(format!(
            "the event {name} has more than {EVENT_BYTES_MAX} bytes"
        ))
        .help("Lambda closes a batch before it is that long: deliver fewer or smaller records"));
    }
    if let Some(document::Foreign { what, help }) = document::foreign(&body) {
        return Err(Fault::new(format!("the event {name} {what}")).help(help));
    }
    Ok(Bytes::from(body))
}

pub(crate) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name @ "AWS_LAMBDA_RUNTIME_API", _)) => Err(format!(
            "{name} is the address that the function is served at, which this command sets itself"
        )),
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// `500ms`, `30s`, `2m`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        _ => return Err("expected a number and ms, s or m".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a number and ms, s or m".to_owned())?;
    match number.checked_mul(unit_ms) {
        Some(ms) if (1..=TIMEOUT_MAX_MS).contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err("expected 1ms to 90m, the longest that Lambda takes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5_400)));
        for wrong in [
            "",
            "s",
            "1h",
            "-1s",
            "0s",
            "91m",
            "1.5s",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
