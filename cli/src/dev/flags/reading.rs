//! `--reading`: how to emulate behaviour that AWS does not document. Read by `settings`.

use std::fmt::Write;

use msk_mapping::machine::{
    Again, Age, Attempts, Bisecting, Exhausted, Halves, NextBatch, Nulls, PartialAnswer, Progress,
    ProtobufIndexes, Readings, Rebalance, Throttles, Window,
};

/// A question's answers, each by its name. The first is the default.
type Answers = &'static [(&'static str, fn(&mut Readings))];

/// A question that AWS's documentation does not answer, named as in [`Readings`].
struct Question {
    name: &'static str,
    asks: &'static str,
    answers: Answers,
}

/// One question, read in one way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading(fn(&mut Readings));

impl Reading {
    pub(crate) fn apply(self, readings: &mut Readings) {
        (self.0)(readings);
    }
}

const fn question(name: &'static str, asks: &'static str, answers: Answers) -> Question {
    Question {
        name,
        asks,
        answers,
    }
}

/// Which records are redelivered after a partial response. The names of these answers also work alone.
const AGAIN: Answers = &[
    ("only-listed", |r| r.again = Again::OnlyListed),
    ("from-lowest", |r| r.again = Again::FromLowest),
];

/// In the order of [`Readings`], which says of each why its default is the default.
const QUESTIONS: &[Question] = &[
    question(
        "again",
        "which records are redelivered after a partial response",
        AGAIN,
    ),
    question(
        "throttles",
        "whether a throttled invocation counts as an attempt",
        &[
            ("free", |r| r.throttles = Throttles::Free),
            ("count", |r| r.throttles = Throttles::Count),
        ],
    ),
    question(
        "attempts",
        "whether attempts are counted for a batch or a record",
        &[
            ("per-batch", |r| r.attempts = Attempts::PerBatch),
            ("per-record", |r| r.attempts = Attempts::PerRecord),
        ],
    ),
    question(
        "progress",
        "whether a response that settles some records resets the count of the others",
        &[
            ("keeps", |r| r.progress = Progress::Keeps),
            ("starts-anew", |r| r.progress = Progress::StartsAnew),
        ],
    ),
    question(
        "rebalance",
        "whether a rebalance resets the count",
        &[
            ("starts-anew", |r| r.rebalance = Rebalance::StartsAnew),
            ("keeps", |r| r.rebalance = Rebalance::Keeps),
        ],
    ),
    question(
        "bisecting",
        "what a bisection does to the count",
        &[
            ("free", |r| r.bisecting = Bisecting::Free),
            ("counts", |r| r.bisecting = Bisecting::Counts),
            ("starts-anew", |r| r.bisecting = Bisecting::StartsAnew),
        ],
    ),
    question(
        "partial-answer",
        "what a partial response does to a batch under bisection",
        &[
            ("splits-at-returned", |r| {
                r.partial_answer = PartialAnswer::SplitsAtReturned;
            }),
            ("halves", |r| r.partial_answer = PartialAnswer::Halves),
            ("unsplit", |r| r.partial_answer = PartialAnswer::Unsplit),
        ],
    ),
    question(
        "halves",
        "when the second half of a bisected batch is sent",
        &[
            ("in-sequence", |r| r.halves = Halves::InSequence),
            ("side-by-side", |r| r.halves = Halves::SideBySide),
        ],
    ),
    question(
        "exhausted",
        "which records are given up when the attempts after a partial response are used up",
        &[
            ("listed", |r| r.exhausted = Exhausted::Listed),
            ("from-lowest", |r| r.exhausted = Exhausted::FromLowest),
        ],
    ),
    question(
        "age",
        "whether the age of a record or of its batch counts",
        &[
            ("per-record", |r| r.age = Age::PerRecord),
            ("per-batch", |r| r.age = Age::PerBatch),
        ],
    ),
    question(
        "next-batch",
        "whether a partition's next batch waits for the retries of listed records",
        &[
            ("waits", |r| r.next_batch = NextBatch::Waits),
            ("goes-on", |r| r.next_batch = NextBatch::GoesOn),
        ],
    ),
    question(
        "window",
        "when the batching window of a partition's next batch begins",
        &[
            ("from-arrival", |r| r.window = Window::FromArrival),
            ("from-free", |r| r.window = Window::FromFree),
        ],
    ),
    question(
        "nulls",
        "how the event shows a missing key or value",
        &[
            ("absent", |r| r.nulls = Nulls::Absent),
            ("null", |r| r.nulls = Nulls::Null),
        ],
    ),
    question(
        "protobuf-indexes",
        "whether EventRecordFormat SOURCE leaves Protobuf's message indexes in place",
        &[
            ("kept", |r| r.protobuf_indexes = ProtobufIndexes::Kept),
            ("removed", |r| r.protobuf_indexes = ProtobufIndexes::Removed),
        ],
    ),
];

