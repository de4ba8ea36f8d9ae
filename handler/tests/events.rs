//! What the sample function does with each file of `events/`, as its README says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lambda_msk::testing::{Event, invoke};
use lambda_msk::{Error, Outcome};

/// `D`one or `R`ejected, in the event's order; empty for an event that is refused.
const FILES: [(&str, &str); 10] = [
    ("empty.json", ""),
    ("headers.json", "DDDDDDDD"),
    ("one-order.json", "D"),
    ("orders.json", "DDDDDDD"),
    ("poison.json", "DRDDRD"),
    ("schema-metadata.json", "DD"),
    ("self-managed.json", "DD"),
    ("several-topics.json", ""),
    ("sqs-by-mistake.json", ""),
    ("tombstones-and-absent-keys.json", "DDDRRRD"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

async fn outcomes(file: &str) -> (Vec<(String, Outcome)>, Option<Error>) {
    let letters =
        std::env::temp_dir().join(format!("lambda-msk-{}-{file}.ndjson", std::process::id()));
    let variable = (
        "LAMBDA_MSK_ON_FAILURE".to_owned(),
        format!("file:{}", letters.display()),
    );
    let consumer = handler::consumer([variable]).unwrap();
    let event = Event::from_file(folder().join(file)).unwrap();
    let invoked = invoke(&consumer, event).await;
    let _ = std::fs::remove_file(&letters);
    let records = invoked.records().iter();
    let outcomes = records.map(|report| (report.record.topic().to_owned(), report.outcome));
    let outcomes = outcomes.collect();
    (outcomes, invoked.into_response().err())
}

#[tokio::test]
async fn every_file_ends_as_its_readme_says() {
    for (file, expected) in FILES {
        let (outcomes, error) = outcomes(file).await;
        let letters: String = outcomes
            .iter()
            .map(|(_, outcome)| {
                if *outcome == Outcome::Rejected {
                    'R'
                } else {
                    'D'
                }
            })
            .collect();
        match file {
            "sqs-by-mistake.json" => assert_eq!(error.unwrap().code(), "event.not_kafka"),
            "several-topics.json" => {
                assert!(error.is_none());
                for (topic, outcome) in &outcomes {
                    let expected = if topic == "orders" {
                        Outcome::Done
                    } else {
                        Outcome::Rejected
                    };
                    assert_eq!(*outcome, expected, "{topic}");
                }
                assert!(outcomes.len() > 5);
            }
            _ => {
                assert!(error.is_none(), "{file}: {error:?}");
                assert_eq!(letters, expected, "{file}");
            }
        }
    }
}

#[test]
fn every_file_is_listed_and_has_its_line_in_the_readme() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();

    let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();

    assert_eq!(files, listed);
    for file in files {
        assert!(readme.contains(&format!("| `{file}` |")), "{file}");
    }
}
