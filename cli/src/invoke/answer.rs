//! The function's own answer, and what it says to Lambda.

use msk_mapping::Ending;
use msk_mapping::response::{FailureReporting, Partition, Read, Verdict};

/// An answer is shown up to so many characters: some lines of a terminal.
const ANSWER_CHARS_MAX: usize = 400;

/// What the function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownAnswer {
    /// Its text, cut, on one line.
    pub(crate) text: String,
    /// What Lambda reads in it.
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
            "the answer lists no record: all are settled, and Lambda commits the batch".to_owned()
        }
        (Verdict::AllDone, FailureReporting::WholeBatch) => {
            "the mapping does not read it: any answer settles the batch, and Lambda commits it"
                .to_owned()
        }
        (Verdict::SomeAgain, _) => format!(
            "the answer lists {} of {records} records as not done: they come again, as shown below.\n\
             Why they are not done stands in the function's own output",
            sum(Partition::again)
        ),
        (Verdict::FailuresIgnored { listed }, _) => format!(
            "the answer lists {listed} of {records} records as not done, but the mapping does not read it"
        ),
        (Verdict::FailuresMisplaced { field, listed }, _) => format!(
            "the answer lists {listed} of {records} records as not done under {field}, where Lambda does not look"
        ),
        _ => "Lambda cannot use this answer".to_owned(),
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
