//! The store in a DynamoDB table, through the AWS SDK: one request for each read and each swap.

mod condition;
mod fault;
mod item;
mod table;

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Region;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure as OnFailure,
};
use tokio::sync::OnceCell;

use crate::idempotency::store::dynamodb::condition::{Condition, Taking};
use crate::idempotency::store::dynamodb::fault::{AskedTable, REFUSED, TableFault};
use crate::idempotency::store::dynamodb::table::TableAddress;
use crate::idempotency::store::{Change, IdempotencyStore, Item, StoreError, Swap, Swapped};
use crate::limits::{
    DYNAMODB_BACKOFF_MS, DYNAMODB_CALL_MS_MAX, DYNAMODB_TRIES_MAX, DYNAMODB_TRY_MS_MAX,
};

pub use self::table::DynamoDbTableError;

/// A store in a DynamoDB table. `LAMBDA_MSK_IDEMPOTENCY=dynamodb://TABLE`; needs the feature `dynamodb`.
///
/// The table's partition key is `id`, a string, without a sort key; its TTL attribute is `expiration`. Any number of functions may share one table.
///
/// ```sh
/// aws dynamodb create-table --table-name orders-idempotency --billing-mode PAY_PER_REQUEST \
///   --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH
/// aws dynamodb update-time-to-live --table-name orders-idempotency \
///   --time-to-live-specification Enabled=true,AttributeName=expiration
/// ```
///
/// The function's role needs `dynamodb:GetItem`, `dynamodb:PutItem`, `dynamodb:UpdateItem` and `dynamodb:DeleteItem` on it.
///
/// Items have the attributes of Powertools for AWS Lambda, and also `owner` and `seq`. JSON data is a string, which Powertools
/// reads; other data is binary. In a global table the later write of two regions wins, regardless of conditions: use the table from one region.
pub struct DynamoDbStore {
    table: TableAddress,
    /// Made at the first use: a snapshot holds no credentials or connections.
    client: OnceCell<Client>,
}

impl DynamoDbStore {
    /// Creates a store for the table with that name or ARN, with a client of its own: the region comes from the ARN, the rest from the environment, as for every AWS tool.
    ///
    /// # Errors
    ///
    /// The text names no table. A table that does not exist is only noticed at its first use.
    pub fn new(table: &str) -> Result<Self, DynamoDbTableError> {
        Ok(Self {
            table: TableAddress::parse(table)?,
            client: OnceCell::new(),
        })
    }

