//! Each extractor: what is there, what is malformed, what is absent.

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::delivery::{Delivery, IdempotencyKey};
use crate::extract::{
    Attempt, BigEndian, FromBytes, FromHeader, FromRecord, FromRef, Header, Json, JsonRejection,
    Key, Parsed, RequestId, State, Value,
};
use crate::failure::Rejection;
use crate::key_texts::KeyTexts;
use crate::partition::TopicPartition;
use crate::record::{Headers, Record};
use crate::schemas::{BatchSchemas, Typed};
use crate::testing::{Event, Sample};

/// The second try of a record.
fn delivery(sample: Sample) -> Delivery {
    let record = Event::msk()
        .record(sample)
        .build()
        .records()
        .unwrap()
        .remove(0);
    let invocation = Arc::new(Context {
        key_texts: KeyTexts::default(),
        schemas: BatchSchemas::new(&Typed::none()),
        meter: None,
        request_id: "r-1".to_owned(),
        function_arn: String::new(),
        deadline: Deadline::UNKNOWN,
        clock: Clock::System,
        namespace: "shop".into(),
        cluster: "main".into(),
        keys: None,
    });
    Delivery::new(record, invocation, 2)
}

fn take<E: FromRecord<()>>(sample: Sample) -> Result<E, E::Rejection> {
    E::from_record(&delivery(sample), &())
}

/// What the argument is rejected with.
fn refused<E: FromRecord<()> + std::fmt::Debug>(sample: Sample) -> Rejection
where
    E::Rejection: std::fmt::Debug,
{
    take::<E>(sample).unwrap_err().into()
}

fn sample() -> Sample {
    Sample::new("orders", 3)
}

#[test]
fn json_is_read_from_the_value() {
    let read: Json<Vec<u64>> = take(sample().value("[1, 2]")).unwrap();

    assert_eq!(read, Json(vec![1, 2]));
}

#[test]
fn json_of_a_tombstone_is_none_or_rejects_and_an_empty_value_is_no_tombstone() {
    assert_eq!(take::<Option<Json<u64>>>(sample()).unwrap(), None);
    assert_eq!(refused::<Json<u64>>(sample()).code, "reject.tombstone");
    assert_eq!(refused::<Json<u64>>(sample().value("")).code, "reject.json");
}

#[test]
fn json_that_is_there_and_malformed_rejects_an_option_too() {
    assert_eq!(
        refused::<Option<Json<u64>>>(sample().value("{")).code,
        "reject.json"
    );
}

#[test]
fn a_result_hands_the_rejection_to_the_handler() {
    type Read = Result<Json<u64>, JsonRejection>;

    let tombstone = take::<Read>(sample()).unwrap();
    let malformed = take::<Read>(sample().value("7,")).unwrap();
    let good = take::<Read>(sample().value("7")).unwrap();

    assert_eq!(tombstone, Err(JsonRejection::Tombstone));
    assert!(matches!(
        malformed,
        Err(JsonRejection::Malformed { line: 1, .. })
    ));
    assert_eq!(good, Ok(Json(7)));
}

#[test]
fn a_key_is_bytes_text_or_whatever_parses() {
    let seven = || sample().key("7");

    assert_eq!(take::<Key>(seven()).unwrap(), Key(b"7".to_vec()));
    assert_eq!(
        take::<Key<Bytes>>(seven()).unwrap(),
        Key(Bytes::from_static(b"7"))
    );
    assert_eq!(take::<Key<String>>(seven()).unwrap(), Key("7".to_owned()));
    assert_eq!(take::<Key<Arc<str>>>(seven()).unwrap(), Key("7".into()));
    assert_eq!(take::<Key<u8>>(seven()).unwrap(), Key(7));
    assert_eq!(take::<Key<i128>>(sample().key("-7")).unwrap(), Key(-7));
    let address: Key<Parsed<Ipv4Addr>> = take(sample().key("127.0.0.1")).unwrap();
    assert_eq!(address, Key(Parsed(Ipv4Addr::LOCALHOST)));
}

