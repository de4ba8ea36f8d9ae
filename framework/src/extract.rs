//! Extractors: from a delivery to a handler's arguments. Called by `handler` before each attempt.

#[cfg(feature = "avro")]
mod avro;
mod bytes;
mod expected;
mod explain;
mod form;
mod framed;
mod header;
mod json;
mod key;
mod names;
mod not_taken;
mod parts;
#[cfg(any(feature = "avro", feature = "protobuf", feature = "json-schema"))]
mod payload;
#[cfg(feature = "protobuf")]
mod protobuf;
mod rejection;
mod state;
mod trace;
mod value;

use std::convert::Infallible;

use crate::failure::Rejection;

#[cfg(feature = "avro")]
pub use self::avro::Avro;
pub use self::bytes::{BigEndian, FromBytes, Parsed};
pub use self::header::{FromHeader, Header};
pub use self::json::Json;
pub use self::key::Key;
pub(crate) use self::not_taken::NotTaken;
pub use self::parts::{Attempt, RequestId};
#[cfg(feature = "json-schema")]
pub(crate) use self::payload::validate;
#[cfg(feature = "protobuf")]
pub use self::protobuf::{Message, Protobuf};
pub use self::rejection::JsonRejection;
pub use self::state::{FromRef, State};
pub use self::value::Value;
pub use crate::deadline::Deadline;
pub use crate::delivery::{Delivery, IdempotencyKey};
pub use crate::part::Part;
pub use crate::record::{Headers, Record};
pub use crate::schemas::SchemaUse;
pub use crate::trace::TraceParent;

/// An extractor: a type that a handler can take as an argument. Arguments may stand in any order.
///
/// An error rejects the record: it goes to the destination and the handler does not run. Take `Result<E, E::Rejection>` to handle the error yourself. A panic is a failed attempt
/// (`extractor.panicked`): log and letter name the type, and leave out the panic's text, which may quote the payload.
///
/// # Example
///
/// ```
/// use lambda_msk::extract::{Delivery, FromRecord};
/// use lambda_msk::failure::Rejection;
///
/// struct Tenant(String);
///
/// impl<S> FromRecord<S> for Tenant {
///     type Rejection = Rejection;
///
///     fn from_record(delivery: &Delivery, _state: &S) -> Result<Self, Rejection> {
///         let tenant = delivery
///             .header("tenant")
///             .ok_or_else(|| Rejection::new("tenant.missing", "no header `tenant`"))?;
///         Ok(Self(String::from_utf8_lossy(tenant).into_owned()))
///     }
/// }
///
/// async fn ship(Tenant(tenant): Tenant) {
/// #   let _ = tenant;
/// }
/// # lambda_msk::Consumer::builder().topic("orders", ship).build().unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extractor: a handler cannot take it as an argument",
    label = "cannot be taken from a record",
    note = "extractors are `Json<T>`, `Value<T>`, `Key<T>`, `Headers`, `Header<T>`, `State<T>`, `Record`, `Attempt`, `Deadline`, `IdempotencyKey`, … and `Option` or `Result` of them",
    note = "`Json<T>` and `Avro<T>`, also as `Key<Json<T>>` and `Key<Avro<T>>`, need a `T` that derives `serde::Deserialize`; `Protobuf<T>` and `Key<Protobuf<T>>` need a `T` that is a `prost::Message` and a `prost::Name`",
    note = "for a type of your own, implement `FromRecord<S>`"
)]
pub trait FromRecord<S>: Sized {
    /// What an unreadable record is rejected with.
    type Rejection: Into<Rejection>;

    /// Reads the argument.
    ///
    /// # Errors
    ///
    /// The argument cannot be read: the record is rejected.
    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Self::Rejection>;

    /// The parts of a record that this extractor reads by a schema. Their schemas are fetched before the handler's lane starts, since extraction does not wait.
    ///
    /// An extractor that calls another one, such as [`Avro`](crate::schemas#extractors), returns that one's. Default: none.
    fn schemas() -> SchemaUse {
        SchemaUse::NONE
    }
}

/// An extractor that a handler can take as `Option<Self>`. None means that the value is absent; a malformed value still rejects the record.
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` is not an extractor",
    label = "cannot be taken from a record",
    note = "a value that is always present needs no `Option`; to see why a record has none, take `Result<{Self}, _>`",
    note = "`Json<T>` and `Avro<T>`, also as `Key<Json<T>>` and `Key<Avro<T>>`, need a `T` that derives `serde::Deserialize`; `Protobuf<T>` and `Key<Protobuf<T>>` need a `T` that is a `prost::Message` and a `prost::Name`",
    note = "for a type of your own, implement `OptionalFromRecord<S>`"
)]
pub trait OptionalFromRecord<S>: Sized {
    /// What an unreadable record is rejected with.
    type Rejection: Into<Rejection>;

    /// Reads the argument if it is present.
    ///
    /// # Errors
    ///
    /// The argument is present but cannot be read: the record is rejected.
    fn from_record(delivery: &Delivery, state: &S) -> Result<Option<Self>, Self::Rejection>;

    /// The parts of a record that this extractor reads by a schema: see [`FromRecord::schemas`]. Default: none.
    fn schemas() -> SchemaUse {
        SchemaUse::NONE
    }
}

impl<S, T: OptionalFromRecord<S>> FromRecord<S> for Option<T> {
    type Rejection = T::Rejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, T::Rejection> {
        T::from_record(delivery, state)
    }

    fn schemas() -> SchemaUse {
        T::schemas()
    }
}

impl<S, T: FromRecord<S>> FromRecord<S> for Result<T, T::Rejection> {
    type Rejection = Infallible;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Infallible> {
        Ok(T::from_record(delivery, state))
    }

    fn schemas() -> SchemaUse {
        T::schemas()
    }
}

macro_rules! tuples {
    ($($($part:ident)*;)*) => {$(
        /// Several extractors in one: `Batch<(Key<String>, Json<Order>)>`. Rejects with the first that cannot be read.
        #[allow(non_snake_case)]
        // Else rustc names tuples where it lists extractors.
        #[diagnostic::do_not_recommend]
        impl<S, $($part: FromRecord<S>,)*> FromRecord<S> for ($($part,)*) {
            type Rejection = Rejection;

            fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Rejection> {
                Ok(($($part::from_record(delivery, state).map_err(Into::into)?,)*))
            }

            fn schemas() -> SchemaUse {
                SchemaUse::NONE$(.and($part::schemas()))*
            }
        }
    )*};
}

tuples! { A B; A B C; A B C D; A B C D E; A B C D E G; }

#[cfg(test)]
mod tests;