    /// Creates a store for the table with that name or ARN, with the given client: its region, endpoint, credentials, time-outs and retries.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_client(client: Client, table: &str) -> Result<Self, DynamoDbTableError> {
        Ok(Self {
            table: TableAddress::parse(table)?,
            client: OnceCell::new_with(Some(client)),
        })
    }

    async fn client(&self) -> &Client {
        // On the heap: it is awaited once, and would make each future of the store as large.
        let connect = || Box::pin(connect(&self.table));
        self.client.get_or_init(connect).await
    }

    async fn put(&self, client: &Client, swap: &Swap, item: &Item) -> Result<Swapped, StoreError> {
        let condition = Condition::of(&swap.expect);
        let request = client
            .put_item()
            .table_name(&self.table.address)
            .set_item(Some(item::attributes(&swap.id, item)))
            .condition_expression(condition.text)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send();
        // On the heap, as below: the SDK's futures take kilobytes.
        match Box::pin(request).await {
            Ok(_) => Ok(Swapped::Applied(Some(item.clone()))),
            Err(error) => self.refused(client, &swap.id, error),
        }
    }

    async fn hold(
        &self,
        client: &Client,
        swap: &Swap,
        hold: Taking<'_>,
    ) -> Result<Swapped, StoreError> {
        let condition = Condition::of(&swap.expect).and_hold(hold);
        let request = client
            .update_item()
            .table_name(&self.table.address)
            .key(item::ID, AttributeValue::S(swap.id.to_string()))
            .update_expression(condition::HOLD)
            .condition_expression(condition.text)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send();
        match Box::pin(request).await {
            Ok(answer) => Ok(Swapped::Applied(self.item(
                client,
                &swap.id,
                answer.attributes,
            )?)),
            Err(error) => self.refused(client, &swap.id, error),
        }
    }

    async fn delete(&self, client: &Client, swap: &Swap) -> Result<Swapped, StoreError> {
        let condition = Condition::of(&swap.expect);
        let request = client
            .delete_item()
            .table_name(&self.table.address)
            .key(item::ID, AttributeValue::S(swap.id.to_string()))
            .condition_expression(condition.text)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send();
        match Box::pin(request).await {
            Ok(_) => Ok(Swapped::Applied(None)),
            Err(error) => self.refused(client, &swap.id, error),
        }
    }

    /// A condition that did not hold is an answer: the item that stands there. Any other error is one.
    fn refused<E>(
        &self,
        client: &Client,
        id: &str,
        error: SdkError<E>,
    ) -> Result<Swapped, StoreError>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        aws_sdk_dynamodb::Error: From<SdkError<E>>,
    {
        if error.code() != Some(REFUSED) {
            return Err(fault::of(self.place(client), error));
        }
        // The type that all operations' errors become: it alone is the same for each of them.
        match aws_sdk_dynamodb::Error::from(error) {
            aws_sdk_dynamodb::Error::ConditionalCheckFailedException(refused) => {
                Ok(Swapped::Refused(self.item(client, id, refused.item)?))
            }
            other => Err(StoreError::permanent(other)),
        }
    }

    fn item(
        &self,
        client: &Client,
        id: &str,
        attributes: Option<HashMap<String, AttributeValue>>,
    ) -> Result<Option<Item>, StoreError> {
        // An operation that returns nothing of an item says so by absence or by an empty map.
        let Some(attributes) = attributes.filter(|attributes| !attributes.is_empty()) else {
            return Ok(None);
        };
        item::read(attributes).map(Some).map_err(|why| {
            StoreError::permanent(TableFault::Unreadable {
                place: self.place(client),
                id: id.to_owned(),
                why,
            })
        })
    }

    fn place(&self, client: &Client) -> AskedTable {
        AskedTable {
            table: self.table.name().to_owned(),
            region: client.config().region().map(ToString::to_string),
        }
    }
}

impl IdempotencyStore for DynamoDbStore {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        let client = self.client().await;
        let request = client
            .get_item()
            .table_name(&self.table.address)
            .key(item::ID, AttributeValue::S(id.to_owned()))
            .consistent_read(true)
            .send();
        match Box::pin(request).await {
            Ok(answer) => self.item(client, id, answer.item),
            Err(error) => Err(fault::of(self.place(client), error)),
        }
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let client = self.client().await;
        match &swap.change {
            Change::Put(item) => self.put(client, swap, item).await,
            Change::Hold {
                owner,
                raise,
                held_until_ms,
                expires_s,
            } => {
                let hold = Taking {
                    owner,
                    raise: *raise,
                    held_until_ms: *held_until_ms,
                    expires_s: *expires_s,
                };
                self.hold(client, swap, hold).await
            }
            Change::Delete => self.delete(client, swap).await,
        }
    }

    fn describe(&self) -> String {
        format!("dynamodb:{}", self.table.name())
    }
}

impl fmt::Debug for DynamoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbStore")
            .field("table", &self.table.address)
            .finish_non_exhaustive()
    }
}

async fn connect(table: &TableAddress) -> Client {
    let mut config = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts())
        .retry_config(retries());
    if let Some(region) = &table.region {
        config = config.region(Region::new(region.clone()));
    }
    Client::new(&config.load().await)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(DYNAMODB_TRY_MS_MAX))
        .operation_timeout(Duration::from_millis(DYNAMODB_CALL_MS_MAX))
        .build()
}

/// Few: who calls the store knows the deadline, and tries again until then.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(DYNAMODB_TRIES_MAX)
        .with_initial_backoff(Duration::from_millis(DYNAMODB_BACKOFF_MS))
}

#[cfg(test)]
mod tests;
