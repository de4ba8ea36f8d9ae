//! Where a run began, and so why it has read nothing: an end that looks like success, and may be a position that was not
//! meant.

use std::collections::BTreeMap;

use crate::driver::look::Stand;
use crate::driver::notice::Unread;
use crate::driver::setup::Setup;
use crate::machine::StartingPosition;
use crate::record::TopicPartition;

/// Where a run began.
#[derive(Debug)]
pub(super) struct Begun {
    start: StartingPosition,
    /// The group's offset of each partition when it first came here.
    offsets: BTreeMap<TopicPartition, Option<i64>>,
}

impl Begun {
    pub(super) fn of(setup: &Setup) -> Self {
        Self {
            start: setup.configuration.starting_position,
            offsets: BTreeMap::new(),
        }
    }

    pub(super) fn begins(&mut self, partition: &TopicPartition, committed: Option<i64>) {
        self.offsets.entry(partition.clone()).or_insert(committed);
    }

    /// The group was there before. A share group has no offset that a member is told.
    #[cfg(feature = "share")]
    pub(super) fn goes_on(&mut self, partition: &TopicPartition) {
        self.begins(partition, Some(0));
    }

    /// None: it holds no record.
    pub(super) fn why(&self, stand: &Stand) -> Option<Unread> {
        if stand.first >= stand.end {
            return None;
        }
        let new = matches!(self.offsets.get(&stand.partition), Some(None));
        match self.start {
            StartingPosition::Latest if new => Some(Unread::Latest),
            StartingPosition::AtTimestamp(millis) if new => Some(Unread::AfterTheLast { millis }),
            // Nothing but markers of transactions.
            StartingPosition::TrimHorizon if new => None,
            _ => Some(Unread::Committed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Begun, Stand, StartingPosition, TopicPartition, Unread};

    fn why(start: StartingPosition, begun: Option<Option<i64>>, records: i64) -> Option<Unread> {
        let partition = TopicPartition::new("orders", 0);
        let offsets = begun.map(|committed| (partition.clone(), committed));
        let begun = Begun {
            start,
            offsets: BTreeMap::from_iter(offsets),
        };
        begun.why(&Stand {
            partition,
            committed: Some(records),
            first: 0,
            end: records,
            done: true,
        })
    }

    #[test]
    fn a_topic_without_records_has_nothing_to_explain() {
        assert_eq!(why(StartingPosition::Latest, Some(None), 0), None);
    }

    #[test]
    fn a_new_group_read_nothing_because_of_where_it_began() {
        let at = StartingPosition::AtTimestamp(7);

        assert_eq!(
            why(StartingPosition::Latest, Some(None), 3),
            Some(Unread::Latest)
        );
        assert_eq!(
            why(at, Some(None), 3),
            Some(Unread::AfterTheLast { millis: 7 })
        );
        assert_eq!(why(StartingPosition::TrimHorizon, Some(None), 3), None);
    }

    #[test]
    fn a_group_that_was_there_or_other_members_had_committed_everything() {
        for begun in [Some(Some(3)), None] {
            assert_eq!(
                why(StartingPosition::Latest, begun, 3),
                Some(Unread::Committed)
            );
        }
    }
}
