//! An order, and the Protobuf message that holds one. Read by the handlers.

use lambda_msk::Failure;
use serde::{Deserialize, Serialize};

/// An order, as Avro and JSON hold it, and as the service takes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Order {
    /// The order's number.
    pub order_id: u64,
    /// The customer.
    pub customer_id: String,
    /// The price, in hundredths of the currency.
    pub amount_cents: u64,
    /// The currency.
    #[serde(default = "euros")]
    pub currency: String,
    /// What the customer has written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where the order was placed.
    #[serde(default)]
    pub channel: Channel,
}

fn euros() -> String {
    "EUR".to_owned()
}

/// Where an order was placed. `prost::Enumeration` makes the first variant the default.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, prost::Enumeration)]
#[serde(rename_all = "UPPERCASE")]
#[repr(i32)]
pub enum Channel {
    /// Nobody has said.
    Unknown = 0,
    /// In the web.
    Web = 1,
    /// In a store.
    Store = 2,
}

/// The message `shop.Order` of schemas/order.proto. `prost-build` generates the same from the file, if you have `protoc`; with `enable_type_names()` the name too.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OrderMessage {
    /// The order's number.
    #[prost(uint64, tag = "1")]
    pub order_id: u64,
    /// The customer.
    #[prost(string, tag = "2")]
    pub customer_id: String,
    /// The price, in hundredths of the currency.
    #[prost(uint64, tag = "3")]
    pub amount_cents: u64,
    /// The currency.
    #[prost(string, tag = "4")]
    pub currency: String,
    /// What the customer has written.
    #[prost(string, optional, tag = "5")]
    pub note: Option<String>,
    /// Where the order was placed.
    #[prost(enumeration = "Channel", tag = "6")]
    pub channel: i32,
}

impl prost::Name for OrderMessage {
    const NAME: &'static str = "Order";
    const PACKAGE: &'static str = "shop";
}

impl TryFrom<OrderMessage> for Order {
    type Error = Failure;

    /// A channel that this version does not know is rejected: nobody guesses which one was meant.
    fn try_from(message: OrderMessage) -> Result<Self, Failure> {
        let channel = Channel::try_from(message.channel);
        let unknown =
            |_| Failure::reject("the order's channel is not known").code("order.unknown_channel");
        Ok(Self {
            order_id: message.order_id,
            customer_id: message.customer_id,
            amount_cents: message.amount_cents,
            currency: message.currency,
            note: message.note,
            channel: channel.map_err(unknown)?,
        })
    }
}
