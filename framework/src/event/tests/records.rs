//! What a handler sees of a good event.

use super::{batch, event, only, order, orders, records, with};
use crate::record::{Disorder, EventSourceKind, SchemaMetadata, TimestampType};

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
        record
            .value_schema()
            .and_then(|schema| schema.schema_id.as_deref()),
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
        .map(crate::record::Record::offset)
        .collect();
    assert_eq!(read, offsets);
}

#[test]
fn shuffled_records_of_a_self_managed_cluster_are_put_in_order() {
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
        let own = format!(r#""offset":{},"#, record.offset());
        let raw = String::from_utf8(record.raw_json().into_owned()).unwrap();
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
    let said = |schema: Option<&SchemaMetadata>| {
        let schema = schema.expect("a schema").clone();
        (schema.data_format.unwrap(), schema.schema_id.unwrap())
    };
    let text = |text: &str| text.to_owned();
    assert_eq!(said(records[1].key_schema()), (text("AVRO"), text("7")));
    assert_eq!(
        said(records[1].value_schema()),
        (
            text("PROTOBUF"),
            text("c1a3e2f4-0000-4000-8000-000000000001")
        )
    );
    assert_eq!(records[2].key_schema(), None);
}

#[test]
fn odd_schema_metadata_costs_nothing_and_says_what_is_there() {
    for field in ["keySchemaMetadata", "valueSchemaMetadata"] {
        for (inside, format, id) in [
            (r#"{"dataFormat":"JSON"}"#, Some("JSON"), None),
            (r#"{"schemaId":"1"}"#, None, Some("1")),
            (
                r#"{"dataFormat":"JSON","schemaId":7}"#,
                Some("JSON"),
                Some("7"),
            ),
            (
                r#"{"dataFormat":"AVRO","schemaId":null}"#,
                Some("AVRO"),
                None,
            ),
            (
                r#"{"dataFormat":null,"schemaId": -1.5e3 }"#,
                None,
                Some("-1.5e3"),
            ),
            (
                r#"{"dataFormat":7,"schemaId":"1","schemaId":"2"}"#,
                None,
                Some("2"),
            ),
            (
                r#"{"dataFormat":"AVRO","schemaId":"\ud800"}"#,
                Some("AVRO"),
                None,
            ),
            (
                r#"{"dataFormat":"AVRO","schemaId":{"a":[{}]}}"#,
                Some("AVRO"),
                None,
            ),
        ] {
            let record = with(&format!(r#""{field}":{inside},"value":"aGk=""#));

            let schema = match field {
                "keySchemaMetadata" => record.key_schema(),
                _ => record.value_schema(),
            };
            let schema = schema.unwrap();
            assert_eq!(record.fault(), None, "{inside}");
            assert_eq!(record.value(), Some(&b"hi"[..]));
            assert_eq!(schema.data_format.as_deref(), format, "{inside}");
            assert_eq!(schema.schema_id.as_deref(), id, "{inside}");
        }
        for nothing in [
            "null",
            "7",
            "true",
            r#""AVRO""#,
            "[]",
            r#"[{"dataFormat":1}]"#,
            "{}",
            r#"{"other":{}}"#,
            r#"{"dataFormat":[]}"#,
        ] {
            let record = with(&format!(r#""{field}":{nothing}"#));

            assert_eq!(record.fault(), None, "{nothing}");
            assert_eq!((record.key_schema(), record.value_schema()), (None, None));
        }
    }
}

#[test]
fn of_a_side_field_that_stands_twice_the_last_one_counts() {
    let record = with(
        r#""timestampType":"CREATE_TIME","valueSchemaMetadata":null,"timestampType":"LOG_APPEND_TIME","valueSchemaMetadata":{"schemaId":"2"}"#,
    );

    assert_eq!(record.fault(), None);
    assert_eq!(record.timestamp_type(), TimestampType::LogAppendTime);
    let schema = record.value_schema().unwrap();
    assert_eq!(schema.schema_id.as_deref(), Some("2"));
}

#[test]
fn brokers_that_are_no_text_are_as_if_the_event_named_none() {
    for odd in ["7", "null", r#"["b-1:9098"]"#, "{}", r#""\ud800""#] {
        let body = format!(
            r#"{{"eventSource":"aws:kafka","bootstrapServers":{odd},"records":{{"orders-0":[{}]}}}}"#,
            order(1, "")
        );

        assert_eq!(only(&body).event_source().bootstrap_servers, None, "{odd}");
    }
}

#[test]
fn the_records_of_a_partition_are_put_into_the_order_of_their_offsets() {
    let sourceless = |body: &str| body.replacen(r#""eventSource":"aws:kafka","#, "", 1);
    for offsets in [&[5, 4][..], &[1, 2, 9, 0, 3], &[3, 2, 1]] {
        let records: Vec<String> = offsets.iter().map(|offset| order(*offset, "")).collect();
        let body = orders(&records);
        // The source may stand behind the records.
        let behind = sourceless(&body);
        let behind = behind.strip_suffix('}').unwrap();
        let behind = |source: &str| format!(r#"{behind},"eventSource":"{source}"}}"#);

        for body in [behind("aws:kafka"), behind("SelfManagedKafka"), body] {
            let batch = batch(body);

            let mut ascending = offsets.to_vec();
            ascending.sort_unstable();
            let read: Vec<i64> = batch.records.iter().map(|entry| entry.offset).collect();
            assert_eq!(read, ascending);
            let expected = Disorder {
                partition: 0,
                sorted: 1,
                repeats: 0,
            };
            assert_eq!(batch.disorder, Some(expected));
        }
    }
}

#[test]
fn a_record_that_stands_in_its_partition_twice_is_one_record() {
    let one = r#""timestamp":1,"key":"aGk=","value":"aGk=","headers":[{"a":[200]}]"#;
    // The same in other words: spaces, the fields' order, escapes, signed bytes, padding, a field that nobody knows.
    let same = r#" "headers" : [{"\u0061":[-56]}] , "value":"aGk", "key":"\u0061Gk=","timestamp":1,"schemaId":7 "#;
    let body = event(&format!(
        r#"{{"orders-1":[{{"topic":"orders","partition":1,"offset":3}}],"orders-0":[{},{},{},{},{}]}}"#,
        order(7, one),
        order(5, ""),
        order(7, same),
        order(5, r#""value":null,"timestamp":null"#),
        order(7, one),
    ));

    let batch = batch(body);

    let read: Vec<i64> = batch.records.iter().map(|entry| entry.offset).collect();
    assert_eq!(read, [3, 5, 7]);
    let expected = Disorder {
        partition: 1,
        sorted: 1,
        repeats: 3,
    };
    assert_eq!(batch.disorder, Some(expected));
}

#[test]
fn a_record_that_cannot_be_decoded_and_stands_there_twice_is_one_record() {
    let bad = order(7, r#""value":"*""#);

    let records = records(orders(&[bad.clone(), bad]));

    assert_eq!(records.len(), 1);
    assert!(records[0].fault().is_some());
}

#[test]
fn an_event_in_order_has_no_disorder() {
    let gaps = orders(&[order(1, ""), order(5, ""), order(6, "")]);

    assert_eq!(batch(gaps).disorder, None);
}

#[test]
fn the_mark_of_a_redriven_dead_letter_counts_its_redrives() {
    for (json, count) in [
        ("null", 0),
        (r#""dl-1""#, 1),
        (r#"{"id":"dl-1"}"#, 1),
        (r#"{"count":3,"later":[{}],"id":"dl-1"}"#, 3),
        (r#"{"id":"dl-1","count":0}"#, 1),
        (r#"{"id":"dl-1","count":99999999999999999999}"#, u32::MAX),
    ] {
        let event = format!(r#"{{"eventSource":"aws:kafka","redrive":{json}}}"#);
        assert_eq!(
            batch(event).redrive.map_or(0, |redrive| redrive.count),
            count,
            "{json}"
        );
    }
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
