//! Avro's types for serde: what each request of a Rust type gets. Called by `avro`.

use serde::Deserializer;
use serde::de::{Error as _, Unexpected, Visitor};

use crate::avro::access::{Elements, Fields, Octets, Parts, Unit, Variant};
use crate::avro::de::De;
use crate::avro::error::Error;
use crate::avro::plan::Node;
use crate::avro::schema::simple;
use crate::avro::skip::{deeper, skip};
use crate::avro::text;

macro_rules! integers {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.node {
                Node::Long => visitor.visit_i64(self.input.long()?),
                Node::Int => visitor.visit_i32(self.input.int()?),
                _ => self.integer(visitor),
            }
        }
    )*};
}

macro_rules! forward {
    ($($method:ident to $to:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$to(visitor)
        }
    )*};
}

impl<'de> De<'_, 'de> {
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let de = self.settle()?;
        match de.node {
            Node::Decimal(decimal) => de.decimal_integer(*decimal, visitor),
            _ => de.deserialize_any(visitor),
        }
    }

    #[inline]
    fn record<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node {
            Node::Record(record) => {
                let depth = deeper(self.depth)?;
                let mut fields = Fields::new(self.nodes, &record.steps, self.input, depth);
                let value = visitor.visit_map(&mut fields)?;
                fields.finish()?;
                Ok(value)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    /// A record as a tuple, with the fields in the reader's order.
    fn tuple<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut de = self.settle()?;
        match de.node {
            Node::Record(record) if record.is_in_order => {
                let depth = deeper(de.depth)?;
                let mut fields = Fields::new(de.nodes, &record.steps, de.input, depth);
                let value = visitor.visit_seq(&mut fields)?;
                fields.finish()?;
                Ok(value)
            }
            Node::Record(_) => Err(Error::new(
                "expected a record with its fields in the reader's order, found another order: read the record as a struct",
            )),
            Node::Duration => visitor.visit_seq(Parts::new(de.input.array()?)),
            Node::Bytes => octets(de.input.bytes()?, visitor),
            Node::Fixed(size) => octets(de.input.take(*size)?, visitor),
            Node::Uuid => octets(de.input.take(16)?, visitor),
            Node::Decimal(decimal) => octets(de.decimal(*decimal)?, visitor),
            _ => de.deserialize_any(visitor),
        }
    }

    fn refuse<V: Visitor<'de>>(reason: &str, _: V) -> Result<V::Value, Error> {
        Err(Error::new(reason.to_owned()))
    }
}

fn octets<'de, V: Visitor<'de>>(bytes: &'de [u8], visitor: V) -> Result<V::Value, Error> {
    let mut octets = Octets(bytes.iter());
    let value = visitor.visit_seq(&mut octets)?;
    if octets.0.len() > 0 {
        return Err(Error::new("expected the end of bytes, found more"));
    }
    Ok(value)
}

