//! The business's one noun.

use serde::Deserialize;

/// An order, as its topic holds it. Fields that are not named here are passed on unread.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// Names the order.
    pub order_id: u64,
    /// Names the customer.
    pub customer_id: String,
    /// What it costs, in hundredths of the currency.
    pub amount_cents: u64,
}
