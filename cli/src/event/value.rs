//! What becomes of each record: its kind, and its value at the length asked for. Without I/O.

/// What a record is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    Poison,
    Tombstone,
}

/// Which of the records are what, strewn by chance.
pub(crate) fn kinds(
    count: usize,
    poison: usize,
    tombstones: usize,
    rng: &mut fastrand::Rng,
) -> Vec<Kind> {
    let mut kinds = vec![Kind::Good; count];
    kinds[..poison].fill(Kind::Poison);
    kinds[poison..poison + tombstones].fill(Kind::Tombstone);
    rng.shuffle(&mut kinds);
    kinds
}

/// The value at the length asked for. Err: its length, which is more.
pub(crate) fn sized(value: String, bytes: Option<usize>) -> Result<String, usize> {
    let Some(bytes) = bytes else { return Ok(value) };
    let missing = bytes.checked_sub(value.len()).ok_or(value.len())?;
    // The shortest field that can be added to an object: a comma, the name and an empty string.
    let open = value
        .strip_suffix('}')
        .filter(|open| open.starts_with('{') && open.len() > 1);
    let frame = r#","padding":"""#.len();
    match (open, missing.checked_sub(frame)) {
        (Some(open), Some(padding)) => {
            Ok(format!(r#"{open},"padding":"{}"}}"#, "x".repeat(padding)))
        }
        // White space after a JSON value is JSON as well.
        _ => Ok(value + &" ".repeat(missing)),
    }
}

#[cfg(test)]
mod tests {
    use super::sized;

    #[test]
    fn a_value_gets_the_length_asked_for_and_stays_json() {
        for value in [r#"{"a":1}"#, "{}", "[1]", "5"] {
            for bytes in [7, 8, 19, 20, 21, 100] {
                let sized = sized(value.to_owned(), Some(bytes)).unwrap();

                assert_eq!(sized.len(), bytes);
                serde_json::from_str::<serde_json::Value>(&sized).unwrap();
            }
        }
    }

    #[test]
    fn a_value_is_never_cut() {
        assert_eq!(sized("12345".to_owned(), Some(4)), Err(5));
    }
}
