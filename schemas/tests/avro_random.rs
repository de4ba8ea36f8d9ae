//! Random schemas, values and bytes: what is written is read again, and no bytes bring the decoder down.

#![cfg(feature = "avro")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::Cell;

use msk_schemas::avro::{Schema, from_slice, to_json, to_vec};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::BoxedStrategy;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

#[derive(Clone, Debug)]
enum Of {
    /// A primitive type.
    Word(&'static str),
    /// A primitive type with a logical type.
    Logical(&'static str, &'static str),
    Decimal,
    Fixed(usize),
    Enum(usize),
    Array(Box<Of>),
    Map(Box<Of>),
    Record(Vec<Of>),
    Union(Vec<Of>),
}

fn types() -> impl Strategy<Value = Of> {
    let words = [
        "null", "boolean", "int", "long", "float", "double", "bytes", "string",
    ];
    let times = [
        ("int", "date"),
        ("int", "time-millis"),
        ("long", "timestamp-micros"),
        ("string", "uuid"),
    ];
    let leaf = prop_oneof![
        6 => proptest::sample::select(words.to_vec()).prop_map(Of::Word),
        2 => proptest::sample::select(times.to_vec()).prop_map(|(word, name)| Of::Logical(word, name)),
        1 => Just(Of::Decimal),
        1 => (0_usize..20).prop_map(Of::Fixed),
        1 => (1_usize..4).prop_map(Of::Enum),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| Of::Array(Box::new(of))),
            inner.clone().prop_map(|of| Of::Map(Box::new(of))),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Of::Record),
            proptest::collection::vec(inner, 1..4).prop_map(union),
        ]
    })
}

/// Without branches that the specification forbids.
fn union(branches: Vec<Of>) -> Of {
    let mut kept: Vec<Of> = Vec::new();
    for branch in branches {
        let is_named = matches!(branch, Of::Record(_) | Of::Fixed(_) | Of::Enum(_));
        let clashes = kept.iter().any(|known| known.word() == branch.word());
        if (is_named || !clashes) && !matches!(branch, Of::Union(_)) {
            kept.push(branch);
        }
    }
    Of::Union(kept)
}

