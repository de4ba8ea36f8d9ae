//! The statements that make `once` forget: printed by `cargo msk postgres forget`.

/// Statements that delete all that `once` knows of some partitions: the notes of what was written, and the border below which nothing is known. For a topic that was made anew. Records that
/// are redelivered after that are written again.
///
/// `ids` are as in the message of `once.forgotten`: `namespace/cluster/topic/partition`.
///
/// ```
/// let statements = lambda_msk::postgres::forget(&["shop/arn:aws:kafka:…/orders/0"]);
/// assert!(statements.contains("DELETE FROM lambda_msk_once WHERE id IN ('shop/arn:aws:kafka:…/orders/0');"));
/// ```
pub fn forget(ids: &[&str]) -> String {
    let ids = list(ids);
    // The partition's row first: a transaction that holds it ends before its notes are deleted.
    format!(
        "BEGIN;\nDELETE FROM lambda_msk_once WHERE id IN ({ids});\nDELETE FROM lambda_msk_once_notes WHERE id IN ({ids});\nCOMMIT;\n"
    )
}

/// A statement that deletes the border alone: what is in no note counts as not written from then on, and what is noted stays known. For a record that fails with `once.forgotten` and is known
/// not to have been written.
///
/// ```
/// let statement = lambda_msk::postgres::forget_border(&["shop/arn:aws:kafka:…/orders/0"]);
/// assert!(statement.starts_with("UPDATE lambda_msk_once SET forgotten_below = 0 WHERE id IN ("));
/// ```
pub fn forget_border(ids: &[&str]) -> String {
    format!(
        "UPDATE lambda_msk_once SET forgotten_below = 0 WHERE id IN ({});\n",
        list(ids)
    )
}

/// Deletes the keys of [`PerRecord`](crate::idempotency::PerRecord) that have expired. Run it once a day.
pub const FORGET_EXPIRED_KEYS: &str =
    "DELETE FROM lambda_msk_once_keys WHERE expiration < extract(epoch FROM now());\n";

/// As literals.
fn list(ids: &[&str]) -> String {
    let quoted = ids.iter().map(|id| format!("'{}'", id.replace('\'', "''")));
    let quoted: Vec<String> = quoted.collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::forget;

    #[test]
    fn a_quote_in_an_id_ends_no_literal() {
        let statements = forget(&["a'b", "c"]);

        assert!(
            statements.contains("WHERE id IN ('a''b', 'c');"),
            "{statements}"
        );
    }
}
