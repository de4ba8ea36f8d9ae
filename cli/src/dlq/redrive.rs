//! `cargo msk dlq redrive`: in order by partition and offset, and a letter is taken out once its records are settled.

// The flags.
mod args;
// Where letters go, as it is written.
mod to;
// What a function answers.
mod answer;
// What is delivered at once.
mod item;
// Why letters stay.
#[cfg(feature = "aws")]
mod lambda;
mod left;
mod local;
// What waits for what.
mod order;
mod plan;
// What is asked before a topic is written.
mod question;
mod report;
mod target;
#[cfg(feature = "dev")]
mod topic;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use self::answer::Delivered;
pub(crate) use self::args::Args;
use self::args::{CLUSTER, cluster_of};
use self::item::Lane;
use self::left::Left;
use self::plan::Plan;
use self::report::Report;
use self::target::Target;
pub(crate) use self::target::{Prepared, prepare};
use super::letter::{Content, Event};
use super::list;
use super::source::{Found, More, Read, Source, Use};
use crate::fault::{Fault, note, print};
use crate::interrupts;

/// Letters left, or a source that could not give all of them up.
const EXIT_LEFT: u8 = 1;
pub(crate) async fn run(args: &Args, target: Prepared) -> Result<ExitCode, Fault> {
    let mut interrupts = interrupts::listen();
    let mut source = Source::open(&args.from.from, &args.from.reach()).await?;
    let used = if args.dry_run || !source.gives_up() {
        Use::Look
    } else {
        Use::Redrive
    };
    let read = tokio::select! {
        read = source.read(used) => read,
        Some(()) = interrupts.recv() => Err(Fault::interrupted()),
    };
    let ended = match read {
        Ok(read) => redrive(args, target, &mut source, read, &mut interrupts).await,
        Err(fault) => Err(fault),
    };
    // What was not settled is given back however the run has ended.
    let closed = source.close().await;
    let code = ended?;
    closed?;
    Ok(code)
}

async fn redrive(
    args: &Args,
    target: Prepared,
    source: &mut Source,
    Read {
        mut found,
        mut more,
        until: _,
    }: Read,
    interrupts: &mut UnboundedReceiver<()>,
) -> Result<ExitCode, Fault> {
    let left = tokio::select! {
        left = resolve(args, source, &mut found) => left?,
        Some(()) = interrupts.recv() => return Err(Fault::interrupted()),
    };
    let mut plan = Plan::of(args, args.max, &found, left);
    if args.dry_run {
        let (_, others) = list::parted(&found);
        print(&report::dry_run(&args.to, &found, &plan))?;
        print(&(list::others_text(&others) + &more.text()))?;
        let all = plan.left.is_empty() && others.is_empty();
        return Ok(code(all && more.is_nothing()));
    }
    if !source.gives_up() {
        note(
            "letters cannot be taken out of standard input: a second run delivers all of them again",
            "the function's ledger skips records that are done",
        );
    }
    if args.to.is_topic() && !args.yes && !plan.items.is_empty() {
        question::ask(&plan, interrupts).await?;
    }
    let mut target = Target::open(args, target, source.brokers()).await?;
    let mut report = Report::new();
    let outcome = loop {
        let before = report.number_settled();
        report.goes_on(plan.letters(), plan.left.clone());
        let delivered = deliver(
            args,
            &plan,
            &found,
            source,
            &mut target,
            &mut report,
            interrupts,
        );
        let delivered = delivered.await;
        let went_on = report.number_settled() > before && !report.is_interrupted();
        if delivered.is_err() || !went_on || !source.goes_on() {
            break delivered;
        }
        found = report.keep(found);
        match again(args, source, &mut found, &mut report, interrupts).await {
            Ok((next, unread)) => {
                more = unread;
                match next {
                    Some(next) => plan = next,
                    None => break Ok(()),
                }
            }
            Err(fault) => break Err(fault),
        }
    };
    target.close().await;
    report.progress_ends();
    print(&report.text(&found))?;
    let (_, others) = list::parted(&found);
    print(&(list::others_text(&others) + &more.text()))?;
    outcome?;
    let all = report.all_settled() && others.is_empty();
    Ok(code(all && more.is_nothing()))
}

/// What the source gives now that letters were taken out: a FIFO queue gives a group's next messages once those before them are gone. Those that stay are in
/// `found`, and still close their partitions. None: nothing more.
async fn again(
    args: &Args,
    source: &mut Source,
    found: &mut Vec<Found>,
    report: &mut Report,
    interrupts: &mut UnboundedReceiver<()>,
) -> Result<(Option<Plan>, More), Fault> {
    let read = tokio::select! {
        read = source.read(Use::Redrive) => read?,
        Some(()) = interrupts.recv() => {
            report.interrupted();
            return Ok((None, More::Rest));
        }
    };
    let max = args.max.map(|max| report.rest_of(max));
    if read.found.is_empty() {
        return Ok((None, read.more));
    }
    // Behind `--max` they are not tried, and stay by that name.
    let kept = found.len();
    found.extend(read.found);
    let resolved = tokio::select! {
        left = resolve(args, source, &mut found[kept..]) => left?,
        Some(()) = interrupts.recv() => {
            report.interrupted();
            return Ok((None, read.more));
        }
    };
    let mut left = report.left().clone();
    left.extend(resolved.into_iter().map(|(at, why)| (kept + at, why)));
    Ok((Some(Plan::of(args, max, found, left)), read.more))
}

fn code(all: bool) -> ExitCode {
    if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_LEFT)
    }
}

