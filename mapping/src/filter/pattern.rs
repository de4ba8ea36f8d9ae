//! One pattern: read from its text, and asked whether a record fits it.

use std::collections::{BTreeMap, BTreeSet};

use super::compile::{self, Fields, VALUE};
use super::error::FilterFault;
use super::json::Json;
use super::leaves::{Elements, Leaves, Names};
use super::matcher::Matcher;
use super::place::Place;
use crate::limits::{FILTER_PATTERN_CHARACTERS_MAX, FILTER_STEPS_MAX};

/// What a pattern takes the value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `{"value": {…}}`
    Json,
    /// `{"value": […]}`
    Text,
    /// No field of the value: it holds nothing back.
    Any,
}

/// A pattern without faults.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    form: Form,
    /// One of them has to fit. More than one by `$or`.
    alternatives: Vec<Fields>,
    names: Names,
    remarks: Vec<FilterFault>,
}

impl Pattern {
    /// The pattern that has this index in its filter.
    ///
    /// # Errors
    ///
    /// Every fault in it.
    pub(super) fn parse(text: &str, index: usize) -> Result<Self, Vec<FilterFault>> {
        let mut place = Place::of_pattern(index);
        let pattern = read(&mut place, text);
        let (faults, remarks) = place.into_noted();
        let pattern = pattern.map(|pattern| Self { remarks, ..pattern });
        pattern.filter(|_| faults.is_empty()).ok_or(faults)
    }

    /// What of it Lambda may read otherwise.
    pub(super) fn remarks(&self) -> &[FilterFault] {
        &self.remarks
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Whether the value fits. None: there is no value, so no field exists.
    pub(super) fn fits(&self, value: Option<&Json>) -> bool {
        let leaves = value.map_or_else(Leaves::none, |value| Leaves::of(VALUE, value, &self.names));
        let mut steps_left = FILTER_STEPS_MAX;
        self.alternatives
            .iter()
            .any(|fields| fit_together(fields, &leaves, &mut steps_left))
    }
}

fn read(place: &mut Place, text: &str) -> Option<Pattern> {
    let characters = text.chars().count();
    if characters > FILTER_PATTERN_CHARACTERS_MAX {
        place.fault(format!(
            "has {characters} characters, and Lambda takes {FILTER_PATTERN_CHARACTERS_MAX}: write several patterns"
        ));
        return None;
    }
    let fields = match Json::parse(text) {
        Ok(Json::Object(fields)) => fields,
        Ok(other) => {
            place.fault(format!(
                "is {}: write an object, such as `{{\"value\": {{\"kind\": [\"order\"]}}}}`",
                other.kind()
            ));
            return None;
        }
        Err(error) => {
            place.fault(format!("is not JSON: {error}"));
            return None;
        }
    };
    let alternatives = compile::alternatives(place, &fields);
    let names = || {
        alternatives
            .iter()
            .flat_map(BTreeMap::keys)
            .map(String::as_str)
    };
    let form = match (
        names().any(|name| name == VALUE),
        names().any(|name| name != VALUE),
    ) {
        (true, true) => {
            place.fault("takes `value` for a plain string and for JSON: write a pattern for each");
            return None;
        }
        (true, false) => Form::Text,
        (false, true) => Form::Json,
        (false, false) => Form::Any,
    };
    Some(Pattern {
        form,
        names: Names::new(names()),
        alternatives,
        remarks: Vec::new(),
    })
}

/// Whether all fields fit at once, with one element of each array for all of them: of `[{"x": 1}, {"y": 2}]`, no element has
/// both.
///
/// It goes field by field, with the sets of elements in which all fields so far fit. Arrays in which no later field can lie
/// are forgotten, so that arrays beside each other do not multiply.
fn fit_together(fields: &Fields, leaves: &Leaves<'_>, steps_left: &mut usize) -> bool {
    let mut sets = BTreeSet::from([Elements::default()]);
    let mut rest = fields.iter();
    while let Some((name, matchers)) = rest.next() {
        let named = leaves.named(name);
        let fitting: Vec<&Elements> = named
            .iter()
            .filter(|leaf| matchers.iter().any(|matcher| matcher.fits(&leaf.scalar)))
            .map(|leaf| &leaf.elements)
            .collect();
        let may_be_absent = matchers.contains(&Matcher::Absent);
        let is_wanted = |array| rest.clone().any(|(later, _)| leaves.holds(array, later));
        let compared = if may_be_absent {
            named.len()
        } else {
            fitting.len()
        };
        let mut next = BTreeSet::new();
        for set in &sets {
            let Some(left) = steps_left.checked_sub(compared) else {
                return true;
            };
            *steps_left = left;
            let found = fitting.iter().filter_map(|elements| set.with(elements));
            // Absent from the elements in which the fields before it fit.
            let is_absent = may_be_absent && !named.iter().any(|leaf| set.agrees(&leaf.elements));
            for mut set in found.chain(is_absent.then(|| set.clone())) {
                set.retain(is_wanted);
                next.insert(set);
            }
        }
        sets = next;
    }
    !sets.is_empty()
}

#[cfg(test)]
mod tests {
    use crate::filter::Filter;
    use crate::limits::FILTER_PATTERN_CHARACTERS_MAX;

