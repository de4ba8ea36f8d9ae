//! A driver at work: the one loop that hears what happens, tells the machine, and does what it says.

mod act;
mod hand_over;
mod looks;
mod nothing;
mod position;
#[cfg(feature = "share")]
mod queue;
mod refused;
mod status;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, channel};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};

use super::member::{Command, Handle, Happening, Joining};
use super::notice::{Flight, Notice, Status};
use super::pool::{Borrowed, Pool};
use super::{Destination, Driver, Error, Request, member};
use crate::clock;
use crate::error::Error as InvokeError;
use crate::invocation::Report;
use crate::limits::{CLOSE_MS, HAPPENINGS_MAX, LEAVE_MS, STATUS_MS};
use crate::machine::{End, Input, InvocationId, Mapping, PollerId};
use crate::record::{Record, TopicPartition};
use crate::time::Time;

type Notices = Box<dyn Fn(Notice) + Send + Sync>;

pub(super) struct Run {
    mapping: Mapping,
    members: Vec<Handle>,
    pool: Pool,
    timeout: Duration,
    destination: Option<Arc<dyn Destination>>,
    notices: Notices,
    flights: HashMap<InvocationId, Arc<Flight>>,
    invocations: JoinSet<Landed>,
    deliveries: JoinSet<act::Handed>,
    /// Each partition that a member has.
    owned: BTreeMap<TopicPartition, Owned>,
    last_epoch: u64,
    /// Where the next record of each partition will stand.
    ends: BTreeMap<TopicPartition, i64>,
    /// The partitions of which everything has been polled, for now.
    at_end: BTreeSet<TopicPartition>,
    /// How many partitions the topic has.
    partitions: usize,
    unconfirmed: BTreeMap<(TopicPartition, PollerId), i64>,
    /// Commits that were refused, since when, and whether that was told.
    refusals: BTreeMap<(TopicPartition, PollerId), (Instant, bool)>,
    hand_overs: Vec<hand_over::HandOver>,
    looks: looks::Looks,
    nothing: nothing::Nothing,
    drained_since: Option<Instant>,
    #[cfg(feature = "share")]
    settled_since: Option<Instant>,
    overlooked: u64,
    /// None: a consumer group.
    #[cfg(feature = "share")]
    queue: Option<queue::Queue>,
    until_caught_up: bool,
    draining: bool,
    /// Whether a function was ever started: then one that does not start may start again (it is being built).
    started: bool,
    refused: refused::Refused,
    /// What ends the run.
    broken: Option<Error>,
}

/// Whose a partition is, and which seek its records have to be of.
struct Owned {
    by: PollerId,
    epoch: u64,
}

/// An invocation that has ended, with its environment.
struct Landed {
    id: InvocationId,
    borrowed: Borrowed,
    outcome: Result<Report, InvokeError>,
}

/// A started run with what it hears from.
pub(super) struct Ready {
    run: Run,
    happenings: Receiver<(PollerId, Happening)>,
    requests: UnboundedReceiver<Request>,
}

impl Run {
    pub(super) async fn start(
        driver: Driver,
        mapping: Mapping,
        partitions: Vec<TopicPartition>,
        notices: Notices,
    ) -> Result<Ready, Error> {
        let number = partitions.len();
        let looks = looks::Looks::of(&driver)?;
        let nothing = nothing::Nothing::of(&driver);
        #[cfg(feature = "share")]
        let mut nothing = nothing;
        let (sender, happenings) = channel(HAPPENINGS_MAX);
        #[cfg(feature = "share")]
        let queue = queue::Queue::of(&driver.configuration);
        #[cfg(feature = "share")]
        let members = match &queue {
            Some(_) => queue::members(&driver, &partitions, &sender, &mut nothing).await?,
            None => members(&driver, partitions, &sender)?,
        };
        #[cfg(not(feature = "share"))]
        let members = members(&driver, partitions, &sender)?;
        let run = Self {
            mapping,
            members,
            pool: Pool::new(driver.function),
            timeout: driver.timeout,
            destination: driver.destination,
            notices,
            flights: HashMap::new(),
            invocations: JoinSet::new(),
            deliveries: JoinSet::new(),
            owned: BTreeMap::new(),
            last_epoch: 0,
            ends: BTreeMap::new(),
            at_end: BTreeSet::new(),
            partitions: number,
            unconfirmed: BTreeMap::new(),
            refusals: BTreeMap::new(),
            hand_overs: Vec::new(),
            looks,
            nothing,
            drained_since: None,
            #[cfg(feature = "share")]
            settled_since: None,
            overlooked: 0,
            #[cfg(feature = "share")]
            queue,
            until_caught_up: driver.until_caught_up,
            draining: false,
            started: false,
            refused: refused::Refused::of(&driver.cluster),
            broken: None,
        };
        Ok(Ready {
            run,
            happenings,
            requests: driver.requests,
        })
    }

