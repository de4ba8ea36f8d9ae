//! Any text as a `.proto` file, and any bytes as its messages: each message is found by both ways to name it, and what is read can be written.

#![no_main]

mod vectors;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use msk_schemas::id::{Format, Source};
use msk_schemas::protobuf::File;
use msk_schemas::protobuf::json::Dynamic;

use crate::vectors::{Vector, all, joined, parted, seed};

/// A schema of the vectors, compiled once.
struct Known {
    vector: Vector,
    dynamic: Dynamic,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let vectors = all().into_iter();
    let of = vectors.filter(|vector| vector.source.format == Format::Protobuf);
    let known = of.map(|vector| Known {
        dynamic: Dynamic::of(&vector.source).expect("a schema"),
        vector,
    });
    known.collect()
});

/// The choice of a text of the input's own.
const OWN: u8 = u8::MAX;

fuzz_target!(
    init: seed(KNOWN.iter().zip(0u8..).flat_map(|(known, place)| {
        let bytes = &known.vector.bytes;
        let own = joined(known.vector.source.text.as_bytes(), bytes);
        [[&[place][..], bytes].concat(), [&[OWN][..], &own].concat()]
    })),
    |input: &[u8]| match input.split_first() {
        Some((&OWN, input)) => {
            let (text, bytes) = parted(input);
            let Ok(text) = std::str::from_utf8(text) else {
                return;
            };
            let source = Source::new(Format::Protobuf, text);
            let file = File::of(&source);
            if let Ok(file) = &file {
                check_names(file);
            }
            if let Ok(dynamic) = Dynamic::of(&source) {
                let file = file.expect("it compiles, and has no names");
                assert_eq!(declared(&file), sorted(&dynamic));
                let message = dynamic.messages().next().map(str::to_owned);
                if let Some(message) = message {
                    check_values(&dynamic, &message, bytes);
                }
            }
        }
        Some((&place, bytes)) => {
            let known = &KNOWN[usize::from(place) % KNOWN.len()];
            let message = known.vector.message.as_deref().expect("Protobuf has one");
            check_values(&known.dynamic, message, bytes);
        }
        None => {}
    }
);

/// The full names of all messages, as Glue has them in order.
fn names(file: &File) -> Vec<&str> {
    (0..)
        .map_while(|place| file.message_in_order(place))
        .collect()
}

fn check_names(file: &File) {
    let names = names(file);
    assert!(names.is_sorted_by(|one, other| one < other));
    for (place, name) in (0u32..).zip(&names) {
        assert_eq!(file.order_of(name), Some(place));
        let indexes = file.indexes_of(name).expect("each has them");
        let [counted, declared] = file.names_at(indexes);
        // The entry of a map has a place, and is no message that anybody writes.
        assert!(counted.is_none_or(|counted| counted == *name));
        let alone = declared.is_none_or(|declared| Some(declared) == counted);
        assert_eq!(file.fits(indexes, name), counted.is_some() && alone);
        if counted.is_some() {
            assert_eq!(file.message_at(indexes), Some(*name));
        }
    }
}

/// The names that are no map's entry, in order.
fn declared(file: &File) -> Vec<&str> {
    let is_declared = |name: &&str| {
        let indexes = file.indexes_of(name).expect("each has them");
        file.names_at(indexes)[0].is_some()
    };
    names(file).into_iter().filter(is_declared).collect()
}

fn sorted(dynamic: &Dynamic) -> Vec<&str> {
    let mut names: Vec<&str> = dynamic.messages().collect();
    names.sort_unstable();
    names
}

/// What is read as JSON is written again, and reads as the same.
fn check_values(dynamic: &Dynamic, message: &str, bytes: &[u8]) {
    let Ok(json) = dynamic.to_json(message, bytes) else {
        return;
    };
    let written = dynamic
        .from_json(message, &json)
        .expect("read, and not written");
    assert_eq!(dynamic.to_json(message, &written), Ok(json));
}
