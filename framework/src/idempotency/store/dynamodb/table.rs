//! The address of a DynamoDB table: its name or its ARN. Used by `dynamodb`.

/// Where a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableAddress {
    /// As requests name it: DynamoDB takes either.
    pub(super) address: String,
    /// *None: a name alone does not say; the environment does.*
    pub(super) region: Option<String>,
}

/// The reason why a text does not name a DynamoDB table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected the name of a DynamoDB table (3 to 255 letters, digits, `_`, `.` and `-`) or its ARN (`arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`)"
)]
#[non_exhaustive]
pub struct DynamoDbTableError;

impl TableAddress {
    pub(super) fn parse(text: &str) -> Result<Self, DynamoDbTableError> {
        if is_name(text) {
            return Ok(Self {
                address: text.to_owned(),
                region: None,
            });
        }
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "dynamodb", region, account, resource] = parts[..] else {
            return Err(DynamoDbTableError);
        };
        let name = resource.strip_prefix("table/").unwrap_or_default();
        let labels = [partition, region].into_iter().all(is_label);
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !labels || !digits || !is_name(name) {
            return Err(DynamoDbTableError);
        }
        Ok(Self {
            address: text.to_owned(),
            region: Some(region.to_owned()),
        })
    }

    pub(super) fn name(&self) -> &str {
        self.address.rsplit('/').next().unwrap_or_default()
    }
}

fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(allowed)
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (3..=255).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{DynamoDbTableError, TableAddress};

    #[test]
    fn a_name_is_a_table_in_the_environments_region() {
        for name in ["abc", "Orders_idempotency.v-2", &"x".repeat(255)] {
            let table = TableAddress::parse(name).unwrap();

            assert_eq!(
                (table.name(), &*table.address, &table.region),
                (name, name, &None)
            );
        }
    }

    #[test]
    fn an_arn_is_a_table_in_its_own_region() {
        for (arn, region) in [
            (
                "arn:aws:dynamodb:eu-central-1:123456789012:table/orders",
                "eu-central-1",
            ),
            (
                "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders",
                "cn-north-1",
            ),
        ] {
            let table = TableAddress::parse(arn).unwrap();

            assert_eq!((table.name(), &*table.address), ("orders", arn));
            assert_eq!(table.region.as_deref(), Some(region));
        }
    }

    #[test]
    fn what_names_no_table_is_refused() {
        for text in [
            "",
            "ab",
            &"x".repeat(256),
            "a b c",
            "a/b/c",
            "täble",
            "arn:aws:dynamodb:eu-central-1:123456789012:table/",
            "arn:aws:dynamodb:eu-central-1:123456789012:table/ab",
            "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/index/other",
            "arn:aws:dynamodb:eu-central-1:123456789012:orders",
            "arn:aws:dynamodb::123456789012:table/orders",
            "arn:aws:dynamodb:eu-central-1:shop:table/orders",
            "arn:aws:sqs:eu-central-1:123456789012:orders",
        ] {
            assert_eq!(TableAddress::parse(text), Err(DynamoDbTableError), "{text}");
        }
    }
}
