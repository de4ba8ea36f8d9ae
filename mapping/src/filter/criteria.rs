//! The `FilterCriteria` around the patterns: `{"Filters": [{"Pattern": "…"}]}`.

use super::error::{FilterError, FilterFault};
use super::json::Json;

const SHAPE: &str = "write `{\"Filters\": [{\"Pattern\": \"…\"}]}`, the pattern as text";

/// The texts of the patterns. Empty: there are no filters.
pub(super) fn patterns(criteria: &str) -> Result<Vec<String>, FilterError> {
    let criteria = Json::parse(criteria).map_err(|error| {
        FilterError::one(FilterFault::new(
            "FilterCriteria",
            format!("is not JSON: {error}: {SHAPE}"),
        ))
    })?;
    let mut faults = Vec::new();
    let mut patterns = Vec::new();
    match field(&criteria, "FilterCriteria", "Filters", &mut faults) {
        None | Some(Json::Null) => {}
        Some(Json::Array(filters)) => {
            for (index, filter) in filters.iter().enumerate() {
                patterns.extend(pattern(filter, index, &mut faults));
            }
        }
        Some(other) => faults.push(wrong("Filters", other)),
    }
    FilterError::of(faults)?;
    Ok(patterns)
}

fn pattern(filter: &Json, index: usize, faults: &mut Vec<FilterFault>) -> Option<String> {
    let place = format!("Filters[{index}]");
    let faults_before = faults.len();
    match field(filter, &place, "Pattern", faults) {
        Some(Json::String(pattern)) => return Some(pattern.clone()),
        Some(other) => faults.push(wrong(&format!("{place}.Pattern"), other)),
        None if faults.len() == faults_before => {
            faults.push(FilterFault::new(
                place,
                format!("has no `Pattern`: {SHAPE}"),
            ));
        }
        None => {}
    }
    None
}

/// The one field that an object may have. Another one is a fault: a misspelt `Filters` would let everything pass.
fn field<'a>(
    object: &'a Json,
    place: &str,
    known: &str,
    faults: &mut Vec<FilterFault>,
) -> Option<&'a Json> {
    let Json::Object(fields) = object else {
        faults.push(wrong(place, object));
        return None;
    };
    let unknown = fields.iter().filter(|(name, _)| name != known);
    faults.extend(unknown.map(|(name, _)| {
        FilterFault::new(format!("{place}.{name}"), format!("is not known: {SHAPE}"))
    }));
    let mut found = fields.iter().filter(|(name, _)| name == known);
    found.next_back().map(|(_, value)| value)
}

fn wrong(place: &str, found: &Json) -> FilterFault {
    FilterFault::new(place, format!("is {}: {SHAPE}", found.kind()))
}

#[cfg(test)]
mod tests {
    use super::patterns;

    fn place(criteria: &str) -> String {
        let error = patterns(criteria).unwrap_err();
        error.faults()[0].place.clone()
    }

    #[test]
    fn the_patterns_come_in_their_order() {
        let criteria = r#"{"Filters": [{"Pattern": "first"}, {"Pattern": "second"}]}"#;

        assert_eq!(patterns(criteria).unwrap(), ["first", "second"]);
    }

    #[test]
    fn without_filters_there_are_no_patterns() {
        for criteria in ["{}", r#"{"Filters": []}"#, r#"{"Filters": null}"#] {
            assert!(patterns(criteria).unwrap().is_empty(), "{criteria}");
        }
    }

    #[test]
    fn a_fault_around_the_patterns_says_where_it_is() {
        assert_eq!(place("Filters"), "FilterCriteria");
        assert_eq!(place("[]"), "FilterCriteria");
        assert_eq!(place(r#"{"Filter": []}"#), "FilterCriteria.Filter");
        assert_eq!(place(r#"{"Filters": {}}"#), "Filters");
        assert_eq!(place(r#"{"Filters": ["{}"]}"#), "Filters[0]");
        assert_eq!(place(r#"{"Filters": [{}]}"#), "Filters[0]");
        assert_eq!(
            place(r#"{"Filters": [{"pattern": ""}]}"#),
            "Filters[0].pattern"
        );
        assert_eq!(
            place(r#"{"Filters": [{"Pattern": {}}]}"#),
            "Filters[0].Pattern"
        );
    }

    #[test]
    fn every_fault_around_the_patterns_is_named() {
        let error = patterns(r#"{"Filters": [{}, {"Pattern": "{}"}, 5], "Extra": 1}"#).unwrap_err();

        let places: Vec<_> = error
            .faults()
            .iter()
            .map(|fault| fault.place.as_str())
            .collect();
        assert_eq!(places, ["FilterCriteria.Extra", "Filters[0]", "Filters[2]"]);
    }
}
