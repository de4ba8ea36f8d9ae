//! The questions to the topics.

use std::collections::BTreeMap;

use msk_kafka::{Cluster, Error, Reader};
use msk_mapping::event::{Envelope, Nulls, Source};
use msk_mapping::record::{Record, TopicPartition};

use super::state::{Answers, State};
use crate::dev;
use crate::dlq::aside::aside;
use crate::dlq::flags;
use crate::dlq::letter::{Event, Letter, Span};
use crate::dlq::source::topic::{after, cluster};
use crate::fault::Fault;

/// The group's name of the reader, which never commits.
const GROUP: &str = "cargo-msk-dlq";

/// Asks for the records of letters, until so many topics are refused.
pub(super) async fn ask(
    from: &flags::From,
    brokers: &str,
    letters: &[&Letter],
    refused_max: usize,
) -> Result<Answers, Fault> {
    let cluster = cluster(Some(brokers), &from.reach()).await?;
    let letters: Vec<Letter> = letters.iter().copied().cloned().collect();
    let asking = cluster.clone();
    let asked = aside(move || {
        let reader = Reader::new(&asking, GROUP)?;
        let one = |letter: &Letter| state(&reader, letter);
        Ok(each(&letters, refused_max, one))
    });
    let asked: Result<Answers, Error> = asked.await?;
    let mut answers = asked.map_err(|error| dev::failed::kafka(&error))?;
    until(&cluster, &mut answers.states).await;
    Ok(answers)
}

/// The state of each letter. A topic that was refused is not asked for again.
fn each(
    letters: &[Letter],
    refused_max: usize,
    mut state: impl FnMut(&Letter) -> Result<State, (String, Error)>,
) -> Answers {
    let mut answers = Answers::default();
    for letter in letters {
        let is_refused = |span: &Span| answers.topics.contains(&span.topic);
        if letter.spans.iter().any(is_refused) {
            continue;
        }
        match state(letter) {
            Ok(state) => {
                answers.states.insert(letter.id.clone(), state);
            }
            Err((topic, error)) => {
                answers
                    .refusal
                    .get_or_insert_with(|| dev::failed::kafka(&error));
                answers.topics.push(topic);
            }
        }
        if answers.topics.len() >= refused_max {
            break;
        }
    }
    answers
}

/// Asks how long topics keep their records.
async fn until(cluster: &Cluster, states: &mut BTreeMap<String, State>) {
    let mut kept: BTreeMap<String, Option<i64>> = BTreeMap::new();
    for state in states.values_mut() {
        let partitions = state.event.iter().flat_map(|event| &event.partitions);
        for raw in partitions.flat_map(|partition| &partition.records) {
            let ms = match kept.get(&raw.topic) {
                Some(ms) => *ms,
                None => {
                    let told = cluster.retention(&raw.topic).await;
                    let ms = told.and_then(|told| told.ms);
                    kept.insert(raw.topic.clone(), ms);
                    ms
                }
            };
            let times = raw.timestamp.filter(|ms| *ms >= 0).zip(ms);
            let deleted = times.and_then(|(written, ms)| after(written, ms));
            state.until = [state.until, deleted].into_iter().flatten().min();
        }
    }
}

/// What the topics have of a letter, or the one of them that is refused.
fn state(reader: &Reader, letter: &Letter) -> Result<State, (String, Error)> {
    let mut state = State::default();
    let mut records = Vec::new();
    for span in &letter.spans {
        let found = of_span(reader, span, &mut state);
        records.extend(found.map_err(|error| (span.topic.clone(), error))?);
    }
    state.found = records.len();
    state.event = event(letter, &records);
    Ok(state)
}

/// The records of one partition.
fn of_span(reader: &Reader, span: &Span, state: &mut State) -> Result<Vec<Record>, Error> {
    let partition = TopicPartition::new(span.topic.as_str(), span.partition);
    let known = match reader.partitions(&span.topic) {
        Ok(known) => known.contains(&partition),
        Err(Error::UnknownTopic { .. }) => false,
        Err(error) => return Err(error),
    };
    if !known {
        state.another = true;
        return Ok(Vec::new());
    }
    let (first, end) = reader.bounds(&partition)?;
    let mut found = Vec::new();
    let from = span.first.max(first);
    let until = end.min(span.last.saturating_add(1));
    reader.read(&partition, from, until, |record| {
        found.push(record);
        true
    })?;
    judge(state, span, first, end, &found);
    Ok(found)
}

/// Adds what was found of one partition.
fn judge(state: &mut State, span: &Span, first: i64, end: i64, found: &[Record]) {
    let wanted = (span.last - span.first).saturating_add(1);
    let deleted = first.saturating_sub(span.first).clamp(0, wanted);
    state.deleted += deleted;
    let found_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    state.compacted += (wanted - deleted - found_count).max(0);
    let differs = |offset: i64, ms: Option<i64>| {
        let record = found.iter().find(|record| record.offset == offset);
        matches!((record, ms), (Some(record), Some(ms)) if record.timestamp != ms)
    };
    state.timeless |= span.first_ms.is_none() || span.last_ms.is_none();
    state.another |=
        end <= span.last || differs(span.first, span.first_ms) || differs(span.last, span.last_ms);
    if let (Some(from), Some(to)) = (span.first_ms, span.last_ms) {
        let within = from.min(to)..=from.max(to);
        let outside = |record: &&Record| !within.contains(&record.timestamp);
        state.outside += found.iter().filter(outside).count();
    }
}

