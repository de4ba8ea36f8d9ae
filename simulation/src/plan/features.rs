//! What only some runs have, chosen when everything else is. Used by `plan`.
//!
//! Each feature has dice of its own and comes seldom: the other runs stay as they were, and find as much as they did.

use std::time::Duration;

use super::faults::Faults;
use super::function::{Batches, Holds};
use super::{CLOCK_OFF_MS_MAX, Clusters, Plan, Schemas};
use crate::dice::Dice;
use crate::oracle::{Ledger, Order};

impl Plan {
    pub(super) fn choose_features(&mut self, root: &Dice) {
        self.choose_extractors(&mut root.of("extractors", 0));
        self.choose_destination(&mut root.of("destination", 0));
        self.choose_crowd(&mut root.of("crowd", 0));
        self.choose_holding(&mut root.of("holding", 0));
        self.choose_clusters(&mut root.of("clusters", 0));
        self.choose_null_keys(&mut root.of("null keys", 0));
        self.choose_schemas(&mut root.of("schemas", 0));
        self.choose_batches(&mut root.of("batches", 0));
    }

    /// Without the faults that are in all runs: what is promised where none is gets asked of more invocations.
    fn calm(&mut self) {
        let Faults {
            extractor_panics,
            send_slow,
            send_hangs,
            ..
        } = self.faults;
        self.faults = Faults {
            extractor_panics,
            send_slow,
            send_hangs,
            ..Faults::default()
        };
        self.terms.clocks_within_limit = true;
    }

    /// By key more can go wrong: a claim belongs to each record.
    fn is_by_key(&self) -> bool {
        self.keeps == Ledger::PerRecord
    }

    /// Extractors that panic, and a state whose clone does.
    fn choose_extractors(&mut self, dice: &mut Dice) {
        let often = match self.is_by_key() {
            true => 300,
            false => 50,
        };
        if !dice.per_mille(often) {
            return;
        }
        // A record has others beside it.
        self.records.each_max = self.records.each_max.max(8);
        self.mapping.batch_size = self.mapping.batch_size.max(5);
        if dice.per_mille(300) {
            self.calm();
        }
        self.faults.extractor_panics = dice.pick(&[50, 200, 500]);
    }

    /// A destination that takes its time, or never answers.
    fn choose_destination(&mut self, dice: &mut Dice) {
        let often = match self.is_by_key() {
            true => 400,
            false => 30,
        };
        if !self.function.has_destination || !dice.per_mille(often) {
            return;
        }
        // It has something to do, and lanes have something before that.
        self.records.odd = dice.pick(&[300, 600]);
        self.records.each_max = self.records.each_max.max(8);
        self.mapping.batch_size = self.mapping.batch_size.max(5);
        if dice.per_mille(400) {
            self.calm();
        }
        self.faults.send_slow = dice.pick(&[200, 600]);
        self.faults.send_hangs = dice.pick(&[0, 100, 300]);
    }

    /// Many invocations at once of one partition, without order: their writes meet.
    fn choose_crowd(&mut self, dice: &mut Dice) {
        let meets = self.is_queue()
            && self.terms.order == Order::Unordered
            && self.keeps == Ledger::Durable;
        if !meets || !dice.per_mille(350) {
            return;
        }
        self.records.partitions = 1;
        self.records.each_max = 40;
        self.records.over_ms = self.records.over_ms.min(2_000);
        self.mapping.pollers = dice.pick(&[2, 3, 5]);
        self.mapping.batch_size = dice.pick(&[1, 2, 5]);
        self.function.environments_max = 10;
        self.function.progress = Duration::from_millis(dice.pick(&[0, 50, 250]));
        if dice.per_mille(500) {
            self.calm();
        }
    }

    /// Handlers that compute, or block their thread: nothing else of their process goes on meanwhile.
    fn choose_holding(&mut self, dice: &mut Dice) {
        // Invocations of one process hold up each other: how long depends on how many there are.
        if self.function.at_once > 1 || self.is_queue() || !dice.per_mille(60) {
            return;
        }
        self.function.holds = Some(Holds {
            ms: dice.pick(&[(2, 5), (2, 40), (30, 40)]),
            waits_too: dice.per_mille(200),
        });
        if dice.per_mille(700) {
            self.function.concurrency = 64;
        }
        // Many records at once, of several partitions.
        self.records.partitions = dice.pick(&[1, 2, 3, 3]);
        self.records.each_min = 20;
        self.mapping.batch_size = 100;
        self.mapping.window_s = dice.pick(&[None, Some(1)]);
        self.mapping.pollers = dice.pick(&[1, 1, 2]);
        self.records.each_max = 40;
        self.records.over_ms = dice.pick(&[10, 10, 2_000]);
        // Short leases; but where nothing is kept, all of a batch has to be done in one invocation.
        self.function.timeout_ms = match self.keeps {
            Ledger::None => 12_000,
            _ => dice.pick(&[3_000, 3_000, 6_000, 12_000]),
        };
        self.faults.clock_off_ms = self.faults.clock_off_ms.min(CLOCK_OFF_MS_MAX);
        self.terms.clocks_within_limit = true;
        self.function.environments_max = self.function.environments_max.max(2);
        if dice.per_mille(500) {
            self.calm();
        }
        // A batch that comes again while it is run asks for what its first invocation holds.
        self.faults.connection_lost = self.faults.connection_lost.max(300);
    }

    /// Two clusters that nobody can name, with the same records at the same places.
    fn choose_clusters(&mut self, dice: &mut Dice) {
        let by_offset = matches!(self.keeps, Ledger::Durable | Ledger::Memory);
        let may_be = by_offset && !self.is_queue() && self.function.holds.is_none();
        if !may_be || !dice.per_mille(60) {
            return;
        }
        self.clusters = Clusters::TwoNameless;
        self.mapping.pollers *= 2;
        // Nothing of theirs is kept: it may be the other one's.
        self.terms.ledger = Ledger::None;
    }

    /// Values behind frames, and a registry that has their schemas.
    fn choose_schemas(&mut self, dice: &mut Dice) {
        if !dice.per_mille(100) {
            return;
        }
        if dice.per_mille(300) {
            self.calm();
        }
        // A record has others beside it.
        self.records.each_max = self.records.each_max.max(8);
        self.mapping.batch_size = self.mapping.batch_size.max(5);
        self.schemas = Some(Schemas::of(dice, self.quiet_at_ms));
    }

    /// A handler that takes many records in one call.
    fn choose_batches(&mut self, dice: &mut Dice) {
        if self.terms.at_most_once || !dice.per_mille(250) {
            return;
        }
        // A record has others beside it.
        self.records.each_max = self.records.each_max.max(16);
        self.mapping.batch_size = self.mapping.batch_size.max(8);
        if dice.per_mille(200) {
            self.calm();
        }
        let batches = Batches {
            records: dice.pick(&[1, 2, 3, 8, 500]),
            bytes: dice.pick(&[10, 1 << 20, 1 << 20]),
            is_across: dice.per_mille(400),
            bisects: dice.per_mille(850),
            timeout_ms: dice.pick(&[None, None, Some(200), Some(1_000)]),
            fails_whole: dice.pick(&[0, 300, 700, 1_000]),
        };
        self.function.batches = Some(batches);
    }

    /// Records without a key that wait for none.
    fn choose_null_keys(&mut self, dice: &mut Dice) {
        if self.terms.order == Order::Key && dice.per_mille(250) {
            self.terms.order = Order::KeyIfAny;
        }
    }
}
