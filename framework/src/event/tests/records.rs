//! What a handler sees of a good event.

use super::{batch, event, only, order, orders, records, with};
use crate::record::{EventSourceKind, TimestampType};

fn header_list(fields: &str) -> Vec<(String, Option<Vec<u8>>)> {
    let record = with(fields);
    assert_eq!(record.fault(), None);
    let headers = record.headers();
    let owned = headers
        .iter()
        .map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)));
    owned.collect()
}

#[test]
fn the_sample_of_the_documentation_is_read_whole() {
    let record = only(
        r#"{"eventSource": "aws:kafka",
            "eventSourceArn": "arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID",
            "bootstrapServers": "b-1.example:9098,b-2.example:9098",
            "records": {"orders-0": [
              {"topic": "orders", "partition": 0, "offset": 15, "timestamp": 1545084650987, "timestampType": "CREATE_TIME",
               "key": "Yy03", "value": "eyJpZCI6MX0=", "headers": [{"traceparent": [48, 48, 45]}]}]}}"#,
    );

    assert_eq!(record.to_string(), "orders-0@15");
    assert_eq!(record.timestamp_millis(), 1_545_084_650_987);
    assert_eq!(record.timestamp_type(), TimestampType::CreateTime);
    assert_eq!(record.key(), Some(&b"c-7"[..]));
    assert_eq!(record.value(), Some(&br#"{"id":1}"#[..]));
    assert_eq!(record.header("traceparent"), Some(&b"00-"[..]));
    let source = record.event_source();
    assert_eq!(source.kind, EventSourceKind::Msk);
    assert_eq!(
        source.arn.as_deref(),
        Some("arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID")
    );
    assert_eq!(
        source.bootstrap_servers.as_deref(),
        Some("b-1.example:9098,b-2.example:9098")
    );
    assert_eq!(record.fault(), None);
}

#[test]
fn both_names_of_a_self_managed_cluster_are_known() {
    for name in [
        "SelfManagedKafka",
        "aws:SelfManagedKafka",
        "\\u0053elfManagedKafka",
    ] {
        let batch = batch(format!(r#"{{"eventSource":"{name}"}}"#));
        assert_eq!(batch.source.kind, EventSourceKind::SelfManaged);
    }
}

#[test]
fn arn_and_brokers_may_be_absent_or_null() {
    for fields in ["", r#","eventSourceArn":null,"bootstrapServers":null"#] {
        let batch = batch(format!(r#"{{"eventSource":"aws:kafka"{fields}}}"#));
        assert_eq!(
            (batch.source.arn, batch.source.bootstrap_servers),
            (None, None)
        );
    }
}

#[test]
fn an_event_without_records_is_an_empty_batch() {
    assert!(records(r#"{"eventSource":"aws:kafka"}"#).is_empty());
    for none in [
        "null",
        "{}",
        r#"{"orders-0":[]}"#,
        r#"{"orders-0":[],"orders-1":[ ]}"#,
        r#"{"orders-0":null}"#,
    ] {
        assert!(records(event(none)).is_empty(), "{none}");
    }
}

#[test]
fn the_fields_of_the_event_may_come_in_any_order() {
    let body = format!(
        r#"{{"records":{{"orders-0":[{}]}},"eventSourceArn":"a","eventSource":"aws:kafka"}}"#,
        order(1, "")
    );
    assert_eq!(only(&body).event_source().arn.as_deref(), Some("a"));
}

#[test]
fn the_fields_of_a_record_may_come_in_any_order() {
    let record = only(&event(
        r#"{"orders-0":[{"value":"aGk=","headers":[{"a":[1]}],"offset":3,"key":"","partition":0,"topic":"orders"}]}"#,
    ));
    assert_eq!(
        (record.to_string(), record.key(), record.value()),
        ("orders-0@3".to_owned(), Some(&b""[..]), Some(&b"hi"[..]))
    );
    assert_eq!(record.header("a"), Some(&[1][..]));
}

#[test]
fn unknown_fields_are_ignored_wherever_they_stand() {
    let any = r#"{"deep":[[{"a":[]},{}],1.5e-3,-0,"\ud800\"",true,false,null]}"#;
    let body = format!(
        r#"{{"new":{any},"eventSource":"aws:kafka","records":{{"orders-0":[{{"new":{any},"topic":"orders","partition":0,"offset":1,"valueSchemaMetadata":{{"new":{any},"dataFormat":"AVRO","schemaId":"1"}},"more":{any}}}]}},"last":{any}}}"#
    );
    let record = only(&body);
    assert_eq!(record.fault(), None);
    assert_eq!(
        record.value_schema().map(|schema| &*schema.schema_id),
        Some("1")
    );
}

#[test]
fn a_map_key_is_kept_verbatim_and_never_split() {
    let body = event(
        r#"{"whatever":[{"topic":"orders-0-x.y","partition":7,"offset":1}],"\u006frders-0":[{"topic":"orders","partition":0,"offset":1}]}"#,
    );
    let records = records(body);
    assert_eq!(
        (&**records[0].identifier(), records[0].to_string().as_str()),
        ("whatever", "orders-0-x.y-7@1")
    );
    assert_eq!(
        (&**records[1].identifier(), records[1].topic()),
        ("orders-0", "orders")
    );
}

#[test]
fn partitions_keep_the_order_of_the_event() {
    let body = event(
        r#"{"b-1":[{"topic":"b","partition":1,"offset":9}],"a-0":[{"topic":"a","partition":0,"offset":3},{"topic":"a","partition":0,"offset":4}]}"#,
    );
    let shown: Vec<String> = records(body).iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["b-1@9", "a-0@3", "a-0@4"]);
}

#[test]
fn an_escaped_topic_is_the_topic_it_says() {
    let body = orders(&[
        order(1, ""),
        r#"{"topic":"\u006frd\u0065rs","\u0070artition":0,"offset":2}"#.to_owned(),
    ]);
    assert_eq!(records(body)[1].to_string(), "orders-0@2");
}

#[test]
fn one_topic_name_is_shared_by_all_records_of_a_partition() {
    let records = records(orders(&[order(1, ""), order(2, "")]));
    assert!(std::ptr::eq(records[0].topic(), records[1].topic()));
}

#[test]
fn offsets_have_gaps_and_are_whole_beyond_2_to_the_53() {
    let offsets = [0, 5, (1 << 53) + 1, i64::MAX];
    let body = orders(&offsets.map(|offset| order(offset, "")));
    let read: Vec<i64> = records(body)
        .iter()
        .map(|record| record.offset().0)
        .collect();
    assert_eq!(read, offsets);
}

#[test]
fn records_of_a_self_managed_cluster_that_come_shuffled_are_put_in_the_order_of_their_offsets() {
    let part = |partition: i32, offsets: &[i64]| {
        let record = |offset: &i64| {
            format!(
                r#"{{"topic":"orders","partition":{partition},"offset":{offset},"value":"AA=="}}"#
            )
        };
        let records: Vec<String> = offsets.iter().map(record).collect();
        format!(r#""orders-{partition}":[{}]"#, records.join(","))
    };
    let body = event(&format!(
        "{{{},{},{}}}",
        part(2, &[8, 9]),
        part(0, &[9, 7, 8, 3]),
        part(1, &[1, 2])
    ));
    let body = body.replacen("aws:kafka", "SelfManagedKafka", 1);

    let records = records(body);

    let places: Vec<String> = records.iter().map(ToString::to_string).collect();
    let expected = [
        "orders-2@8",
        "orders-2@9",
        "orders-0@3",
        "orders-0@7",
        "orders-0@8",
        "orders-0@9",
        "orders-1@1",
        "orders-1@2",
    ];
    assert_eq!(places, expected);
    for record in &records {
        let own = format!(r#""offset":{},"#, record.offset().0);
        let raw = String::from_utf8_lossy(record.raw_json());
        assert!(raw.contains(&own), "{record}");
    }
}

#[test]
fn a_missing_or_null_timestamp_is_as_minus_one() {
    for fields in ["", r#""timestamp":null"#, r#""timestamp":-1"#] {
        let record = with(fields);
        assert_eq!(
            (
                record.timestamp_millis(),
                record.timestamp(),
                record.fault()
            ),
            (-1, None, None)
        );
    }
}

#[test]
fn a_timestamp_is_kept_to_the_millisecond() {
    for millis in [0, -2, 1_545_084_650_987, i64::MAX, i64::MIN] {
        assert_eq!(
            with(&format!(r#""timestamp":{millis}"#)).timestamp_millis(),
            millis
        );
    }
}

#[test]
fn a_timestamp_type_that_kafka_does_not_have_is_unknown() {
    let type_of = |json: &str| {
        let record = with(&format!(r#""timestampType":{json}"#));
        assert_eq!(record.fault(), None);
        record.timestamp_type()
    };
    assert_eq!(type_of(r#""CREATE_TIME""#), TimestampType::CreateTime);
    assert_eq!(
        type_of(r#""LOG_APPEND_TIM\u0045""#),
        TimestampType::LogAppendTime
    );
    for other in ["null", r#""NO_TIMESTAMP_TYPE""#, "0", "{}", r#""\ud800""#] {
        assert_eq!(type_of(other), TimestampType::Unknown, "{other}");
    }
    assert_eq!(with("").timestamp_type(), TimestampType::Unknown);
}

#[test]
fn an_absent_and_a_null_key_are_no_key_and_an_empty_one_is_empty() {
    assert_eq!(with("").key(), None);
    assert_eq!(with(r#""key":null"#).key(), None);
    assert_eq!(with(r#""key":"""#).key(), Some(&b""[..]));
}

#[test]
fn an_absent_and_a_null_value_are_tombstones_and_an_empty_one_is_empty() {
    assert_eq!(with("").value(), None);
    assert_eq!(with(r#""value":null"#).value(), None);
    assert_eq!(with(r#""value":"""#).value(), Some(&b""[..]));
}

#[test]
fn escapes_in_base64_are_read() {
    assert_eq!(
        with(r#""value":"\/\/\/\u002f""#).value(),
        Some(&[0xFF; 3][..])
    );
}

#[test]
fn the_sample_key_of_aws_is_read_though_its_last_bits_are_not_zero() {
    let record = with(r#""key":"abcDEFghiJKLmnoPQRstuVWXyz1234==""#);
    assert_eq!(
        (record.key().map(<[u8]>::len), record.fault()),
        (Some(22), None)
    );
}

#[test]
fn padding_may_be_missing() {
    assert_eq!(with(r#""value":"aGk""#).value(), Some(&b"hi"[..]));
}

#[test]
fn absent_null_and_empty_headers_are_none() {
    for fields in [
        "",
        r#""headers":null"#,
        r#""headers":[]"#,
        r#""headers":[ ]"#,
    ] {
        assert_eq!(header_list(fields), [], "{fields}");
    }
}

#[test]
fn header_numbers_are_bytes_signed_or_not() {
    let signed = header_list(r#""headers":[{"name":[-61,-85,0,-128,127,-1, -0 ]}]"#);
    let unsigned = header_list(r#""headers":[{"name":[195,171,0,128,127,255,0]}]"#);
    assert_eq!(
        signed,
        [("name".to_owned(), Some(vec![195, 171, 0, 128, 127, 255, 0]))]
    );
    assert_eq!(signed, unsigned);
}

#[test]
fn headers_keep_their_order_and_repeats() {
    let headers = header_list(r#""headers":[{"b":[1]},{"a":[2]},{"b":[3]}]"#);
    let expected =
        [("b", 1), ("a", 2), ("b", 3)].map(|(name, byte)| (name.to_owned(), Some(vec![byte])));
    assert_eq!(headers, expected);
}

#[test]
fn a_null_header_value_is_not_an_empty_one() {
    let headers = header_list(r#""headers":[{"null":null},{"empty":[]}]"#);
    assert_eq!(
        headers,
        [
            ("null".to_owned(), None),
            ("empty".to_owned(), Some(vec![]))
        ]
    );
}

#[test]
fn a_header_name_is_unescaped() {
    assert_eq!(
        header_list(r#""headers":[{"gr\u00f6\"":[1]},{"größe":[2]}]"#)[0].0,
        "grö\""
    );
}

#[test]
fn schema_metadata_is_kept_and_shared() {
    let schemas = r#""keySchemaMetadata":{"dataFormat":"AVRO","schemaId":"7"},"valueSchemaMetadata":{"schemaId":"c1a3e2f4-0000-4000-8000-000000000001","dataFormat":"PROTOBUF"}"#;
    let body = orders(&[
        order(1, schemas),
        order(2, schemas),
        order(3, r#""keySchemaMetadata":null"#),
    ]);
    let batch = batch(body.clone());
    let records = records(body);

    assert_eq!(batch.schemas.len(), 2);
    let key = records[1].key_schema().expect("a schema");
    assert_eq!((&*key.data_format, &*key.schema_id), ("AVRO", "7"));
    let value = records[1].value_schema().expect("a schema");
    assert_eq!(
        (&*value.data_format, &*value.schema_id),
        ("PROTOBUF", "c1a3e2f4-0000-4000-8000-000000000001")
    );
    assert_eq!(records[2].key_schema(), None);
}

#[test]
fn the_id_of_a_redriven_dead_letter_is_kept() {
    assert_eq!(
        batch(r#"{"eventSource":"aws:kafka","redrive":"dl-1"}"#)
            .redrive
            .as_deref(),
        Some("dl-1")
    );
    assert_eq!(
        batch(r#"{"eventSource":"aws:kafka","redrive":null}"#).redrive,
        None
    );
    assert_eq!(batch(r#"{"eventSource":"aws:kafka"}"#).redrive, None);
}

#[test]
fn the_raw_json_of_a_record_is_its_object_and_nothing_around_it() {
    let (first, second) = (order(1, r#""key" : "aGk=" "#), order(2, r#""x":{"y":[]}"#));
    let body = event(&format!("{{ \"orders-0\" : [ {first} , {second} ] }}"));
    let records = records(body);
    assert_eq!(records[0].raw_json(), first.as_bytes());
    assert_eq!(records[1].raw_json(), second.as_bytes());
}

#[test]
fn the_arena_is_not_grown_on_the_way() {
    let value = "QUJD".repeat(5_000);
    let body = orders(&[order(
        1,
        &format!(r#""value":"{value}","headers":[{{"a":[1,2,3]}}]"#),
    )]);
    let batch = batch(body);
    assert!(batch.arena.capacity() <= batch.body.len());
}
