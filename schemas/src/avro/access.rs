//! What serde goes through: the fields of a record, the elements of an array or a map, a union's branch. Made by `deserializer`.

use std::slice;

use serde::de::value::{BorrowedStrDeserializer, U8Deserializer, U32Deserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use crate::avro::de::De;
use crate::avro::error::Error;
use crate::avro::input::{Blocks, Input};
use crate::avro::plan::{From, Node, Step};
use crate::avro::skip::skip;

/// The fields of a record.
pub(super) struct Fields<'a, 'de> {
    nodes: &'de [Node],
    steps: slice::Iter<'de, Step>,
    /// The field whose name was given last.
    named: Option<&'de Step>,
    input: &'a mut Input<'de>,
    depth: usize,
}

impl<'a, 'de> Fields<'a, 'de> {
    #[inline]
    pub(super) fn new(
        nodes: &'de [Node],
        steps: &'de [Step],
        input: &'a mut Input<'de>,
        depth: usize,
    ) -> Self {
        Self {
            nodes,
            steps: steps.iter(),
            named: None,
            input,
            depth,
        }
    }

    /// The next field that the reader has.
    #[inline]
    fn next(&mut self) -> Result<Option<&'de Step>, Error> {
        for step in self.steps.by_ref() {
            if !matches!(step.from, From::Dropped) {
                return Ok(Some(step));
            }
            skip(self.nodes, &self.nodes[step.node], self.input, self.depth)
                .map_err(|error| error.in_field(&step.name))?;
        }
        Ok(None)
    }

    #[inline]
    fn read<T: DeserializeSeed<'de>>(
        &mut self,
        step: &'de Step,
        seed: T,
    ) -> Result<T::Value, Error> {
        let read = match &step.from {
            From::Default(bytes) => self.read_default(step, bytes, seed),
            _ => seed.deserialize(De {
                nodes: self.nodes,
                node: &self.nodes[step.node],
                input: self.input,
                depth: self.depth,
                branch: None,
            }),
        };
        match read {
            Ok(value) => Ok(value),
            Err(error) => Err(error.in_field(&step.name)),
        }
    }

    fn read_default<T: DeserializeSeed<'de>>(
        &mut self,
        step: &'de Step,
        bytes: &'de [u8],
        seed: T,
    ) -> Result<T::Value, Error> {
        let payload = self.input.swap(bytes);
        let read = seed.deserialize(De {
            nodes: self.nodes,
            node: &self.nodes[step.node],
            input: self.input,
            depth: self.depth,
            branch: None,
        });
        self.input.swap(payload);
        read
    }

    /// An error if serde has stopped before the last field: the rest of the payload would be read as something else.
    #[inline]
    pub(super) fn finish(mut self) -> Result<(), Error> {
        match self.next()? {
            None => Ok(()),
            Some(step) => Err(
                Error::new("expected the end of a record, found one more field")
                    .in_field(&step.name),
            ),
        }
    }
}

impl<'de> MapAccess<'de> for &mut Fields<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.named = self.next()?;
        match self.named {
            Some(step) => seed
                .deserialize(BorrowedStrDeserializer::new(&step.name))
                .map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        match self.named.take() {
            Some(step) => self.read(step, seed),
            None => Err(Error::new("its type asks for a field before its name")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.steps.len())
    }
}

impl<'de> SeqAccess<'de> for &mut Fields<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        match self.next()? {
            Some(step) => self.read(step, seed).map(Some),
            None => Ok(None),
        }
    }
}

/// The elements of an array or a map.
pub(super) struct Elements<'a, 'de> {
    nodes: &'de [Node],
    of: &'de Node,
    blocks: Blocks,
    index: usize,
    input: &'a mut Input<'de>,
    depth: usize,
}

impl<'a, 'de> Elements<'a, 'de> {
    #[inline]
    pub(super) fn new(
        nodes: &'de [Node],
        of: &'de Node,
        input: &'a mut Input<'de>,
        depth: usize,
    ) -> Self {
        Self {
            nodes,
            of,
            blocks: Blocks::new(),
            index: 0,
            input,
            depth,
        }
    }

    #[inline]
    fn read<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(De {
            nodes: self.nodes,
            node: self.of,
            input: self.input,
            depth: self.depth,
            branch: None,
        })
    }

    /// An error if serde has stopped before the last element.
    #[inline]
    pub(super) fn finish(mut self) -> Result<(), Error> {
        if self.blocks.next(self.input)? {
            return Err(Error::new(
                "expected the end of an array or a map, found one more element",
            ));
        }
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if !self.blocks.next(self.input)? {
            return Ok(None);
        }
        let index = self.index;
        self.index += 1;
        match self.read(seed) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(error.at_index(index)),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.blocks.room(self.input))
    }
}

impl<'de> MapAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if !self.blocks.next(self.input)? {
            return Ok(None);
        }
        let key = self.input.text().map_err(Error::at_key)?;
        seed.deserialize(BorrowedStrDeserializer::new(key))
            .map(Some)
            .map_err(Error::at_key)
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        self.read(seed).map_err(Error::at_key)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.blocks.room(self.input))
    }
}

/// A symbol or a text, as a variant without a value.
pub(super) struct Unit<'de>(pub(super) &'de str);

impl<'de> EnumAccess<'de> for Unit<'de> {
    type Error = Error;
    type Variant = NoValue;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, NoValue), Error> {
        seed.deserialize(BorrowedStrDeserializer::new(self.0))
            .map(|variant| (variant, NoValue))
    }
}

pub(super) struct NoValue;

impl NoValue {
    fn none<T>() -> Result<T, Error> {
        Err(Error::new(
            "expected a variant with a value, found a symbol alone",
        ))
    }
}

impl<'de> VariantAccess<'de> for NoValue {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Self::none()
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Self::none()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Self::none()
    }
}

/// A branch of a union, as the variant of its name.
pub(super) struct Variant<'a, 'de> {
    pub(super) name: &'de str,
    pub(super) value: De<'a, 'de>,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a, 'de> {
    type Error = Error;
    type Variant = De<'a, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, De<'a, 'de>), Error> {
        let variant = seed.deserialize(BorrowedStrDeserializer::new(self.name))?;
        Ok((variant, self.value))
    }
}

impl<'de> VariantAccess<'de> for De<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        <()>::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_struct("", fields, visitor)
    }
}

/// The bytes of a `bytes` or a `fixed`, one by one.
pub(super) struct Octets<'de>(pub(super) slice::Iter<'de, u8>);

impl<'de> SeqAccess<'de> for Octets<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(byte) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(U8Deserializer::new(*byte)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The parts of a duration.
pub(super) struct Parts {
    parts: [(&'static str, u32); 3],
    at: usize,
}

impl Parts {
    pub(super) fn new(bytes: [u8; 12]) -> Self {
        let part = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self {
            parts: [("months", part(0)), ("days", part(4)), ("millis", part(8))],
            at: 0,
        }
    }
}

impl<'de> MapAccess<'de> for Parts {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        match self.parts.get(self.at) {
            Some((name, _)) => seed
                .deserialize(BorrowedStrDeserializer::new(name))
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let Some((name, value)) = self.parts.get(self.at) else {
            return Err(Error::new("its type asks for a field before its name"));
        };
        self.at += 1;
        seed.deserialize(U32Deserializer::new(*value))
            .map_err(|error: Error| error.in_field(name))
    }
}

impl<'de> SeqAccess<'de> for Parts {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.at == self.parts.len() {
            return Ok(None);
        }
        self.next_value_seed(seed).map(Some)
    }
}