#[test]
fn a_key_that_does_not_fit_rejects_and_is_not_shown() {
    let not_utf8 = refused::<Key<String>>(sample().key(b"abc\xFFdef"));
    let no_number = refused::<Option<Key<u8>>>(sample().key("256"));
    let no_address = refused::<Key<Parsed<Ipv4Addr>>>(sample().key("256.1.1.1"));

    assert_eq!(not_utf8.code, "reject.key");
    assert_eq!(
        not_utf8.message,
        "the key (7 bytes) is not UTF-8 from byte 3 on"
    );
    assert_eq!(no_number.code, "reject.key");
    assert_eq!(
        no_number.message,
        "the key (3 bytes) is not a `u8` in decimal text, as `Key<u8>` reads it"
    );
    assert!(!no_address.message.contains("256"), "{no_address}");
}

#[test]
fn a_number_in_the_bytes_of_kafkas_serializers_is_read() {
    fn read<T>(key: &[u8]) -> T
    where
        BigEndian<T>: FromBytes,
    {
        let Key(BigEndian(number)) = take::<Key<BigEndian<T>>>(sample().key(key)).unwrap();
        number
    }

    assert_eq!(read::<i16>(&[0xFF, 0xFE]), -2);
    assert_eq!(read::<i32>(&[0, 0, 1, 2]), 258);
    assert_eq!(read::<i64>(&[0x80, 0, 0, 0, 0, 0, 0, 0]), i64::MIN);
    assert!((read::<f32>(&1.5_f32.to_be_bytes()) - 1.5).abs() < f32::EPSILON);
    assert!((read::<f64>(&(-2.5_f64).to_be_bytes()) + 2.5).abs() < f64::EPSILON);
}

#[test]
fn a_number_in_the_other_form_is_refused_with_the_type_that_reads_it() {
    let said = [
        refused::<Key<i16>>(sample().key([0, 7])),
        refused::<Key<i32>>(sample().key([0, 0, 0, 42])),
        refused::<Key<u32>>(sample().key([0xFF; 4])),
        refused::<Key<i64>>(sample().key(7_i64.to_be_bytes())),
        refused::<Key<BigEndian<i32>>>(sample().key("42")),
        refused::<Key<BigEndian<f64>>>(sample().key("-1.5")),
    ]
    .map(|rejection| rejection.message);

    let binary = |bytes, number, reads| {
        format!(
            "the key ({bytes} bytes) is not a `{number}` in decimal text, as `Key<{number}>` reads it; {reads}"
        )
    };
    let integer = "`Key<BigEndian<i32>>` reads the 4 bytes of Kafka's IntegerSerializer, `f32` those of its FloatSerializer";
    assert_eq!(
        said[0],
        binary(
            2,
            "i16",
            "`Key<BigEndian<i16>>` reads the 2 bytes of Kafka's ShortSerializer"
        )
    );
    assert_eq!(said[1], binary(4, "i32", integer));
    assert_eq!(said[2], binary(4, "u32", integer));
    assert!(
        said[3].contains("`Key<BigEndian<i64>>` reads the 8 bytes"),
        "{}",
        said[3]
    );
    assert_eq!(
        said[4],
        "the key has 2 bytes, and `Key<BigEndian<i32>>` reads the 4 bytes of Kafka's IntegerSerializer; `Key<i32>` reads decimal text"
    );
    assert!(
        said[5].ends_with("; `Key<Parsed<f64>>` reads decimal text"),
        "{}",
        said[5]
    );
}

#[test]
fn a_key_in_a_frame_is_named() {
    let framed = refused::<Key<String>>(sample().key(b"\0\0\0\0\x07\xFF")).message;
    let number = refused::<Key<i64>>(sample().key(b"\0\0\0\0\x07\x02")).message;

    assert!(framed.contains("the 5 bytes that Confluent's"), "{framed}");
    assert!(number.contains("the 5 bytes that Confluent's"), "{number}");
}

