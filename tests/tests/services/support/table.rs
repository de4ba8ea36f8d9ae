//! A table of a test's own, at the server that `tests/services/run` has started.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use lambda_msk::idempotency::DynamoDbStore;

pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) client: Client,
}

impl Table {
    pub(crate) async fn create() -> Self {
        let endpoint = std::env::var("AWS_ENDPOINT_URL_DYNAMODB");
        endpoint.expect("run by tests/services/run");
        let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        let client = Client::new(&config);
        let name = format!("idempotency-{}-{}", std::process::id(), fastrand::u32(..));
        let definition = AttributeDefinition::builder()
            .attribute_name("id")
            .attribute_type(ScalarAttributeType::S);
        let schema = KeySchemaElement::builder()
            .attribute_name("id")
            .key_type(KeyType::Hash);
        let create = client
            .create_table()
            .table_name(&name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(definition.build().unwrap())
            .key_schema(schema.build().unwrap());
        create.send().await.unwrap();
        Self { name, client }
    }

    /// As `LAMBDA_MSK_IDEMPOTENCY` names it.
    pub(crate) fn url(&self) -> String {
        format!("dynamodb://{}", self.name)
    }

    pub(crate) fn store(&self) -> DynamoDbStore {
        DynamoDbStore::with_client(self.client.clone(), &self.name).unwrap()
    }
}
