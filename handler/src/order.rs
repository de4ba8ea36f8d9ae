//! The order, the only type of the business.

use serde::Deserialize;

/// An order, as its topic holds it. Fields that are not named here are passed on unread.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// The order's identifier.
    pub order_id: u64,
    /// The customer's identifier.
    pub customer_id: String,
    /// The price, in hundredths of the currency.
    pub amount_cents: u64,
}
