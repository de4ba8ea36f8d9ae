//! Faults of routes whose payloads are read by schemas. Called by `builder`.

use crate::builder::place;
use crate::error::ConfigurationFault;
use crate::handler::Route;
use crate::idempotency::PerRecord;
use crate::part::Part;
use crate::schemas::{Format, Typed, extractor};

/// Compiles the reader's schemas of all routes, and names each that is missing or of no use.
pub(super) fn read_by_schemas<'r>(
    typed: &Typed,
    topics: impl Iterator<Item = (&'r String, &'r mut Route)>,
    fallback: &mut Option<Route>,
    faults: &mut Vec<ConfigurationFault>,
) {
    let topics = topics.map(|(name, route)| (Some(name.as_str()), route));
    let fallback = fallback.iter_mut().map(|route| (None, route));
    for (topic, route) in topics.chain(fallback) {
        for (method, reason) in route.read_by(typed).err().into_iter().flatten() {
            let place = match method {
                "" => place::of(topic, route),
                method => place::of_setting(topic, route, method),
            };
            faults.push(ConfigurationFault::new(place, reason));
        }
    }
}

/// Names each route whose values are no JSON, though keys are parts of it.
pub(super) fn check_json_keys<'r>(
    per_record: Option<&PerRecord>,
    typed: &Typed,
    routes: impl Iterator<Item = (Option<&'r str>, &'r Route)>,
    faults: &mut Vec<ConfigurationFault>,
) {
    let Some(method) = per_record.and_then(PerRecord::reads_json) else {
        return;
    };
    if typed.delivers_json() {
        return;
    }
    for (topic, route) in routes {
        let Some(format @ (Format::Avro | Format::Protobuf)) = route.uses().format(Part::Value)
        else {
            continue;
        };
        let place = place::of(topic, route);
        let reason = format!(
            "its handler takes the value as `{}`, which is no JSON, and `PerRecord::{method}(…)` reads the value as JSON: take the key from elsewhere, such as `PerRecord::by_key()` or `PerRecord::by_header(…)`",
            extractor(format)
        );
        faults.push(ConfigurationFault::new(place, reason));
    }
}
