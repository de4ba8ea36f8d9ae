//! Letters in a topic: each family by its headers, the group's position, and records that go back to a topic.

use msk_kafka::record::Header;
use msk_kafka::{EmbeddedBroker, Outgoing, Producer, Reader};
use msk_mapping::record::{Record, TopicPartition};
use serde_json::{Value, json};

use super::document;
use crate::support::{consumer_command, msk, stderr, stdout};

/// A letter with error headers of one family, whose record says what is to become of it.
fn letter(start: &str, fields: [(&str, Vec<u8>); 3], become_of: &str) -> (Vec<Header>, String) {
    let mut headers = vec![
        header("tenant", b"a".to_vec()),
        header("traceparent", b"00".to_vec()),
    ];
    let fields = fields.into_iter();
    headers.extend(fields.map(|(name, value)| header(&format!("{start}{name}"), value)));
    (headers, format!("{{\"become_of\":\"{become_of}\"}}"))
}

fn header(name: &str, value: Vec<u8>) -> Header {
    Header {
        name: name.to_owned(),
        value: Some(value.into()),
    }
}

fn text(start: &str, offset: i64, become_of: &str) -> (Vec<Header>, String) {
    let offset = offset.to_string().into_bytes();
    let fields = [
        ("topic", b"orders".to_vec()),
        ("partition", b"0".to_vec()),
        ("offset", offset),
    ];
    letter(start, fields, become_of)
}

fn spring(offset: i64) -> (Vec<Header>, String) {
    let fields = [
        ("original-topic", b"orders".to_vec()),
        ("original-partition", 0_i32.to_be_bytes().to_vec()),
        ("original-offset", offset.to_be_bytes().to_vec()),
    ];
    letter("kafka_dlt-", fields, "done")
}

/// A broker with these letters in the topic `dead`.
fn broker(letters: &[(Vec<Header>, String)]) -> EmbeddedBroker {
    let broker = EmbeddedBroker::start([("dead", 1), ("orders", 1)]).unwrap();
    let producer = Producer::new(&broker.cluster()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    for (headers, value) in letters {
        let mut outgoing = Outgoing::to("dead");
        outgoing.partition = Some(0);
        outgoing.value = Some(value.as_bytes());
        outgoing.headers = headers;
        runtime.block_on(producer.send(&[outgoing])).unwrap();
    }
    broker
}

fn source(broker: &EmbeddedBroker) -> String {
    format!("kafka://dead?bootstrap={}", broker.cluster().bootstrap())
}

fn committed(broker: &EmbeddedBroker) -> Option<i64> {
    let reader = Reader::new(&broker.cluster(), "cargo-msk-dlq.dead").unwrap();
    let dead = TopicPartition::new("dead", 0);
    reader.committed(&[dead]).unwrap()[0]
}

#[test]
fn the_position_stands_before_the_first_letter_that_is_not_settled() {
    let broker = broker(&[
        spring(1),
        text("__connect.errors.", 2, "done"),
        text("__streams.errors.", 3, "fail"),
        text("__dlq.errors.", 4, "done"),
        (Vec::new(), "no letter".to_owned()),
    ]);
    let to = format!("command:{}", consumer_command());
    let redrive = ["dlq", "redrive", "--from", &source(&broker), "--to", &to];

    let output = msk(&redrive, "");
    let listed = msk(&["dlq", "list", "--from", &source(&broker), "--json"], "");

    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("2 letters settled, 2 left"), "{said}");
    assert!(said.contains("a record without error headers"), "{said}");
    assert!(
        stderr(&output).contains("name no cluster"),
        "{}",
        stderr(&output)
    );
    assert_eq!(committed(&broker), Some(2));
    let document: Value = serde_json::from_str(&stdout(&listed)).unwrap();
    assert_eq!(document["count"], 2);
    assert_eq!(document["letters"][0]["shape"], "streams");
}

