//! What is wrong with the settings of batch handlers, or with the consumer's for them. Called by `build`.

use crate::builder::place;
use crate::error::ConfigurationFault;
use crate::handler::Route;
use crate::idempotency::Guarantee;
use crate::limits::{ATTEMPTS_MAX, BATCH_RECORDS_MAX, EVENT_BYTES_MAX};
use crate::settings::within;

/// At most once is a mark a record before its handler starts, and a chunk is tried again.
pub(super) fn refuse_at_most_once<'t>(
    routes: impl Iterator<Item = (&'t String, &'t Route)>,
    guarantee: Guarantee,
    faults: &mut Vec<ConfigurationFault>,
) {
    if guarantee != Guarantee::AtMostOnce {
        return;
    }
    let batches = routes.filter(|(_, route)| route.chunks.is_some());
    let mut topics: Vec<&String> = batches.map(|(topic, _)| topic).collect();
    topics.sort_unstable();
    for topic in topics {
        let place = format!(".route({topic:?}, …)");
        let reason = "expected a handler of one record, found a batch handler with `Guarantee::AtMostOnce`: a chunk is tried again, in whole or in halves. Add the handler with `.topic(…)`, or choose `Guarantee::AtLeastOnce`";
        faults.push(ConfigurationFault::new(place, reason));
    }
}

/// What is set of a batch handler.
pub(super) fn check(route: &Route, topic: &str, faults: &mut Vec<ConfigurationFault>) {
    let Some(chunks) = &route.chunks else { return };
    let mut fault = |method: &str, reason: String| {
        let place = place::of_setting(Some(topic), route, method);
        faults.push(ConfigurationFault::new(place, reason));
    };
    if let Err(reason) = within(chunks.records, &(1..=BATCH_RECORDS_MAX)) {
        fault(".records(…)", reason);
    }
    if let Err(reason) = within(chunks.bytes, &(1..=EVENT_BYTES_MAX)) {
        fault(".bytes(…)", reason);
    }
    if chunks.timeout.is_some_and(|timeout| timeout.is_zero()) {
        let reason = "expected a time-out above zero: no call could end in it";
        fault(".timeout(…)", reason.to_owned());
    }
    if let (true, Some(argument)) = (chunks.is_across, chunks.needs_one_partition) {
        let reason = format!(
            "expected a handler that takes chunks of several partitions, found the argument `{argument}`: take `Option<TopicPartition>`, or ask `batch.records()`"
        );
        fault(".across_partitions()", reason);
    }
}

pub(super) fn check_attempts(
    topic: Option<&str>,
    route: &Route,
    faults: &mut Vec<ConfigurationFault>,
) {
    if let Some(attempts) = route.attempts
        && let Err(reason) = within(attempts, &(1..=ATTEMPTS_MAX))
    {
        let place = place::of_setting(topic, route, ".attempts(…)");
        faults.push(ConfigurationFault::new(place, reason));
    }
}
