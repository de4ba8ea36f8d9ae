//! `cargo msk ledger forget`.

use std::fmt::Write;
use std::io::{self, BufRead, IsTerminal, Write as _};
use std::ops::Bound;
use std::process::ExitCode;

use lambda_msk::idempotency::{
    BoxStore, ForgetError, IdempotencyStore, PartitionState, SettledRange,
};
use serde_json::{Value, json};

use super::found::{Found, Which, failed, now_ms};
use super::{json as documents, text};
use crate::fault::{Fault, print, print_document};
use crate::text::style::{BAD, BOLD, DIM, GOOD};

/// The exit code when nothing, or not all, was forgotten.
const EXIT_NOT_FORGOTTEN: u8 = 1;

/// Forget settled offsets: their records run again if Lambda redelivers them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Shows what will be forgotten and asks first. While an invocation holds one of the partitions,
nothing is forgotten: stop the mapping, or wait. A partition that changes meanwhile stays as it is.
An unordered consumer holds no lease: stop its mapping first, or it writes the offsets back.

Examples:
  cargo msk ledger forget --store dynamodb://orders-idempotency --namespace orders-function \\
      --cluster arn:aws:kafka:… --topic orders --partition 3 --from 1200 --to 1299
  cargo msk ledger forget … --topic orders --partitions 12 --yes

Exit codes: 0 forgotten, or nothing was known; 1 not forgotten: held, changed meanwhile, or the
answer was no; 2 wrong arguments, or the store failed.")]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// First offset to forget. Default: the lowest known one.
    #[arg(long, value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..))]
    from: Option<i64>,
    /// Last offset to forget. Default: the highest known one.
    #[arg(long, value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..))]
    to: Option<i64>,
    /// Forget without asking.
    #[arg(long)]
    yes: bool,
}

/// One partition of which something is to be forgotten.
#[derive(Debug)]
struct Planned<'a> {
    partition: i32,
    state: &'a PartitionState,
    settled: Vec<SettledRange>,
    /// *None: Lambda was told of no record in these offsets, or has sent it again.*
    reported: Option<i64>,
}

/// How it went for one partition.
type Forgotten = Result<(), ForgetError>;

impl Args {
    pub(crate) fn checked(&self) -> Result<&Which, Fault> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Fault::new(format!(
                "expected --from up to --to, found --from {from} and --to {to}"
            ))
            .help("--to is the last offset to forget"));
        }
        Ok(&self.which)
    }

    /// Both ends open: the whole partition.
    fn offsets(&self) -> (Bound<i64>, Bound<i64>) {
        let bound = |end: Option<i64>| end.map_or(Bound::Unbounded, Bound::Included);
        (bound(self.from), bound(self.to))
    }

    fn whole(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}

pub(crate) async fn run(args: &Args, store: &BoxStore) -> Result<ExitCode, Fault> {
    let found = args.which.read(store).await?;
    let plan = plan(args, &found);
    refuse_while_held(args, &plan, now_ms())?;
    let shown = plan_text(args, store, &plan);
    if args.which.json {
        let _ = write!(anstream::stderr(), "{shown}");
    } else {
        print(&shown)?;
    }
    if !plan.is_empty() && !args.yes && !asked()? {
        return Err(Fault::new("nothing was forgotten: the answer was no").code(EXIT_NOT_FORGOTTEN));
    }
    let outcomes = carry_out(args, store, &plan, now_ms()).await?;
    if args.which.json {
        let document = document(args, store, &plan, &outcomes);
        print_document(format!("{document:#}\n").as_bytes())?;
    } else {
        print(&outcomes_text(args, &plan, &outcomes))?;
    }
    Ok(match outcomes.iter().all(Result::is_ok) {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_NOT_FORGOTTEN),
    })
}

/// Partitions of which anything is known in these offsets.
fn plan<'a>(args: &Args, found: &'a Found) -> Vec<Planned<'a>> {
    let planned = |(partition, state): &'a (i32, PartitionState)| {
        let offsets = args.offsets();
        let reported = state.reported();
        Planned {
            partition: *partition,
            state,
            settled: state.settled(offsets),
            reported: reported.filter(|offset| std::ops::RangeBounds::contains(&offsets, offset)),
        }
    };
    let planned = found.known.iter().map(planned);
    planned
        .filter(|plan| args.whole() || !plan.settled.is_empty() || plan.reported.is_some())
        .collect()
}