fn event(letter: &Letter, records: &[Record]) -> Option<Event> {
    let bootstrap_servers = letter.brokers.clone();
    let source = match &letter.arn {
        Some(arn) => Source::Msk {
            arn: arn.clone(),
            bootstrap_servers,
        },
        None => Source::SelfManaged { bootstrap_servers },
    };
    Event::parse(&Envelope::new(source, Nulls::Absent).event(records))
}

#[cfg(test)]
mod tests {
    use msk_kafka::Error;
    use msk_mapping::record::{Record, TopicPartition};

    use super::{each, judge};
    use crate::dlq::letter::{Content, Letter, Shape, Span};
    use crate::dlq::reached::state::State;

    fn judged(first: i64, end: i64, found: &[(i64, i64)]) -> State {
        judged_with((Some(100), Some(130)), first, end, found)
    }

    fn judged_with(
        (first_ms, last_ms): (Option<i64>, Option<i64>),
        first: i64,
        end: i64,
        found: &[(i64, i64)],
    ) -> State {
        let span = Span {
            topic: "orders".to_owned(),
            partition: 0,
            first: 10,
            last: 13,
            first_ms,
            last_ms,
        };
        let record = |(offset, ms): &(i64, i64)| {
            Record::new(TopicPartition::new("orders", 0), *offset).with_timestamp(*ms)
        };
        let found: Vec<Record> = found.iter().map(record).collect();
        let mut state = State {
            found: found.len(),
            ..State::default()
        };
        judge(&mut state, &span, first, end, &found);
        state
    }

    fn letter(id: &str, topic: &str) -> Letter {
        let span = Span {
            topic: topic.to_owned(),
            partition: 0,
            first: 0,
            last: 0,
            first_ms: None,
            last_ms: None,
        };
        Letter {
            id: id.to_owned(),
            shape: Shape::ShareGroup,
            code: String::new(),
            message: String::new(),
            written: None,
            function_arn: None,
            group: None,
            attempts: None,
            redrives: 0,
            arn: None,
            brokers: None,
            spans: vec![span],
            content: Content::Coordinates,
        }
    }

    #[test]
    fn a_topic_that_is_refused_is_asked_for_once_and_hides_no_other() {
        let letters = ["a", "no-1", "b", "no-1", "no-2", "c"];
        let letters = letters.map(|topic| letter(&format!("of {topic}"), topic));
        for (refused_max, told, asked_for) in [
            (3, &["of a", "of b", "of c"][..], 5),
            (2, &["of a", "of b"], 4),
            (1, &["of a"], 2),
        ] {
            let mut asked = 0;

            let answers = each(&letters, refused_max, |letter| {
                asked += 1;
                let topic = letter.topic().to_owned();
                match topic.starts_with("no") {
                    true => Err((topic, Error::client("no"))),
                    false => Ok(State::default()),
                }
            });

            assert_eq!(answers.states.keys().collect::<Vec<_>>(), told);
            assert_eq!(asked, asked_for, "{refused_max}");
            assert_eq!(answers.topics[0], "no-1");
            assert!(answers.refusal.is_some());
        }
    }

    #[test]
    fn each_offset_is_found_compacted_or_deleted() {
        let all = [(10, 100), (11, 110), (12, 90), (13, 130)];

        assert_eq!(
            judged(0, 20, &all).text(),
            "4 found, 1 with a time outside of the batch's"
        );
        assert!(judged(0, 20, &all).is_whole());
        assert_eq!(
            judged(0, 20, &[all[0], all[3]]).text(),
            "2 found, 2 compacted or a marker"
        );
        let late = judged(12, 20, &all[2..]);
        assert_eq!(late.deleted, 2);
        assert!(!late.is_whole());
    }

    #[test]
    fn a_topic_that_was_made_anew_has_another_record() {
        let all = [(10, 100), (11, 110), (12, 120), (13, 131)];

        for another in [judged(0, 20, &all), judged(0, 12, &all[..2])] {
            assert!(another.another && !another.is_whole(), "{another:?}");
        }
    }

    #[test]
    fn a_letter_is_whole_with_each_record_and_times_that_prove_them() {
        let all = [(10, 100), (11, 110), (12, 120), (13, 130)];

        for part in [&all[1..], &all[..3], &[all[0], all[2], all[3]]] {
            assert!(!judged(0, 20, part).is_whole(), "{part:?}");
        }
        for times in [(None, Some(130)), (Some(100), None)] {
            let state = judged_with(times, 0, 20, &all);
            assert!(!state.is_whole());
            assert!(state.text().contains("no times"), "{}", state.text());
        }
        assert!(judged(0, 20, &all).is_whole());
    }
}
