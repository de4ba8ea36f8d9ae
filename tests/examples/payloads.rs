//! A function for any topic that posts `{"key": …, "value": …}` of each record to `FULFILMENT_URL`: keys with schemas, values with any, tombstones. `PAYLOADS` says how both are read: `avro`, or
//! `protobuf` for lines of orders.

use lambda_msk::extract::{Avro, Protobuf};
use lambda_msk::{Consumer, Failure, IdempotencyKey, Key, State};
use serde_json::{Value, json};
use typed::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_msk::Error> {
    lambda_msk::logging::init();
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let service = Service::at(&variable("FULFILMENT_URL")).unwrap_or_else(|_| Service::none());
    let consumer = Consumer::builder().state(service);
    let consumer = match variable("PAYLOADS").as_str() {
        "protobuf" => consumer.fallback(protobuf),
        _ => consumer.fallback(avro),
    };
    lambda_msk::run(consumer.from_env()).await
}

async fn avro(
    Key(Avro(record_key)): Key<Avro<Value>>,
    value: Option<Avro<Value>>,
    key: IdempotencyKey,
    State(service): State<Service>,
) -> Result<(), Failure> {
    post(record_key, value.map(|Avro(value)| value), &key, &service).await
}

async fn protobuf(
    Key(Protobuf(customer)): Key<Protobuf<CustomerKey>>,
    line: Option<Protobuf<Line>>,
    key: IdempotencyKey,
    State(service): State<Service>,
) -> Result<(), Failure> {
    let record_key = json!({"customer_id": customer.customer_id, "region": customer.region});
    let line = line.map(|Protobuf(line)| json!({"sku": line.sku, "count": line.count}));
    post(record_key, line, &key, &service).await
}

async fn post(
    record_key: Value,
    value: Option<Value>,
    key: &IdempotencyKey,
    service: &Service,
) -> Result<(), Failure> {
    let json = json!({"key": record_key, "value": value}).to_string();
    service.post(json.as_bytes(), key).await
}

#[derive(Clone, PartialEq, prost::Message)]
struct CustomerKey {
    #[prost(string, tag = "1")]
    customer_id: String,
    #[prost(sint32, tag = "2")]
    region: i32,
}

impl prost::Name for CustomerKey {
    const NAME: &'static str = "CustomerKey";
    const PACKAGE: &'static str = "shop";
}

/// A message inside of another.
#[derive(Clone, PartialEq, prost::Message)]
struct Line {
    #[prost(string, tag = "1")]
    sku: String,
    #[prost(int32, tag = "2")]
    count: i32,
}

impl prost::Name for Line {
    const NAME: &'static str = "Order.Line";
    const PACKAGE: &'static str = "shop";
}
