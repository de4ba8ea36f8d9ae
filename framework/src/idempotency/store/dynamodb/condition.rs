//! How an item must stand, in DynamoDB's words. Called by `dynamodb`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::idempotency::store::dynamodb::item::{
    EXPIRATION, ID, IN_PROGRESS_EXPIRATION, OWNER, SEQ, STATUS, number, text,
};
use crate::idempotency::store::{Expect, Status};

/// The update that [`Condition::and_hold`] goes with. Data and validation are not named, so they stay.
pub(super) const HOLD: &str = "SET #owner = :owner, #seq = if_not_exists(#seq, :zero) + :raise, #status = :in_progress, #in_progress_expiration = :held_until_ms, #expiration = :expires_s";

const ABSENT: &str = "attribute_not_exists(#id)";

const VERSION: &str = "#owner = :expected_owner AND #seq = :expected_seq";

/// As `Item::is_free` of what is read: a comparison with an attribute that is not there does not hold. It is Powertools' own condition, and a status that
/// neither knows.
const FREE: &str = "attribute_not_exists(#id) OR #expiration < :now_s \
    OR (#status = :in_progress AND #in_progress_expiration < :now_ms) \
    OR (attribute_exists(#status) AND NOT #status IN (:in_progress, :completed))";

/// An expression, with exactly the names and values that it uses: DynamoDB refuses any that it does not.
#[derive(Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) text: &'static str,
    /// All attributes go by a placeholder: some are reserved words.
    pub(super) names: HashMap<String, String>,
    /// *None: it uses none; an empty map is refused.*
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

/// What a taking sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taking<'a> {
    pub(super) owner: &'a str,
    pub(super) raise: u64,
    pub(super) held_until_ms: u64,
    pub(super) expires_s: u64,
}

impl Condition {
    pub(super) fn of(expect: &Expect) -> Self {
        match expect {
            Expect::Absent => Self::new(ABSENT, &[ID], []),
            Expect::Version(version) => {
                let values = [
                    (":expected_owner", text(&version.owner)),
                    (":expected_seq", number(version.seq)),
                ];
                Self::new(VERSION, &[OWNER, SEQ], values)
            }
            Expect::Free { at_ms } => {
                let values = [
                    (":now_s", number(at_ms / 1000)),
                    (":now_ms", number(*at_ms)),
                    (":in_progress", text(Status::InProgress.as_str())),
                    (":completed", text(Status::Completed.as_str())),
                ];
                let names = [ID, EXPIRATION, STATUS, IN_PROGRESS_EXPIRATION];
                Self::new(FREE, &names, values)
            }
        }
    }

    /// With the names and values of [`HOLD`] too.
    pub(super) fn and_hold(mut self, hold: Taking<'_>) -> Self {
        let values = [
            (":owner", text(hold.owner)),
            (":zero", number(0)),
            (":raise", number(hold.raise)),
            (":in_progress", text(Status::InProgress.as_str())),
            (":held_until_ms", number(hold.held_until_ms)),
            (":expires_s", number(hold.expires_s)),
        ];
        let names = [OWNER, SEQ, STATUS, IN_PROGRESS_EXPIRATION, EXPIRATION];
        let hold = Self::new(self.text, &names, values);
        self.names.extend(hold.names);
        self.values
            .get_or_insert_default()
            .extend(hold.values.unwrap_or_default());
        self
    }

    fn new<const N: usize>(
        text: &'static str,
        names: &[&str],
        values: [(&str, AttributeValue); N],
    ) -> Self {
        let names = names
            .iter()
            .map(|name| (format!("#{name}"), (*name).to_owned()));
        let values = values.map(|(name, value)| (name.to_owned(), value));
        Self {
            text,
            names: names.collect(),
            values: (N > 0).then(|| HashMap::from(values)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Condition, HOLD, Taking};
    use crate::idempotency::store::{Expect, Version};

    fn version() -> Version {
        Version {
            owner: "a".into(),
            seq: 7,
        }
    }

    fn hold() -> Taking<'static> {
        Taking {
            owner: "b",
            raise: 7_000,
            held_until_ms: 1,
            expires_s: 2,
        }
    }

    fn all() -> [Condition; 3] {
        [
            Expect::Absent,
            Expect::Version(version()),
            Expect::Free { at_ms: 1_999 },
        ]
        .map(|expect| Condition::of(&expect))
    }

    /// The placeholders in the expressions.
    fn used(texts: &[&str]) -> BTreeSet<String> {
        let text = texts.join(" ");
        text.split(|letter: char| !(letter.is_alphanumeric() || "#:_".contains(letter)))
            .filter(|word| word.starts_with(['#', ':']))
            .map(str::to_owned)
            .collect()
    }

    fn given(condition: Condition) -> BTreeSet<String> {
        let values = condition.values.unwrap_or_default().into_keys();
        condition.names.into_keys().chain(values).collect()
    }

    #[test]
    fn a_condition_has_the_names_and_values_that_it_uses_and_no_other() {
        for condition in all() {
            assert_eq!(used(&[condition.text]), given(condition));
        }
        for condition in all() {
            let condition = condition.and_hold(hold());
            assert_eq!(used(&[condition.text, HOLD]), given(condition));
        }
    }

    #[test]
    fn a_condition_without_values_has_no_map_of_them() {
        assert_eq!(Condition::of(&Expect::Absent).values, None);
    }

    #[test]
    fn a_time_is_compared_in_each_attributes_own_unit() {
        let values = Condition::of(&Expect::Free { at_ms: 1_999 }).values;

        let values = values.unwrap();
        assert_eq!(values[":now_s"].as_n().unwrap(), "1");
        assert_eq!(values[":now_ms"].as_n().unwrap(), "1999");
    }

    #[test]
    fn the_version_that_is_expected_is_not_the_one_that_is_written() {
        let values = Condition::of(&Expect::Version(version()))
            .and_hold(hold())
            .values
            .unwrap();

        assert_eq!(values[":expected_owner"].as_s().unwrap(), "a");
        assert_eq!(values[":expected_seq"].as_n().unwrap(), "7");
        assert_eq!(values[":owner"].as_s().unwrap(), "b");
    }
}