/// A share group's letter as it is unless the group copies records: neither key nor value.
#[test]
fn a_share_groups_letter_has_its_record_read_from_the_topic() {
    let broker = EmbeddedBroker::start([("dead", 1), ("orders", 1)]).unwrap();
    let producer = Producer::new(&broker.cluster()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let (headers, _) = text("__dlq.errors.", 0, "");
    let mut order = Outgoing::to("orders");
    (order.partition, order.value) = (Some(0), Some(br#"{"become_of":"done"}"#.as_slice()));
    let mut dead = Outgoing::to("dead");
    (dead.partition, dead.headers) = (Some(0), &headers);
    runtime.block_on(producer.send(&[order, dead])).unwrap();
    let to = format!("command:{}", consumer_command());
    let redrive = ["dlq", "redrive", "--from", &source(&broker), "--to", &to];

    let without = msk(&redrive, "");
    let forced = msk(&[&redrive[..], &["--force"]].concat(), "");

    assert_eq!(without.status.code(), Some(1), "{}", stderr(&without));
    let said = stdout(&without);
    assert!(said.contains("1 found, the letter has no times"), "{said}");
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert_eq!(committed(&broker), Some(1));
}

/// A letter with a copy of the record, which has neither its headers nor its time.
#[test]
fn the_record_of_a_share_groups_copy_is_the_topics_own_if_it_is_there() {
    let broker = EmbeddedBroker::start([("dead", 1), ("orders", 1), ("again", 1)]).unwrap();
    let producer = Producer::new(&broker.cluster()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let own = [header("tenant", b"a".to_vec())];
    let mut order = Outgoing::to("orders");
    (order.partition, order.headers) = (Some(0), &own);
    (order.value, order.timestamp) = (Some(b"{}".as_slice()), Some(7));
    let letters = [("0", b"{}".as_slice()), ("0", b"[]")].map(|(offset, value)| {
        let fields = [("topic", "orders"), ("partition", "0"), ("offset", offset)];
        let fields = fields
            .map(|(name, text)| header(&format!("__dlq.errors.{name}"), text.as_bytes().to_vec()));
        (fields, value)
    });
    let mut outgoing = vec![order];
    for (headers, value) in &letters {
        let mut letter = Outgoing::to("dead");
        (letter.partition, letter.headers, letter.value) = (Some(0), headers, Some(*value));
        outgoing.push(letter);
    }
    runtime.block_on(producer.send(&outgoing)).unwrap();
    let from = source(&broker);
    let redrive = [
        "dlq",
        "redrive",
        "--from",
        &from,
        "--to",
        "topic:again",
        "--yes",
    ];

    let output = msk(&redrive, "");

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut records: Vec<Record> = Vec::new();
    let reader = Reader::new(&broker.cluster(), "test").unwrap();
    let each = |record| {
        records.push(record);
        true
    };
    let again = TopicPartition::new("again", 0);
    reader.read(&again, 0, 2, each).unwrap();
    let names = |record: &Record| -> Vec<String> {
        record.headers.iter().map(|it| it.name.clone()).collect()
    };
    assert_eq!(names(&records[0]), ["tenant", "__lambda_msk.redrives"]);
    assert_eq!(records[0].timestamp, 7);
    // Another record stands there than the one that was copied.
    assert_eq!(names(&records[1]), ["__lambda_msk.redrives"]);
    assert_eq!(records[1].value.as_deref(), Some(b"[]".as_slice()));
}

#[test]
fn a_record_goes_back_to_its_topic_without_the_headers_of_its_error() {
    let broker = broker(&[spring(1)]);
    let args = [
        "dlq",
        "redrive",
        "--from",
        &source(&broker),
        "--to",
        "topic",
    ];

    let asked = msk(&args, "");
    let output = msk(&[&args[..], &["--yes"]].concat(), "");

    assert_eq!(asked.status.code(), Some(2));
    assert!(stderr(&asked).contains("--yes"), "{}", stderr(&asked));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut records: Vec<Record> = Vec::new();
    let reader = Reader::new(&broker.cluster(), "test").unwrap();
    let orders = TopicPartition::new("orders", 0);
    let each = |record| {
        records.push(record);
        true
    };
    reader.read(&orders, 0, 1, each).unwrap();
    assert_eq!(records.len(), 1);
    let names: Vec<&str> = records[0].headers.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["tenant", "__lambda_msk.redrives"]);
    assert_eq!(records[0].headers[1].value.as_deref(), Some(&b"1"[..]));
}

/// A record of `dead`: its headers, and its value.
type Dead = (Vec<Header>, Option<String>);

/// A broker with an order in `orders`, these records in `dead`, and a topic `secret` that nobody may read.
fn broker_with_order(dead: &[Dead]) -> EmbeddedBroker {
    let broker = EmbeddedBroker::start([("dead", 1), ("orders", 1), ("secret", 1)]).unwrap();
    broker.deny("secret").unwrap();
    let producer = Producer::new(&broker.cluster()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let mut order = Outgoing::to("orders");
    (order.partition, order.value) = (Some(0), Some(br#"{"become_of":"done"}"#.as_slice()));
    runtime.block_on(producer.send(&[order])).unwrap();
    for (headers, value) in dead {
        let mut outgoing = Outgoing::to("dead");
        (outgoing.partition, outgoing.headers) = (Some(0), headers);
        outgoing.value = value.as_ref().map(String::as_bytes);
        runtime.block_on(producer.send(&[outgoing])).unwrap();
    }
    broker
}

#[test]
fn a_topic_that_is_refused_leaves_its_letters_and_keeps_no_other_from_being_read() {
    let no_name = "x".repeat(600);
    let share = |topic: &str| {
        let fields = [("topic", topic), ("partition", "0"), ("offset", "0")];
        let header =
            |(name, text): (&str, &str)| header(&format!("__dlq.errors.{name}"), text.into());
        fields.map(header).to_vec()
    };
    let broker = broker_with_order(&[
        (share("secret"), None),
        (share(&no_name), None),
        (share("orders"), None),
        (share("secret"), Some(r#"{"become_of":"done"}"#.to_owned())),
    ]);
    let from = source(&broker);

    let listed = msk(&["dlq", "list", "--from", &from, "--json"], "");
    let redrive = [
        "dlq",
        "redrive",
        "--from",
        &from,
        "--to",
        "topic:orders",
        "--yes",
        "--force",
    ];
    let redriven = msk(&redrive, "");

    assert_eq!(listed.status.code(), Some(0), "{}", stderr(&listed));
    let list: Value = serde_json::from_str(&stdout(&listed)).unwrap();
    let only = &list["coordinatesOnly"];
    assert_eq!(
        (&only["letters"], only["asked"].as_array().map(Vec::len)),
        (&json!(3), Some(2)),
        "{list}"
    );
    assert!(
        stderr(&listed).contains("the records of 1 letter could not be read"),
        "{}",
        stderr(&listed)
    );
    // The copy is in the letter.
    assert_eq!(redriven.status.code(), Some(1), "{}", stderr(&redriven));
    let said = stdout(&redriven);
    assert!(said.contains("2 letters settled, 2 left"), "{said}");
    assert!(
        said.contains("coordinates only: give --bootstrap"),
        "{said}"
    );
    assert!(
        stderr(&redriven).contains("their copies go in their place"),
        "{}",
        stderr(&redriven)
    );
    // A cluster that is named for the records has to tell.
    let info =
        json!({"recordsInfo": {"secret-0": {"firstRecordOffset": "0", "lastRecordOffset": "0"}}});
    let letter = document(&json!({"KafkaBatchInfo": info})).to_string();
    let brokers = broker.cluster().bootstrap().to_owned();
    let named = msk(
        &["dlq", "list", "--from", "-", "--bootstrap", &brokers],
        &letter,
    );
    assert_eq!(named.status.code(), Some(2), "{}", stderr(&named));
    assert!(
        stderr(&named).contains("refuses this client"),
        "{}",
        stderr(&named)
    );
}

#[test]
fn the_records_of_another_cluster_are_not_looked_for_in_the_letters_own() {
    let of = |cluster: Value| {
        let mut info = json!({"recordsInfo": {"orders-0": {"firstRecordOffset": "0", "lastRecordOffset": "0"}}});
        let cluster = cluster.as_object().unwrap().clone();
        info.as_object_mut().unwrap().extend(cluster);
        (
            Vec::new(),
            Some(document(&json!({"KafkaBatchInfo": info})).to_string()),
        )
    };
    let broker = broker_with_order(&[
        of(json!({"eventSourceArn": "arn:aws:kafka:other"})),
        of(json!({"bootstrapServers": "other:9092,another:9092"})),
        of(json!({})),
    ]);
    let (from, to) = (source(&broker), format!("command:{}", consumer_command()));
    let brokers = broker.cluster().bootstrap().to_owned();
    let list = ["dlq", "list", "--from", &from, "--json"];
    let asked = |output: &std::process::Output| {
        let document: Value = serde_json::from_str(&stdout(output)).unwrap();
        document["coordinatesOnly"]["asked"]
            .as_array()
            .map(Vec::len)
    };

    let own = msk(&list, "");
    let given = msk(&[&list[..], &["--bootstrap", &brokers]].concat(), "");
    let redrive = ["dlq", "redrive", "--from", &from, "--to", &to, "--force"];
    let redriven = msk(&redrive, "");

    assert_eq!((asked(&own), asked(&given)), (Some(1), Some(3)));
    assert_eq!(redriven.status.code(), Some(1), "{}", stderr(&redriven));
    let said = stdout(&redriven);
    assert!(said.contains("1 letter settled, 2 left"), "{said}");
    assert_eq!(said.matches("give --bootstrap").count(), 2, "{said}");
}