/// Each item in its order. A lane ends at its first failure; Ctrl-C ends all after the letter at hand.
async fn deliver(
    args: &Args,
    plan: &Plan,
    found: &[Found],
    source: &mut Source,
    target: &mut Target,
    report: &mut Report,
    interrupts: &mut UnboundedReceiver<()>,
) -> Result<(), Fault> {
    let mut open: BTreeMap<usize, usize> = BTreeMap::new();
    for item in &plan.items {
        *open.entry(item.letter).or_default() += 1;
    }
    let mut stopped: BTreeSet<&Lane> = BTreeSet::new();
    let mut next = Instant::now();
    for item in &plan.items {
        if interrupts.try_recv().is_ok() {
            report.interrupted();
            break;
        }
        if stopped.contains(&item.lane) {
            report.leave(item.letter, Left::Behind);
            continue;
        }
        if let Some(rate) = args.rate {
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                Some(()) = interrupts.recv() => {
                    report.interrupted();
                    break;
                }
            }
            next = Instant::now() + rate;
        }
        let delivered = target.deliver(item, &found[item.letter], interrupts);
        match delivered.await? {
            Delivered::Interrupted => {
                report.interrupted();
                break;
            }
            Delivered::Settled => {
                let rest = open.entry(item.letter).or_default();
                *rest -= 1;
                if *rest == 0 {
                    source.remove(&found[item.letter].receipt).await?;
                    report.settled();
                }
            }
            Delivered::Failed(why) => {
                stopped.insert(&item.lane);
                report.leave(item.letter, Left::Failed(why));
            }
        }
        report.progress();
    }
    Ok(())
}

/// Fetches what lies elsewhere, and names the cluster of letters that name none. Returns the letters that cannot be redriven.
async fn resolve(
    args: &Args,
    source: &Source,
    found: &mut [Found],
) -> Result<BTreeMap<usize, Left>, Fault> {
    let letters = found.iter().filter_map(|found| found.letter.as_ref().ok());
    let reached = super::reached::of(&args.from, source.brokers(), letters).await?;
    let letters = found.iter().filter_map(|found| found.letter.as_ref().ok());
    let mut originals = super::reached::originals(&args.from, source.brokers(), letters).await?;
    let mut left = BTreeMap::new();
    let mut unnamed = 0;
    for (at, found) in found.iter_mut().enumerate() {
        let Ok(letter) = &mut found.letter else {
            continue;
        };
        let state = reached.state(letter);
        match &mut letter.content {
            Content::Event(event) => {
                if let Some(original) = originals.remove(&letter.id) {
                    *event = original;
                }
            }
            Content::Elsewhere(url) => match elsewhere(url).await {
                Ok(event) => letter.content = Content::Event(event),
                Err(fault) => {
                    left.insert(at, Left::Elsewhere(fault.first_line()));
                    continue;
                }
            },
            Content::Coordinates => match state {
                None => {
                    left.insert(at, Left::Coordinates);
                    continue;
                }
                Some(state) => match &state.event {
                    Some(event) if state.is_whole() || args.force => {
                        letter.content = Content::Event(event.clone());
                    }
                    _ => {
                        left.insert(at, Left::Unreached(state.text()));
                        continue;
                    }
                },
            },
        }
        let Content::Event(event) = &mut letter.content else {
            continue;
        };
        if event.arn.is_none() && event.brokers.is_none() {
            unnamed += 1;
            if !name(event, args, source) {
                left.insert(at, Left::NoCluster);
            }
        }
    }
    if unnamed > 0 && left.values().all(|left| *left != Left::NoCluster) {
        said(args, source, unnamed);
    }
    Ok(left)
}

/// Whether the event's cluster is known now.
fn name(event: &mut Event, args: &Args, source: &Source) -> bool {
    event.brokers = source
        .brokers()
        .or(args.from.bootstrap.as_deref())
        .map(str::to_owned);
    if let Some(arn) = &args.cluster_arn {
        "aws:kafka".clone_into(&mut event.source);
        event.arn = Some(arn.clone());
    }
    args.to.is_topic()
        || event.arn.is_some()
        || event.brokers.is_some()
        || cluster_of(args).is_some()
}

/// Says which cluster is part of the keys.
fn said(args: &Args, source: &Source, letters: usize) {
    if args.to.is_topic() {
        return;
    }
    let brokers = source.brokers().or(args.from.bootstrap.as_deref());
    let identity = match (&args.cluster_arn, cluster_of(args), brokers) {
        (Some(arn), _, _) => format!("--cluster-arn, {arn}"),
        (None, Some(name), _) => format!("{CLUSTER}, {name}"),
        (None, None, brokers) => format!("the brokers, {}", brokers.unwrap_or_default()),
    };
    note(
        &format!(
            "{} name no cluster: idempotency keys take it from {identity}",
            list::count(letters, "letter")
        ),
        "if the function knows the cluster by another name, keys differ and records that are done run again: give --cluster-arn ARN",
    );
}

/// The event that a pointer leads to.
#[cfg(feature = "aws")]
pub(crate) async fn elsewhere(url: &str) -> Result<Event, Fault> {
    let bytes = super::source::overflow(url).await?;
    let letter = super::document::read(&bytes, None);
    match letter.map(|letter| letter.content) {
        Ok(Content::Event(event)) => Ok(event),
        _ => Err(Fault::new(format!(
            "expected a whole letter at {url}, found something else"
        ))
        .help("the letter stays where it is")),
    }
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "with AWS the object is fetched")]
pub(crate) async fn elsewhere(_: &str) -> Result<Event, Fault> {
    Err(crate::fault::without("S3 buckets", "aws", "dlq"))
}
