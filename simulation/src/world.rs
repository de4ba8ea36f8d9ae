//! The world of one run: what happens next, to whom. Its parts are in `service` (processes and invocations), `polling` (the mapping) and `trouble` (what befalls them).
//!
//! Time goes from one happening to the next. Before one takes place, each process is brought up to its time; what a process asks on the way is a happening of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use msk_mapping::machine::Mapping;

use crate::agenda::Agenda;
use crate::calls::Services;
use crate::delivered::Delivered;
use crate::dice::Dice;
use crate::draft::drafts;
use crate::environment::Environment;
use crate::fact::{EnvironmentId, Fact, RecordId, What};
use crate::happening::Happening;
use crate::inside::Journal;
use crate::kafka::Cluster;
use crate::ledger::partition_names;
use crate::plan::{Clusters, Plan};
use crate::process::Driven;
use crate::script::Script;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) now_ms: u64,
    pub(crate) agenda: Agenda<Happening>,
    pub(crate) journal: Journal,
    pub(crate) script: Arc<Script>,
    pub(crate) dice: Dices,
    pub(crate) cluster: Cluster,
    pub(crate) mapping: Mapping,
    /// When the mapping is to be woken.
    pub(crate) wake_ms: Option<u64>,
    pub(crate) environments: Vec<Environment>,
    pub(crate) invocations: Vec<Delivered>,
    /// What the mapping was given last at each offset.
    pub(crate) polled: BTreeMap<(u32, i64), RecordId>,
    pub(crate) services: Services,
    pub(crate) is_quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) lag: Option<usize>,
}

/// Dice by concern.
#[derive(Debug)]
pub(crate) struct Dices {
    pub(crate) calls: Dice,
    pub(crate) schemas: Dice,
    pub(crate) service: Dice,
    pub(crate) polling: Dice,
    pub(crate) trouble: Dice,
}