/// All or none: whoever forgets a topic wants no half of it.
fn refuse_while_held(args: &Args, plan: &[Planned], now_ms: u64) -> Result<(), Fault> {
    let live = plan.iter().filter_map(|plan| {
        let lease = plan.state.lease().filter(|lease| lease.is_live(now_ms))?;
        let state = text::lease_state(&lease, now_ms);
        Some(format!("{}-{}: {state}", args.which.topic, plan.partition))
    });
    let live: Vec<String> = live.collect();
    if live.is_empty() {
        return Ok(());
    }
    let what = "nothing was forgotten: an invocation holds these partitions";
    let fault = live.iter().fold(Fault::new(what), Fault::at);
    Err(fault
        .help("stop the mapping, and wait until its last invocation has ended")
        .code(EXIT_NOT_FORGOTTEN))
}

fn plan_text(args: &Args, store: &BoxStore, plan: &[Planned]) -> String {
    let (store, topic) = (store.describe(), &args.which.topic);
    if plan.is_empty() {
        return format!("{store} has none of these offsets: there is nothing to forget.\n");
    }
    let mut text = format!("To be forgotten in {store}:\n\n");
    for plan in plan {
        let _ = writeln!(text, "  {BOLD}{topic}-{}{BOLD:#}", plan.partition);
        let (rejected, done): (Vec<_>, Vec<_>) =
            plan.settled.iter().partition(|range| range.rejected);
        for (name, ranges) in [("done", done), ("rejected", rejected)] {
            if !ranges.is_empty() {
                let offsets = text::offsets(&ranges);
                let _ = writeln!(text, "    {DIM}{name:<10}{DIM:#}{offsets}");
            }
        }
        if let Some(offset) = plan.reported {
            let why = "reported to Lambda and not redelivered";
            let _ = writeln!(text, "    {DIM}reported  {DIM:#}{offset}, {why}");
        }
        if args.whole() {
            let _ = writeln!(text, "    {DIM}and the item itself{DIM:#}");
        }
    }
    text += "\nRecords at these offsets run again if Lambda redelivers them, rejected ones too.\n";
    text
}

fn asked() -> Result<bool, Fault> {
    if !io::stdin().is_terminal() {
        return Err(Fault::new(
            "nothing was forgotten: expected a terminal for the question, found none",
        )
        .help("give --yes to forget without being asked"));
    }
    let _ = write!(anstream::stderr(), "\nForget it? [y/N] ");
    let _ = anstream::stderr().flush();
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Fault::new("cannot read the answer").at(error.to_string()))?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// One outcome a partition of the plan. *Err: the store failed, and what came before it is forgotten.*
async fn carry_out(
    args: &Args,
    store: &BoxStore,
    plan: &[Planned<'_>],
    now_ms: u64,
) -> Result<Vec<Forgotten>, Fault> {
    let mut outcomes = Vec::with_capacity(plan.len());
    for planned in plan {
        let forgotten = planned.state.forget(store, args.offsets(), now_ms).await;
        if let Err(ForgetError::Store(error)) = &forgotten {
            let done: Vec<i32> = plan
                .iter()
                .zip(&outcomes)
                .map(|(plan, _)| plan.partition)
                .collect();
            let fault = failed(store, error);
            let (word, partitions) = text::partitions(&done);
            return Err(match done.is_empty() {
                true => fault,
                false => fault.at(format!("forgotten before that: {word} {partitions}")),
            });
        }
        outcomes.push(forgotten);
    }
    Ok(outcomes)
}

fn outcomes_text(args: &Args, plan: &[Planned], outcomes: &[Forgotten]) -> String {
    let mut text = String::new();
    for (plan, outcome) in plan.iter().zip(outcomes) {
        let at = format!("{}-{}", args.which.topic, plan.partition);
        let _ = match outcome {
            Ok(()) => writeln!(text, "{GOOD}forgotten{GOOD:#}: {at}"),
            Err(error) => writeln!(text, "{BAD}not forgotten{BAD:#}: {at}: {error}"),
        };
    }
    if outcomes.iter().any(Result::is_err) {
        text += "\nRun the command again to see what is known now.\n";
    }
    text
}

fn document(args: &Args, store: &BoxStore, plan: &[Planned], outcomes: &[Forgotten]) -> Value {
    let partition = |(plan, outcome): (&Planned, &Forgotten)| {
        json!({
            "partition": plan.partition,
            "id": plan.state.id(),
            "done": documents::ranges(&plan.settled, false),
            "rejected": documents::ranges(&plan.settled, true),
            "reported": plan.reported,
            "forgotten": outcome.is_ok(),
            "why": outcome.as_ref().err().map(ToString::to_string),
        })
    };
    let partitions: Vec<Value> = plan.iter().zip(outcomes).map(partition).collect();
    json!({
        "store": store.describe(),
        "namespace": args.which.namespace,
        "cluster": args.which.cluster,
        "topic": args.which.topic,
        "from": args.from,
        "to": args.to,
        "partitions": partitions,
        "allForgotten": outcomes.iter().all(Result::is_ok),
    })
}

#[cfg(test)]
mod tests;