#[test]
fn json_whose_event_names_another_format_says_so() {
    let sample = sample().value([2, 0x0A]).value_schema("AVRO", "7");

    let rejection = refused::<Json<u64>>(sample);

    assert!(
        rejection
            .message
            .contains("the event gives its schema as AVRO"),
        "{rejection}"
    );
}

#[test]
fn a_value_is_read_as_a_key_is_and_named_as_a_value() {
    let text: Value<String> = take(sample().value("caf\u{e9}")).unwrap();
    let bytes: Value = take(sample().value([0, 159])).unwrap();
    let number: Value<BigEndian<i32>> = take(sample().value([0, 0, 0, 42])).unwrap();
    let empty: Option<Value<Bytes>> = take(sample().value("")).unwrap();
    let tombstone: Option<Value> = take(sample()).unwrap();

    assert_eq!(text, Value("caf\u{e9}".to_owned()));
    assert_eq!(bytes, Value(vec![0, 159]));
    assert_eq!(number, Value(BigEndian(42)));
    assert_eq!(empty, Some(Value(Bytes::new())));
    assert_eq!(tombstone, None);
    let refused = [
        refused::<Value>(sample()),
        refused::<Value<String>>(sample().value(b"abc\xFFdef")),
        refused::<Value<i32>>(sample().value([0, 0, 0, 42])),
        refused::<Value<BigEndian<f64>>>(sample().value("-1.5")),
    ];
    let expected = [
        (
            "reject.tombstone",
            "the record is a tombstone (no value): take `Option<Value<_>>` if that is allowed",
        ),
        (
            "reject.value",
            "the value (7 bytes) is not UTF-8 from byte 3 on",
        ),
        (
            "reject.value",
            "the value (4 bytes) is not a `i32` in decimal text, as `Value<i32>` reads it; `Value<BigEndian<i32>>` reads the 4 bytes of Kafka's IntegerSerializer, `f32` those of its FloatSerializer",
        ),
        (
            "reject.value",
            "the value has 4 bytes, and `Value<BigEndian<f64>>` reads the 8 bytes of Kafka's DoubleSerializer; `Value<Parsed<f64>>` reads decimal text",
        ),
    ];
    let refused = refused.each_ref().map(|one| (one.code, &*one.message));
    assert_eq!(refused, expected);
}

#[test]
fn a_record_without_a_key_is_none_or_rejects_and_an_empty_key_is_a_key() {
    assert_eq!(take::<Option<Key>>(sample()).unwrap(), None);
    assert_eq!(refused::<Key>(sample()).code, "reject.no_key");
    assert_eq!(
        take::<Key<String>>(sample().key("")).unwrap(),
        Key(String::new())
    );
}

#[derive(Debug, PartialEq)]
struct Tenant(String);

impl FromHeader for Tenant {
    const NAME: &'static str = "tenant";

    fn from_bytes(value: &[u8]) -> Result<Self, Rejection> {
        match std::str::from_utf8(value) {
            Ok(text) => Ok(Self(text.to_owned())),
            Err(_) => Err(Rejection::new("tenant.not_text", "not UTF-8")),
        }
    }
}

#[test]
fn of_repeated_headers_the_last_one_is_read_and_its_name_is_matched_by_case() {
    let sample = sample()
        .header("tenant", "a")
        .header("tenant", "b")
        .header("Tenant", "c");

    let Header(tenant) = take::<Header<Tenant>>(sample).unwrap();

    assert_eq!(tenant, Tenant("b".to_owned()));
}

#[test]
fn a_header_that_is_absent_or_null_is_none_or_rejects() {
    for sample in [
        sample(),
        sample().header("tenant", "a").null_header("tenant"),
    ] {
        assert_eq!(
            take::<Option<Header<Tenant>>>(sample.clone()).unwrap(),
            None
        );
        let rejection = refused::<Header<Tenant>>(sample);
        assert_eq!(rejection.code, "reject.no_header");
        assert!(rejection.message.contains("`tenant`"), "{rejection}");
    }
}

