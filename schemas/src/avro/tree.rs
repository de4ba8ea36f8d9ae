//! A Rust value before it is written by a schema: the kinds that serde knows. Called by `write`.

use serde::Serialize;
use serde::ser::{self, Serializer};

use crate::avro::error::Error;
use crate::limits::AVRO_RESOLUTION_DEPTH_MAX;

#[derive(Debug)]
pub(super) enum Tree {
    Null,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Seq(Vec<Tree>),
    Map(Vec<(String, Tree)>),
    /// A variant of a Rust enum: its name and its value.
    Variant(&'static str, Box<Tree>),
}

impl Tree {
    pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        value.serialize(Grow { depth: 0 })
    }

    /// The kind for an error's text.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a floating-point number",
            Self::Text(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Seq(_) => "an array",
            Self::Map(_) => "a record or a map",
            Self::Variant(..) => "a variant",
        }
    }
}

#[derive(Clone, Copy)]
struct Grow {
    depth: usize,
}

impl Grow {
    fn deeper(self) -> Result<Self, Error> {
        if self.depth == AVRO_RESOLUTION_DEPTH_MAX {
            return Err(Error::new(format!(
                "expected at most {AVRO_RESOLUTION_DEPTH_MAX} values inside each other, found more"
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

macro_rules! integers {
    ($($method:ident $kind:ty)*) => {$(
        fn $method(self, value: $kind) -> Result<Tree, Error> {
            Ok(Tree::Integer(i128::from(value)))
        }
    )*};
}

impl Serializer for Grow {
    type Ok = Tree;
    type Error = Error;
    type SerializeSeq = GrowSeq;
    type SerializeTuple = GrowSeq;
    type SerializeTupleStruct = GrowSeq;
    type SerializeTupleVariant = GrowSeq;
    type SerializeMap = GrowMap;
    type SerializeStruct = GrowMap;
    type SerializeStructVariant = GrowMap;

    integers! {
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64 serialize_i128 i128
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64
    }

    fn serialize_u128(self, value: u128) -> Result<Tree, Error> {
        i128::try_from(value)
            .map(Tree::Integer)
            .map_err(|_| Error::new("expected an integer (i128), found an integer out of range"))
    }

    fn serialize_bool(self, value: bool) -> Result<Tree, Error> {
        Ok(Tree::Boolean(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Tree, Error> {
        Ok(Tree::Float(f64::from(value)))
    }

    fn serialize_f64(self, value: f64) -> Result<Tree, Error> {
        Ok(Tree::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Tree, Error> {
        Ok(Tree::Text(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Tree, Error> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Tree, Error> {
        Ok(Tree::Bytes(value.to_vec()))
    }

    fn serialize_none(self) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Tree, Error> {
        Ok(Tree::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Tree, Error> {
        Ok(Tree::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Tree, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, Error> {
        let value = value.serialize(self.deeper()?)?;
        Ok(Tree::Variant(variant, Box::new(value)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<GrowSeq, Error> {
        Ok(GrowSeq::new(self.deeper()?, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<GrowSeq, Error> {
        Ok(GrowSeq::new(self.deeper()?, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<GrowSeq, Error> {
        Ok(GrowSeq::new(self.deeper()?, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<GrowSeq, Error> {
        Ok(GrowSeq::new(self.deeper()?, Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<GrowMap, Error> {
        Ok(GrowMap::new(self.deeper()?, None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<GrowMap, Error> {
        Ok(GrowMap::new(self.deeper()?, None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<GrowMap, Error> {
        Ok(GrowMap::new(self.deeper()?, Some(variant)))
    }
}

fn wrapped(variant: Option<&'static str>, tree: Tree) -> Tree {
    match variant {
        Some(variant) => Tree::Variant(variant, Box::new(tree)),
        None => tree,
    }
}

struct GrowSeq {
    inner: Grow,
    variant: Option<&'static str>,
    items: Vec<Tree>,
}

impl GrowSeq {
    fn new(inner: Grow, variant: Option<&'static str>) -> Self {
        Self {
            inner,
            variant,
            items: Vec::new(),
        }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.items.push(value.serialize(self.inner)?);
        Ok(())
    }

    fn done(self) -> Tree {
        wrapped(self.variant, Tree::Seq(self.items))
    }
}

macro_rules! sequences {
    ($($kind:ident $method:ident)*) => {$(
        impl ser::$kind for GrowSeq {
            type Ok = Tree;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.push(value)
            }

            fn end(self) -> Result<Tree, Error> {
                Ok(self.done())
            }
        }
    )*};
}

sequences! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

struct GrowMap {
    inner: Grow,
    variant: Option<&'static str>,
    key: Option<String>,
    entries: Vec<(String, Tree)>,
}

impl GrowMap {
    fn new(inner: Grow, variant: Option<&'static str>) -> Self {
        Self {
            inner,
            variant,
            key: None,
            entries: Vec::new(),
        }
    }

    fn push<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> Result<(), Error> {
        let value = value.serialize(self.inner)?;
        self.entries.push((key, value));
        Ok(())
    }

    fn done(self) -> Tree {
        wrapped(self.variant, Tree::Map(self.entries))
    }
}

impl ser::SerializeMap for GrowMap {
    type Ok = Tree;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = Some(match key.serialize(self.inner)? {
            Tree::Text(key) => key,
            Tree::Integer(key) => key.to_string(),
            Tree::Boolean(key) => key.to_string(),
            other => {
                return Err(Error::new(format!(
                    "expected a string as a map's key, found {}",
                    other.kind()
                )));
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().unwrap_or_default();
        self.push(key, value)
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(self.done())
    }
}

macro_rules! structs {
    ($($kind:ident)*) => {$(
        impl ser::$kind for GrowMap {
            type Ok = Tree;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.push(key.to_owned(), value)
            }

            fn end(self) -> Result<Tree, Error> {
                Ok(self.done())
            }
        }
    )*};
}

structs! { SerializeStruct SerializeStructVariant }
