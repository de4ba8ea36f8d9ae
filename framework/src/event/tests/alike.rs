//! A record that is written as the one before it is read as any other: the quick way and the general one say the same of every event, broken ones included.

use std::fmt::Write;
use std::sync::Arc;

use super::{decode, orders};
use crate::event::read::batch_by_names;
use crate::record::{Batch, Spare};

/// Everything that can be said of a batch, or why there is none.
fn said(batch: Batch) -> String {
    let mut said = format!("{:?}\n", batch.disorder);
    for record in Arc::new(batch).iter() {
        let headers: Vec<_> = record.header_bytes().collect();
        let schemas = (record.key_schema(), record.value_schema());
        let of_record = writeln!(
            said,
            "{record} {} {:?} {:?} {:?} {headers:?} {schemas:?} {:?} {:?}",
            record.timestamp_millis(),
            record.timestamp_type(),
            record.key(),
            record.value(),
            record.fault(),
            record.raw_json(),
        );
        of_record.unwrap();
    }
    said
}

fn both(body: &[u8]) -> [String; 2] {
    let quick = decode(body.to_vec().into(), &Spare::default());
    let by_names = match batch_by_names(body) {
        Ok(batch) => Ok(Batch {
            body: body.to_vec().into(),
            ..batch
        }),
        Err(error) => Err(*error),
    };
    [quick, by_names].map(|read| match read {
        Ok(batch) => said(batch),
        Err(error) => format!("{error:?}"),
    })
}

fn number(random: &mut fastrand::Rng) -> String {
    let digits = random.usize(1..=20);
    let number: String = (0..digits).map(|_| random.digit(10)).collect();
    match random.u8(..) {
        0..=9 => number,
        10..=19 => format!("-{}", random.u16(..)),
        20..=29 => format!("{}.5", random.u16(..)),
        30..=39 => "null".to_owned(),
        _ => random.u32(..).to_string(),
    }
}

fn text(random: &mut fastrand::Rng) -> String {
    match random.u8(..) {
        0..=19 => "null".to_owned(),
        20..=24 => "\"not base64\"".to_owned(),
        25..=29 => "\"\\u0041bcd\"".to_owned(),
        30..=34 => "17".to_owned(),
        _ => {
            let length = random.usize(..40) * 4;
            let base64 = (0..length).map(|_| random.alphanumeric());
            format!("\"{}\"", base64.collect::<String>())
        }
    }
}

fn headers(random: &mut fastrand::Rng) -> String {
    let header = |random: &mut fastrand::Rng| match random.u8(..) {
        0..=9 => r#"{"a":null}"#.to_owned(),
        10..=13 => r#"{"a":[300]}"#.to_owned(),
        14..=17 => r#"{"a":[1],"b":[2]}"#.to_owned(),
        18..=99 => format!(r#"{{"trace":[{},{}]}}"#, random.i8(..), random.u8(..)),
        _ => r#"{"source":[99,104,-101]}"#.to_owned(),
    };
    let all: Vec<String> = (0..random.usize(..4)).map(|_| header(random)).collect();
    match random.u8(..) {
        0..=9 => "null".to_owned(),
        10..=12 => "{}".to_owned(),
        _ => format!("[{}]", all.join(",")),
    }
}

/// Records of one partition, most of them written alike.
fn event(random: &mut fastrand::Rng) -> Vec<u8> {
    let spaced = random.bool();
    let mut offset = random.u32(..);
    let records: Vec<String> = (0..random.usize(1..12))
        .map(|_| {
            offset += random.u32(..3);
            let mut fields = vec![
                r#""topic":"orders""#.to_owned(),
                r#""partition":0"#.to_owned(),
                format!(r#""offset":{offset}"#),
                format!(r#""timestamp":{}"#, number(random)),
                r#""timestampType":"CREATE_TIME""#.to_owned(),
                format!(r#""key":{}"#, text(random)),
                format!(r#""value":{}"#, text(random)),
                format!(r#""headers":{}"#, headers(random)),
            ];
            match random.u8(..) {
                0..=9 => random.shuffle(&mut fields),
                10..=19 => drop(fields.pop()),
                20..=29 => fields.push(format!(r#""value":{}"#, text(random))),
                30..=39 => fields.push(r#""new":{"a":[1,{"b":null}]}"#.to_owned()),
                _ => {}
            }
            let comma = if spaced { " , " } else { "," };
            format!("{{{}}}", fields.join(comma))
        })
        .collect();
    let mut event = orders(&records).into_bytes();
    // A byte of some is another one.
    if random.u8(..) < 80 {
        let place = random.usize(..event.len());
        event[place] = *random.choice(b"\",:{}[]0n\\ \x00\xFF").unwrap();
    }
    event
}

#[test]
fn the_quick_way_and_the_general_one_say_the_same() {
    let mut random = fastrand::Rng::with_seed(41);
    for _ in 0..4_000 {
        let event = event(&mut random);

        let [quick, by_names] = both(&event);

        assert_eq!(quick, by_names, "{}", String::from_utf8_lossy(&event));
    }
}