#[test]
fn a_header_that_is_malformed_rejects_with_its_types_own_code() {
    let bad = || sample().header("tenant", [0xFF]);

    assert_eq!(refused::<Header<Tenant>>(bad()).code, "tenant.not_text");
    assert_eq!(
        refused::<Option<Header<Tenant>>>(bad()).code,
        "tenant.not_text"
    );
}

#[test]
fn what_is_always_there_is_taken_as_it_is() {
    let sample = sample().offset(15).key("k").header("a", "1");

    assert_eq!(
        take::<Record>(sample.clone()).unwrap().key(),
        Some(&b"k"[..])
    );
    assert_eq!(take::<Delivery>(sample.clone()).unwrap().attempt(), 2);
    assert_eq!(take::<Headers>(sample.clone()).unwrap().len(), 1);
    let partition = TopicPartition::new("orders", 3);
    assert_eq!(take::<TopicPartition>(sample.clone()).unwrap(), partition);
    assert_eq!(take::<Attempt>(sample.clone()).unwrap(), Attempt(2));
    assert_eq!(
        take::<RequestId>(sample.clone()).unwrap(),
        RequestId("r-1".to_owned())
    );
    assert_eq!(take::<Deadline>(sample.clone()).unwrap().time_left(), None);
    let key: IdempotencyKey = take(sample).unwrap();
    assert!(key.as_str().starts_with("shop/main/orders/3/15/"), "{key}");
}

#[test]
fn a_timestamp_that_is_absent_or_of_no_year_is_none_or_rejects() {
    let known: Timestamp = take(sample().timestamp(1_000)).unwrap();
    assert_eq!(known.as_millisecond(), 1_000);
    for millis in [-1, i64::MIN, i64::MAX] {
        let sample = sample().timestamp(millis);
        assert_eq!(take::<Option<Timestamp>>(sample.clone()).unwrap(), None);
        assert_eq!(refused::<Timestamp>(sample).code, "reject.no_timestamp");
    }
}

#[test]
fn a_state_is_taken_whole_or_in_part() {
    #[derive(Clone, Debug, PartialEq)]
    struct Whole(Part);
    #[derive(Clone, Debug, PartialEq)]
    struct Part(u8);
    impl FromRef<Whole> for Part {
        fn from_ref(whole: &Whole) -> Self {
            whole.0.clone()
        }
    }
    let delivery = delivery(sample());

    let State(whole) = State::<Whole>::from_record(&delivery, &Whole(Part(7))).unwrap();
    let State(part) = State::<Part>::from_record(&delivery, &Whole(Part(7))).unwrap();

    assert_eq!(whole, Whole(Part(7)));
    assert_eq!(part, Part(7));
}

#[test]
fn the_idempotency_key_tells_apart_whatever_differs() {
    let key = |sample: Sample, namespace: &str, cluster: &str| {
        let record = Event::msk()
            .record(sample)
            .build()
            .records()
            .unwrap()
            .remove(0);
        IdempotencyKey::of(namespace, cluster, &record).to_string()
    };
    let sample = || {
        Sample::new("orders", 3)
            .offset(15)
            .timestamp(1_000)
            .value("a")
    };

    let one = key(sample(), "shop", "main");
    let others = [
        key(sample(), "other", "main"),
        key(sample(), "shop", "other"),
        key(
            Sample::new("returns", 3).offset(15).timestamp(1_000),
            "shop",
            "main",
        ),
        key(
            Sample::new("orders", 4).offset(15).timestamp(1_000),
            "shop",
            "main",
        ),
        key(sample().offset(16), "shop", "main"),
        key(sample().timestamp(1_001), "shop", "main"),
    ];

    assert_eq!(one, "shop/main/orders/3/15/1000");
    assert_eq!(key(sample().value("b"), "shop", "main"), one);
    for other in others {
        assert_ne!(other, one);
    }
}
