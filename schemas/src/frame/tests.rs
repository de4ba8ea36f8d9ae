//! Frames: which one is found, and what is none.

use std::borrow::Cow;

use super::{Framed, Framing, Given, Kind, glue_message, message_indexes};
use crate::id::{Format, SchemaId};

const CONFLUENT: &[u8] = &[0, 0, 0, 0, 42, 7, 8];
const VERSION: [u8; 16] = [9; 16];

fn glue(compression: u8) -> Vec<u8> {
    [&[3, compression][..], &VERSION, &[7, 8]].concat()
}

fn bytes(bytes: &[u8]) -> Given<'_> {
    Given {
        bytes,
        ..Given::default()
    }
}

fn found(given: Given<'_>, format: Format) -> (Option<SchemaId>, Kind<'_>, Vec<u8>) {
    let Framed { id, kind, rest } = Framing::Auto.find(given, format).unwrap();
    (id, kind, rest.to_vec())
}

#[test]
fn the_events_metadata_comes_before_every_frame() {
    for (text, id) in [
        ("42", Some(SchemaId::Number(42))),
        (
            "09090909-0909-0909-0909-090909090909",
            Some(SchemaId::Version(VERSION)),
        ),
        ("a name", None),
        ("09090909-0909-0909-0909-09090909090x", None),
    ] {
        let given = Given {
            metadata: Some(Some(text)),
            header: Some(&[0, 0, 0, 0, 1]),
            bytes: CONFLUENT,
        };
        assert_eq!(
            found(given, Format::Avro),
            (id, Kind::Metadata, CONFLUENT.to_vec())
        );
    }
}

#[test]
fn a_header_of_exactly_an_ids_form_comes_before_the_frames() {
    let guid = [&[1][..], &VERSION].concat();
    for (header, id) in [
        (&[0, 0, 0, 0, 7][..], SchemaId::Number(7)),
        (&guid, SchemaId::Guid(VERSION)),
    ] {
        let given = Given {
            header: Some(header),
            ..bytes(CONFLUENT)
        };
        assert_eq!(
            found(given, Format::Avro),
            (Some(id), Kind::Header(&[]), CONFLUENT.to_vec())
        );
    }
}

#[test]
fn a_header_of_another_form_is_the_users_own() {
    let long = [&[1][..], &VERSION, &[0]].concat();
    for header in [
        &b""[..],
        b"7",
        &[0, 0, 0, 7],
        &[0, 0, 0, 0, 7, 0],
        &[1, 2],
        &[2; 17],
        &long,
    ] {
        let given = Given {
            header: Some(header),
            ..bytes(CONFLUENT)
        };
        let (id, kind, _) = found(given, Format::Avro);
        assert_eq!((id, kind), (Some(SchemaId::Number(42)), Kind::Confluent));
    }
}

#[test]
fn of_protobuf_the_message_indexes_stand_in_the_header() {
    let header = [0, 0, 0, 0, 7, 4, 2, 0];
    let given = Given {
        header: Some(&header),
        ..bytes(CONFLUENT)
    };

    assert_eq!(
        found(given, Format::Protobuf),
        (
            Some(SchemaId::Number(7)),
            Kind::Header(&[4, 2, 0]),
            CONFLUENT.to_vec()
        )
    );
    let without = Given {
        header: Some(&header[..5]),
        ..given
    };
    assert_eq!(found(without, Format::Protobuf).1, Kind::Confluent);
}

#[test]
fn a_frame_is_known_by_its_first_bytes() {
    assert_eq!(
        found(bytes(CONFLUENT), Format::Avro),
        (Some(SchemaId::Number(42)), Kind::Confluent, vec![7, 8])
    );
    for (compression, zlib) in [(0, false), (5, true)] {
        assert_eq!(
            found(bytes(&glue(compression)), Format::Avro),
            (
                Some(SchemaId::Version(VERSION)),
                Kind::Glue { zlib },
                vec![7, 8]
            )
        );
    }
}

#[test]
fn what_has_no_frame_has_none() {
    let short = &glue(0)[..17];
    for plain in [
        &b""[..],
        b"\0\0\0\0",
        b"{}",
        &glue(1),
        short,
        &[2, 0, 0, 0, 0],
    ] {
        assert_eq!(Framing::Auto.find(bytes(plain), Format::Avro), None);
    }
}

