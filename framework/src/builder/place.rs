//! How a fault of a route names what the user has written. Called by `builder` and what lies below it.

use crate::handler::Route;

/// The call of the builder that has added the route. *None: the fallback.*
pub(super) fn of(topic: Option<&str>, route: &Route) -> String {
    match (topic, &route.chunks) {
        (None, _) => ".fallback(…)".to_owned(),
        (Some(topic), None) => format!(".topic({topic:?}, …)"),
        (Some(topic), Some(_)) => format!(".route({topic:?}, …)"),
    }
}

/// A setting of the route's handler.
pub(super) fn of_setting(topic: Option<&str>, route: &Route, method: &str) -> String {
    let around = match &route.chunks {
        None => "each",
        Some(_) => "batch",
    };
    format!("{} `{around}(…){method}`", of(topic, route))
}
