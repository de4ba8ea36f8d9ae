//! `Header<T>`: one header, by type.

use crate::delivery::Delivery;
use crate::extract::{FromRecord, OptionalFromRecord};
use crate::failure::Rejection;

/// One header of the record, by type. To read all headers by name, use [`Headers`](crate::Headers).
///
/// If the name repeats, the last header counts, as in Kafka. A record without the header, or with a null value, is rejected with `reject.no_header`;
/// `Option<Header<T>>` is None for it.
///
/// # Example
///
/// ```
/// use lambda_msk::extract::FromHeader;
/// use lambda_msk::failure::Rejection;
/// use lambda_msk::Header;
///
/// struct Tenant(String);
///
/// impl FromHeader for Tenant {
///     const NAME: &'static str = "tenant";
///
///     fn from_bytes(value: &[u8]) -> Result<Self, Rejection> {
///         let tenant = String::from_utf8(value.to_vec())
///             .map_err(|_| Rejection::new("tenant.not_text", "the header `tenant` is not UTF-8"))?;
///         Ok(Self(tenant))
///     }
/// }
///
/// async fn ship(Header(Tenant(tenant)): Header<Tenant>) {
/// #   let _ = tenant;
/// }
/// # lambda_msk::Consumer::builder().topic("orders", ship).build().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header<T>(pub T);

/// A type that represents one header.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a header type",
    label = "expected a type that implements `FromHeader`",
    note = "implement `FromHeader` for the type, or take `Headers` and look the header up by name"
)]
pub trait FromHeader: Sized {
    /// The header's name, case-sensitive as in Kafka.
    const NAME: &'static str;

    /// Reads the header's value.
    ///
    /// # Errors
    ///
    /// The bytes are not a valid value: the record is rejected.
    fn from_bytes(value: &[u8]) -> Result<Self, Rejection>;
}

impl<S, T: FromHeader> FromRecord<S> for Header<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Rejection> {
        <Self as OptionalFromRecord<S>>::from_record(delivery, state)?.ok_or_else(|| {
            let name = T::NAME;
            Rejection::new(
                "reject.no_header",
                format!(
                    "the record has no header `{name}`: take `Option<Header<_>>` if that is allowed"
                ),
            )
        })
    }
}

impl<S, T: FromHeader> OptionalFromRecord<S> for Header<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Rejection> {
        delivery
            .header(T::NAME)
            .map(|value| T::from_bytes(value).map(Self))
            .transpose()
    }
}
