//! Every variable that the guide, the template and the Makefile name is one that the function reads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// No variable takes this: neither a number nor a name, and not of visible ASCII.
const NONSENSE: &str = "é é";

/// The files that name variables: the pages of the guide, and what a deployment is made of.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guide = std::fs::read_dir(root.join("docs/src")).unwrap();
    let pages = guide.map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let others = ["README.md", "template.yaml", "Makefile"];
    pages.chain(others.map(|name| root.join(name))).collect()
}

fn variables(file: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let word = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    text.split(|letter| !word(letter))
        .filter(|name| name.starts_with("LAMBDA_MSK_") && !name.ends_with('_'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_variable_that_is_named_is_read() {
    let mut named = BTreeSet::new();
    for file in files() {
        for name in variables(&file) {
            let error = handler::consumer([(name.clone(), NONSENSE.to_owned())]).unwrap_err();
            let file = file.display();
            assert!(error.to_string().contains(&name), "{file}: {name}: {error}");
            named.insert(name);
        }
    }
    assert!(named.len() > 10, "{named:?}");
}

#[test]
fn a_value_that_is_refused_is_named_with_its_variable() {
    for name in ["ORDERS_TOPIC", "FULFILMENT_URL"] {
        let error = handler::consumer([(name.to_owned(), NONSENSE.to_owned())]).unwrap_err();

        let error = error.to_string();
        assert!(error.contains(&format!("{name}: ")), "{name}: {error}");
        assert!(!error.contains(".topic("), "{name}: {error}");
    }
}

#[tokio::test]
async fn the_topic_is_that_of_the_environment_and_another_one_is_not_taken_for_it() {
    use lambda_msk::Outcome;
    use lambda_msk::testing::{Event, Sample, invoke};

    let outcome = async |variables: &[(&str, &str)], topic: &str| {
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let consumer = handler::consumer(variables).unwrap();
        let order = r#"{"order_id":1,"customer_id":"c","amount_cents":1}"#;
        let event = Event::msk()
            .record(Sample::new(topic, 0).value(order))
            .build();
        invoke(&consumer, event).await.records()[0].outcome
    };

    let named = [("ORDERS_TOPIC", "prod.orders")];
    assert_eq!(outcome(&named, "prod.orders").await, Outcome::Done);
    assert_eq!(outcome(&named, "orders").await, Outcome::Failed);
    assert_eq!(
        outcome(&[("ORDERS_TOPIC", "")], "orders").await,
        Outcome::Done
    );
    assert_eq!(outcome(&[], "orders").await, Outcome::Done);
}
