//! Why a run read nothing, and how to change it: such a run must not look like one that has done all. Asked by `work`.

use msk_mapping::driver::Status;
use msk_mapping::machine::StartingPosition;

/// What is known of a mapping that has come to its end.
#[derive(Debug, Clone)]
pub(crate) struct Ended<'a> {
    pub(crate) status: &'a Status,
    pub(crate) group: &'a str,
    pub(crate) start: &'a StartingPosition,
    /// How many records this run has put into its topic before.
    pub(crate) produced: usize,
    /// Whether the group had an offset of a partition at the start.
    pub(crate) resumed: bool,
}

/// Why nothing went to the function, in one line, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) what: String,
    pub(crate) help: String,
}

/// None: something was read, or the topic is not known to hold a record.
pub(crate) fn why(ended: &Ended<'_>) -> Option<Why> {
    let Ended { status, group, .. } = ended;
    let (topic, metrics) = (&status.topic, &status.metrics);
    if metrics.polled > 0 {
        return (metrics.filtered_out == metrics.polled).then(|| Why {
            what: format!(
                "the filter let none of the {} records of {topic} through: the function was not invoked",
                metrics.polled
            ),
            help: "check --filter, --filter-criteria or the template's FilterCriteria against a value of the topic".to_owned(),
        });
    }
    if !holds_records(ended) {
        return None;
    }
    let (because, help) = if ended.resumed {
        (
            format!("the group {group} stands at its end already"),
            "--group NEW reads it from --starting-position on; a group goes on where it has committed".to_owned(),
        )
    } else {
        match ended.start {
            StartingPosition::Latest => (
                "LATEST begins behind them".to_owned(),
                "--starting-position TRIM_HORIZON reads what is there".to_owned(),
            ),
            StartingPosition::AtTimestamp(_) => (
                "none of them is of --starting-position-timestamp or later".to_owned(),
                "give an earlier time, or --starting-position TRIM_HORIZON".to_owned(),
            ),
            StartingPosition::TrimHorizon => (
                "none of them came".to_owned(),
                "see the lines above for what the broker said".to_owned(),
            ),
        }
    };
    Some(Why {
        what: format!("nothing was read of {topic}, which holds records: {because}"),
        help,
    })
}

/// Whether the topic is known to hold, or to have held, a record: this run has written it, an offset of it is committed, or
/// one is behind.
fn holds_records(ended: &Ended<'_>) -> bool {
    let lanes = &ended.status.partitions;
    ended.produced > 0
        || lanes.iter().any(|lane| {
            lane.committed.is_some_and(|offset| offset > 0) || lane.lag.is_some_and(|lag| lag > 0)
        })
}
