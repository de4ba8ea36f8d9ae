//! A store from the text of `LAMBDA_MSK_IDEMPOTENCY`. Called by `settings`.

use crate::idempotency::store::box_store::BoxStore;
use crate::idempotency::store::memory::MemoryStore;

const ALLOWED: &str = "expected `dynamodb://TABLE`, `redis://HOST`, `rediss://HOST`, `valkey://HOST`, `postgres://HOST/DATABASE`, `memory` or `none`";

/// The store that the text names, or what is wrong with it and what is allowed. `none` names no store: its reader is above.
///
/// Only looks at the text, and at the file of `sslrootcert`: no request is made. What is wrong is never shown, since a store's address may hold a password.
pub(crate) fn choose_store(text: &str) -> Result<BoxStore, String> {
    if text == "memory" {
        return Ok(BoxStore::new(MemoryStore::new()));
    }
    match text.split_once("://") {
        Some(("dynamodb", table)) => dynamodb(table),
        Some(("redis" | "rediss" | "valkey" | "valkeys", _)) => redis(text),
        Some(("postgres" | "postgresql", _)) => postgres(text),
        _ => Err(format!("is not a store; {ALLOWED}")),
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

#[cfg(feature = "redis")]
fn redis(address: &str) -> Result<BoxStore, String> {
    use crate::idempotency::store::redis::RedisStore;

    let store = RedisStore::new(address).map_err(|error| error.to_string());
    store.map(BoxStore::new)
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str) -> Result<BoxStore, String> {
    Err("names a Redis server, but this program was built without it: add the feature `redis` of lambda-msk, or use `memory`".to_owned())
}

#[cfg(feature = "postgres")]
fn postgres(address: &str) -> Result<BoxStore, String> {
    use crate::idempotency::store::postgres::PostgresStore;

    let store = PostgresStore::new(address).map_err(|error| error.to_string())?;
    store.check()?;
    Ok(BoxStore::new(store))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<BoxStore, String> {
    Err("names a Postgres database, but this program was built without it: add the feature `postgres` of lambda-msk, or use `memory`".to_owned())
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

    const REDIS: [&str; 3] = [
        "redis://user:hunter2@cache",
        "rediss://user:hunter2@cache",
        "valkey://user:hunter2@cache",
    ];
    const POSTGRES: [&str; 2] = [
        "postgres://user:hunter2@db/orders",
        "postgresql://user:hunter2@db/orders",
    ];

    #[cfg(feature = "redis")]
    #[test]
    fn an_address_becomes_a_redis_server_without_its_password() {
        for text in REDIS {
            let store = choose_store(text).unwrap();
            assert_eq!(store.describe(), "redis:cache:6379/0");
            assert!(!format!("{store:?}").contains("hunter2"));
        }
        assert!(
            refusal("redis://hunter2@cache:port").starts_with("expected the address of a Redis")
        );
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn an_address_becomes_a_postgres_table_without_its_password() {
        for text in POSTGRES {
            let store = choose_store(text).unwrap();
            assert_eq!(store.describe(), "postgres:db/orders/lambda_msk_ledger");
            assert!(!format!("{store:?}").contains("hunter2"));
        }
        let text = refusal("postgres://hunter2@db/orders?table=a b");
        assert!(text.ends_with("in the parameter `table`"), "{text}");
        let text = refusal("postgres://u:p@db/orders?sslrootcert=/nowhere/hunter2.pem");
        assert!(
            text.starts_with("cannot read certificates from the file in `sslrootcert`: ")
                && !text.contains("hunter2"),
            "{text}"
        );
        let text = refusal("postgres://u:p@hunter2@db/orders");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn a_redis_server_in_a_build_without_redis_is_refused_with_the_feature_to_add() {
        for text in REDIS {
            let refusal = refusal(text);
            assert!(refusal.contains("feature `redis`") && !refusal.contains("hunter2"));
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_database_in_a_build_without_postgres_is_refused_with_the_feature_to_add() {
        for text in POSTGRES {
            let refusal = refusal(text);
            assert!(refusal.contains("feature `postgres`") && !refusal.contains("hunter2"));
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
                "is not a store; expected `dynamodb://TABLE`, `redis://HOST`, `rediss://HOST`, `valkey://HOST`, `postgres://HOST/DATABASE`, `memory` or `none`"
            );
        }
    }
}