/// Why a run could not be made: a fault of the simulation, or of the machine that it runs on.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl World {
    pub(crate) fn new(seed: u64, plan: Plan, verbose: bool) -> Result<Self, BoxError> {
        let root = Dice::new(seed);
        fastrand::seed(root.of("jitter", 0).between(0, u64::MAX));
        let drafts = drafts(&plan, &mut root.of("records", 0));
        let rejected = drafts.iter().map(|draft| draft.rejected).collect();
        let script = Script::new(root.of("script", 0), &plan, rejected);
        let mut world = Self {
            now_ms: 0,
            agenda: Agenda::new(),
            journal: Journal::default(),
            script: Arc::new(script),
            dice: Dices {
                calls: root.of("calls", 0),
                schemas: root.of("requests for schemas", 0),
                service: root.of("service", 0),
                polling: root.of("polling", 0),
                trouble: root.of("trouble", 0),
            },
            mapping: Self::mapping(&plan)?,
            cluster: Cluster::new(partition_names(plan.partitions()), drafts),
            wake_ms: None,
            environments: Vec::new(),
            invocations: Vec::new(),
            polled: BTreeMap::new(),
            services: Services::new()?,
            is_quiet: false,
            verbose,
            lag: None,
            plan,
        };
        world.begin();
        Ok(world)
    }

    fn begin(&mut self) {
        if self.plan.clusters == Clusters::TwoNameless {
            let second = self.plan.records.partitions;
            self.note(0, || {
                format!("from orders-{second} on partitions are of a second cluster: to the function, orders-{second} is orders-0, and nothing tells the two apart")
            });
        }
        if let Some(holds) = self.plan.function.holds {
            let (least, most) = holds.ms;
            self.note(0, || {
                format!("each handler holds the processor for {least} to {most} ms")
            });
        }
        for (record, draft) in self.cluster.drafts.iter().enumerate() {
            if draft.generation == 0 {
                self.agenda
                    .plan(draft.append_at_ms, Happening::Append(record as RecordId));
            }
        }
        if self.plan.is_queue() {
            for poller in 0..self.plan.mapping.pollers {
                self.agenda.plan(0, Happening::Join(poller));
            }
        } else {
            for partition in 0..self.plan.partitions() {
                let (first, pollers) = self.plan.pollers_of(partition);
                let poller = first + partition % pollers;
                self.agenda.plan(0, Happening::Assign { partition, poller });
            }
        }
        self.plan_trouble();
        if let Some(at_ms) = self.plan.function.at_least_once_until_ms {
            self.agenda.plan(at_ms, Happening::Deployment);
        }
        self.agenda.plan(self.plan.quiet_at_ms, Happening::Quiet);
        self.agenda.plan(self.plan.over_at_ms, Happening::Over);
    }

    /// Runs to the end: the facts, in the order of time.
    pub(crate) fn run(mut self) -> Result<Vec<Fact>, BoxError> {
        while self.lag.is_none() {
            let Some(next_ms) = self.agenda.next_ms() else {
                break;
            };
            if let Some(environment) = self.behind(next_ms) {
                self.drive(environment, next_ms);
                continue;
            }
            if let Some((at_ms, happening)) = self.agenda.pop() {
                self.now_ms = at_ms;
                self.happens(happening)?;
                self.ask_mapping()?;
                self.end_if_done();
            }
        }
        // Processes end before what they hold on to.
        for environment in &mut self.environments {
            environment.process.kill();
        }
        let mut facts = self.journal.take();
        facts.sort_by_key(|fact| fact.at_ms);
        let lag = self.lag.unwrap_or_else(|| self.lag());
        facts.push(Fact {
            at_ms: self.now_ms,
            what: What::Over { lag },
        });
        Ok(facts)
    }

    /// A process that has not come as far as that.
    fn behind(&self, until_ms: u64) -> Option<usize> {
        self.environments.iter().position(|environment| {
            environment.is_driven() && environment.process.at_ms() < until_ms
        })
    }

    fn drive(&mut self, environment: usize, until_ms: u64) {
        match self.environments[environment].process.drive(until_ms) {
            Driven::Waits => {}
            Driven::Asks => self.asked(environment),
            Driven::Ended(invocation, answered) => {
                self.asked(environment);
                self.answered(environment, invocation, answered);
            }
        }
    }

    fn happens(&mut self, happening: Happening) -> Result<(), BoxError> {
        match happening {
            Happening::Append(record) => self.append(record),
            Happening::Wake => self.wake(),
            Happening::Fetch(partition) => self.fetch(partition),
            Happening::Assign { partition, poller } => self.assign(partition, poller),
            Happening::HandOver {
                partition,
                epoch,
                until_ms,
            } => self.hand_over(partition, epoch, until_ms),
            Happening::Commit {
                partition,
                epoch,
                poller,
                position,
                refused,
            } => self.commit(partition, epoch, poller, position, refused),
            Happening::Join(poller) => self.join(poller),
            Happening::Acquire { poller, by } => self.acquire(poller, by),
            Happening::Acknowledge { of, with } => self.acknowledge(of, with),
            Happening::LockEnds {
                partition,
                offset,
                lock,
            } => self.lock_ends(partition, offset, lock),
            Happening::DeliveryEnds { id, taken } => self.delivery_ends(id, taken),
            Happening::Dispatch(invocation) => self.dispatch(invocation),
            Happening::Arrives {
                environment,
                call,
                request,
                invocation,
                back_ms,
                fails,
            } => self.arrives(environment, call, &request, invocation, back_ms, fails),
            Happening::Replies {
                environment,
                call,
                reply,
            } => self.environments[environment as usize]
                .process
                .port()
                .reply(call, reply),
            Happening::Late {
                request,
                invocation,
            } => self.late(&request, invocation),
            Happening::Kill {
                environment,
                invocation,
            } => self.kill(environment, invocation),
            Happening::Freeze {
                environment,
                invocation,
                for_ms,
            } => self.freeze(environment, invocation, for_ms),
            Happening::Thaw(environment) => self.thaw(environment),
            Happening::TimesOut(invocation) => self.times_out(invocation),
            Happening::LosesConnection(invocation) => self.loses_connection(invocation),
            Happening::Heard { invocation, end } => self.heard(invocation, end),
            Happening::Deployment => self.deployed(),
            Happening::Trouble(trouble) => self.trouble(trouble)?,
            Happening::Quiet => self.quiet(),
            Happening::Over => self.lag = Some(self.lag()),
        }
        Ok(())
    }

    fn quiet(&mut self) {
        self.is_quiet = true;
        self.fact(What::Quiet);
        for environment in 0..self.environments.len() {
            self.thaw(environment as EnvironmentId);
        }
    }

    fn lag(&self) -> usize {
        self.cluster.lag(self.plan.is_queue())
    }

    /// All is committed, and nobody does anything any more.
    fn end_if_done(&mut self) {
        let busy = || self.environments.iter().any(Environment::is_busy);
        if self.is_quiet && self.lag() == 0 && !busy() {
            self.lag = Some(0);
        }
    }

    pub(crate) fn fact(&self, what: What) {
        self.journal.write(self.now_ms, what);
    }

    /// A line for readers of the trace.
    pub(crate) fn note(&self, at_ms: u64, line: impl FnOnce() -> String) {
        if self.verbose {
            self.journal.write(at_ms, What::Note(line()));
        }
    }
}
