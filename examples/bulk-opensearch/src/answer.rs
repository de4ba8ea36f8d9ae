//! What OpenSearch says of a request: of each document, or of the whole.

use std::time::Duration;

use lambda_msk::Failure;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// The longest name of an error that is taken over.
const ERROR_NAME_BYTES_MAX: usize = 64;

#[derive(Deserialize)]
struct Answer {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Created,
}

#[derive(Deserialize)]
struct Created {
    status: u16,
    /// *Null: the document was created.*
    #[serde(default)]
    error: Value,
}

/// The documents of an answer that are not in the index, each with its place and the reason.
///
/// # Errors
///
/// It is not the answer to a request with so many documents: nothing is known of any.
pub(crate) fn read(text: &[u8], documents: usize) -> Result<Vec<(usize, Failure)>, Failure> {
    // No document is at fault.
    let unreadable = |why: String| Failure::retry(why).code("opensearch.answer").whole();
    let answer: Answer = serde_json::from_slice(text).map_err(|error| {
        // Its text may name what stands there.
        let (line, column) = (error.line(), error.column());
        unreadable(format!(
            "expected the answer to a bulk request, found something else at line {line}, column {column}: is OPENSEARCH_URL a server of OpenSearch?"
        ))
    })?;
    let found = answer.items.len();
    if found != documents {
        return Err(unreadable(format!(
            "expected an answer for each of {documents} documents, found {found}"
        )));
    }
    let items = answer.items.into_iter().enumerate();
    let failed = items.filter_map(|(at, Item { create })| Some((at, item(&create)?)));
    Ok(failed.collect())
}

/// *None: the document is in the index, by this request or by one before it.*
fn item(created: &Created) -> Option<Failure> {
    let why = said(created.status, &created.error);
    Some(match created.status {
        200..=299 | 409 => return None,
        429 => Failure::retry(why).code("opensearch.busy"),
        401 | 403 => Failure::retry(why).code("opensearch.denied"),
        // Faults of the deployment: they end, and the documents are not at fault.
        404 => Failure::retry(why).code("opensearch.no_index"),
        400..=499 => Failure::reject(why).code("opensearch.refused"),
        _ => Failure::retry(why).code("opensearch.unavailable"),
    })
}

/// Why a request that was not answered with 200 was not carried out: no document is settled.
pub(crate) fn refused(status: StatusCode, text: &[u8], after: Option<Duration>) -> Failure {
    let answer: Value = serde_json::from_slice(text).unwrap_or_default();
    let why = said(status.as_u16(), &answer["error"]);
    let failure = match status.as_u16() {
        // Halves may go through. A record of Lambda's is smaller than what OpenSearch takes by default: one that does not go through alone meets a limit of this deployment.
        413 => Failure::retry(why).code("opensearch.too_large"),
        429 => Failure::retry(why).code("opensearch.busy").whole(),
        401 | 403 => Failure::retry(why).code("opensearch.denied").whole(),
        404 => Failure::retry(why).code("opensearch.no_index").whole(),
        502..=504 => Failure::retry(why).code("opensearch.unavailable").whole(),
        // One document may be the cause of all others.
        500..=599 => Failure::retry(why).code("opensearch.unavailable"),
        400..=499 => Failure::retry(why).code("opensearch.answer"),
        _ => Failure::retry(why).code("opensearch.answer").whole(),
    };
    match after {
        Some(after) => failure.after(after),
        None => failure,
    }
}

/// There was no answer: the server is down, and no document is at fault.
pub(crate) fn none(error: reqwest::Error) -> Failure {
    // The URL stays out of the log.
    let failure = Failure::retry(error.without_url());
    failure.code("opensearch.unavailable").whole()
}

/// There is nothing to send with.
pub(crate) fn no_client() -> Failure {
    let failure = Failure::retry("there is no client for HTTP");
    failure.code("opensearch.unavailable").whole()
}

/// The status, with the name of the error. The text beside the name (`reason`) may hold parts of a document, so it is not taken over.
fn said(status: u16, error: &Value) -> String {
    let is_name = |name: &&str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        (1..=ERROR_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(plain)
    };
    match error["type"].as_str().filter(is_name) {
        Some(name) => format!("OpenSearch answered {status} ({name})"),
        None => format!("OpenSearch answered {status}"),
    }
}
