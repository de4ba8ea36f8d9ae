//! The producer's trace, as a record's headers carry it by W3C Trace Context. Read by `delivery`, `extract`, `destination`, `log` and `traces`.

use std::fmt;
use std::ops::Range;

use crate::limits::{TRACE_STATE_BYTES_MAX, TRACE_STATE_MEMBERS_MAX};
use crate::record::Record;

const TRACE_PARENT: &str = "traceparent";
const TRACE_STATE: &str = "tracestate";

/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
const LEN: usize = 55;
const TRACE_ID: Range<usize> = 3..35;
const PARENT_ID: Range<usize> = 36..52;
const FLAGS: Range<usize> = 53..55;
/// Flags that version 00 defines: sampled, and a random trace id.
const FLAGS_KNOWN: u8 = 0b11;

/// The producer's trace, from the record's headers `traceparent` and `tracestate` ([W3C Trace Context](https://www.w3.org/TR/trace-context/)).
///
/// As a handler's argument, it rejects a record without a valid `traceparent` with `reject.no_traceparent`; take `Option<TraceParent>` where that is no fault. Of repeated headers the last valid one counts. A
/// header of a later version of the standard is read by its first four fields, and shown as version 00.
///
/// # Example
///
/// ```
/// use lambda_msk::extract::TraceParent;
///
/// async fn ship(trace: Option<TraceParent>) {
///     if let Some(trace) = trace {
///         // Goes on in the producer's trace.
///         let request = http::Request::post("http://127.0.0.1/orders").header("traceparent", trace.as_str());
/// #       let _ = request;
///     }
/// }
/// # lambda_msk::Consumer::builder().topic("orders", ship).build().unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// In the form of version 00.
    text: String,
    state: Option<String>,
}

impl TraceParent {
    /// *None: the record has no valid `traceparent`.*
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let mut text = None;
        let mut state = None;
        for (name, value) in record.header_bytes() {
            if name == TRACE_PARENT.as_bytes() {
                text = value.and_then(parent).or(text);
            } else if name == TRACE_STATE.as_bytes() {
                state = value.filter(|value| is_state(value)).or(state);
            }
        }
        let state = state.and_then(|state| std::str::from_utf8(state).ok());
        Some(Self {
            text: text?,
            state: state.map(str::to_owned),
        })
    }

    /// The text of `traceparent`, for the same header of a request or a record.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The trace's id: 32 lowercase hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.text[TRACE_ID]
    }

    /// The id of the producer's span: 16 lowercase hexadecimal digits.
    pub fn parent_id(&self) -> &str {
        &self.text[PARENT_ID]
    }

    /// Whether the producer has recorded its part of the trace.
    pub fn is_sampled(&self) -> bool {
        self.flags() & 1 == 1
    }

    /// The trace's flags.
    pub fn flags(&self) -> u8 {
        u8::from_str_radix(&self.text[FLAGS], 16).unwrap_or_default()
    }

    /// The text of `tracestate`.
    ///
    /// *None: the record has none that is valid and has at most [`TRACE_STATE_BYTES_MAX`] bytes.*
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The records that have a span (`LAMBDA_MSK_TRACES`).
#[cfg_attr(
    not(feature = "otel"),
    expect(unreachable_pub, reason = "`traces` shows it")
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TracedRecords {
    /// Records whose producer has sampled its trace (the flag in `traceparent`), and records that failed or were rejected.
    #[cfg_attr(feature = "otel", default)]
    Sampled,
    /// All records.
    All,
    /// Records that failed or were rejected. Their spans are made afterwards, so they have no children.
    Failed,
    /// No records, and no invocations.
    #[cfg_attr(not(feature = "otel"), default)]
    None,
}

/// `traceparent` in the form of version 00. *None: it is not valid.*
fn parent(value: &[u8]) -> Option<String> {
    let (first, rest) = value.split_at_checked(LEN)?;
    let text = std::str::from_utf8(first).ok()?;
    let hex = |range: Range<usize>| {
        let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let bytes = &first[range];
        bytes.iter().all(lower).then_some(bytes)
    };
    let some = |id: &[u8]| id.iter().any(|digit| *digit != b'0');
    let version = hex(0..2)?;
    let dashes = [2, TRACE_ID.end, PARENT_ID.end];
    let formed = dashes.iter().all(|at| first[*at] == b'-')
        && some(hex(TRACE_ID)?)
        && some(hex(PARENT_ID)?)
        && hex(FLAGS).is_some();
    let whole = match version {
        b"00" => rest.is_empty(),
        b"ff" => false,
        _ => rest.is_empty() || rest[0] == b'-',
    };
    if !formed || !whole {
        return None;
    }
    Some(match version {
        b"00" => text.to_owned(),
        _ => {
            let flags = u8::from_str_radix(&text[FLAGS], 16).ok()? & FLAGS_KNOWN;
            format!("00{}{flags:02x}", &text[2..FLAGS.start])
        }
    })
}

