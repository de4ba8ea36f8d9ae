//! The bytes of a value, read from front to back with bounds. Called by the decoder and by `skip`.

use crate::avro::error::Error;
use crate::limits::AVRO_ZERO_SIZE_ELEMENTS_MAX;

/// What is left of a payload.
#[derive(Debug)]
pub(super) struct Input<'de> {
    left: &'de [u8],
    /// How many more elements may have no bytes.
    zero_size_left: usize,
}

impl<'de> Input<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self {
            left: bytes,
            zero_size_left: AVRO_ZERO_SIZE_ELEMENTS_MAX,
        }
    }

    /// Bytes that are left.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.left.len()
    }

    /// Puts other bytes in place of these, which are given back: a default is read with the bounds of its payload.
    pub(super) fn swap(&mut self, bytes: &'de [u8]) -> &'de [u8] {
        std::mem::replace(&mut self.left, bytes)
    }

    pub(super) fn end(&self) -> Result<(), Error> {
        match self.left.len() {
            0 => Ok(()),
            more => Err(Error::new(format!(
                "expected the end, found {more} bytes more: the payload was written with another schema"
            ))),
        }
    }

    #[inline]
    pub(super) fn boolean(&mut self) -> Result<bool, Error> {
        match self.array::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Error::new(
                "expected a boolean, found a byte that is neither 0 nor 1",
            )),
        }
    }

    #[inline]
    pub(super) fn int(&mut self) -> Result<i32, Error> {
        if let [first, rest @ ..] = self.left
            && *first < 0x80
        {
            self.left = rest;
            return Ok(zigzag(u64::from(*first)) as i32);
        }
        self.long_int()
    }

    #[inline(never)]
    fn long_int(&mut self) -> Result<i32, Error> {
        let value = self.long_varint("an int", 5)?;
        i32::try_from(zigzag(value))
            .map_err(|_| Error::new("expected an int, found an integer out of its range"))
    }

    #[inline]
    pub(super) fn long(&mut self) -> Result<i64, Error> {
        match self.left {
            [first, rest @ ..] if *first < 0x80 => {
                self.left = rest;
                Ok(zigzag(u64::from(*first)))
            }
            [first, second, rest @ ..] if *second < 0x80 => {
                self.left = rest;
                Ok(zigzag(u64::from(*first & 0x7f) | u64::from(*second) << 7))
            }
            _ => self.long_varint("a long", 10).map(zigzag),
        }
    }

    #[inline]
    fn long_varint(&mut self, kind: &'static str, bytes_max: usize) -> Result<u64, Error> {
        let mut value = 0_u64;
        let mut shift = 0;
        let mut left = self.left;
        while let [byte, rest @ ..] = left {
            left = rest;
            let bits = u64::from(byte & 0x7f);
            // Of the tenth byte one bit is left.
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if *byte < 0x80 {
                self.left = left;
                return Ok(value);
            }
            shift += 7;
            if shift == 7 * bytes_max {
                break;
            }
        }
        Err(bad_varint(kind, self.left.len() < bytes_max))
    }

    #[inline]
    pub(super) fn float(&mut self) -> Result<f32, Error> {
        self.array().map(f32::from_le_bytes)
    }

    #[inline]
    pub(super) fn double(&mut self) -> Result<f64, Error> {
        self.array().map(f64::from_le_bytes)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self.left.split_first_chunk::<N>() {
            Some((bytes, left)) => {
                self.left = left;
                Ok(*bytes)
            }
            None => Err(too_short(N, self.left.len())),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'de [u8], Error> {
        match self.left.split_at_checked(count) {
            Some((bytes, left)) => {
                self.left = left;
                Ok(bytes)
            }
            None => Err(too_short(count, self.left.len())),
        }
    }

    /// Bytes with their length before them.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'de [u8], Error> {
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => Err(Error::new("expected a length, found a negative one")),
        }
    }

    #[inline]
    pub(super) fn text(&mut self) -> Result<&'de str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(not_utf8)
    }

    /// The number of a branch or of a symbol.
    #[inline]
    pub(super) fn choice(&mut self, of: &'static str, count: usize) -> Result<usize, Error> {
        let number = self.long()?;
        match usize::try_from(number) {
            Ok(number) if number < count => Ok(number),
            _ => Err(Error::new(format!(
                "expected one of {count} {of}, found a number that has none"
            ))),
        }
    }

    #[inline]
    fn no_bytes(&mut self) -> Result<(), Error> {
        match self.zero_size_left.checked_sub(1) {
            Some(left) => {
                self.zero_size_left = left;
                Ok(())
            }
            None => Err(too_many()),
        }
    }
}

#[inline]
fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cold]
fn bad_varint(kind: &'static str, is_short: bool) -> Error {
    Error::new(if is_short {
        format!("expected {kind}, found the end of the payload")
    } else {
        format!("expected {kind}, found a number of too many bytes")
    })
}

#[cold]
fn too_short(wanted: usize, left: usize) -> Error {
    Error::new(format!(
        "expected {wanted} bytes, found the end of the payload after {left}"
    ))
}

