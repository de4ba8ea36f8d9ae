//! A run as lines of text, one an event, with virtual times; and the hash by which two runs are told apart.

use std::fmt::Write;

use crate::fact::{Answer, Fact, What};
use crate::oracle::Violation;

/// The facts of a run, and between them the violations, as text.
pub fn text(facts: &[Fact], violations: &[Violation]) -> String {
    let mut text = String::new();
    // Of what is only asked for, the call's own line tells.
    let told = |fact: &&Fact| !matches!(fact.what, What::Writes { .. });
    for fact in facts.iter().filter(told) {
        // Writing into a String does not fail.
        let _ = writeln!(text, "{:>9} ms  {}", fact.at_ms, line(&fact.what));
    }
    for violation in violations {
        let _ = writeln!(
            text,
            "{:>9} ms  BROKEN: {}: {}",
            violation.at_ms, violation.invariant, violation.text
        );
    }
    text
}

/// The hash of all facts, in order: two equal runs have the same.
pub fn hash(facts: &[Fact]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for fact in facts {
        hasher.update(format!("{fact:?}").as_bytes());
    }
    hasher.finalize()
}

fn line(what: &What) -> String {
    match what {
        What::Appended {
            record,
            partition,
            offset,
            key,
            ..
        } => {
            let key = key.map(|key| format!(", key k{key}")).unwrap_or_default();
            format!("appended: record {record} at orders-{partition}@{offset}{key}")
        }
        What::Erased { record } => format!("erased: record {record}"),
        What::Delivered {
            invocation,
            environment,
            records,
            redrive,
        } => {
            let how = if *redrive { ", fed back" } else { "" };
            format!(
                "invocation {invocation} in environment {environment}: records {records:?}{how}"
            )
        }
        What::AtLeastOnce { environment } => {
            format!("environment {environment} runs records at least once")
        }
        What::Looked {
            invocation,
            record,
            panics,
        } => {
            let how = if *panics {
                ", and an extractor panics"
            } else {
                ""
            };
            format!("invocation {invocation}: it is the turn of record {record}{how}")
        }
        What::SaidStarted { invocation, record } => {
            format!("invocation {invocation}: a letter says that record {record} was started")
        }
        What::Called {
            invocation,
            call,
            records,
        } => format!("invocation {invocation}: call {call} has records {records:?}"),
        What::Spoiled { call, record, .. } => format!("record {record} spoils call {call}"),
        What::CallOver { invocation, call } => {
            format!("invocation {invocation}: call {call} is over")
        }
        What::Started { invocation, record } => {
            format!("invocation {invocation}: record {record} starts")
        }
        What::Ended {
            invocation,
            record,
            how,
        } => format!("invocation {invocation}: record {record} ends: {how:?}"),
        What::Landed { invocation, record } => {
            format!(
                "the letter of record {record} is at the destination, from invocation {invocation}"
            )
        }
        What::Confirmed { invocation, record } => {
            format!("invocation {invocation}: the letter of record {record} is confirmed")
        }
        What::Answered { invocation, answer } => match answer {
            Answer::Error => format!("invocation {invocation} answers: an error"),
            Answer::Listed(listed) => {
                let listed: Vec<String> = listed
                    .iter()
                    .map(|(at, offset)| format!("{at}@{offset}"))
                    .collect();
                format!(
                    "invocation {invocation} answers: not done [{}]",
                    listed.join(", ")
                )
            }
        },
        What::Overdue { invocation } => format!("invocation {invocation} is past its deadline"),
        What::Killed { environment } => format!("environment {environment} is killed"),
        What::HeldUp { invocation } => {
            format!("invocation {invocation} is held up by the destination")
        }
        What::Faulted { invocation } => format!("invocation {invocation} has met a fault"),
        What::Committed { log, position } => format!("log {log} is committed up to {position}"),
        What::Acquired { record } => format!("acquired: record {record}"),
        What::Accepted { record } => format!("accepted: record {record}"),
        What::Archived { record } => format!("archived: record {record}"),
        What::SetBack { log } => format!("the group begins log {log} anew"),
        What::GivenUp { record, why } => format!("the mapping gives up record {record}: {why:?}"),
        What::Throttled { records } => format!("throttled: records {records:?}"),
        What::Quiet => "from now on nothing fails".to_owned(),
        What::Over { lag } => format!("over; lag {lag}"),
        What::Note(line) => line.clone(),
        items => of_the_store(items),
    }
}

/// What befalls items of a store.
fn of_the_store(what: &What) -> String {
    match what {
        What::Taken { item, invocation } => {
            format!(
                "invocation {invocation} has taken the ledger of partition {}",
                item.partition
            )
        }
        What::Read {
            item, invocation, ..
        } => {
            format!(
                "invocation {invocation} reads the ledger of partition {}",
                item.partition
            )
        }
        What::Told { invocation, .. } => {
            format!("invocation {invocation} knows what it has read")
        }
        What::Stands {
            stored, version, ..
        } => format!("item {stored} is at version {version}"),
        What::Shown { item, invocation } => {
            format!(
                "invocation {invocation} is refused the ledger of partition {}",
                item.partition
            )
        }
        What::Written {
            item,
            invocation,
            settled,
            given_back,
            ..
        } => {
            let back = if *given_back { ", given back" } else { "" };
            format!(
                "the ledger of partition {} is written by invocation {invocation}: settled {settled:?}{back}",
                item.partition
            )
        }
        What::Claimed {
            partition,
            offset,
            invocation,
            ..
        } => format!("invocation {invocation} has claimed orders-{partition}@{offset}"),
        What::Noted {
            partition,
            offset,
            invocation,
            ..
        } => format!(
            "orders-{partition}@{offset} is settled in the store, by invocation {invocation}"
        ),
        What::Released {
            partition,
            offset,
            invocation,
            ..
        } => format!("invocation {invocation} has released orders-{partition}@{offset}"),
        What::Unmarked {
            partition, offset, ..
        } => {
            format!("what was known of orders-{partition}@{offset} is deleted")
        }
        What::Deleted { item } => format!("the ledger of partition {} is deleted", item.partition),
        other => of_schemas(other),
    }
}

/// What is asked of the schema registry, and what comes of it.
fn of_schemas(what: &What) -> String {
    match what {
        What::Framed { record, schema, .. } => format!("record {record} is of schema {schema}"),
        What::SchemaAsked { invocation, schema } => {
            format!("invocation {invocation} asks for schema {schema}")
        }
        What::SchemaAnswered {
            invocation,
            schema,
            answer,
        } => format!("schema {schema}, asked by invocation {invocation}: {answer:?}"),
        What::Unread {
            invocation,
            record,
            why,
        } => format!("invocation {invocation}: record {record} is not read: {why:?}"),
        What::SaidUnread { invocation, record } => {
            format!(
                "invocation {invocation}: a letter says that record {record} was not read because of its schema"
            )
        }
        other => format!("{other:?}"),
    }
}