/// Whether `tracestate` is a list as the standard has it, and of a size that everybody passes on.
fn is_state(value: &[u8]) -> bool {
    if value.len() > TRACE_STATE_BYTES_MAX {
        return false;
    }
    let members: Vec<&[u8]> = value
        .split(|byte| *byte == b',')
        .map(trim)
        .filter(|member| !member.is_empty())
        .collect();
    let mut keys = Vec::with_capacity(members.len().min(TRACE_STATE_MEMBERS_MAX));
    (1..=TRACE_STATE_MEMBERS_MAX).contains(&members.len())
        && members.iter().all(|member| {
            let Some(at) = member.iter().position(|byte| *byte == b'=') else {
                return false;
            };
            let (key, value) = (&member[..at], &member[at + 1..]);
            let is_new = !keys.contains(&key);
            keys.push(key);
            is_new && is_key(key) && is_value(value)
        })
}

/// Optional white space around a member.
fn trim(member: &[u8]) -> &[u8] {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = member.iter().take_while(|byte| space(byte)).count();
    let member = &member[start..];
    let end = member.iter().rev().take_while(|byte| space(byte)).count();
    &member[..member.len() - end]
}

fn is_key(key: &[u8]) -> bool {
    const KEY_BYTES_MAX: usize = 256;
    let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z');
    let legal = |byte: &u8| lower(byte) || b"_-*/@".contains(byte);
    key.len() <= KEY_BYTES_MAX && key.first().is_some_and(lower) && key.iter().all(legal)
}

fn is_value(value: &[u8]) -> bool {
    const VALUE_BYTES_MAX: usize = 256;
    let legal = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b',' && *byte != b'=';
    (1..=VALUE_BYTES_MAX).contains(&value.len()) && value.iter().all(legal)
}

#[cfg(test)]
mod tests {
    use super::{is_state, parent};

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

    fn read(text: &str) -> Option<String> {
        parent(text.as_bytes())
    }

    #[test]
    fn a_trace_parent_of_version_00_is_taken_as_it_is() {
        for flags in ["00", "01", "ff"] {
            let text = format!("00-{ID}-{flags}");
            assert_eq!(read(&text), Some(text));
        }
    }

    #[test]
    fn a_later_version_counts_by_its_first_four_fields() {
        let read_as = |text: String, as_text: String| assert_eq!(read(&text), Some(as_text));

        read_as(format!("01-{ID}-01"), format!("00-{ID}-01"));
        read_as(format!("cc-{ID}-09-what-comes"), format!("00-{ID}-01"));
        read_as(format!("fe-{ID}-02-"), format!("00-{ID}-02"));
    }

    #[test]
    fn a_trace_parent_that_the_standard_refuses_is_none() {
        let refused = [
            String::new(),
            format!("ff-{ID}-01"),
            format!("0-{ID}-01"),
            format!("00-{ID}-1"),
            format!("00-{ID}-01-"),
            format!("00-{ID}-01 "),
            format!("01-{ID}-01x"),
            format!("0G-{ID}-01"),
            format!("00-{ID}-0G"),
            format!("00-{}-01", ID.to_uppercase()),
            format!("00_{ID}-01"),
            format!("00-{ID}_01"),
            format!("00-{}-01", ID.replace('-', "_")),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01".to_owned(),
            format!("00-{}é-01", &ID[2..]),
        ];

        for text in refused {
            assert_eq!(read(&text), None, "{text}");
        }
    }

    #[test]
    fn a_trace_state_is_a_list_of_pairs_with_distinct_keys() {
        let valid = [
            "a=1",
            "rojo=00f0,congo=t61",
            "a=1 ,\t b=2",
            "a=1,,b=2",
            "1a@b=x y",
            "a=/*~!",
        ];
        let refused = [
            "", ",", "a", "a=", "=1", "A=1", "a=1,a=2", "a=b=c", "a b=1", "a=é", "_a=1",
        ];

        for text in valid {
            assert!(is_state(text.as_bytes()), "{text}");
        }
        for text in refused {
            assert!(!is_state(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_trace_state_beyond_the_sizes_of_the_standard_is_none() {
        let members = |count: usize| {
            let members: Vec<String> = (0..count).map(|at| format!("k{at}=v")).collect();
            members.join(",")
        };
        let long = |bytes: usize| format!("a={},b={}", "x".repeat(256), "y".repeat(bytes - 261));

        assert!(is_state(members(32).as_bytes()));
        assert!(!is_state(members(33).as_bytes()));
        assert!(is_state(long(512).as_bytes()));
        assert!(!is_state(long(513).as_bytes()));
        assert!(!is_state(format!("a={}", "x".repeat(257)).as_bytes()));
        assert!(!is_state(format!("{}=1", "k".repeat(257)).as_bytes()));
    }
}
