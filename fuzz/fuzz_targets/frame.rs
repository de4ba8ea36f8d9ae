//! Any bytes as a framed payload: the frame that is found is there, what was taken off can be put back, and what was compressed is as it was.

#![no_main]

mod vectors;

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use libfuzzer_sys::fuzz_target;
use msk_schemas::frame::{
    Framed, Framing, Given, InflateError, Kind, glue_message, inflate, message_indexes,
    write_message_indexes,
};
use msk_schemas::id::{Format, SchemaId};
use msk_schemas::limits::{INFLATED_BYTES_MAX, MESSAGE_INDEXES_MAX};

use crate::vectors::{all, joined, parted, seed};

const FRAMINGS: [Framing; 4] = [
    Framing::Auto,
    Framing::Confluent,
    Framing::Glue,
    Framing::None,
];
const FORMATS: [Format; 3] = [Format::Avro, Format::Protobuf, Format::Json];

/// One of the rest.
fn pick<T: Copy>(choice: &mut u8, of: &[T]) -> T {
    let picked = of[usize::from(*choice) % of.len()];
    *choice /= of.len() as u8;
    picked
}

fuzz_target!(
    init: seed(all().iter().map(|vector| {
        let format = FORMATS.iter().position(|format| *format == vector.source.format);
        let header = u8::from(vector.header.is_some());
        let choice = 4 * (format.expect("one of them") as u8 + 3 * header);
        let given = vector.header.as_deref().unwrap_or_default();
        [&[choice][..], &joined(given, &vector.bytes)].concat()
    })),
    |input: &[u8]| {
        let Some((&choice, input)) = input.split_first() else {
            return;
        };
        let mut choice = choice;
        let framing = pick(&mut choice, &FRAMINGS);
        let format = pick(&mut choice, &FORMATS);
        let (beside, bytes) = parted(input);
        let text = std::str::from_utf8(beside).ok();
        let given = match choice % 4 {
            1 => Given { header: Some(beside), bytes, ..Given::default() },
            2 => Given { metadata: Some(text), bytes, ..Given::default() },
            3 => Given { metadata: Some(text), header: Some(beside), bytes },
            _ => Given { bytes, ..Given::default() },
        };

        let found = framing.find(given, format);

        check(framing, format, given, found);
        if let Some((number, rest)) = framing.number(given) {
            let id = Some(SchemaId::Number(number));
            assert_eq!(found, Some(Framed { id, kind: Kind::Confluent, rest }));
        }
        let rest = found.map_or(bytes, |found| found.rest);
        check_places(rest);
        check_inflate(rest);
    }
);

/// What was found is what stands there, and what stands there is found.
fn check(framing: Framing, format: Format, given: Given<'_>, found: Option<Framed<'_>>) {
    let is_confluent = given.bytes.len() >= 5 && given.bytes[0] == 0;
    let is_glue =
        given.bytes.len() >= 18 && given.bytes[0] == 3 && [0, 5].contains(&given.bytes[1]);
    let Some(Framed { id, kind, rest }) = found else {
        match framing {
            Framing::Auto => assert!(given.metadata.is_none() && !is_confluent && !is_glue),
            Framing::Confluent => assert!(!is_confluent),
            Framing::Glue => assert!(!is_glue),
            _ => panic!("no frame is a frame, too"),
        }
        return;
    };
    let is_auto = framing == Framing::Auto;
    let before = match (kind, id) {
        (Kind::Metadata, id) => {
            assert!(is_auto && given.metadata.is_some());
            if let Some(SchemaId::Version(_)) = id {
                let text = given.metadata.flatten().expect("a text");
                assert_eq!(id.expect("one").to_string(), text.to_ascii_lowercase());
            }
            Vec::new()
        }
        (Kind::Header(behind), Some(id)) => {
            assert!(is_auto || framing == Framing::Confluent);
            let before = match id {
                SchemaId::Number(number) => [&[0][..], &number.to_be_bytes()].concat(),
                SchemaId::Guid(guid) => [&[1][..], &guid].concat(),
                _ => panic!("Glue's id in a header of Confluent's"),
            };
            assert_eq!(given.header, Some(&*[&before, behind].concat()));
            let indexes = message_indexes(behind);
            match format {
                Format::Protobuf => assert!(indexes.is_some_and(|(_, rest)| rest.is_empty())),
                _ => assert!(behind.is_empty()),
            }
            Vec::new()
        }
        (Kind::Confluent, Some(SchemaId::Number(number))) => {
            assert!(is_auto || framing == Framing::Confluent);
            [&[0][..], &number.to_be_bytes()].concat()
        }
        (Kind::Glue { zlib }, Some(SchemaId::Version(version))) => {
            assert!(is_auto || framing == Framing::Glue);
            [&[3, if zlib { 5 } else { 0 }][..], &version].concat()
        }
        (Kind::Plain, None) => {
            assert_eq!(framing, Framing::None);
            Vec::new()
        }
        other => panic!("a frame without its id: {other:?}"),
    };
    assert!(
        [&before, rest].concat() == given.bytes,
        "taken off, and cannot be put back"
    );
}

/// What names a message of Protobuf.
fn check_places(bytes: &[u8]) {
    if let Some((indexes, rest)) = message_indexes(bytes) {
        assert!((1..=MESSAGE_INDEXES_MAX).contains(&indexes.len()));
        assert!(bytes.ends_with(rest) && rest.len() < bytes.len());
        let written = [&write_message_indexes(&indexes), rest].concat();
        assert_eq!(message_indexes(&written), Some((indexes, rest)));
        assert!(written.len() <= bytes.len(), "longer than it has to be");
    }
    if let Some((_, rest)) = glue_message(bytes) {
        assert!(bytes.ends_with(rest) && rest.len() < bytes.len());
    }
}

/// What zlib has compressed.
fn check_inflate(bytes: &[u8]) {
    if let Ok(inflated) = inflate(bytes) {
        assert!(inflated.len() <= INFLATED_BYTES_MAX);
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    let mut compressed = encoder.finish().expect("memory");
    assert_eq!(inflate(&compressed).as_deref(), Ok(bytes));
    compressed.push(0);
    assert_eq!(inflate(&compressed), Err(InflateError::NotZlib));
    compressed.truncate(compressed.len() - 2);
    assert_eq!(inflate(&compressed), Err(InflateError::NotZlib));
}