    fn notice(&self, notice: Notice) {
        (self.notices)(notice);
    }

    fn tell(&self, poller: PollerId, command: Command) {
        if let Some(member) = self.members.get(poller.0 as usize) {
            member.tell(command);
        }
    }

    /// Tells the machine, and does what it says.
    fn handle(&mut self, input: Input) {
        self.mapping.handle(now(), input);
        while let Some(output) = self.mapping.poll() {
            self.act(output);
        }
    }

    fn heard(&mut self, poller: PollerId, happening: Happening) {
        self.refused.hear(&happening);
        match happening {
            Happening::Assigned(partitions) => {
                for (partition, committed) in partitions {
                    self.assigned(poller, partition, committed);
                }
            }
            Happening::Revoked { partitions, lost } => self.taken(poller, partitions, lost),
            Happening::Polled(records) => self.polled(poller, records),
            #[cfg(feature = "share")]
            Happening::Acquired(records) => self.acquired(poller, records),
            #[cfg(feature = "share")]
            Happening::Lags(lags) => self.lagging(lags),
            Happening::AtEnd(partition, epoch, position) => {
                self.at_end(poller, partition, epoch, position);
            }
            Happening::Sought(partition, position) => self.advanced(poller, partition, position),
            Happening::OutOfRange(partition) => self.out_of_range(poller, partition),
            Happening::Committed(partition, position) => {
                self.confirmed(poller, partition, position);
            }
            Happening::CommitRefused(partition, position, reason) => {
                self.commit_refused(poller, &partition, position, &reason);
                self.handle(Input::CommitRefused {
                    poller,
                    partition,
                    position,
                });
            }
            Happening::Uncommitted(partition, position, reason) => {
                self.uncommitted(poller, partition, position, &reason);
            }
            Happening::Ends(ends) => {
                let ours =
                    |(partition, _): &(TopicPartition, i64)| self.owned.contains_key(partition);
                let ends: Vec<_> = ends.into_iter().filter(ours).collect();
                self.ends.extend(ends);
            }
            Happening::Trouble(reason) => self.notice(Notice::Trouble { reason }),
            Happening::Refused(refusal, reason) => self.notice(refused::notice(refusal, &reason)),
            Happening::Left => {}
        }
    }

    fn assigned(&mut self, poller: PollerId, partition: TopicPartition, committed: Option<i64>) {
        self.nothing.begins(&partition, committed);
        self.notice(Notice::Assigned {
            poller,
            partition: partition.clone(),
            committed,
        });
        self.handle(Input::Assigned {
            poller,
            partition,
            committed,
        });
    }

    fn polled(&mut self, poller: PollerId, records: Vec<(Record, u64)>) {
        let current = |(record, epoch): (Record, u64)| {
            self.is_current(&record.partition, epoch).then_some(record)
        };
        let records: Vec<Record> = records.into_iter().filter_map(current).collect();
        for record in &records {
            self.at_end.remove(&record.partition);
        }
        if !records.is_empty() {
            self.handle(Input::Polled { poller, records });
        }
    }

    fn landed(&mut self, landed: Landed) {
        let Landed {
            id,
            borrowed,
            outcome,
        } = landed;
        if let Some(environment) = self.pool.give_back(borrowed) {
            tokio::spawn(environment.stop());
        }
        let Some(flight) = self.flights.get(&id).cloned() else {
            return;
        };
        let (request_id, how) = match outcome {
            Ok(report) => {
                self.started = true;
                let how = End::from(&report.ending);
                let request_id = report.request_id.clone();
                self.notice(Notice::Ended { flight, report });
                (request_id, how)
            }
            Err(error) => {
                let reason = with_causes(&error);
                self.notice(Notice::NotStarted { flight, reason });
                if !self.started {
                    self.broken = Some(Error::Function { source: error });
                }
                (None, End::Throttled)
            }
        };
        self.handle(Input::Ended {
            id,
            request_id,
            how,
        });
        self.flights.remove(&id);
    }

    fn requested(&mut self, request: Request) {
        match request {
            Request::Drain => {
                self.draining = true;
                self.handle(Input::Drain);
            }
            Request::Swap(function) => {
                for environment in self.pool.swap(*function) {
                    tokio::spawn(environment.stop());
                }
            }
        }
    }

