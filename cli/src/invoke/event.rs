//! `--event`: the events to deliver, checked to be JSON before a function is built or started.

use std::path::Path;

use bytes::Bytes;
use msk_mapping::limits::EVENT_BYTES_MAX;

use crate::fault::Fault;
use crate::files::document::{self, Foreign};
use crate::files::{letters, source};

/// A file of dead letters may hold many events; so much of it is read.
const LETTERS_BYTES_MAX: usize = 512 * 1024 * 1024;

/// The event of a file, or that of each of its dead letters.
pub(super) fn bodies(path: Option<&Path>) -> Result<Vec<Bytes>, Fault> {
    let Some(path) = path else {
        return Err(Fault::new("no event to deliver").help(
            "give one with --event FILE: there are samples in events/,\n\
             and `cargo msk event --topic orders | cargo msk invoke --event -` makes one",
        ));
    };
    let name = source::name(path);
    let body = source::read(path, LETTERS_BYTES_MAX).map_err(|error| {
        Fault::new(format!("cannot read the event from {name}"))
            .at(error.to_string())
            .help("there are samples in events/, and `cargo msk event --topic orders` makes one")
    })?;
    // Letters first: they are several documents, and an event is one.
    if let Some(events) = letters::events(&name, &body)? {
        events.iter().try_for_each(|event| check(&name, event))?;
        return Ok(events);
    }
    check(&name, &body)?;
    Ok(vec![Bytes::from(body)])
}

/// Whether Lambda could send it: JSON, and not longer than an event is.
fn check(name: &str, body: &[u8]) -> Result<(), Fault> {
    if body.len() > EVENT_BYTES_MAX {
        return Err(Fault::new(format!(
            "expected an event of at most {EVENT_BYTES_MAX} bytes, found a longer one in {name}"
        ))
        .help("Lambda sends no longer event: deliver fewer or smaller records"));
    }
    if let Some(Foreign { what, help }) = document::foreign(body) {
        return Err(Fault::new(format!("the event from {name} {what}")).help(help));
    }
    Ok(())
}
