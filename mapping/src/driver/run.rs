//! A driver at work: the one loop that hears what happens, tells the machine, and does what it says.

// What a run knows of where it began, of what others of its group have left, of refusals, of a share group.
mod begun;
mod looks;
mod refused;
#[cfg(feature = "share")]
mod share_group;

// Records on their way through the check by their schemas.
#[cfg(feature = "schemas")]
mod checks;
#[cfg(not(feature = "schemas"))]
mod no_checks;

// Records on their way to the destination.
mod delivery;

// All that it knows.
mod state;

// How records wait for their check.
#[cfg(not(feature = "schemas"))]
mod unchecked;
#[cfg(feature = "schemas")]
mod validation;

// What it does with that: what the machine says, what is heard, partitions that go, how all stands.
mod act;
mod hand_over;
mod heard;
mod others;
mod position;
mod status;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};

use self::begun::Begun;
#[cfg(feature = "schemas")]
use self::checks::Validation;
use self::looks::Looks;
#[cfg(not(feature = "schemas"))]
use self::no_checks::Validation;
use self::refused::Refused;
#[cfg(feature = "share")]
use self::share_group::ShareGroup;
use self::state::{Notices, Run};
use super::control::Request;
use super::ended::ended;
use super::error::Error;
use super::member::{self, Command, Handle, Happening, Joining};
use super::notice::{Notice, Status};
use super::pool::Pool;
use super::setup::Setup;
use crate::limits::{CLOSE_MS, HAPPENINGS_MAX, LEAVE_MS, STATUS_MS};
use crate::machine::{Input, Mapping, PollerId};
use crate::record::TopicPartition;

/// A started run with what it hears from.
pub(super) struct Ready {
    run: Run,
    happenings: Receiver<(PollerId, Happening)>,
    requests: UnboundedReceiver<Request>,
}

/// Starts the members, of which the run hears.
pub(super) async fn start(
    mut setup: Setup,
    requests: UnboundedReceiver<Request>,
    mapping: Mapping,
    partitions: Vec<TopicPartition>,
    notices: Notices,
) -> Result<Ready, Error> {
    let number = partitions.len();
    let looks = Looks::of(&setup)?;
    let begun = Begun::of(&setup);
    #[cfg(feature = "share")]
    let mut begun = begun;
    let (sender, happenings) = channel(HAPPENINGS_MAX);
    let validation = Validation::of(&mut setup);
    #[cfg(feature = "share")]
    let share_group = ShareGroup::of(&setup.configuration);
    #[cfg(feature = "share")]
    let members = match &share_group {
        Some(_) => share_group::members(&setup, &partitions, &sender, &mut begun).await?,
        None => members(&setup, partitions, &sender)?,
    };
    #[cfg(not(feature = "share"))]
    let members = members(&setup, partitions, &sender)?;
    let run = Run {
        mapping,
        members,
        pool: Pool::new(setup.function),
        timeout: setup.timeout,
        destination: setup.destination,
        events: setup.events,
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
        begun,
        drained_since: None,
        #[cfg(feature = "share")]
        settled_since: None,
        overlooked: 0,
        #[cfg(feature = "share")]
        share_group,
        validation,
        checks: JoinSet::new(),
        until_caught_up: setup.until_caught_up,
        draining: false,
        started: false,
        refused: Refused::of(&setup.cluster),
        broken: None,
    };
    Ok(Ready {
        run,
        happenings,
        requests,
    })
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
                Some(checked) = run.checks.join_next() => run.checked(ended(checked)),
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
                        run.notice(run.refused.notice(refusal, &reason));
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

/// The members of a consumer group.
fn members(
    setup: &Setup,
    partitions: Vec<TopicPartition>,
    happenings: &Sender<(PollerId, Happening)>,
) -> Result<Vec<Handle>, msk_kafka::Error> {
    let joining = if setup.alone && setup.pollers == 1 {
        Joining::Alone(partitions)
    } else {
        Joining::Group
    };
    let start = |poller| {
        member::start(
            PollerId(poller),
            &setup.cluster,
            &setup.configuration.topic,
            &setup.group(),
            joining.clone(),
            happenings.clone(),
        )
    };
    (0..setup.pollers).map(start).collect()
}
