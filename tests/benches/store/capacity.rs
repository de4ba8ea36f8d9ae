//! Counts what a client of DynamoDB asks for: requests, and the capacity that they took as the server says.

use std::ops::Sub;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

/// What requests have used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Round trips.
    pub(crate) requests: u64,
    /// As the server said.
    pub(crate) write_units: f64,
    /// Writes whose condition did not hold: AWS charges them too, at least a unit each, and no answer says so.
    pub(crate) refused: u64,
}

impl Sub for Used {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            write_units: self.write_units - before.write_units,
            refused: self.refused - before.refused,
        }
    }
}

/// The count of one client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capacity(Arc<Mutex<Used>>);

impl Capacity {
    /// A client as this one, whose requests are counted.
    pub(crate) fn counting(&self, client: &Client) -> Client {
        let config = client.config().to_builder().interceptor(self.clone());
        Client::from_conf(config.build())
    }

    pub(crate) fn used(&self) -> Used {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Capacity {
    fn name(&self) -> &'static str {
        "capacity"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (input, total) = (context.input_mut(), Some(ReturnConsumedCapacity::Total));
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = total;
        } else if let Some(update) = input.downcast_mut::<UpdateItemInput>() {
            update.return_consumed_capacity = total;
        } else if let Some(delete) = input.downcast_mut::<DeleteItemInput>() {
            delete.return_consumed_capacity = total;
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.lock().requests += 1;
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else {
            self.lock().refused += 1;
            return Ok(());
        };
        let consumed = if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            put.consumed_capacity()
        } else if let Some(update) = output.downcast_ref::<UpdateItemOutput>() {
            update.consumed_capacity()
        } else if let Some(delete) = output.downcast_ref::<DeleteItemOutput>() {
            delete.consumed_capacity()
        } else {
            None
        };
        let units = consumed.and_then(ConsumedCapacity::capacity_units);
        self.lock().write_units += units.unwrap_or_default();
        Ok(())
    }
}
