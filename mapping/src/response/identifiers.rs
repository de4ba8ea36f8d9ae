//! The list in a partial batch response, read strictly: one wrong entry spoils it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::event::Event;
use super::fault::ResponseFault;

/// The identifiers in a response. Null, `{}`, an absent, null or empty list: none.
pub(super) fn listed(body: &[u8]) -> Result<Vec<(String, i64)>, ResponseFault> {
    let malformed = |reason: String| ResponseFault::Malformed { reason };
    let response: Value = serde_json::from_slice(body).map_err(|error| ResponseFault::NotJson {
        reason: error.to_string(),
    })?;
    let list = match &response {
        Value::Null => return Ok(Vec::new()),
        Value::Object(fields) => match fields.get("batchItemFailures") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(other) => return Err(malformed(format!("batchItemFailures is {}", kind(other)))),
        },
        other => return Err(malformed(format!("it is {}", kind(other)))),
    };
    let read = |(index, entry): (usize, &Value)| {
        let at = format!("batchItemFailures[{index}].itemIdentifier");
        let identifier = entry.get("itemIdentifier").ok_or_else(|| {
            malformed(format!(
                "{at} is missing{}",
                instead(entry, "itemIdentifier")
            ))
        })?;
        if !identifier.is_object() {
            return Err(malformed(format!(
                "{at} is {}, not an object of partition and offset",
                kind(identifier)
            )));
        }
        let partition = identifier.get("partition").unwrap_or(&Value::Null);
        let offset = identifier.get("offset").unwrap_or(&Value::Null);
        let partition = partition.as_str().ok_or_else(|| {
            malformed(format!(
                "{at}.partition is {}, not a string{}",
                kind(partition),
                instead(identifier, "partition")
            ))
        })?;
        let offset = offset.as_i64().ok_or_else(|| {
            malformed(format!(
                "{at}.offset is {}, not an integer{}",
                kind(offset),
                instead(identifier, "offset")
            ))
        })?;
        Ok((partition.to_owned(), offset))
    };
    list.iter().enumerate().map(read).collect()
}

/// One identifier that was not in the event spoils them all.
pub(super) fn known(
    event: &Event,
    listed: Vec<(String, i64)>,
) -> Result<BTreeSet<(String, i64)>, ResponseFault> {
    for (partition, offset) in &listed {
        let Some(offsets) = event.offsets(partition) else {
            return Err(ResponseFault::UnknownPartition {
                partition: partition.clone(),
            });
        };
        if !offsets.contains(offset) {
            return Err(ResponseFault::UnknownOffset {
                partition: partition.clone(),
                offset: *offset,
            });
        }
    }
    Ok(listed.into_iter().collect())
}

/// The entries of a list that nobody reads, whatever their shape.
pub(super) fn count(body: &[u8]) -> usize {
    let response: Value = serde_json::from_slice(body).unwrap_or_default();
    response
        .get("batchItemFailures")
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

/// The name beside, where only the size of its letters or its underscores are wrong.
fn instead(object: &Value, wanted: &str) -> String {
    let alike =
        |name: &&String| *name != wanted && name.replace('_', "").eq_ignore_ascii_case(wanted);
    let found = object
        .as_object()
        .and_then(|fields| fields.keys().find(alike));
    found.map_or_else(String::new, |found| {
        format!(": {found} stands in its place")
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "missing or null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
