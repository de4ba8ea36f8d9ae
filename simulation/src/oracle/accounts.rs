//! What checks remember between two facts, each its own: see the check of that name.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::{EnvironmentId, InvocationId, RecordId};

/// What is done and not recorded yet, and until when that is to be.
#[derive(Debug, Default)]
pub(super) struct Owed {
    pub(super) until_ms: BTreeMap<(InvocationId, RecordId), u64>,
}

/// Records that are claimed and not released, by whom.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) by: BTreeMap<RecordId, InvocationId>,
}

/// Partitions that are opened, and since when, whose first record has not had its turn.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) at_ms: BTreeMap<(InvocationId, u32), u64>,
}

/// Writes that were refused and not tried again yet, and when that was.
#[derive(Debug, Default)]
pub(super) struct Races {
    pub(super) lost_ms: BTreeMap<(InvocationId, u32), u64>,
}

/// Who has ever claimed a record.
#[derive(Debug, Default)]
pub(super) struct Claimants {
    pub(super) of: BTreeMap<RecordId, BTreeSet<InvocationId>>,
}

/// Chunks, by who was given them, until it answers.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    pub(super) of: BTreeMap<InvocationId, Vec<Chunk>>,
    /// Calls that have failed, or hang, because of one record.
    pub(super) spoiled: BTreeSet<(InvocationId, u64)>,
    /// Whose records cannot all be read: nothing is asked of its chunks.
    pub(super) mixed: BTreeSet<InvocationId>,
}

/// The records of a first call, and the calls that were made of them.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) records: BTreeSet<RecordId>,
    /// But those of the culprit alone.
    pub(super) calls: u64,
    pub(super) culprits: BTreeSet<RecordId>,
    pub(super) stood_alone: bool,
    /// Something else has failed too.
    pub(super) is_mixed: bool,
}

impl Chunk {
    /// The one record because of which calls have failed. *None: there is none, or there is more to it.*
    pub(super) fn culprit(&self) -> Option<RecordId> {
        let only = self.culprits.len() == 1 && !self.is_mixed;
        self.culprits.first().copied().filter(|_| only)
    }
}

impl Chunks {
    pub(super) fn chunk(
        &mut self,
        invocation: InvocationId,
        record: RecordId,
    ) -> Option<&mut Chunk> {
        let chunks = self.of.get_mut(&invocation)?;
        chunks
            .iter_mut()
            .find(|chunk| chunk.records.contains(&record))
    }
}

/// Schemas of records, and what processes know of them.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    /// A record's schema, and whether the registry has it.
    pub(super) of: BTreeMap<RecordId, (u32, bool)>,
    pub(super) known: BTreeMap<(EnvironmentId, u32), KnownSchema>,
}

/// What a process knows of a schema.
#[derive(Debug, Default)]
pub(super) struct KnownSchema {
    /// Who has asked, if no answer is there.
    pub(super) asked_by: Option<InvocationId>,
    /// Who has ever asked.
    pub(super) asked: BTreeSet<InvocationId>,
    // The last of each answer: when, and who had asked.
    pub(super) found: Option<(u64, InvocationId)>,
    pub(super) not_found_ms: Option<u64>,
    pub(super) failed_ms: Option<u64>,
}
