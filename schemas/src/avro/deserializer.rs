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