impl<'de> Deserializer<'de> for De<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut de = self.settle()?;
        match de.node {
            Node::Null => visitor.visit_unit(),
            Node::Boolean => visitor.visit_bool(de.input.boolean()?),
            Node::Int => visitor.visit_i32(de.input.int()?),
            Node::Long => visitor.visit_i64(de.input.long()?),
            Node::Float => visitor.visit_f32(de.input.float()?),
            Node::Double => visitor.visit_f64(de.input.double()?),
            Node::IntAsFloat => visitor.visit_f32(de.input.int()? as f32),
            Node::IntAsDouble => visitor.visit_f64(f64::from(de.input.int()?)),
            Node::LongAsFloat => visitor.visit_f32(de.input.long()? as f32),
            Node::LongAsDouble => visitor.visit_f64(de.input.long()? as f64),
            Node::FloatAsDouble => visitor.visit_f64(f64::from(de.input.float()?)),
            Node::Bytes => visitor.visit_borrowed_bytes(de.input.bytes()?),
            Node::Text => visitor.visit_borrowed_str(de.input.text()?),
            Node::Fixed(size) => visitor.visit_borrowed_bytes(de.input.take(*size)?),
            Node::Uuid => visitor.visit_string(text::uuid(de.input.array()?)),
            Node::Duration => visitor.visit_map(Parts::new(de.input.array()?)),
            Node::Decimal(decimal) => {
                let bytes = de.decimal(*decimal)?;
                visitor.visit_string(text::decimal(bytes, decimal.scale)?)
            }
            Node::Time { is_int, .. } => visitor.visit_i64(de.time(*is_int)?),
            Node::Enum(symbols) => visitor.visit_borrowed_str(de.symbol(symbols)?),
            Node::Array(item) => {
                let depth = deeper(de.depth)?;
                let mut elements = Elements::new(de.nodes, &de.nodes[*item], de.input, depth);
                let value = visitor.visit_seq(&mut elements)?;
                elements.finish()?;
                Ok(value)
            }
            Node::Map(value) => {
                let depth = deeper(de.depth)?;
                let mut elements = Elements::new(de.nodes, &de.nodes[*value], de.input, depth);
                let value = visitor.visit_map(&mut elements)?;
                elements.finish()?;
                Ok(value)
            }
            Node::Record(_) => de.record(visitor),
            Node::Refuse(reason) => Self::refuse(reason, visitor),
            // A branch is no union: `settle` has passed it.
            Node::Union(_) | Node::Branch(_) => Self::refuse("a union in a union", visitor),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    forward! {
        deserialize_bool to deserialize_any
        deserialize_char to deserialize_str
        deserialize_f32 to deserialize_f64
        deserialize_string to deserialize_str
        deserialize_identifier to deserialize_str
        deserialize_byte_buf to deserialize_bytes
        deserialize_unit to deserialize_any
        deserialize_map to record
        deserialize_seq to tuple
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut de = self.settle()?;
        match de.node {
            Node::Double => visitor.visit_f64(de.input.double()?),
            Node::Decimal(decimal) => {
                let bytes = de.decimal(*decimal)?;
                let text = text::decimal(bytes, decimal.scale)?;
                let value = text.parse();
                visitor.visit_f64(value.map_err(|_| Error::new("expected a decimal"))?)
            }
            _ => de.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let Node::Text = self.node {
            return visitor.visit_borrowed_str(self.input.text()?);
        }
        let mut de = self.settle()?;
        match de.node {
            Node::Text => visitor.visit_borrowed_str(de.input.text()?),
            Node::Time { of, is_int } => {
                let value = de.time(*is_int)?;
                visitor.visit_string(text::temporal(*of, value)?)
            }
            _ => de.deserialize_any(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut de = self.settle()?;
        match de.node {
            Node::Bytes | Node::Text => visitor.visit_borrowed_bytes(de.input.bytes()?),
            Node::Uuid => visitor.visit_borrowed_bytes(de.input.take(16)?),
            Node::Duration => visitor.visit_borrowed_bytes(de.input.take(12)?),
            Node::Decimal(decimal) => visitor.visit_borrowed_bytes(de.decimal(*decimal)?),
            _ => de.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let de = self.settle()?;
        match de.node {
            Node::Null => visitor.visit_none(),
            _ => visitor.visit_some(de),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.tuple(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.tuple(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.record(visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut de = self.settle()?;
        let is_text = matches!(de.node, Node::Enum(_) | Node::Text);
        if let Some(name) = de.branch.and_then(|branch| branch.name.as_deref()) {
            let full = variants.contains(&name).then_some(name);
            let name = full.unwrap_or_else(|| simple(name));
            // `["null", "Channel"]` read as the Rust enum `Channel`: its variants are the symbols.
            if !is_text || variants.contains(&name) {
                de.branch = None;
                return visitor.visit_enum(Variant { name, value: de });
            }
        }
        match de.node {
            Node::Enum(symbols) => visitor.visit_enum(Unit(de.symbol(symbols)?)),
            Node::Text => visitor.visit_enum(Unit(de.input.text()?)),
            Node::Refuse(reason) => Self::refuse(reason, visitor),
            _ => Err(Error::invalid_type(Unexpected::Other("no enum"), &visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        skip(self.nodes, self.node, self.input, self.depth)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use serde::Deserialize;
    use serde::de::{DeserializeOwned, IgnoredAny};
    use serde_json::{Value, json};

    use crate::avro::schema::Schema;
    use crate::avro::{from_slice, to_json, to_vec};

    fn schema(json: &Value) -> Schema {
        Schema::parse(&json.to_string()).unwrap()
    }

    /// The value written by the schema and read as a Rust type.
    fn read<T: DeserializeOwned>(of: &Value, value: &Value) -> Result<T, String> {
        let schema = schema(of);
        let bytes = to_vec(&schema, value).unwrap();
        from_slice(schema.plan(), &bytes).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn reads<T: DeserializeOwned + Debug + PartialEq>(of: &Value, value: &Value, expected: T) {
        assert_eq!(read::<T>(of, value), Ok(expected));
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        sku: String,
        count: u8,
    }

    fn line() -> Value {
        json!({"type": "record", "name": "Line", "namespace": "shop", "fields": [
            {"name": "sku", "type": "string"}, {"name": "count", "type": "int"}
        ]})
    }

    fn line_of(count: u8) -> Line {
        Line {
            sku: "a".to_owned(),
            count,
        }
    }

    #[test]
    fn a_record_is_a_struct_a_map_or_a_tuple() {
        let value = json!({"sku": "a", "count": 2});

        reads(&line(), &value, line_of(2));
        reads(&line(), &value, ("a".to_owned(), 2_u64));
        reads::<BTreeMap<String, Value>>(
            &line(),
            &value,
            BTreeMap::from([
                ("sku".to_owned(), json!("a")),
                ("count".to_owned(), json!(2)),
            ]),
        );
        reads(&line(), &value, value.clone());
    }

    #[test]
    fn a_record_in_another_order_is_no_tuple() {
        let other = json!({"type": "record", "name": "Line", "fields": [
            {"name": "count", "type": "int"}, {"name": "sku", "type": "string"}
        ]});
        let plan = schema(&other).reads(&schema(&line())).unwrap();
        let bytes = to_vec(&schema(&line()), &json!({"sku": "a", "count": 2})).unwrap();

        let read = from_slice::<(u8, String)>(&plan, &bytes);

        assert!(
            read.unwrap_err()
                .reason()
                .ends_with("read the record as a struct")
        );
    }

    #[test]
    fn a_text_and_bytes_are_borrowed() {
        let text = schema(&json!("string"));
        let bytes = to_vec(&text, "grüße").unwrap();

        assert_eq!(from_slice::<&str>(text.plan(), &bytes).unwrap(), "grüße");
        assert_eq!(
            from_slice::<&[u8]>(text.plan(), &bytes).unwrap(),
            "grüße".as_bytes()
        );
    }

    #[test]
    fn bytes_and_fixed_are_bytes_or_a_sequence() {
        let fixed = json!({"type": "fixed", "name": "F", "size": 2});
        for of in [json!("bytes"), fixed] {
            reads(&of, &json!("\u{1}ÿ"), vec![1_u8, 255]);
            reads(&of, &json!("\u{1}ÿ"), [1_u8, 255]);
            assert!(read::<[u8; 1]>(&of, &json!("\u{1}ÿ")).is_err());
            let schema = schema(&of);
            let bytes = to_vec(&schema, "\u{1}ÿ").unwrap();
            assert_eq!(
                from_slice::<&[u8]>(schema.plan(), &bytes).unwrap(),
                [1, 255]
            );
        }
    }

    #[test]
    fn a_union_with_null_is_an_option() {
        let of = json!(["null", "long"]);

        reads(&of, &json!(5), Some(5_u32));
        reads(&of, &json!(null), None::<u32>);
        reads(&of, &json!(5), 5_u32);
        reads(&json!("long"), &json!(5), Some(5));
        reads(&json!("null"), &json!(null), None::<u8>);
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Either {
        #[serde(rename = "null")]
        Nothing,
        #[serde(rename = "string")]
        Text(String),
        #[serde(rename = "long")]
        Number(i64),
        Line(Line),
        #[serde(rename = "array")]
        Pair(u8, u8),
    }

    #[test]
    fn a_union_is_an_enum_with_a_variant_for_each_branch() {
        let of = json!(["null", "string", "long", line(), {"type": "array", "items": "int"}]);

        reads(&of, &json!(null), Either::Nothing);
        reads(&of, &json!("x"), Either::Text("x".to_owned()));
        reads(&of, &json!(7), Either::Number(7));
        reads(
            &of,
            &json!({"sku": "a", "count": 3}),
            Either::Line(line_of(3)),
        );
        reads(&of, &json!([1, 2]), Either::Pair(1, 2));
        reads(&of, &json!(7), Some(Either::Number(7)));
        reads(&of, &json!(null), None::<Either>);
    }

    #[test]
    fn branches_with_one_simple_name_are_told_apart_by_full_names() {
        #[derive(Debug, PartialEq, Deserialize)]
        enum Both {
            #[serde(rename = "a.R")]
            A { x: i32 },
            #[serde(rename = "b.R")]
            B { x: i32 },
        }
        let branch = |name: &str| json!({"type": "record", "name": name, "fields": [{"name": "x", "type": "int"}]});
        let of = json!([branch("a.R"), branch("b.R")]);

        reads(&of, &json!({"b.R": {"x": 1}}), Both::B { x: 1 });
        reads(&of, &json!({"x": 1}), Both::A { x: 1 });
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    enum Channel {
        Web,
        Store,
    }

    #[test]
    fn an_enum_is_a_unit_variant_or_text_inside_a_union_too() {
        let of = json!({"type": "enum", "name": "Channel", "symbols": ["WEB", "STORE"]});

        reads(&of, &json!("STORE"), Channel::Store);
        reads(&of, &json!("STORE"), "STORE".to_owned());
        reads(&json!(["null", of]), &json!("WEB"), Some(Channel::Web));
        reads(&json!(["null", of]), &json!("WEB"), Channel::Web);
        reads(&json!(["null", "string"]), &json!("WEB"), Channel::Web);
    }

    #[test]
    fn a_decimal_is_text_a_float_bytes_or_an_integer() {
        let of = |scale| json!({"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": scale});

        reads(&of(2), &json!("-12.34"), "-12.34".to_owned());
        reads(&of(2), &json!("-12.34"), -12.34_f64);
        reads(&of(2), &json!("-12.34"), -12.34_f32);
        reads(&of(2), &json!("-12.34"), vec![0xfb_u8, 0x2e]);
        reads(&of(0), &json!("-1234"), -1234_i16);
        reads(&of(0), &json!("18446744073709551615"), u64::MAX);
        reads(
            &of(0),
            &json!("98446744073709551615"),
            98_446_744_073_709_551_615_i128,
        );
        let error = read::<i64>(&of(2), &json!("1.00")).unwrap_err();
        assert_eq!(
            error,
            "expected an integer (i64), found a value of another type at `.`"
        );
    }

    #[test]
    fn a_date_is_a_number_or_text_as_is_asked_for() {
        let of = json!({"type": "long", "logicalType": "timestamp-millis"});

        reads(
            &of,
            &json!(1_795_782_600_123_i64),
            "2026-11-27T12:30:00.123Z".to_owned(),
        );
        reads(
            &of,
            &json!("2026-11-27T12:30:00.123Z"),
            1_795_782_600_123_u64,
        );
        reads(
            &json!(["null", of]),
            &json!(0),
            Some("1970-01-01T00:00:00Z".to_owned()),
        );
        reads(
            &json!({"type": "int", "logicalType": "date"}),
            &json!("2026-11-27"),
            20_784,
        );
    }

    #[test]
    fn a_uuid_in_fixed_is_text_or_bytes() {
        let of = json!({"type": "fixed", "name": "Id", "size": 16, "logicalType": "uuid"});
        let text = "00112233-4455-6677-8899-aabbccddeeff";

        reads(&of, &json!(text), text.to_owned());
        reads(
            &of,
            &json!(text),
            std::array::from_fn::<u8, 16, _>(|at| at as u8 * 17),
        );
    }

    #[test]
    fn a_duration_is_a_struct_or_a_tuple() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Duration {
            months: u32,
            days: u32,
            millis: u32,
        }
        let of = json!({"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"});
        let value = json!({"months": 1, "days": 2, "millis": 4_000_000_000_u32});

        reads(
            &of,
            &value,
            Duration {
                months: 1,
                days: 2,
                millis: 4_000_000_000,
            },
        );
        reads(&of, &value, (1_u32, 2_u32, 4_000_000_000_u32));
        reads(&of, &value, value.clone());
    }

    #[test]
    fn newtypes_flatten_untagged_and_ignored_values_work() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Id(u64);
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(untagged)]
        enum Loose {
            Line(Line),
            Text(String),
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Whole {
            #[serde(flatten)]
            rest: BTreeMap<String, Value>,
        }

        reads(&json!("int"), &json!(5), Id(5));
        reads(
            &json!(["string", line()]),
            &json!({"sku": "a", "count": 1}),
            Loose::Line(line_of(1)),
        );
        reads(
            &json!(["string", line()]),
            &json!("x"),
            Loose::Text("x".to_owned()),
        );
        let rest = BTreeMap::from([
            ("sku".to_owned(), json!("a")),
            ("count".to_owned(), json!(1)),
        ]);
        reads(&line(), &json!({"sku": "a", "count": 1}), Whole { rest });
        assert!(read::<IgnoredAny>(&line(), &json!({"sku": "a", "count": 1})).is_ok());
    }

    #[test]
    fn an_error_names_the_place_and_the_kinds() {
        let of = json!({"type": "record", "name": "Order", "fields": [
            {"name": "lines", "type": {"type": "array", "items": line()}},
            {"name": "by_key", "type": {"type": "map", "values": "shop.Line"}},
        ]});
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Order {
            lines: Vec<Line>,
            by_key: BTreeMap<String, Line>,
        }
        let good = json!({"sku": "a", "count": 1});
        let bad = json!({"sku": "4111", "count": 4111});

        let error = read::<Order>(&of, &json!({"lines": [good, bad], "by_key": {}})).unwrap_err();
        assert_eq!(
            error,
            "expected an integer (u8), found an integer out of range at `lines[1].count`"
        );
        let error = read::<Order>(&of, &json!({"lines": [], "by_key": {"4111": bad}})).unwrap_err();
        assert_eq!(
            error,
            "expected an integer (u8), found an integer out of range at `by_key.*.count`"
        );
    }

    #[test]
    fn no_error_shows_a_value() {
        #[derive(Debug, Deserialize)]
        #[serde(try_from = "String")]
        struct Picky;
        impl TryFrom<String> for Picky {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Err(format!("{text} is none"))
            }
        }
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Strict {}
        #[derive(Debug, Deserialize)]
        #[serde(untagged)]
        #[allow(dead_code)]
        enum Untagged {
            A(u8),
        }
        let text = json!("4111");
        let map = json!({"type": "map", "values": "string"});

        let errors = [
            read::<u8>(&json!("string"), &text).unwrap_err(),
            read::<Channel>(&json!("string"), &text).unwrap_err(),
            read::<Picky>(&json!("string"), &text).unwrap_err(),
            read::<Strict>(&map, &json!({"4111": "4111"})).unwrap_err(),
            read::<Untagged>(&json!("string"), &text).unwrap_err(),
            read::<char>(&json!("string"), &text).unwrap_err(),
            read::<std::net::IpAddr>(&json!("string"), &text).unwrap_err(),
        ];

        assert_eq!(errors[0], "expected an integer (u8), found a string at `.`");
        assert_eq!(
            errors[1],
            "expected one of `WEB`, `STORE`, found an unknown variant at `.`"
        );
        assert_eq!(errors[2], "its type refuses the value at `.`");
        assert_eq!(errors[3], "expected none, found an unknown field at `*`");
        assert_eq!(
            errors[4],
            "no variant of the untagged enum `Untagged` fits at `.`"
        );
        for error in errors {
            assert!(!error.contains("4111"), "{error}");
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct More {
            sku: String,
            price: u64,
        }

        let error = read::<More>(&line(), &json!({"sku": "a", "count": 1})).unwrap_err();

        assert_eq!(error, "no field `price` at `.`");
    }

    #[test]
    fn json_shows_bytes_as_code_points_and_what_is_no_number_as_text() {
        let of = schema(&json!({"type": "record", "name": "R", "fields": [
            {"name": "b", "type": "bytes"}, {"name": "f", "type": "float"}, {"name": "d", "type": "double"}
        ]}));
        let bytes = to_vec(&of, &json!({"b": "\u{0}ÿ", "f": "NaN", "d": "-Infinity"})).unwrap();

        let json = to_json(of.plan(), &bytes).unwrap();

        assert_eq!(json, json!({"b": "\u{0}ÿ", "f": "NaN", "d": "-Infinity"}));
    }
}