/// For clap: `NAME=VALUE`, or a value of `again` alone.
pub(crate) fn read(text: &str) -> Result<Reading, String> {
    let Some((name, value)) = text.split_once('=') else {
        return find(AGAIN, text).ok_or_else(|| {
            format!(
                "expected NAME=VALUE with NAME one of {}; or {} alone",
                names(),
                values(AGAIN, " or ")
            )
        });
    };
    let Some(question) = QUESTIONS.iter().find(|question| question.name == name) else {
        return Err(format!(
            "expected NAME to be one of {}, found `{name}`",
            names()
        ));
    };
    find(question.answers, value).ok_or_else(|| {
        format!(
            "expected {name} to be {}, found `{value}`",
            values(question.answers, " or ")
        )
    })
}

fn find(answers: Answers, value: &str) -> Option<Reading> {
    let found = answers.iter().find(|(name, _)| *name == value);
    found.map(|(_, set)| Reading(*set))
}

fn names() -> String {
    let names: Vec<&str> = QUESTIONS.iter().map(|question| question.name).collect();
    names.join(", ")
}

fn values(answers: Answers, between: &str) -> String {
    let names: Vec<&str> = answers.iter().map(|(name, _)| *name).collect();
    names.join(between)
}

/// What `--help` says: each question with its answers.
pub(crate) fn long_help() -> String {
    let mut text = String::from(
        "Choose how to emulate behaviour that AWS does not document: NAME=VALUE, repeatable. \
         The values of again also work alone. The first value of each is the default:\n",
    );
    for Question {
        name,
        asks,
        answers,
    } in QUESTIONS
    {
        let _ = write!(text, "\n{name}={}\n    {asks}", values(answers, "|"));
    }
    text
}

#[cfg(test)]
mod tests {
    use msk_mapping::machine::{Again, Readings};

    use super::{QUESTIONS, long_help, read};

    fn read_all(texts: &[&str]) -> Readings {
        let mut readings = Readings::default();
        for text in texts {
            read(text).unwrap().apply(&mut readings);
        }
        readings
    }

    /// `next_batch: GoesOn` of `Readings { …, next_batch: GoesOn, … }`, as flags write it.
    fn as_flags(readings: Readings) -> Vec<String> {
        let mut flags = Vec::new();
        let shown = format!("{readings:?}");
        let fields = shown
            .trim_start_matches("Readings { ")
            .trim_end_matches(" }");
        for field in fields.split(", ") {
            let (name, variant) = field.split_once(": ").unwrap();
            let mut value = String::new();
            for char in variant.chars() {
                if char.is_uppercase() && !value.is_empty() {
                    value.push('-');
                }
                value.push(char.to_ascii_lowercase());
            }
            flags.push(format!("{}={value}", name.replace('_', "-")));
        }
        flags
    }

    #[test]
    fn every_question_is_there_by_its_name_and_its_first_answer_is_the_default() {
        let first =
            |question: &super::Question| format!("{}={}", question.name, question.answers[0].0);

        let defaults: Vec<String> = QUESTIONS.iter().map(first).collect();

        assert_eq!(defaults, as_flags(Readings::default()));
    }

    #[test]
    fn each_answer_turns_its_own_question_and_no_other() {
        for (index, question) in QUESTIONS.iter().enumerate() {
            for (value, _) in question.answers {
                let flag = format!("{}={value}", question.name);

                let read = as_flags(read_all(&[&flag]));

                let mut expected = as_flags(Readings::default());
                expected[index] = flag;
                assert_eq!(read, expected);
            }
        }
    }

    #[test]
    fn the_values_of_again_stand_alone_and_the_last_of_a_name_counts() {
        assert_eq!(read_all(&["from-lowest"]).again, Again::FromLowest);
        let twice = read_all(&["from-lowest", "again=only-listed"]);
        assert_eq!(twice.again, Again::OnlyListed);
    }

    #[test]
    fn what_there_is_not_is_answered_with_what_there_is() {
        let refused = |text| read(text).unwrap_err();

        assert!(refused("lowest").contains("only-listed or from-lowest alone"));
        assert!(refused("throttle=free").contains("one of again, throttles, attempts,"));
        assert_eq!(
            refused("bisecting=no"),
            "expected bisecting to be free or counts or starts-anew, found `no`"
        );
        assert!(long_help().contains("\nnext-batch=waits|goes-on\n"));
    }
}
