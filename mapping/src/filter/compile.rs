//! From a pattern's JSON to alternatives of fields with dotted names. `$or` multiplies the alternatives that stand before it,
//! as in Lambda's matcher; so a field behind or inside it replaces one of the same name before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::json::Json;
use super::matcher::Matcher;
use super::operators;
use super::place::Place;
use crate::limits::{FILTER_ALTERNATIVES_MAX, FILTER_FIELDS_MAX};

/// The one field of a Kafka record that Lambda filters on.
pub(super) const VALUE: &str = "value";

/// The other fields of a record in the event. AWS's samples have patterns on `topic`.
const BESIDE_VALUE: [&str; 7] = [
    "topic",
    "partition",
    "offset",
    "timestamp",
    "timestampType",
    "key",
    "headers",
];

const OR: &str = "$or";

/// Names that Lambda's matcher keeps for itself inside `$or`: its operators, and those that it may get.
const RESERVED_INSIDE_OR: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// Fields that all have to fit, by dotted name, in the order in which Lambda's matcher looks at them.
pub(super) type Fields = BTreeMap<String, Arc<[Matcher]>>;

/// The alternatives of a pattern: a record fits if it fits one of them. Faults are noted, and leave gaps in what is returned.
pub(super) fn alternatives(place: &mut Place, pattern: &[(String, Json)]) -> Vec<Fields> {
    let mut compiler = Compiler {
        path: Vec::new(),
        inside_or: false,
        alternatives: Vec::new(),
    };
    compiler.object(place, pattern);
    let fields = compiler.alternatives.iter().map(BTreeMap::len).max();
    if let Some(fields) = fields.filter(|fields| *fields > FILTER_FIELDS_MAX) {
        place.fault(format!(
            "has {fields} fields, and Lambda's matcher takes {FILTER_FIELDS_MAX}: leave some out"
        ));
    }
    compiler.alternatives
}

struct Compiler {
    /// The names of the objects around.
    path: Vec<String>,
    inside_or: bool,
    /// What was read so far. Empty: nothing, which is one alternative without fields.
    alternatives: Vec<Fields>,
}

impl Compiler {
    fn object(&mut self, place: &mut Place, fields: &[(String, Json)]) {
        if fields.is_empty() {
            place.fault("is an empty object, which matches nothing: name a field, or leave it out");
        }
        for (name, field) in last_of_each(fields) {
            place.field(name, |place| {
                if name == OR {
                    self.or(place, field);
                } else if self.may_be_named(place, name) {
                    self.field(place, name, field);
                }
            });
        }
    }

    fn may_be_named(&self, place: &mut Place, name: &str) -> bool {
        if self.path.is_empty() && BESIDE_VALUE.contains(&name) {
            place.remark("is ignored here: Lambda's guide filters Kafka records on `value` alone");
            return false;
        }
        if self.path.is_empty() && name != VALUE {
            place.fault("cannot be filtered on: Lambda filters Kafka records on `value` alone");
            return false;
        }
        if self.inside_or && RESERVED_INSIDE_OR.contains(&name) {
            place.fault("is a name that Lambda's matcher reserves inside `$or`: an operator stands in the list of a field");
            return false;
        }
        true
    }

    fn field(&mut self, place: &mut Place, name: &str, field: &Json) {
        match field {
            Json::Object(fields) => {
                self.path.push(name.to_owned());
                self.object(place, fields);
                self.path.pop();
            }
            Json::Array(entries) => {
                let matchers: Arc<[Matcher]> = operators::list(place, entries).into();
                let steps = self.path.iter().map(String::as_str).chain([name]);
                let name = steps.collect::<Vec<_>>().join(".");
                if self.alternatives.is_empty() {
                    self.alternatives.push(Fields::new());
                }
                for alternative in &mut self.alternatives {
                    alternative.insert(name.clone(), matchers.clone());
                }
            }
            other => place.fault(format!(
                "is {}: write a list of values, such as `[\"order\"]`, or an object of fields",
                other.kind()
            )),
        }
    }

    /// Every alternative so far, once with each of the branches.
    fn or(&mut self, place: &mut Place, or: &Json) {
        let Json::Array(branches) = or else {
            place.fault(format!("is {}: write a list of objects", or.kind()));
            return;
        };
        if branches.len() < 2 {
            place.fault("has no choice: write at least two objects, or the fields without `$or`");
        }
        let before = std::mem::take(&mut self.alternatives);
        let was_inside = std::mem::replace(&mut self.inside_or, true);
        let mut all = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            self.alternatives = before.clone();
            place.element(index, |place| match branch {
                Json::Object(fields) => self.object(place, fields),
                other => place.fault(format!("is {}: write an object of fields", other.kind())),
            });
            if self.alternatives.is_empty() {
                // All of its fields were left out: it holds nothing back.
                self.alternatives.push(Fields::new());
            }
            all.append(&mut self.alternatives);
            if all.len() > FILTER_ALTERNATIVES_MAX {
                place.fault(format!(
                    "makes more than {FILTER_ALTERNATIVES_MAX} combinations with what stands before it, and EventBridge takes no more: write several patterns"
                ));
                all.truncate(1);
                break;
            }
        }
        self.alternatives = all;
        self.inside_or = was_inside;
    }
}

