//! The function's response, and what it means to Lambda.

use msk_mapping::Ending;
use msk_mapping::response::{FailureReporting, Partition, Read, Verdict};

/// Most characters of a response that are shown: some lines of a terminal.
const ANSWER_CHARS_MAX: usize = 400;

/// The function's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownAnswer {
    /// The text, cut, on one line.
    pub(crate) text: String,
    /// The meaning for Lambda.
    pub(crate) means: String,
}

/// None: the function did not answer with a response.
pub(crate) fn answer(
    ending: &Ending,
    read: Option<&Read>,
    reporting: FailureReporting,
) -> Option<ShownAnswer> {
    let Ending::Response(body) = ending else {
        return None;
    };
    Some(ShownAnswer {
        text: shown(body),
        means: means(read, reporting),
    })
}

/// Control characters are escaped: they would drive the terminal.
fn shown(body: &[u8]) -> String {
    if body.is_empty() {
        return "(empty)".to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let mut shown = String::new();
    for character in text.chars().take(ANSWER_CHARS_MAX) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(ANSWER_CHARS_MAX).is_some() {
        shown += &format!("… ({} bytes)", body.len());
    }
    shown
}

fn means(read: Option<&Read>, reporting: FailureReporting) -> String {
    let Some(read) = read else {
        return "Lambda has nothing to commit: the event is not Kafka's".to_owned();
    };
    let sum = |count: fn(&Partition) -> usize| read.partitions().iter().map(count).sum::<usize>();
    let records = sum(|partition| partition.offsets().len());
    match (read.verdict(), reporting) {
        (Verdict::AllDone, _) if records == 0 => "the event has no record to settle".to_owned(),
        (Verdict::AllDone, FailureReporting::Partial) => {
            "the response lists no record: all are settled, and Lambda commits the batch".to_owned()
        }
        (Verdict::AllDone, FailureReporting::WholeBatch) => {
            "the mapping does not read the response: any response settles the batch, and Lambda commits it"
                .to_owned()
        }
        (Verdict::SomeAgain, _) => format!(
            "the response lists {} of {records} records as not done: Lambda redelivers them, as shown below.\n\
             The function's own output says why",
            sum(Partition::again)
        ),
        (Verdict::FailuresIgnored { listed }, _) => format!(
            "the response lists {listed} of {records} records as not done, but the mapping does not read the list"
        ),
        (Verdict::FailuresMisplaced { field, listed }, _) => format!(
            "the response lists {listed} of {records} records as not done under {field}, where Lambda does not look"
        ),
        _ => "Lambda cannot use this response".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{ANSWER_CHARS_MAX, shown};

    #[test]
    fn an_answer_is_shown_on_one_line_and_cannot_drive_the_terminal() {
        assert_eq!(shown(b"{\"a\":\n\x1b[31m1}"), "{\"a\":\\n\\u{1b}[31m1}");
        assert_eq!(shown(b""), "(empty)");
    }

    #[test]
    fn a_long_answer_is_cut_and_its_length_named() {
        let whole = "é".repeat(ANSWER_CHARS_MAX);

        assert_eq!(shown(whole.as_bytes()), whole);
        assert_eq!(
            shown(format!("{whole}x").as_bytes()),
            format!("{whole}… ({} bytes)", 2 * ANSWER_CHARS_MAX + 1)
        );
    }
}