#[cold]
fn not_utf8(_: std::str::Utf8Error) -> Error {
    Error::new("expected a string, found bytes that are not UTF-8")
}

#[cold]
fn too_many() -> Error {
    Error::new(format!(
        "expected elements with bytes, found more than {AVRO_ZERO_SIZE_ELEMENTS_MAX} without"
    ))
}

/// The blocks of an array or a map.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Elements of the block that were not begun.
    count: usize,
    /// The block says its size: so many bytes are left behind it.
    left_behind: Option<usize>,
    /// Bytes that were left when the last element began. None: none has begun.
    began: Option<usize>,
    is_done: bool,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self {
            count: 0,
            left_behind: None,
            began: None,
            is_done: false,
        }
    }

    /// Whether one more element comes. The caller reads it before it asks again.
    #[inline]
    pub(super) fn next(&mut self, input: &mut Input<'_>) -> Result<bool, Error> {
        if self.began == Some(input.left()) {
            input.no_bytes()?;
        }
        if self.count == 0 && !self.block(input, false)? {
            return Ok(false);
        }
        self.count -= 1;
        self.began = Some(input.left());
        Ok(true)
    }

    /// Goes to the next block that has elements. `jump` passes over those that say their size.
    fn block(&mut self, input: &mut Input<'_>, jump: bool) -> Result<bool, Error> {
        if self.is_done {
            return Ok(false);
        }
        loop {
            if self
                .left_behind
                .take()
                .is_some_and(|left| left != input.left())
            {
                return Err(Error::new(
                    "expected a block as long as it says, found another length",
                ));
            }
            let count = input.long()?;
            if count == 0 {
                self.is_done = true;
                self.began = None;
                return Ok(false);
            }
            if count < 0 {
                let size = usize::try_from(input.long()?).ok();
                let left = size.and_then(|size| input.left().checked_sub(size));
                let Some(left) = left else {
                    return Err(Error::new(
                        "expected a block, found the end of the payload before its end",
                    ));
                };
                if jump {
                    input.take(input.left() - left)?;
                    continue;
                }
                self.left_behind = Some(left);
            }
            let most = input.left().saturating_add(input.zero_size_left);
            return match usize::try_from(count.unsigned_abs()) {
                Ok(count) if count <= most => {
                    self.count = count;
                    Ok(true)
                }
                _ => Err(Error::new(
                    "expected a block, found one with more elements than bytes are left",
                )),
            };
        }
    }

    /// As `next`, and blocks that say their size are passed over.
    pub(super) fn skip_next(&mut self, input: &mut Input<'_>) -> Result<bool, Error> {
        if self.began == Some(input.left()) {
            input.no_bytes()?;
        }
        if self.count == 0 && !self.block(input, true)? {
            return Ok(false);
        }
        self.count -= 1;
        self.began = Some(input.left());
        Ok(true)
    }

    /// How many elements to make room for: not more than bytes are left.
    pub(super) fn room(&self, input: &Input<'_>) -> usize {
        self.count.min(input.left())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
    use serde_json::{Value, json};

    use crate::avro::schema::Schema;
    use crate::avro::{from_slice, to_json};
    use crate::limits::{AVRO_VALUE_DEPTH_MAX, AVRO_ZERO_SIZE_ELEMENTS_MAX};

    fn read(schema: &Value, bytes: &[u8]) -> Result<Value, String> {
        let schema = Schema::parse(&schema.to_string()).unwrap();
        to_json(schema.plan(), bytes).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(schema: &Value, bytes: &[u8], expected: &str) {
        let error = read(schema, bytes).unwrap_err();
        assert!(error.contains(expected), "{error}");
        // A reader that drops the value says the same.
        let fields = json!([{"name": "gone", "type": schema}]);
        let of = |fields: &Value| {
            let json = json!({"type": "record", "name": "Outer", "fields": fields});
            Schema::parse(&json.to_string()).unwrap()
        };
        let plan = of(&json!([])).reads(&of(&fields)).unwrap();
        let error = to_json(&plan, bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "dropped: {error}");
    }

    #[test]
    fn numbers_of_too_many_bytes_are_refused() {
        let long = json!("long");
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(read(&long, &most), Ok(json!(i64::MIN)));
        assert_eq!(
            read(&json!("int"), &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            Ok(json!(i32::MAX))
        );

        refused(
            &long,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            "too many bytes",
        );
        refused(&long, &[0x80; 11], "too many bytes");
        refused(
            &json!("int"),
            &[0xff, 0xff, 0xff, 0xff, 0x1f],
            "out of its range",
        );
        refused(
            &json!("int"),
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0],
            "too many bytes",
        );
        refused(&long, &[0x80], "found the end of the payload");
        refused(&long, &[], "found the end of the payload");
    }

    #[test]
    fn lengths_that_the_payload_does_not_have_are_refused() {
        for of in ["string", "bytes"] {
            refused(
                &json!(of),
                &[6, b'a', b'b'],
                "expected 3 bytes, found the end of the payload after 2",
            );
            refused(&json!(of), &[1], "a negative one");
        }
        refused(
            &json!({"type": "fixed", "name": "F", "size": 3}),
            &[1, 2],
            "expected 3 bytes",
        );
        refused(&json!("double"), &[1, 2], "expected 8 bytes");
        refused(&json!("boolean"), &[2], "neither 0 nor 1");
    }

    #[test]
    fn a_string_that_is_not_utf8_is_refused() {
        let error = read(&json!("string"), &[4, 0xff, 0xfe]).unwrap_err();

        assert_eq!(
            error,
            "expected a string, found bytes that are not UTF-8 at `.`"
        );
    }

    #[test]
    fn numbers_of_branches_and_symbols_that_there_are_not_are_refused() {
        refused(
            &json!(["null", "int"]),
            &[4],
            "expected one of 2 branches of a union",
        );
        refused(
            &json!(["null", "int"]),
            &[1],
            "expected one of 2 branches of a union",
        );
        refused(
            &json!({"type": "enum", "name": "E", "symbols": ["A"]}),
            &[2],
            "expected one of 1 symbols",
        );
    }

    #[test]
    fn bytes_behind_the_value_are_refused() {
        let error = read(&json!("int"), &[2, 0, 0]).unwrap_err();

        assert!(
            error.starts_with("expected the end, found 2 bytes more"),
            "{error}"
        );
    }

    #[test]
    fn a_block_may_say_its_size_and_has_to_say_the_right_one() {
        let ints = json!({"type": "array", "items": "int"});

        assert_eq!(read(&ints, &[3, 4, 2, 4, 2, 6, 0]), Ok(json!([1, 2, 3])));
        let error = read(&ints, &[3, 6, 2, 4, 0, 0]).unwrap_err();
        assert!(error.contains("a block as long as it says"), "{error}");
        refused(
            &ints,
            &[3, 60, 2, 4, 0],
            "the end of the payload before its end",
        );
        refused(
            &ints,
            &[3, 1, 2, 4, 0],
            "the end of the payload before its end",
        );
        let least = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        let error = read(&ints, &[&least[..], &[0, 0]].concat()).unwrap_err();
        assert!(
            error.contains("more elements than bytes are left"),
            "{error}"
        );
    }

    #[test]
    fn a_block_of_more_elements_than_bytes_are_left_is_refused() {
        // 2^40 elements.
        let many = [0x80, 0x80, 0x80, 0x80, 0x80, 0x40];

        refused(
            &json!({"type": "array", "items": "int"}),
            &many,
            "more elements than bytes are left",
        );
        refused(
            &json!({"type": "map", "values": "int"}),
            &many,
            "more elements than bytes are left",
        );
    }

    #[test]
    fn elements_without_bytes_are_bounded_over_all_blocks() {
        let nulls = json!({"type": "array", "items": "null"});
        let block = |count: usize| {
            let count = count as u64 * 2;
            vec![
                count as u8 | 0x80,
                (count >> 7) as u8 | 0x80,
                (count >> 14) as u8,
            ]
        };
        let half = block(AVRO_ZERO_SIZE_ELEMENTS_MAX / 2);

        let most = [&half[..], &half, &[0]].concat();
        let read = read(&nulls, &most).unwrap();
        assert_eq!(read.as_array().unwrap().len(), AVRO_ZERO_SIZE_ELEMENTS_MAX);
        refused(
            &nulls,
            &[&half[..], &half, &[2, 0]].concat(),
            "found more than 10000 without",
        );
    }

    #[test]
    fn values_that_are_nested_too_deep_are_refused() {
        let node = json!({"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]});
        let mut deep = vec![2; AVRO_VALUE_DEPTH_MAX - 1];
        deep.push(0);
        assert!(read(&node, &deep).is_ok());

        deep.insert(0, 2);
        refused(&node, &deep, "inside each other, found more");
    }

    /// How many elements a Rust type is told to make room for.
    #[derive(Debug, PartialEq)]
    struct Room(Option<usize>);

    impl<'de> Deserialize<'de> for Room {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Look;
            impl<'de> Visitor<'de> for Look {
                type Value = Room;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an array")
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Room, A::Error> {
                    items.next_element::<IgnoredAny>()?;
                    let room = items.size_hint();
                    while items.next_element::<IgnoredAny>()?.is_some() {}
                    Ok(Room(room))
                }
            }
            deserializer.deserialize_seq(Look)
        }
    }

    #[test]
    fn room_is_made_for_no_more_elements_than_bytes_are_left() {
        let room = |items: &str, bytes: &[u8]| {
            let schema = json!({"type": "array", "items": items});
            let schema = Schema::parse(&schema.to_string()).unwrap();
            from_slice::<Room>(schema.plan(), bytes).unwrap()
        };

        // 8,192 nulls, and behind their number one byte.
        assert_eq!(room("null", &[0x80, 0x80, 0x01, 0]), Room(Some(1)));
        assert_eq!(room("int", &[6, 1, 2, 3, 0]), Room(Some(2)));
    }
}