    fn fits(pattern: &str, value: &str) -> bool {
        let filter = Filter::parse([format!(r#"{{"value": {pattern}}}"#)]).unwrap();
        filter.matches(Some(value.as_bytes()))
    }

    fn reason(pattern: &str) -> String {
        let error = Filter::parse([pattern]).unwrap_err();
        let [fault] = error.faults() else {
            panic!("{error}")
        };
        fault.reason.clone()
    }

    #[test]
    fn fields_below_an_array_have_to_fit_in_one_element() {
        let pattern = r#"{"lines": {"sku": ["a"], "count": [2]}}"#;

        assert!(fits(
            pattern,
            r#"{"lines": [{"sku": "b"}, {"sku": "a", "count": 2}]}"#
        ));
        assert!(!fits(
            pattern,
            r#"{"lines": [{"sku": "a", "count": 1}, {"sku": "b", "count": 2}]}"#
        ));
    }

    #[test]
    fn fields_below_arrays_in_arrays_have_to_fit_in_one_element_of_each() {
        let pattern = r#"{"a": {"x": [1], "b": {"y": [1], "z": [1]}}}"#;

        assert!(fits(
            pattern,
            r#"{"a": [{"x": 1, "b": [{"y": 1}, {"y": 1, "z": 1}]}]}"#
        ));
        assert!(!fits(
            pattern,
            r#"{"a": [{"x": 1, "b": [{"y": 1}, {"z": 1}]}]}"#
        ));
        assert!(!fits(
            pattern,
            r#"{"a": [{"x": 1}, {"b": [{"y": 1, "z": 1}]}]}"#
        ));
        assert!(!fits(
            pattern,
            r#"{"a": [[{"x": 1}], [{"x": 2, "b": {"y": 1, "z": 1}}]]}"#
        ));
    }

    #[test]
    fn a_plain_element_stands_for_the_whole_array() {
        let pattern = r#"{"a": ["x"], "a.b": [1]}"#;

        assert!(fits(pattern, r#"{"a": ["x", {"b": 1}]}"#));
        assert!(!fits(pattern, r#"{"a": [["x"], {"b": 1}]}"#));
    }

    #[test]
    fn fields_below_different_arrays_fit_in_any_of_their_elements() {
        let pattern = r#"{"a": {"x": [1]}, "b": {"x": [2]}}"#;

        assert!(fits(pattern, r#"{"a": [{}, {"x": 1}], "b": [{"x": 2}]}"#));
    }

    #[test]
    fn a_field_is_absent_from_the_element_in_which_fields_before_it_fit() {
        let pattern = r#"{"lines": {"count": [2], "returned": [{"exists": false}]}}"#;

        assert!(fits(
            pattern,
            r#"{"lines": [{"count": 1, "returned": 1}, {"count": 2}]}"#
        ));
        assert!(!fits(
            pattern,
            r#"{"lines": [{"count": 1}, {"count": 2, "returned": 1}]}"#
        ));
        // The matcher goes by the order of names, and asks for `all` before it knows of an element.
        let pattern = r#"{"lines": {"count": [2], "all": [{"exists": false}]}}"#;
        assert!(!fits(
            pattern,
            r#"{"lines": [{"count": 1, "all": 1}, {"count": 2}]}"#
        ));
    }

    #[test]
    fn long_arrays_beside_each_other_do_not_multiply() {
        let array = vec![r#"{"x": 1}"#; 2_000].join(",");
        let value = format!(r#"{{"a": [{array}], "b": [{array}], "c": [{array}], "d": 1}}"#);

        assert!(!fits(
            r#"{"a": {"x": [1]}, "b": {"x": [1]}, "c": {"x": [1]}, "d": [2]}"#,
            &value
        ));
    }

    #[test]
    fn a_record_that_takes_too_long_passes() {
        // No element has both, so every x is compared with every y.
        let array = vec![r#"{"x": 1}, {"y": 1}"#; 3_000].join(",");
        let value = |array: &str| format!(r#"{{"a": [{array}]}}"#);
        let pattern = r#"{"a": {"x": [1], "y": [1]}}"#;

        assert!(!fits(pattern, &value(r#"{"x": 1}, {"y": 1}"#)));
        assert!(fits(pattern, &value(&array)));
    }

    #[test]
    fn a_pattern_that_is_no_object_says_what_it_is() {
        assert!(reason("[1]").starts_with("is an array"));
        assert!(reason("{\"value\": ").starts_with("is not JSON: EOF"));
        assert!(reason("{}").starts_with("is an empty object"));
    }

    #[test]
    fn a_pattern_of_both_forms_is_a_fault() {
        let pattern = r#"{"$or": [{"value": ["a"]}, {"value": {"a": [1]}}]}"#;

        assert!(reason(pattern).contains("a pattern for each"));
    }

    #[test]
    fn a_pattern_is_as_long_as_lambda_takes_it() {
        let pattern = |length: usize| {
            let around = r#"{"value":[""]}"#.len();
            // Characters count, not bytes.
            format!(r#"{{"value":["{}"]}}"#, "é".repeat(length - around))
        };

        assert!(Filter::parse([pattern(FILTER_PATTERN_CHARACTERS_MAX)]).is_ok());
        let longer = reason(&pattern(FILTER_PATTERN_CHARACTERS_MAX + 1));
        assert!(longer.starts_with("has 4097 characters"));
    }
}