/// Of a name that stands twice, Lambda uses the last value (Lambda developer guide, event filtering: duplicate keys).
fn last_of_each(fields: &[(String, Json)]) -> impl Iterator<Item = (&str, &Json)> {
    let is_last = |(index, (name, _)): &(usize, &(String, Json))| {
        !fields[index + 1..].iter().any(|(later, _)| later == name)
    };
    fields
        .iter()
        .enumerate()
        .filter(is_last)
        .map(|(_, (name, field))| (name.as_str(), field))
}

#[cfg(test)]
mod tests {
    use crate::filter::Filter;
    use crate::limits::{FILTER_ALTERNATIVES_MAX, FILTER_FIELDS_MAX};

    /// Whether a record's JSON fits the object behind `value`.
    fn fits(pattern: &str, value: &str) -> bool {
        let filter = Filter::parse([format!(r#"{{"value": {pattern}}}"#)]).unwrap();
        filter.matches(Some(value.as_bytes()))
    }

    fn places(pattern: &str) -> Vec<String> {
        let error = Filter::parse([pattern]).unwrap_err();
        let places = error.faults().iter().map(|fault| fault.place.clone());
        places.collect()
    }

    #[test]
    fn a_field_beside_the_value_is_remarked_and_holds_nothing_back() {
        for (pattern, passes) in [
            (r#"{"topic": ["orders"]}"#, true),
            (r#"{"key": [{"prefix": "a"}], "value": {"a": [1]}}"#, true),
            (r#"{"partition": [0], "value": {"a": [2]}}"#, false),
            (
                r#"{"$or": [{"topic": ["b"]}, {"value": {"a": [2]}}]}"#,
                true,
            ),
        ] {
            let filter = Filter::parse([pattern]).unwrap();

            assert_eq!(filter.matches(Some(br#"{"a": 1}"#)), passes, "{pattern}");
            let remarks: Vec<_> = filter.remarks().collect();
            assert_eq!(remarks.len(), 1, "{remarks:?}");
            assert!(remarks[0].reason.contains("`value` alone"), "{remarks:?}");
        }
        let strict = Filter::parse([r#"{"topic": ["orders"]}"#])
            .unwrap()
            .mismatch(crate::filter::Mismatch::DoesNotFit);
        assert!(strict.matches(Some(b"no JSON")) && strict.matches(None));
        assert!(Filter::parse([r#"{"valeu": ["a"]}"#]).is_err());
    }

    #[test]
    fn fields_beside_each_other_have_to_fit_all() {
        let pattern = r#"{"kind": ["order"], "total": [{"numeric": [">", 100]}]}"#;

        assert!(fits(pattern, r#"{"kind": "order", "total": 101}"#));
        assert!(!fits(pattern, r#"{"kind": "order", "total": 100}"#));
        assert!(!fits(pattern, r#"{"kind": "order"}"#));
    }

    #[test]
    fn a_field_inside_an_object_is_found_by_its_path() {
        assert!(fits(
            r#"{"a": {"b": {"c": [1]}}}"#,
            r#"{"a": {"b": {"c": 1}}}"#
        ));
        assert!(!fits(r#"{"a": {"b": {"c": [1]}}}"#, r#"{"a": {"c": 1}}"#));
    }

    #[test]
    fn a_dotted_name_is_a_path() {
        assert!(fits(r#"{"a.b": [1]}"#, r#"{"a": {"b": 1}}"#));
        assert!(fits(r#"{"a": {"b": [1]}}"#, r#"{"a.b": 1}"#));
    }

    #[test]
    fn or_takes_a_record_that_fits_one_of_its_objects() {
        let pattern =
            r#"{"kind": ["order"], "$or": [{"total": [1]}, {"urgent": [true], "vip": [true]}]}"#;

        assert!(fits(pattern, r#"{"kind": "order", "total": 1}"#));
        assert!(fits(
            pattern,
            r#"{"kind": "order", "urgent": true, "vip": true}"#
        ));
        assert!(!fits(pattern, r#"{"kind": "order", "urgent": true}"#));
        assert!(!fits(pattern, r#"{"kind": "note", "total": 1}"#));
    }

    #[test]
    fn ors_beside_and_inside_each_other_combine() {
        let pattern = r#"{"a": {"$or": [{"x": [1]}, {"$or": [{"x": [2]}, {"y": [3]}]}]}, "$or": [{"b": [1]}, {"c": [1]}]}"#;

        assert!(fits(pattern, r#"{"a": {"y": 3}, "c": 1}"#));
        assert!(fits(pattern, r#"{"a": {"x": 2}, "b": 1}"#));
        assert!(!fits(pattern, r#"{"a": {"y": 3}}"#));
        assert!(!fits(pattern, r#"{"b": 1, "c": 1}"#));
    }

    #[test]
    fn or_may_stand_around_value() {
        let pattern = r#"{"$or": [{"value": {"a": [1]}}, {"value": {"b": [2]}}]}"#;
        let filter = Filter::parse([pattern]).unwrap();

        assert!(filter.matches(Some(br#"{"b": 2}"#)));
        assert!(!filter.matches(Some(br#"{"b": 1}"#)));
    }

    #[test]
    fn a_field_behind_or_replaces_that_inside_it() {
        let pattern = r#"{"$or": [{"a": [1]}, {"b": [1]}], "a": [2]}"#;

        assert!(fits(pattern, r#"{"a": 2}"#));
        assert!(!fits(pattern, r#"{"a": 1, "b": 2}"#));
    }

    #[test]
    fn of_a_name_that_stands_twice_the_last_counts() {
        assert!(fits(r#"{"a": [1], "a": [2]}"#, r#"{"a": 2}"#));
        assert!(!fits(r#"{"a": [1], "a": [2]}"#, r#"{"a": 1}"#));
        assert!(fits(
            r#"{"a": {"x": [1]}, "a": {"y": [1]}}"#,
            r#"{"a": {"y": 1}}"#
        ));
    }

    #[test]
    fn every_fault_is_named() {
        let pattern =
            r#"{"keys": ["a"], "value": {"a": {}, "b": "c", "$or": [{"d": [1]}, 5]}, "kind": []}"#;

        let found = places(pattern);

        let expected = [
            "Filters[0].Pattern: keys",
            "Filters[0].Pattern: value.a",
            "Filters[0].Pattern: value.b",
            "Filters[0].Pattern: value.$or[1]",
            "Filters[0].Pattern: kind",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn or_needs_a_list_of_two_objects() {
        assert_eq!(
            places(r#"{"value": {"$or": {"a": [1]}}}"#),
            ["Filters[0].Pattern: value.$or"]
        );
        assert_eq!(
            places(r#"{"value": {"$or": [{"a": [1]}]}}"#),
            ["Filters[0].Pattern: value.$or"]
        );
    }

    #[test]
    fn an_operator_in_place_of_a_field_inside_or_is_a_fault() {
        let pattern =
            r#"{"value": {"a": {"$or": [{"prefix": ["a"]}, {"b": {"numeric": ["="]}}]}}}"#;

        let expected = [
            "Filters[0].Pattern: value.a.$or[0].prefix",
            "Filters[0].Pattern: value.a.$or[1].b.numeric",
        ];
        assert_eq!(places(pattern), expected);
        // Outside of it, it is a field like others.
        assert!(fits(r#"{"prefix": ["a"]}"#, r#"{"prefix": "a"}"#));
    }

    #[test]
    fn combinations_of_or_end_at_their_limit() {
        let ten = r#"[{"a":[0]},{"a":[1]},{"a":[2]},{"a":[3]},{"a":[4]},{"a":[5]},{"a":[6]},{"a":[7]},{"a":[8]},{"a":[9]}]"#;
        let two = r#"[{"b":[0]},{"b":[1]}]"#;
        assert_eq!(FILTER_ALTERNATIVES_MAX, 10 * 10 * 10);

        let most = format!(
            r#"{{"value": {{"x": {{"$or": {ten}}}, "y": {{"$or": {ten}}}, "$or": {ten}}}}}"#
        );
        let more = format!(
            r#"{{"value": {{"x": {{"$or": {ten}}}, "y": {{"$or": {ten}}}, "$or": {ten}, "z": {{"$or": {two}}}}}}}"#
        );

        assert!(Filter::parse([most]).is_ok());
        assert_eq!(places(&more), ["Filters[0].Pattern: value.z.$or"]);
    }

    #[test]
    fn fields_end_at_their_limit() {
        let fields = |count: usize| {
            let fields: Vec<_> = (0..count)
                .map(|field| format!(r#""{field}":[1]"#))
                .collect();
            format!(r#"{{"value":{{{}}}}}"#, fields.join(","))
        };

        assert!(Filter::parse([fields(FILTER_FIELDS_MAX)]).is_ok());
        assert_eq!(
            places(&fields(FILTER_FIELDS_MAX + 1)),
            ["Filters[0].Pattern"]
        );
    }
}
