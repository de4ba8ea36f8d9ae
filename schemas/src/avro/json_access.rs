//! What serde goes through in JSON that was Avro: the values with their parts. Called by `from_json`.

use std::slice;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use crate::avro::error::Error;

/// A value of JSON that was Avro.
#[derive(Clone, Copy)]
pub(super) struct De<'de>(pub(super) &'de Value);

impl<'de> De<'de> {
    /// Without the name of a union's branch around the value, if that is one of these words. A record with one field looks the same, so no other name counts.
    pub(super) fn unwrapped(self, words: &[&str]) -> Self {
        match wrapped(self.0) {
            Some((name, inner)) if words.contains(&name) => Self(inner),
            _ => self,
        }
    }

    /// As `unwrapped`, and without the full name of an enum or a fixed around a text.
    pub(super) fn unwrapped_text(self, words: &[&str]) -> Self {
        match wrapped(self.0) {
            Some((name, inner)) if inner.is_string() && is_full_name(name) => Self(inner),
            _ => self.unwrapped(words),
        }
    }

    pub(super) fn text(self) -> Option<&'de str> {
        self.0.as_str()
    }

    /// The bytes that a text of code points stands for.
    pub(super) fn octets(self) -> Option<Vec<u8>> {
        self.text()?
            .chars()
            .map(|point| u8::try_from(point).ok())
            .collect()
    }

    pub(super) fn float(self) -> Option<f64> {
        match self.text()? {
            "NaN" => Some(f64::NAN),
            "Infinity" | "INF" => Some(f64::INFINITY),
            "-Infinity" | "-INF" => Some(f64::NEG_INFINITY),
            _ => None,
        }
    }
}

/// The only entry of an object.
pub(super) fn wrapped(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.iter().next().map(|(name, value)| (&**name, value))
}

/// A type's name with its namespace: no field has a dot in its name. Without a namespace a type's name looks like a field's.
pub(super) fn is_full_name(name: &str) -> bool {
    name.contains('.') && name.split('.').all(is_name)
}

fn is_name(part: &str) -> bool {
    let mut letters = part.chars();
    letters
        .next()
        .is_some_and(|first| first == '_' || first.is_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_alphanumeric())
}

/// The elements of an array.
pub(super) struct Items<'de> {
    items: slice::Iter<'de, Value>,
    index: usize,
}

impl<'de> Items<'de> {
    pub(super) fn new(items: &'de [Value]) -> Self {
        Self {
            items: items.iter(),
            index: 0,
        }
    }

    /// An error if serde has stopped before the last element.
    pub(super) fn finish(&self) -> Result<(), Error> {
        match self.items.len() {
            0 => Ok(()),
            _ => Err(Error::new(
                "expected the end of an array, found one more element",
            )),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(value) = self.items.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(De(value))
            .map(Some)
            .map_err(|error| error.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of an object.
pub(super) struct Entries<'de> {
    entries: serde_json::map::Iter<'de>,
    /// The names that may be shown: other keys are payload.
    fields: &'static [&'static str],
    named: Option<(&'de String, &'de Value)>,
}

impl<'de> Entries<'de> {
    pub(super) fn new(object: &'de Map<String, Value>, fields: &'static [&'static str]) -> Self {
        Self {
            entries: object.iter(),
            fields,
            named: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.named = self.entries.next();
        let Some((key, _)) = self.named else {
            return Ok(None);
        };
        seed.deserialize(BorrowedStrDeserializer::new(key))
            .map(Some)
            .map_err(Error::at_key)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let Some((key, value)) = self.named.take() else {
            return Err(Error::new("its type asks for a field before its name"));
        };
        seed.deserialize(De(value))
            .map_err(|error| match self.fields.contains(&key.as_str()) {
                true => error.in_field(key),
                false => error.at_key(),
            })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant of a Rust enum: a branch with its value, or a symbol.
pub(super) struct Variant<'de> {
    pub(super) name: &'de str,
    /// None: a symbol stands alone.
    pub(super) value: Option<&'de Value>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant = seed.deserialize(BorrowedStrDeserializer::new(self.name))?;
        Ok((variant, self))
    }
}

impl<'de> Variant<'de> {
    fn inner(&self) -> Result<De<'de>, Error> {
        self.value
            .map(De)
            .ok_or_else(|| Error::new("expected a variant with a value, found a symbol alone"))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Error::new(
                "expected a variant without a value, found one with a value",
            )),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.inner()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.inner()?.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.inner()?.deserialize_struct("", fields, visitor)
    }
}

/// Bytes, one by one.
pub(super) struct Octets(std::vec::IntoIter<u8>);

impl Octets {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into_iter())
    }
}

impl<'de> SeqAccess<'de> for Octets {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(byte) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Octet(byte)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// One of the bytes that a text stands for: an element of a list of bytes, and of no other list.
struct Octet(u8);

impl<'de> Deserializer<'de> for Octet {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::new("expected an array, found a string"))
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u8(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
