//! A table's rows, kept from the changes that Debezium writes to Kafka.
//!
//! `TOPIC` names the topic: Debezium's topics are called `SERVER.SCHEMA.TABLE`, and each holds the changes of one table.
//! The key of a record is the primary key of its row, so the changes of a row stay in order while different rows are
//! handled side by side.

mod change;
mod rows;

use lambda_msk::builder::Builder;
use lambda_msk::{Consumer, Failure, Json, ProcessingOrder, State};
use serde::Deserialize;

pub use crate::change::{Change, Op, Source};
pub use crate::rows::Rows;

/// The topic, unless `TOPIC` names another: template.yaml sets it to the topic that the mapping reads.
const TOPIC: &str = "shop.public.customers";

/// A row of the table. Columns that are not named here are ignored.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Customer {
    /// The primary key.
    pub id: u64,
    /// The address for mail. *None: NULL, or a column that the database left out of a delete.*
    pub email: Option<String>,
}

/// The consumer, with its topic from the environment.
pub fn consumer() -> Builder<Rows<Customer>> {
    // An empty variable counts as unset; one that is not UTF-8 is no topic's name, and refused as such.
    let topic = std::env::var_os("TOPIC").filter(|topic| !topic.is_empty());
    let topic = topic.map(|topic| topic.to_string_lossy().into_owned());
    consumer_of(topic.as_deref().unwrap_or(TOPIC), Rows::new())
}

/// The consumer of a topic that keeps these rows.
fn consumer_of(topic: &str, customers: Rows<Customer>) -> Builder<Rows<Customer>> {
    Consumer::builder()
        .state(customers)
        .order(ProcessingOrder::Key)
        .topic(topic, apply)
}

/// Handles one record: a change, or the tombstone (a record without a value) that follows a delete.
async fn apply(
    change: Option<Json<Change<Customer>>>,
    State(customers): State<Rows<Customer>>,
) -> Result<(), Failure> {
    let Some(Json(change)) = change else {
        // For Kafka, which forgets a key's older records at a tombstone. The delete before it was for us.
        return Ok(());
    };
    let ts_ms = change.source.ts_ms;
    match (change.op, change.before, change.after) {
        (Op::Create | Op::Update | Op::Read, _, Some(row)) => {
            customers.keep(row.id, ts_ms, Some(row));
            Ok(())
        }
        (Op::Delete, Some(row), None) => {
            customers.keep(row.id, ts_ms, None);
            Ok(())
        }
        (Op::Other, ..) => Err(Failure::reject("expected a change of one row").code("cdc.op")),
        _ => Err(
            Failure::reject("expected the row after a change, or the row before a delete")
                .code("cdc.no_row"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use lambda_msk::Outcome::{Done, Rejected};
    use lambda_msk::destination::MemoryDestination;
    use lambda_msk::testing::{Event, Sample, invoke};
    use serde_json::{Value, json};

    use super::{Customer, Rows, TOPIC, consumer_of};

    /// What the consumer made of an event: an outcome for each record, and the rows.
    async fn run(event: impl Into<Event>) -> (Vec<lambda_msk::Outcome>, Rows<Customer>) {
        let customers = Rows::new();
        let consumer = consumer_of(TOPIC, customers.clone())
            .on_failure(MemoryDestination::new())
            .build()
            .expect("the consumer is configured");
        let invoked = invoke(&consumer, event).await;
        (invoked.outcomes(), customers)
    }

    fn row(id: u64, email: &str) -> Value {
        json!({"id": id, "email": email, "name": "Ada"})
    }

    /// A record of a change at that time.
    fn change(op: &str, ts_ms: i64, before: Value, after: Value) -> Sample {
        let row = if after.is_null() { &before } else { &after };
        let key = json!({"id": row["id"]}).to_string();
        let source = json!({"connector": "postgresql", "table": "customers", "ts_ms": ts_ms});
        let value = json!({"op": op, "before": before, "after": after, "source": source, "ts_ms": ts_ms + 87});
        Sample::new(TOPIC, 0).key(key).json(&value)
    }

    /// The record that follows a delete.
    fn tombstone(id: u64) -> Sample {
        Sample::new(TOPIC, 0).key(json!({"id": id}).to_string())
    }

    fn customer(id: u64, email: &str) -> Option<Customer> {
        let email = Some(email.to_owned());
        Some(Customer { id, email })
    }

    #[tokio::test]
    async fn a_row_is_inserted_updated_and_deleted() {
        let event = Event::msk()
            .record(change("r", 1, Value::Null, row(7, "old")))
            .record(change("c", 2, Value::Null, row(9, "grace")))
            .record(change("u", 3, row(7, "old"), row(7, "new")))
            .record(change("d", 4, row(9, "grace"), Value::Null))
            .record(tombstone(9));

        let (outcomes, customers) = run(event).await;

        assert_eq!(outcomes, [Done; 5]);
        assert_eq!(customers.get(7), customer(7, "new"));
        assert_eq!(customers.get(9), None);
    }

    #[tokio::test]
    async fn a_change_that_comes_again_brings_no_deleted_row_back() {
        let inserted = || change("c", 2, Value::Null, row(9, "grace"));
        let event = Event::msk()
            .record(inserted())
            .record(change("d", 4, row(9, "grace"), Value::Null))
            .record(tombstone(9))
            .record(inserted());

        let (outcomes, customers) = run(event).await;

        assert_eq!(outcomes, [Done; 4]);
        assert_eq!(customers.get(9), None);
    }

    #[tokio::test]
    async fn what_is_no_change_of_a_row_is_rejected_and_the_next_one_is_done() {
        let event = Event::msk()
            .record(change("t", 1, Value::Null, Value::Null))
            .record(change("u", 2, row(7, "old"), Value::Null))
            .record(Sample::new(TOPIC, 0).key("k").value("no change"))
            .record(change("u", 3, Value::Null, row(7, "new")));

        let (outcomes, customers) = run(event).await;

        assert_eq!(outcomes, [Rejected, Rejected, Rejected, Done]);
        assert_eq!(customers.get(7), customer(7, "new"));
    }

    #[tokio::test]
    async fn every_record_of_the_sample_event_is_done() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/events/changes.json");

        let (outcomes, customers) = run(Event::from_file(file).expect("an event")).await;

        assert_eq!(outcomes, [Done; 6]);
        assert_eq!(customers.get(7), customer(7, "ada@example.org"));
        assert_eq!(customers.get(12), None);
    }
}
