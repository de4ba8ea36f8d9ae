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
    format!(
        "BEGIN;\n{}DELETE FROM lambda_msk_once WHERE id IN ({ids});\nDELETE FROM lambda_msk_once_notes WHERE id IN ({ids});\nCOMMIT;\n",
        locked(&ids)
    )
}

/// Statements that delete the border alone: what is in no note counts as not written from then on, and what is noted stays known. For a record that fails with `once.forgotten` and is known
/// not to have been written.
///
/// ```
/// let statements = lambda_msk::postgres::forget_border(&["shop/arn:aws:kafka:…/orders/0"]);
/// assert!(statements.contains("UPDATE lambda_msk_once SET forgotten_below = 0 WHERE id IN ("));
/// ```
pub fn forget_border(ids: &[&str]) -> String {
    let ids = list(ids);
    format!(
        "BEGIN;\n{}UPDATE lambda_msk_once SET forgotten_below = 0 WHERE id IN ({ids});\nCOMMIT;\n",
        locked(&ids)
    )
}

/// The partitions' rows first, in the order of `once`: a transaction that holds one ends before its notes are deleted, and none waits for the other's.
fn locked(ids: &str) -> String {
    format!("SELECT id FROM lambda_msk_once WHERE id IN ({ids}) ORDER BY id FOR UPDATE;\n")
}

/// Deletes the keys of [`PerRecord`](crate::idempotency::PerRecord) that have expired. Run it once a day. A key that a transaction holds stays until the next time.
pub const FORGET_EXPIRED_KEYS: &str = "\
DELETE FROM lambda_msk_once_keys WHERE id IN (\
SELECT id FROM lambda_msk_once_keys WHERE expiration < extract(epoch FROM now()) ORDER BY id FOR UPDATE SKIP LOCKED);\n";

/// As literals.
fn list(ids: &[&str]) -> String {
    let quoted = ids.iter().map(|id| format!("'{}'", id.replace('\'', "''")));
    let quoted: Vec<String> = quoted.collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{forget, forget_border};

    #[test]
    fn a_quote_in_an_id_ends_no_literal() {
        let statements = forget(&["a'b", "c"]);

        assert!(
            statements.contains("WHERE id IN ('a''b', 'c');"),
            "{statements}"
        );
    }

    #[test]
    fn rows_are_locked_in_the_order_of_once_before_anything_is_written() {
        for statements in [forget(&["b", "a"]), forget_border(&["b", "a"])] {
            let lines: Vec<&str> = statements.lines().collect();
            let lock =
                "SELECT id FROM lambda_msk_once WHERE id IN ('b', 'a') ORDER BY id FOR UPDATE;";
            assert_eq!(lines[..2], ["BEGIN;", lock], "{statements}");
            assert_eq!(lines.last(), Some(&"COMMIT;"));
        }
    }
}