#[test]
fn a_framing_that_was_chosen_looks_for_no_other() {
    let glue = glue(0);
    let given = |bytes| Given {
        metadata: Some(Some("1")),
        ..self::bytes(bytes)
    };
    let kind = |framing: Framing, given| framing.find(given, Format::Avro).map(|found| found.kind);

    assert_eq!(kind(Framing::Confluent, given(&glue)), None);
    assert_eq!(
        kind(Framing::Confluent, given(CONFLUENT)),
        Some(Kind::Confluent)
    );
    assert_eq!(kind(Framing::Glue, given(CONFLUENT)), None);
    assert_eq!(
        kind(Framing::Glue, given(&glue)),
        Some(Kind::Glue { zlib: false })
    );
    for bytes in [CONFLUENT, &glue, b"\x02\x04"] {
        assert_eq!(kind(Framing::None, given(bytes)), Some(Kind::Plain));
    }
}

#[test]
fn message_indexes_are_a_count_and_places_and_a_single_0_means_the_first() {
    let places = |bytes| message_indexes(bytes).map(|(indexes, rest)| (indexes.into_owned(), rest));

    assert!(matches!(
        message_indexes(&[0, 9]),
        Some((Cow::Borrowed(&[0]), [9]))
    ));
    assert_eq!(places(&[2, 4, 9]), Some((vec![2], &[9][..])));
    assert_eq!(places(&[4, 2, 0x80, 0x02]), Some((vec![1, 128], &[][..])));
    for none in [
        &[][..],
        &[2],
        &[1],
        &[4, 2],
        &[2, 1],
        &[0x80],
        &[0xFF; 6],
        &[0xFE, 0xFF, 0x03],
    ] {
        assert_eq!(places(none), None, "{none:?}");
    }
}

#[test]
fn message_indexes_are_read_as_they_were_written() {
    for indexes in [&[0][..], &[2], &[1, 128], &[0, 0], &[70_000]] {
        let bytes = super::write_message_indexes(indexes);
        let (read, rest) = message_indexes(&bytes).unwrap();
        assert_eq!((&*read, rest), (indexes, &[][..]));
    }
}

#[test]
fn glue_gives_a_message_by_one_varint() {
    assert_eq!(glue_message(&[0x82, 0x01, 9]), Some((130, &[9][..])));
    assert_eq!(glue_message(&[]), None);
    assert_eq!(glue_message(&[0xFF; 5]), None);
}

#[cfg(feature = "inflate")]
#[test]
fn what_is_compressed_is_read_whole_or_not_at_all() {
    use std::io::Write;

    use super::{InflateError, inflate};
    use crate::limits::INFLATED_BYTES_MAX;

    let deflate = |bytes: &[u8]| {
        let level = flate2::Compression::best();
        let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), level);
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    };
    let small = deflate(b"order");
    let most = vec![0; INFLATED_BYTES_MAX];
    let more = vec![0; INFLATED_BYTES_MAX + 1];

    assert_eq!(inflate(&small).unwrap(), b"order");
    assert_eq!(inflate(&deflate(&most)).unwrap().len(), most.len());
    assert_eq!(
        inflate(&deflate(&more)),
        Err(InflateError::TooLarge {
            max: INFLATED_BYTES_MAX
        })
    );
    let behind = [&small[..], b"x"].concat();
    for broken in [&small[..small.len() - 1], b"order", b"", &behind] {
        assert_eq!(inflate(broken), Err(InflateError::NotZlib));
    }
}

#[test]
fn the_quick_way_says_what_the_rules_say_or_nothing() {
    let header = [0, 0, 0, 0, 9];
    let texts: [&[u8]; 6] = [
        b"",
        b"\0\0\0\0",
        b"\0\0\0\0\x07",
        b"\0\0\0\x01\0rest",
        b"\x03\0abc",
        b"{}",
    ];
    for framing in [
        Framing::Auto,
        Framing::Confluent,
        Framing::Glue,
        Framing::None,
    ] {
        for bytes in texts {
            for metadata in [None, Some(None), Some(Some("5"))] {
                for header in [None, Some(&header[..]), Some(&b"own"[..])] {
                    let given = Given {
                        metadata,
                        header,
                        bytes,
                    };
                    let found = framing.find(given, Format::Avro);
                    let number = framing.number(given);
                    if let Some((number, rest)) = number {
                        let expected = Framed {
                            id: Some(SchemaId::Number(number)),
                            kind: Kind::Confluent,
                            rest,
                        };
                        assert_eq!(found, Some(expected));
                    }
                    let alone = header.is_none() && metadata.is_none();
                    let is_confluent = found.is_some_and(|found| found.kind == Kind::Confluent);
                    assert!(
                        number.is_some() || !alone || !is_confluent,
                        "{framing:?} {bytes:?}"
                    );
                }
            }
        }
    }
}
