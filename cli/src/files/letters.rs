//! Dead letters as a file: each line has the event with just its record under `payload`. Read by `invoke --event` and
//! `dev --produce`, so that what was rejected or given up is fed back.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::Fault;

/// A letter of the function, of the mapping, or of Lambda.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Letter<'a> {
    #[serde(borrow)]
    request_context: Option<&'a RawValue>,
    #[serde(borrow, rename = "KafkaBatchInfo")]
    batch: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl Letter<'_> {
    /// An event has neither.
    fn is_meant(&self) -> bool {
        self.request_context.is_some() && self.batch.is_some()
    }
}

/// The events of the letters, one each, in their order. None: the file holds no letters.
///
/// # Errors
///
/// A line that is none among letters, and a letter without its record.
pub(crate) fn events(name: &str, bytes: &[u8]) -> Result<Option<Vec<Bytes>>, Fault> {
    // One that somebody has pretty-printed.
    if let Ok(letter) = serde_json::from_slice::<Letter<'_>>(bytes) {
        if !letter.is_meant() {
            return Ok(None);
        }
        return Ok(Some(vec![event(name, 1, &letter)?]));
    }
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let lines = lines.map(|(number, line)| (number + 1, line.trim_ascii()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty()).peekable();
    let first = lines.peek().map(|(_, line)| *line).unwrap_or_default();
    if !serde_json::from_slice::<Letter<'_>>(first).is_ok_and(|letter| letter.is_meant()) {
        return Ok(None);
    }
    let events = lines.map(|(number, line)| match serde_json::from_slice::<Letter<'_>>(line) {
        Ok(letter) if letter.is_meant() => event(name, number, &letter),
        _ => Err(Fault::new(format!("expected a dead letter on line {number} of {name}, as on the first one"))
            .help("a file of dead letters has one on each line; a writer that was killed may have cut the last line: remove it")),
    });
    events.collect::<Result<_, _>>().map(Some)
}

/// The letter's event: as it stands there, or in a text, as Lambda writes it.
fn event(name: &str, number: usize, letter: &Letter<'_>) -> Result<Bytes, Fault> {
    let payload = letter
        .payload
        .map(RawValue::get)
        .filter(|text| *text != "null");
    let Some(payload) = payload else {
        return Err(Fault::new(format!(
            "expected a `payload` in the dead letter on line {number} of {name}, found only the coordinates of its records"
        ))
        .help("Lambda sends only coordinates to SQS and SNS; file:PATH, s3://BUCKET and the function's own destination keep the record"));
    };
    if let Ok(text) = serde_json::from_str::<String>(payload) {
        return Ok(Bytes::from(text));
    }
    Ok(Bytes::copy_from_slice(payload.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::events;

    const LETTER: &str = r#"{"requestContext":{"requestId":"r"},"KafkaBatchInfo":{},"failure":{},"payload":{"records": {}}}"#;
    const OF_LAMBDA: &str =
        r#"{"requestContext":{},"KafkaBatchInfo":{},"payload":"{\"records\":{}}"}"#;

    fn read(text: &str) -> Result<Option<Vec<String>>, String> {
        let events = events("dl.ndjson", text.as_bytes()).map_err(|fault| fault.text())?;
        let text = |event: &bytes::Bytes| String::from_utf8(event.to_vec()).unwrap();
        Ok(events.map(|events| events.iter().map(text).collect()))
    }

    #[test]
    fn each_letter_gives_its_event_as_it_stands_there() {
        let both = format!("{LETTER}\n\n{OF_LAMBDA}\n");

        let expected = vec![
            r#"{"records": {}}"#.to_owned(),
            r#"{"records":{}}"#.to_owned(),
        ];
        assert_eq!(read(&both), Ok(Some(expected)));
        assert_eq!(
            read(&LETTER.replace(',', ",\n")),
            Ok(Some(vec![r#"{"records": {}}"#.to_owned()]))
        );
    }

    #[test]
    fn what_is_no_letter_is_left_to_others() {
        for text in [
            "",
            "1\n2",
            r#"{"records":{}}"#,
            r#"{"payload":{"records":{}}}"#,
            "{\"order_id\":1}\n{\"order_id\":2}",
            "no",
        ] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn a_letter_without_its_record_and_a_line_among_letters_are_named() {
        let coordinates = r#"{"requestContext":{},"KafkaBatchInfo":{}}"#;

        let alone = read(coordinates).unwrap_err();
        let among = read(&format!("{LETTER}\n{{\"secret\":1}}\n")).unwrap_err();

        assert!(
            alone.contains("expected a `payload` in the dead letter on line 1 of dl.ndjson"),
            "{alone}"
        );
        assert!(
            among.contains("expected a dead letter on line 2 of dl.ndjson"),
            "{among}"
        );
        assert!(!among.contains("secret"), "{among}");
    }
}
