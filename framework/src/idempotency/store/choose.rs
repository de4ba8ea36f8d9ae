//! A store from the text of `LAMBDA_MSK_IDEMPOTENCY`. Called by `settings`.

use crate::idempotency::store::box_store::BoxStore;
use crate::idempotency::store::memory::MemoryStore;

const ALLOWED: &str = "expected `dynamodb://TABLE`, `memory` or `none`";

/// The store that the text names, or what is wrong with it and what is allowed. `none` names no store: its reader is above.
///
/// Only looks at the text: no request is made. What is wrong is never shown, since a store's address may hold a password.
pub(crate) fn choose_store(text: &str) -> Result<BoxStore, String> {
    if text == "memory" {
        return Ok(BoxStore::new(MemoryStore::new()));
    }
    if let Some(table) = text.strip_prefix("dynamodb://") {
        return dynamodb(table);
    }
    Err(match planned(text) {
        Some(kind) => format!("names {kind}, which this version cannot use; {ALLOWED}"),
        None => format!("is not a store; {ALLOWED}"),
    })
}

/// What will be a store one day, and is none yet.
fn planned(text: &str) -> Option<&'static str> {
    match text.split_once("://")?.0 {
        "redis" | "rediss" => Some("a Redis server"),
        "postgres" | "postgresql" => Some("a Postgres database"),
        _ => None,
    }
}

#[cfg(feature = "dynamodb")]
fn dynamodb(table: &str) -> Result<BoxStore, String> {
    use crate::idempotency::store::dynamodb::DynamoDbStore;

    match DynamoDbStore::new(table) {
        Ok(store) => Ok(BoxStore::new(store)),
        Err(error) => Err(format!("{error}, after `dynamodb://`")),
    }
}

#[cfg(not(feature = "dynamodb"))]
fn dynamodb(_: &str) -> Result<BoxStore, String> {
    Err("names a DynamoDB table, but this program was built without it: add the feature `dynamodb` of lambda-msk, or use `memory`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::choose_store;
    use crate::idempotency::store::IdempotencyStore;

    fn refusal(text: &str) -> String {
        choose_store(text).unwrap_err()
    }

    #[test]
    fn memory_is_a_store() {
        assert_eq!(choose_store("memory").unwrap().describe(), "memory");
    }

    #[cfg(feature = "dynamodb")]
    #[test]
    fn a_table_by_name_or_arn_becomes_a_table() {
        for text in [
            "dynamodb://orders-idempotency",
            "dynamodb://arn:aws:dynamodb:eu-central-1:123456789012:table/orders-idempotency",
        ] {
            let store = choose_store(text).unwrap();
            assert_eq!(store.describe(), "dynamodb:orders-idempotency");
        }
    }

    #[cfg(feature = "dynamodb")]
    #[test]
    fn what_names_no_table_is_refused_with_what_would() {
        for text in [
            "dynamodb://",
            "dynamodb://ab",
            "dynamodb://a table",
            "dynamodb://table/key",
        ] {
            let refusal = refusal(text);
            assert!(
                refusal.starts_with("expected the name of a DynamoDB table (3 to 255"),
                "{refusal}"
            );
            assert!(refusal.ends_with(", after `dynamodb://`"), "{refusal}");
        }
    }

    #[cfg(not(feature = "dynamodb"))]
    #[test]
    fn a_table_in_a_build_without_dynamodb_is_refused_with_the_feature_to_add() {
        assert!(refusal("dynamodb://orders-idempotency").contains("feature `dynamodb`"));
    }

    #[test]
    fn what_is_planned_is_refused_by_name_and_its_address_is_not_shown() {
        for (text, kind) in [
            ("redis://user:hunter2@cache", "a Redis server"),
            ("rediss://user:hunter2@cache", "a Redis server"),
            ("postgres://user:hunter2@db/orders", "a Postgres database"),
            ("postgresql://user:hunter2@db/orders", "a Postgres database"),
        ] {
            assert_eq!(
                refusal(text),
                format!(
                    "names {kind}, which this version cannot use; expected `dynamodb://TABLE`, `memory` or `none`"
                )
            );
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_allowed() {
        for text in [
            "",
            " ",
            "disk",
            "Memory",
            "memory ",
            "dynamodb:orders",
            "DYNAMODB://orders",
            "mysql://user:hunter2@db",
            "://",
            "\0",
        ] {
            assert_eq!(
                refusal(text),
                "is not a store; expected `dynamodb://TABLE`, `memory` or `none`"
            );
        }
    }
}