    /// When the machine wants to be woken.
    fn wake_at(&self) -> Option<Instant> {
        let wait = self.mapping.wake_at()?.since(now());
        Some(Instant::now() + wait)
    }
}

impl Ready {
    pub(super) async fn run(mut self) -> Result<Status, Error> {
        let mut status = interval(Duration::from_millis(STATUS_MS));
        status.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let run = &mut self.run;
        while !run.is_over() {
            // First: records that come without a pause would hold up what is due.
            if run.wake_at().is_some_and(|at| at <= Instant::now()) {
                run.handle(Input::Woken);
            }
            let wake_at = run.wake_at();
            let wake = async {
                match wake_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(request) = self.requests.recv() => run.requested(request),
                Some(landed) = run.invocations.join_next() => run.landed(ended(landed)),
                Some(handed) = run.deliveries.join_next() => run.handed(ended(handed)),
                Some((poller, happening)) = self.happenings.recv() => run.heard(poller, happening),
                Some(looked) = run.looks.asking.join_next() => run.looked(ended(looked)),
                _ = status.tick() => run.say_status(),
                () = wake => run.handle(Input::Woken),
            }
            run.hand_over();
        }
        self.end().await
    }

    /// The last commits are confirmed, the group is left, the function's processes end.
    async fn end(mut self) -> Result<Status, Error> {
        let run = &mut self.run;
        let caught_up = run.is_caught_up();
        let mut status = run.status(caught_up);
        if caught_up && run.until_caught_up {
            status.unread = run.nothing_read().await;
        }
        // What was waited for before counts.
        let since = run.drained_since.unwrap_or_else(Instant::now);
        let until = since + Duration::from_millis(LEAVE_MS);
        for member in &run.members {
            member.tell(Command::Leave(until));
        }
        let mut here = run.members.len();
        let leaving = async {
            while here > 0 {
                match self.happenings.recv().await {
                    Some((_, Happening::Left)) => here -= 1,
                    Some((poller, Happening::Committed(partition, position))) => {
                        run.confirmed(poller, partition, position);
                    }
                    Some((poller, Happening::CommitRefused(partition, position, reason))) => {
                        run.commit_refused(poller, &partition, position, &reason);
                    }
                    Some((poller, Happening::Uncommitted(partition, position, reason))) => {
                        run.uncommitted(poller, partition, position, &reason);
                    }
                    Some((_, Happening::Trouble(reason))) => run.notice(Notice::Trouble { reason }),
                    Some((_, Happening::Refused(refusal, reason))) => {
                        run.notice(refused::notice(refusal, &reason));
                    }
                    Some(_) => {}
                    None => break,
                }
            }
        };
        // Each has a time-out of its own for both of its steps.
        let until = until.max(Instant::now()) + Duration::from_millis(2 * CLOSE_MS);
        let _ = timeout_at(until, leaving).await;
        run.notice(Notice::Status(status.clone()));
        let Run { pool, broken, .. } = self.run;
        pool.stop().await;
        match broken {
            Some(error) => Err(error),
            None => Ok(status),
        }
    }
}

/// The name of the driver's group.
fn group(driver: &Driver) -> String {
    let configuration = &driver.configuration;
    let named = configuration.consumer_group_id.clone();
    named.unwrap_or_else(|| driver.function.identity().name().to_owned())
}

/// The members of a consumer group.
fn members(
    driver: &Driver,
    partitions: Vec<TopicPartition>,
    happenings: &Sender<(PollerId, Happening)>,
) -> Result<Vec<Handle>, Error> {
    let joining = if driver.alone && driver.pollers == 1 {
        Joining::Alone(partitions)
    } else {
        Joining::Group
    };
    let start = |poller| {
        member::start(
            PollerId(poller),
            &driver.cluster,
            &driver.configuration.topic,
            &group(driver),
            joining.clone(),
            happenings.clone(),
        )
    };
    (0..driver.pollers).map(start).collect()
}

/// What a task of ours answered. Nobody cancels one, and its panic is ours.
pub(super) fn ended<T>(joined: Result<T, JoinError>) -> T {
    joined.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => unreachable!("{error}"),
    })
}

fn now() -> Time {
    let millis = u64::try_from(clock::since_epoch().as_millis()).unwrap_or(u64::MAX);
    Time::from_millis(millis)
}

/// An error and its causes in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some repeat their cause.
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
