//! What came of one event, as the function's answer says it.

use msk_mapping::response::{Event, FailureReporting, Partition, Read};

/// What came of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// Each of its records is settled.
    Settled,
    /// At least one is not, and why.
    Failed(String),
    /// Nobody knows, since Ctrl-C ended a pause between two tries.
    #[cfg_attr(
        not(feature = "aws"),
        allow(dead_code, reason = "only Lambda is tried again")
    )]
    Interrupted,
}

/// What an answer says of an event's records.
pub(crate) fn read(event: &str, answer: &[u8]) -> Delivered {
    let Ok(event) = Event::parse(event.as_bytes()) else {
        return Delivered::Failed("the letter's event has no record".to_owned());
    };
    let read = Read::response(&event, answer, FailureReporting::Partial);
    if read.all_done() {
        return Delivered::Settled;
    }
    let listed: usize = read.partitions().iter().map(Partition::again).sum();
    Delivered::Failed(match listed {
        0 => "the function lists failures where Lambda does not read them".to_owned(),
        _ => {
            "the function's answer lists its record as not done: its own output says why".to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Delivered, read};

    const EVENT: &str = r#"{"eventSource":"aws:kafka","records":{"orders-0":[{"topic":"orders","partition":0,"offset":41}]}}"#;

    #[test]
    fn only_an_answer_that_does_not_list_the_record_settles_it() {
        let listed =
            br#"{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-0","offset":41}}]}"#;

        assert_eq!(
            read(EVENT, br#"{"batchItemFailures":[]}"#),
            Delivered::Settled
        );
        for answer in [&listed[..], b"not JSON", br#"{"batchItemFailures":[{}]}"#] {
            assert!(matches!(read(EVENT, answer), Delivered::Failed(_)));
        }
    }
}
