//! Each order of the topic is written to a Postgres database exactly once, many in one statement, and added to its customer's balance in the same transaction.
//!
//! `TOPIC` names the topic, `DATABASE_URL` the database. `BULK_RECORDS` and `BULK_BYTES` limit the orders of one transaction.

mod settings;

use lambda_msk::builder::Builder;
use lambda_msk::postgres::tokio_postgres::types::{ToSql, Type};
use lambda_msk::postgres::{self, Database, Fresh, once};
use lambda_msk::{Batch, Consumer, Failure, Json, Outcomes, State, batch};
use serde::Deserialize;

pub use crate::settings::Limits;
use crate::settings::Settings;

/// The topic, unless `TOPIC` names another: template.yaml sets it to the topic that the mapping reads.
const TOPIC: &str = "orders";

/// The orders, in the order of the partition. A failure of one row is one of the statement: the call is then halved until the order at fault stands alone.
const INSERT_ORDERS: &str = "\
INSERT INTO orders (order_id, customer_id, amount_cents, kafka_partition, kafka_offset) \
SELECT * FROM unnest($1::int8[], $2::text[], $3::int8[], $4::int4[], $5::int8[])";

/// Customers in sorted order: two transactions that have customers in common wait for each other, and never both for the other.
const ADD_TO_BALANCES: &str = "\
INSERT INTO balances AS b (customer_id, orders, amount_cents) \
SELECT customer_id, count(*), sum(amount_cents) FROM unnest($1::text[], $2::int8[]) AS o (customer_id, amount_cents) \
GROUP BY customer_id ORDER BY customer_id COLLATE \"C\" \
ON CONFLICT (customer_id) DO UPDATE SET orders = b.orders + excluded.orders, amount_cents = b.amount_cents + excluded.amount_cents";

/// An order, as its topic holds it. Fields that are not named here are ignored.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Order {
    /// The order's number. Not unique: two records may hold the same order, and then both are written.
    pub order_id: i64,
    /// The customer.
    pub customer_id: String,
    /// The price, in hundredths of the currency.
    pub amount_cents: i64,
}

/// The consumer, with its database, topic and limits from the environment.
pub fn consumer() -> Builder<Database> {
    let settings = Settings::of(|name| std::env::var_os(name));
    let topic = settings.topic.as_deref().unwrap_or(TOPIC);
    consumer_of(topic, settings.database, settings.limits).faults(settings.faults)
}

/// The consumer of a topic that writes to a database.
pub fn consumer_of(topic: &str, database: Database, limits: Limits) -> Builder<Database> {
    let store = batch(store).records(limits.records).bytes(limits.bytes);
    Consumer::builder()
        .state(database)
        .route(topic, store.across_partitions())
}

/// Handles many records. A value that is not an order is rejected before this, and goes to the destination.
async fn store(
    orders: Batch<Json<Order>>,
    State(database): State<Database>,
) -> Result<Outcomes, Failure> {
    let mut session = database.session().await?;
    let mut transaction = session.begin().await?;
    let outcomes = once(&orders, &mut transaction, async |fresh| write(&fresh).await).await?;
    postgres::commit(transaction).await?;
    session.give_back();
    Ok(outcomes)
}

/// Writes orders that no committed transaction has written. An order that the database refuses for its values (SQLSTATE class 22 or 23) is rejected; everything else is retried.
async fn write(fresh: &Fresh<'_, Json<Order>>) -> Result<(), Failure> {
    let mut rows = Rows::default();
    for ((_, Json(order)), record) in fresh.iter().zip(fresh.records()) {
        rows.order_id.push(order.order_id);
        rows.customer_id.push(&order.customer_id);
        rows.amount_cents.push(order.amount_cents);
        rows.partition.push(record.partition());
        rows.offset.push(record.offset());
    }
    let transaction = fresh.transaction();
    let orders: [(&(dyn ToSql + Sync), Type); 5] = [
        (&rows.order_id, Type::INT8_ARRAY),
        (&rows.customer_id, Type::TEXT_ARRAY),
        (&rows.amount_cents, Type::INT8_ARRAY),
        (&rows.partition, Type::INT4_ARRAY),
        (&rows.offset, Type::INT8_ARRAY),
    ];
    let written = transaction.execute_typed(INSERT_ORDERS, &orders).await;
    written.map_err(postgres::failure)?;
    let balances: [(&(dyn ToSql + Sync), Type); 2] = [
        (&rows.customer_id, Type::TEXT_ARRAY),
        (&rows.amount_cents, Type::INT8_ARRAY),
    ];
    let added = transaction.execute_typed(ADD_TO_BALANCES, &balances).await;
    added.map_err(postgres::failure)?;
    Ok(())
}

/// Rows of the table, column by column.
#[derive(Default)]
struct Rows<'o> {
    order_id: Vec<i64>,
    customer_id: Vec<&'o str>,
    amount_cents: Vec<i64>,
    partition: Vec<i32>,
    offset: Vec<i64>,
}

#[cfg(test)]
mod tests;
