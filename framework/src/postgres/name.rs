//! The name of a table. A statement cannot take it as a parameter, so it is checked before it becomes part of one.

use std::fmt;
use std::str::FromStr;

use crate::limits::POSTGRES_NAME_BYTES_MAX;

/// The name of a table in Postgres, with its schema if it has one: `lambda_msk_ledger`, `shop.ledger`.
///
/// `Display` writes it in quotes, as it stands in a statement. Letters become small ones, as in a statement without quotes.
///
/// ```
/// use lambda_msk::postgres::TableName;
///
/// let table: TableName = "shop.Ledger".parse()?;
/// assert_eq!(table.to_string(), r#""shop"."ledger""#);
/// assert!("ledger; DROP TABLE orders".parse::<TableName>().is_err());
/// # Ok::<(), lambda_msk::postgres::TableNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    /// *None: the first schema of the connection's search path.*
    schema: Option<String>,
    name: String,
}

impl TableName {
    /// The name without its schema, without quotes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole name without quotes: `shop.ledger`.
    pub fn plain(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl FromStr for TableName {
    type Err = TableNameError;

    fn from_str(text: &str) -> Result<Self, TableNameError> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, text),
        };
        if !schema.is_none_or(is_identifier) || !is_identifier(name) {
            return Err(TableNameError(NameFault::NoName));
        }
        let name = name.to_ascii_lowercase();
        if name == ONCE_TABLE || name.starts_with(&format!("{ONCE_TABLE}_")) {
            return Err(TableNameError(NameFault::OfOnce));
        }
        Ok(Self {
            schema: schema.map(str::to_ascii_lowercase),
            name,
        })
    }
}

/// The first of `once`'s tables; the names of the others, and of its indexes, begin with it.
const ONCE_TABLE: &str = "lambda_msk_once";

fn is_identifier(text: &str) -> bool {
    let may_begin = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    text.len() <= POSTGRES_NAME_BYTES_MAX
        && text.bytes().next().is_some_and(may_begin)
        && text
            .bytes()
            .all(|byte| may_begin(byte) || byte.is_ascii_digit())
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "\"{schema}\".")?;
        }
        write!(f, "\"{}\"", self.name)
    }
}

/// The text is not the name of a table. It is not shown: it may be a part of an address with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TableNameError(NameFault);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum NameFault {
    #[error(
        "expected the name of a table: 1 to {POSTGRES_NAME_BYTES_MAX} letters, digits and `_`, not a digit first, and before it a schema and a dot if it has one"
    )]
    NoName,
    #[error(
        "expected the name of a table for the store alone, found one that belongs to `once`: choose one that is not `{ONCE_TABLE}` and does not begin with `{ONCE_TABLE}_`"
    )]
    OfOnce,
}

#[cfg(test)]
mod tests {
    use super::TableName;

    #[test]
    fn a_name_is_quoted_and_small_as_postgres_has_it_without_quotes() {
        for (text, quoted) in [
            ("lambda_msk_ledger", "\"lambda_msk_ledger\""),
            ("Order", "\"order\""),
            ("Shop.Ledger_2", "\"shop\".\"ledger_2\""),
            (&"x".repeat(63), &format!("\"{}\"", "x".repeat(63))),
        ] {
            let name: TableName = text.parse().unwrap();
            assert_eq!(name.to_string(), quoted);
            assert_eq!(name.plain(), quoted.replace('"', ""));
        }
    }

    #[test]
    fn what_is_no_identifier_is_refused_and_not_shown() {
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a.b.c",
            "1a",
            "a b",
            "a-b",
            "a\"b",
            "a;b",
            "a'",
            "größe",
            "a\0",
            &"x".repeat(64),
        ] {
            let error = text.parse::<TableName>().unwrap_err().to_string();
            assert!(
                error.starts_with("expected the name of a table: 1 to 63"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_name_of_the_tables_of_once_is_refused() {
        for text in [
            "lambda_msk_once",
            "Lambda_MSK_Once",
            "shop.lambda_msk_once_notes",
            "lambda_msk_once_keys",
            "lambda_msk_once_notes_offsets",
        ] {
            let error = text.parse::<TableName>().unwrap_err().to_string();
            assert!(error.contains("belongs to `once`"), "{error}");
        }
        assert!("lambda_msk_once2".parse::<TableName>().is_ok());
    }
}
