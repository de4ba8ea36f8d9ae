//! The business, independent of the source of an order. Called by both sources.

use std::fmt;

use serde::Deserialize;

/// An order.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// The order's identifier.
    pub order_id: u64,
    /// Its price, in hundredths of the currency.
    pub amount_cents: u64,
}

/// Why an order is not shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the order has no price")
    }
}

impl std::error::Error for Refused {}

/// Ships one order.
pub(crate) fn ship(order: &Order) -> Result<(), Refused> {
    if order.amount_cents == 0 {
        return Err(Refused);
    }
    tracing::debug!(order.order_id, "order shipped");
    Ok(())
}
