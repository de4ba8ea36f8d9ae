//! The share group of Queue mode, as its broker keeps it: which records are locked by whom, how often each was delivered, what is over. Changed by `members`.

use std::collections::BTreeMap;

use crate::fact::RecordId;
use crate::limits::SHARE_DELIVERIES_MAX;
use crate::log::Log;

/// A member for as long as it stays: one that comes back is another.
pub(crate) type MemberId = u64;

/// One locking of one record: no two have the same.
pub(crate) type Lock = u64;

#[derive(Debug, Default)]
pub(crate) struct ShareGroup {
    /// By partition and offset: what was ever delivered of the logs that stand now.
    records: BTreeMap<(u32, i64), Shared>,
    /// The member that each poller is at the moment, by poller.
    members: BTreeMap<u32, Member>,
    members_made: MemberId,
    locks_made: Lock,
}

/// A poller as a member of the group.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: MemberId,
    /// What the mapping lets it poll.
    pub(crate) resumed: BTreeMap<u32, bool>,
    pub(crate) fetching: bool,
}

#[derive(Debug)]
struct Shared {
    record: RecordId,
    deliveries: u16,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Available,
    Locked {
        lock: Lock,
        by: MemberId,
        /// Its member asks for more time before the lock ends.
        renewed: bool,
    },
    Over,
}

/// A record in a member's hands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acquired {
    pub(crate) record: RecordId,
    pub(crate) offset: i64,
    pub(crate) appended_ms: u64,
    pub(crate) lock: Lock,
    /// How often it was delivered, this time included.
    pub(crate) deliveries: u16,
}

/// What the broker did with a record that was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LetGo {
    /// It is delivered again.
    Available,
    /// It was delivered as often as is allowed.
    Archived(RecordId),
}

impl ShareGroup {
    /// *None: that poller is no member at the moment.*
    pub(crate) fn member(&mut self, poller: u32) -> Option<&mut Member> {
        self.members.get_mut(&poller)
    }

    /// *None: it is one already.*
    pub(crate) fn join(&mut self, poller: u32) -> Option<MemberId> {
        if self.members.contains_key(&poller) {
            return None;
        }
        self.members_made += 1;
        let member = Member {
            id: self.members_made,
            resumed: BTreeMap::new(),
            fetching: false,
        };
        self.members.insert(poller, member);
        Some(self.members_made)
    }

    /// Nobody renews what it holds any more.
    pub(crate) fn leave(&mut self, poller: u32) -> Option<MemberId> {
        let member = self.members.remove(&poller)?;
        for shared in self.records.values_mut() {
            if let State::Locked { by, renewed, .. } = &mut shared.state
                && *by == member.id
            {
                *renewed = false;
            }
        }
        Some(member.id)
    }

    /// Locks the first records of a partition that nobody has, for that member.
    pub(crate) fn acquire(
        &mut self,
        (partition, log): (u32, &Log),
        by: MemberId,
        most: usize,
    ) -> Vec<Acquired> {
        let mut acquired = Vec::new();
        for (offset, record, appended_ms) in &log.entries {
            if acquired.len() == most {
                break;
            }
            let shared = self.records.entry((partition, *offset)).or_insert(Shared {
                record: *record,
                deliveries: 0,
                state: State::Available,
            });
            if shared.state != State::Available {
                continue;
            }
            self.locks_made += 1;
            let lock = self.locks_made;
            shared.deliveries += 1;
            shared.state = State::Locked {
                lock,
                by,
                renewed: true,
            };
            acquired.push(Acquired {
                record: *record,
                offset: *offset,
                appended_ms: *appended_ms,
                lock,
                deliveries: shared.deliveries,
            });
        }
        acquired
    }

    /// Whether a member would get something.
    pub(crate) fn has_more(&self, partition: u32, log: &Log) -> bool {
        log.entries.iter().any(|(offset, ..)| {
            let shared = self.records.get(&(partition, *offset));
            shared.is_none_or(|shared| shared.state == State::Available)
        })
    }

    /// Records that are not over.
    pub(crate) fn lag(&self, partition: u32, log: &Log) -> usize {
        let over = |offset: i64| {
            let shared = self.records.get(&(partition, offset));
            shared.is_some_and(|shared| shared.state == State::Over)
        };
        let left = log.entries.iter().filter(|(offset, ..)| !over(*offset));
        left.count()
    }

    /// Its member has said what became of a record: it asks for no more time, whether the broker hears that or not.
    pub(crate) fn no_longer_renewed(&mut self, partition: u32, offset: i64, member: MemberId) {
        if let Some(shared) = self.records.get_mut(&(partition, offset))
            && let State::Locked { by, renewed, .. } = &mut shared.state
            && *by == member
        {
            *renewed = false;
        }
    }

    /// Whether that lock stands, and whether its member asks for more time. *None: it is gone.*
    pub(crate) fn is_renewed(&self, partition: u32, offset: i64, which: Lock) -> Option<bool> {
        match self.records.get(&(partition, offset))?.state {
            State::Locked { lock, renewed, .. } if lock == which => Some(renewed),
            _ => None,
        }
    }

    /// The record is over, if that member has it. *None: it has not, so the broker refuses.*
    pub(crate) fn finish(
        &mut self,
        partition: u32,
        offset: i64,
        member: MemberId,
    ) -> Option<RecordId> {
        let shared = self.locked_by(partition, offset, member)?;
        shared.state = State::Over;
        Some(shared.record)
    }

    /// The record goes back to the group, if that member has it. *None: it has not, so the broker refuses.*
    pub(crate) fn release(
        &mut self,
        partition: u32,
        offset: i64,
        member: MemberId,
    ) -> Option<LetGo> {
        let shared = self.locked_by(partition, offset, member)?;
        Some(shared.let_go())
    }

    /// A lock has ended. *None: it was gone before.*
    pub(crate) fn expire(&mut self, partition: u32, offset: i64, which: Lock) -> Option<LetGo> {
        self.is_renewed(partition, offset, which)?;
        let shared = self.records.get_mut(&(partition, offset))?;
        Some(shared.let_go())
    }

    /// All that a member holds goes back to the group: what is archived by that.
    pub(crate) fn release_all(&mut self, member: MemberId) -> Vec<RecordId> {
        let mut archived = Vec::new();
        for shared in self.records.values_mut() {
            if shared.is_locked_by(member)
                && let LetGo::Archived(record) = shared.let_go()
            {
                archived.push(record);
            }
        }
        archived
    }

    /// Nothing of a partition was ever delivered: its log was made anew, or the group was set back to its beginning.
    pub(crate) fn forget(&mut self, partition: u32) {
        self.records.retain(|(of, _), _| *of != partition);
    }

    fn locked_by(&mut self, partition: u32, offset: i64, member: MemberId) -> Option<&mut Shared> {
        let shared = self.records.get_mut(&(partition, offset));
        shared.filter(|shared| shared.is_locked_by(member))
    }
}

impl Shared {
    fn is_locked_by(&self, member: MemberId) -> bool {
        matches!(self.state, State::Locked { by, .. } if by == member)
    }

    fn let_go(&mut self) -> LetGo {
        if self.deliveries < SHARE_DELIVERIES_MAX {
            self.state = State::Available;
            return LetGo::Available;
        }
        self.state = State::Over;
        LetGo::Archived(self.record)
    }
}
