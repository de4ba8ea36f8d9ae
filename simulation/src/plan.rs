//! What a seed means: the function's and the mapping's settings, the records, and which faults may happen how often. Read by `world`.

mod faults;
mod features;
mod function;
mod mapping;
mod schemas;

use lambda_msk::limits::CLOCK_SKEW_MAX_MS;
use msk_mapping::response::Again;

pub(crate) use self::faults::Faults;
use self::faults::outages;
pub(crate) use self::function::{Batches, Function, Holds};
pub(crate) use self::mapping::Mapping;
pub(crate) use self::schemas::Schemas;
use crate::dice::Dice;
use crate::oracle::{Ledger, Order, Reporting, Terms};

/// Cells of the matrix: order × reporting × reading × ledger.
pub(crate) const CELLS: u64 = 3 * 2 * 2 * 3;

/// Everything that is decided before a run begins.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) terms: Terms,
    pub(crate) function: Function,
    pub(crate) mapping: Mapping,
    pub(crate) records: Records,
    pub(crate) clusters: Clusters,
    /// What the function is set to keep. What follows from it is in the terms.
    pub(crate) keeps: Ledger,
    pub(crate) faults: Faults,
    /// *None: all values are plain JSON.*
    pub(crate) schemas: Option<Schemas>,
    /// From then on nothing fails.
    pub(crate) quiet_at_ms: u64,
    /// The run ends then at the latest.
    pub(crate) over_at_ms: u64,
}

/// What stands in the logs.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) partitions: u32,
    pub(crate) each_min: u64,
    pub(crate) each_max: u64,
    pub(crate) keys: u64,
    /// Over so long they are appended.
    pub(crate) over_ms: u64,
    /// Of each thousand, so many are not good.
    pub(crate) odd: u32,
}

/// Where the records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clusters {
    One,
    /// Two, with a mapping each of the same function, and nothing in their events that tells them apart. The second one's partitions are counted on from the first one's.
    TwoNameless,
}

impl Plan {
    /// Of all clusters.
    pub(crate) fn partitions(&self) -> u32 {
        match self.clusters {
            Clusters::One => self.records.partitions,
            Clusters::TwoNameless => self.records.partitions * 2,
        }
    }

    /// Whether a partition is of the second cluster.
    pub(crate) fn is_of_the_second(&self, partition: u32) -> bool {
        partition >= self.records.partitions
    }

    /// The first poller of those that may have a partition, and their number.
    pub(crate) fn pollers_of(&self, partition: u32) -> (u32, u32) {
        let all = self.mapping.pollers;
        match (self.clusters, self.is_of_the_second(partition)) {
            (Clusters::One, _) => (0, all),
            (Clusters::TwoNameless, false) => (0, all / 2),
            (Clusters::TwoNameless, true) => (all / 2, all / 2),
        }
    }

    pub(crate) fn is_queue(&self) -> bool {
        self.mapping.queue.is_some()
    }

    pub(crate) fn of(seed: u64) -> Self {
        let root = Dice::new(seed);
        let mut dice = root.of("plan", 0);
        let cell = Cell::of(seed);
        let mut function = Function::of(&mut dice);
        let (ledger, at_most_once) = match (cell.ledger, dice.between(0, 7)) {
            (Ledger::Durable, 0) => (Ledger::PerRecord, false),
            (Ledger::Durable, 1) => (Ledger::PerRecord, true),
            (ledger, _) => (ledger, false),
        };
        let mut mapping = Mapping::of(&mut dice, cell.again);
        if at_most_once {
            function.promise_at_most_once();
        }
        if !function.has_destination {
            // Else one bad record blocks its partition for ever, as documented.
            mapping.retries = Some(dice.pick(&[0, 1, 3]));
        }
        let records = records(&mut dice);
        let mut faults = Faults::of(&mut root.of("faults", 0), CLOCK_OFF_MS_MAX);
        let quiet_at_ms = records.over_ms + dice.between(5_000, 60_000) + faults.long_pause_ms;
        // What only some runs have is chosen with dice of its own, so that the others do not change with it.
        let order = mapping.choose_mode(&mut root.of("mode", 0), cell.order);
        function.choose_processes(&mut root.of("processes", 0));
        if matches!(ledger, Ledger::Durable | Ledger::PerRecord) {
            let mut dice = root.of("outages", 0);
            faults.outages_ms = outages(&mut dice, quiet_at_ms);
            function.without_store = !at_most_once && dice.per_mille(300);
        }
        if at_most_once {
            function.choose_deployment(&mut root.of("deployment", 0), records.over_ms);
        }
        let terms = Terms {
            order,
            reporting: cell.reporting,
            ledger,
            clocks_within_limit: faults.clock_off_ms <= CLOCK_OFF_MS_MAX,
            forgets_after_ms: match ledger {
                Ledger::Memory => lambda_msk::limits::MEMORY_LEDGER_AGE_MS,
                _ => lambda_msk::limits::LEDGER_AGE_MS_MAX,
            },
            at_most_once,
            without_store: function.without_store,
            ..mapping.terms()
        };
        let mut plan = Self {
            over_at_ms: quiet_at_ms + 600_000,
            quiet_at_ms,
            terms,
            function,
            mapping,
            records,
            clusters: Clusters::One,
            keeps: ledger,
            faults,
            schemas: None,
        };
        plan.choose_features(&root);
        plan.terms.pace = plan.function.pace();
        plan
    }
}

/// A cell of the matrix. Neighbouring seeds are of different ones.
struct Cell {
    order: Order,
    reporting: Reporting,
    again: Again,
    ledger: Ledger,
}

impl Cell {
    fn of(seed: u64) -> Self {
        let cell = seed % CELLS;
        Self {
            order: [Order::Partition, Order::Key, Order::Unordered][(cell % 3) as usize],
            reporting: [Reporting::WholeBatch, Reporting::Partial][(cell / 3 % 2) as usize],
            again: [Again::OnlyListed, Again::FromLowest][(cell / 6 % 2) as usize],
            ledger: [Ledger::Durable, Ledger::Memory, Ledger::None][(cell / 12) as usize],
        }
    }
}

/// How far a clock may be from the true one, so that no two are further apart than the promise allows.
const CLOCK_OFF_MS_MAX: i64 = (CLOCK_SKEW_MAX_MS / 2).cast_signed();

fn records(dice: &mut Dice) -> Records {
    Records {
        partitions: dice.pick(&[1, 1, 2, 3]),
        each_min: 1,
        each_max: dice.pick(&[3, 8, 16]),
        keys: dice.between(0, 4),
        over_ms: dice.pick(&[10, 2_000, 20_000]),
        odd: dice.pick(&[0, 100, 300]),
    }
}