impl Of {
    fn word(&self) -> &'static str {
        match self {
            Self::Word(word) | Self::Logical(word, _) => word,
            Self::Decimal => "bytes",
            Self::Fixed(_) => "fixed",
            Self::Enum(_) => "enum",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Record(_) => "record",
            Self::Union(_) => "union",
        }
    }

    /// The schema. `names` counts the named types, in the order of the text; `is_reversed` turns the fields' order.
    fn json(&self, names: &Cell<usize>, is_reversed: bool) -> Value {
        let name = || format!("N{}", names.replace(names.get() + 1));
        match self {
            Self::Word(word) => json!(word),
            Self::Logical(word, logical) => json!({"type": word, "logicalType": logical}),
            Self::Decimal => {
                json!({"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 3})
            }
            Self::Fixed(size) => json!({"type": "fixed", "name": name(), "size": size}),
            Self::Enum(count) => {
                let symbols: Vec<String> = (0..*count).map(|at| format!("S{at}")).collect();
                json!({"type": "enum", "name": name(), "symbols": symbols})
            }
            Self::Array(items) => json!({"type": "array", "items": items.json(names, is_reversed)}),
            Self::Map(values) => json!({"type": "map", "values": values.json(names, is_reversed)}),
            Self::Record(fields) => {
                let name = name();
                let mut json: Vec<Value> = fields
                    .iter()
                    .enumerate()
                    .map(|(at, of)| json!({"name": format!("f{at}"), "type": of.json(names, is_reversed)}))
                    .collect();
                if is_reversed {
                    json.reverse();
                }
                json!({"type": "record", "name": name, "fields": json})
            }
            Self::Union(branches) => branches
                .iter()
                .map(|of| of.json(names, is_reversed))
                .collect(),
        }
    }

    fn schema(&self) -> Schema {
        Schema::parse(&self.json(&Cell::new(0), false).to_string()).unwrap()
    }

    /// A value as it is written, with names around the values of unions, and as it is read.
    fn values(&self) -> BoxedStrategy<(Value, Value)> {
        self.values_at(&Cell::new(0))
    }

    fn values_at(&self, names: &Cell<usize>) -> BoxedStrategy<(Value, Value)> {
        let next = || names.replace(names.get() + 1);
        let same = |value: Value| (value.clone(), value);
        match self {
            Self::Word("null") => Just(same(Value::Null)).boxed(),
            Self::Word("boolean") => any::<bool>()
                .prop_map(move |value| same(value.into()))
                .boxed(),
            Self::Word("int") | Self::Logical("int", _) => any::<i32>()
                .prop_map(move |value| same(value.into()))
                .boxed(),
            Self::Word("long") | Self::Logical("long", _) => any::<i64>()
                .prop_map(move |value| same(value.into()))
                .boxed(),
            Self::Word("float") => any::<f32>()
                .prop_map(move |value| same(f64::from(value).into()))
                .boxed(),
            Self::Word("double") => any::<f64>()
                .prop_map(move |value| same(value.into()))
                .boxed(),
            Self::Word("bytes") => octets(0..20),
            Self::Word(_) | Self::Logical(..) => any::<String>()
                .prop_map(move |value| same(value.into()))
                .boxed(),
            Self::Decimal => (any::<i64>(), 0_u32..1_000)
                .prop_map(move |(whole, rest)| same(format!("{whole}.{rest:03}").into()))
                .boxed(),
            Self::Fixed(size) => {
                next();
                octets(*size..*size + 1)
            }
            Self::Enum(count) => {
                next();
                (0..*count)
                    .prop_map(move |at| same(format!("S{at}").into()))
                    .boxed()
            }
            Self::Array(items) => proptest::collection::vec(items.values_at(names), 0..4)
                .prop_map(|items| items.into_iter().unzip::<_, _, Vec<Value>, Vec<Value>>())
                .prop_map(|(written, read)| (written.into(), read.into()))
                .boxed(),
            Self::Map(values) => {
                proptest::collection::btree_map(any::<String>(), values.values_at(names), 0..4)
                    .prop_map(|entries| objects(entries.into_iter()))
                    .boxed()
            }
            Self::Record(fields) => {
                next();
                let fields: Vec<_> = fields.iter().map(|of| of.values_at(names)).collect();
                fields
                    .prop_map(|values| {
                        let named = values.into_iter().enumerate();
                        objects(named.map(|(at, value)| (format!("f{at}"), value)))
                    })
                    .boxed()
            }
            Self::Union(branches) if branches.is_empty() => Just(same(Value::Null)).boxed(),
            Self::Union(branches) => {
                let branches: Vec<_> = branches.iter().map(|of| wrapped(of, names)).collect();
                proptest::strategy::Union::new(branches).boxed()
            }
        }
    }
}

fn wrapped(of: &Of, names: &Cell<usize>) -> BoxedStrategy<(Value, Value)> {
    let name = match of {
        Of::Record(_) | Of::Fixed(_) | Of::Enum(_) => format!("N{}", names.get()),
        other => other.word().to_owned(),
    };
    of.values_at(names)
        .prop_map(move |(written, read)| match written {
            Value::Null => (written, read),
            _ => (json!({name.clone(): written}), read),
        })
        .boxed()
}

fn octets(size: std::ops::Range<usize>) -> BoxedStrategy<(Value, Value)> {
    proptest::collection::vec(any::<u8>(), size)
        .prop_map(|bytes| {
            let text: String = bytes.into_iter().map(char::from).collect();
            (text.clone().into(), text.into())
        })
        .boxed()
}

fn objects(entries: impl Iterator<Item = (String, (Value, Value))>) -> (Value, Value) {
    let (mut written, mut read) = (Map::new(), Map::new());
    for (key, (one, other)) in entries {
        written.insert(key.clone(), one);
        read.insert(key, other);
    }
    (written.into(), read.into())
}

fn is_empty_union(of: &Of) -> bool {
    match of {
        Of::Union(branches) => branches.is_empty() || branches.iter().any(is_empty_union),
        Of::Record(fields) => fields.iter().any(is_empty_union),
        Of::Array(inner) | Of::Map(inner) => is_empty_union(inner),
        _ => false,
    }
}

/// A schema with a value.
fn written() -> impl Strategy<Value = (Of, (Value, Value))> {
    types()
        .prop_filter("no value", |of| !is_empty_union(of))
        .prop_flat_map(|of| (Just(of.clone()), of.values()))
}

/// The plan of a reader that drops the value.
fn dropping(of: &Of) -> msk_schemas::avro::Plan {
    let names = Cell::new(0);
    let record = |fields: Value| {
        let json = json!({"type": "record", "name": "Outer", "fields": fields});
        Schema::parse(&json.to_string()).unwrap()
    };
    let writer = record(json!([{"name": "gone", "type": of.json(&names, false)}]));
    record(json!([])).reads(&writer).unwrap()
}

proptest! {
    #[test]
    fn a_value_is_read_as_it_was_written((of, (value, plain)) in written()) {
        let schema = of.schema();
        let bytes = to_vec(&schema, &value).unwrap();

        prop_assert_eq!(&to_json(schema.plan(), &bytes).unwrap(), &plain);
        prop_assert_eq!(&to_json(&schema.reads(&of.schema()).unwrap(), &bytes).unwrap(), &plain);
        prop_assert!(from_slice::<IgnoredAny>(schema.plan(), &bytes).is_ok());
        prop_assert!(to_json(&dropping(&of), &bytes).is_ok());
    }

    #[test]
    fn a_value_cut_short_is_an_error((of, (value, _)) in written(), cut in any::<proptest::sample::Index>()) {
        let schema = of.schema();
        let bytes = to_vec(&schema, &value).unwrap();
        if !bytes.is_empty() {
            let cut = cut.index(bytes.len());
            prop_assert!(to_json(schema.plan(), &bytes[..cut]).is_err());
            prop_assert!(to_json(&dropping(&of), &bytes[..cut]).is_err());
        }
    }

    #[test]
    fn no_bytes_bring_the_decoder_down(of in types(), bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let schema = of.schema();
        let read = to_json(schema.plan(), &bytes);

        if let Ok(value) = read {
            prop_assert!(to_json(&dropping(&of), &bytes).is_ok());
            prop_assert!(value.to_string().len() <= 64 * (bytes.len() + 10_000));
        }
    }

    #[test]
    fn fields_in_another_order_are_the_same_record((of, (value, plain)) in written()) {
        let bytes = to_vec(&of.schema(), &value).unwrap();
        let names = Cell::new(0);
        let reader = Schema::parse(&of.json(&names, true).to_string());
        let read = reader.unwrap().reads(&of.schema()).unwrap();

        prop_assert_eq!(to_json(&read, &bytes).unwrap(), plain);
    }

    #[test]
    fn no_text_brings_the_parser_down(text in "[\\[\\]{}:,\"a-z]{0,60}") {
        let _ = Schema::parse(&text);
    }
}
