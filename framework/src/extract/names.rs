//! Which names the fields and variants of a type have, and which part of the type refused the value: a deserializer that listens while the type is read.
//! Called by `json`, for its error.
//!
//! A key in JSON is either such a name, written by whoever wrote the type, or a key of a map, and then it is payload.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// What the type has told so far.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: RefCell<HashSet<&'static str>>,
    refusal: RefCell<Option<TypeRefusal>>,
}

/// The first error that came by, which is the innermost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeRefusal {
    pub(super) by: By,
    /// What the part of the type expects, in its own words.
    pub(super) expected: String,
}

/// What refused the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A value, or its reader: the error is where the value is.
    Value,
    /// An object, after its values were read: a field is missing, or the object was read into a buffer first (`flatten`).
    Object,
    /// The type, after all of it was read: it was read into a buffer first (`tag`, `untagged`), or a conversion failed.
    Type,
}

impl Names {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.names.borrow().contains(name)
    }

    /// None: nothing below the type itself refused.
    pub(super) fn refusal(&self) -> Option<TypeRefusal> {
        self.refusal.borrow().clone()
    }

    /// Keeps the first error; passes all on.
    fn hear<T, E>(&self, read: Result<T, E>, by: By, expected: String) -> Result<T, E> {
        if read.is_err() {
            let mut refusal = self.refusal.borrow_mut();
            refusal.get_or_insert(TypeRefusal { by, expected });
        }
        read
    }

    /// The same deserializer, listened to.
    pub(super) fn of<D>(&self, deserializer: D) -> Listening<'_, D> {
        Listening {
            inner: deserializer,
            names: self,
        }
    }

    fn add(&self, names: &'static [&'static str]) {
        self.names.borrow_mut().extend(names);
    }
}

/// Passes everything on.
pub(super) struct Listening<'n, X> {
    inner: X,
    names: &'n Names,
}

/// What a visitor expects, in its own words.
fn expected<'de, V: Visitor<'de>>(visitor: &V) -> String {
    struct Shown<'v, V>(&'v V);

    impl<'de, V: Visitor<'de>> fmt::Display for Shown<'_, V> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.expecting(f)
        }
    }

    Shown(visitor).to_string()
}

macro_rules! pass_on {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            let expected = expected(&visitor);
            let read = self.inner.$method($($arg,)* self.names.of(visitor));
            self.names.hear(read, By::Value, expected)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Listening<'_, D> {
    type Error = D::Error;

    pass_on! {
        deserialize_any(); deserialize_bool();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64(); deserialize_i128();
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64(); deserialize_u128();
        deserialize_f32(); deserialize_f64(); deserialize_char(); deserialize_str(); deserialize_string();
        deserialize_bytes(); deserialize_byte_buf(); deserialize_option(); deserialize_unit();
        deserialize_seq(); deserialize_map(); deserialize_identifier(); deserialize_ignored_any();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.names.add(fields);
        let expected = expected(&visitor);
        let visitor = self.names.of(visitor);
        let read = self.inner.deserialize_struct(name, fields, visitor);
        self.names.hear(read, By::Value, expected)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.names.add(variants);
        let expected = expected(&visitor);
        let visitor = self.names.of(visitor);
        let read = self.inner.deserialize_enum(name, variants, visitor);
        self.names.hear(read, By::Value, expected)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty);)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Listening<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool); visit_char(char); visit_f32(f32); visit_f64(f64);
        visit_i8(i8); visit_i16(i16); visit_i32(i32); visit_i64(i64); visit_i128(i128);
        visit_u8(u8); visit_u16(u16); visit_u32(u32); visit_u64(u64); visit_u128(u128);
        visit_str(&str); visit_borrowed_str(&'de str); visit_string(String);
        visit_bytes(&[u8]); visit_borrowed_bytes(&'de [u8]); visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, some: D) -> Result<V::Value, D::Error> {
        let expected = expected(&self.inner);
        let read = self.inner.visit_some(self.names.of(some));
        self.names.hear(read, By::Type, expected)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let expected = expected(&self.inner);
        let read = self.inner.visit_newtype_struct(self.names.of(inner));
        self.names.hear(read, By::Type, expected)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(self.names.of(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let expected = expected(&self.inner);
        let read = self.inner.visit_map(self.names.of(map));
        self.names.hear(read, By::Object, expected)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(self.names.of(data))
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Listening<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let read = self.inner.deserialize(self.names.of(deserializer));
        self.names.hear(read, By::Type, String::new())
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Listening<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_element_seed(self.names.of(seed))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Listening<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.inner.next_key_seed(self.names.of(seed))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.next_value_seed(self.names.of(seed))
    }
}

impl<'de, 'n, A: EnumAccess<'de>> EnumAccess<'de> for Listening<'n, A> {
    type Error = A::Error;
    type Variant = Listening<'n, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), A::Error> {
        let (value, variant) = self.inner.variant_seed(self.names.of(seed))?;
        Ok((value, self.names.of(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Listening<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.newtype_variant_seed(self.names.of(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, self.names.of(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.names.add(fields);
        self.inner.struct_variant(fields, self.names.of(visitor))
    }
}
