//! Why a run read nothing, and how to change it: such a run must not look like one that has done all. Asked by `work`.

use msk_mapping::driver::{Status, Unread};

/// Why nothing went to the function: for scripts in a word, for people in one line, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) topic: String,
    pub(crate) because: &'static str,
    pub(crate) what: String,
    pub(crate) help: String,
}

/// Of a mapping that has come to its end. None: something was read, or the topic is not known to hold a record.
pub(crate) fn why(status: &Status, group: &str) -> Option<Why> {
    let (topic, metrics) = (&status.topic, &status.metrics);
    if metrics.polled > 0 {
        return (metrics.filtered_out == metrics.polled).then(|| Why {
            topic: topic.clone(),
            because: "filtered-out",
            what: format!(
                "the filter matched none of the {} records of {topic}: the function was not invoked",
                metrics.polled
            ),
            help: "check --filter, --filter-criteria or the template's FilterCriteria against a value of the topic".to_owned(),
        });
    }
    // The group has committed the end of what it passed over: the same group would begin there.
    let (because, how, help) = match status.unread? {
        Unread::Latest => (
            "latest",
            "LATEST starts after them".to_owned(),
            "give --starting-position TRIM_HORIZON and another --group to read them",
        ),
        Unread::AfterTheLast { .. } => (
            "after-the-last",
            "all of them are older than --starting-position-timestamp".to_owned(),
            "give an earlier time, or --starting-position TRIM_HORIZON, with another --group",
        ),
        _ => (
            "committed",
            format!("the group {group} has committed all of them"),
            "give --group NEW to read from --starting-position on; a group continues at its committed offset",
        ),
    };
    Some(Why {
        topic: topic.clone(),
        because,
        what: format!("no record of {topic} was read, though it has records: {how}"),
        help: help.to_owned(),
    })
}
