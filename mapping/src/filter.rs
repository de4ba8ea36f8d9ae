//! Lambda's event filter language for Kafka: which records a mapping sends to its function. Without I/O; for any program
//! that polls records as a mapping would.
//!
//! A [`Filter`] is a `FilterCriteria`: a few patterns; a record passes if any of them matches. Lambda's guide filters Kafka records
//! on the value alone, as JSON (`{"value": {"kind": ["order"]}}`) or as a plain string (`{"value": [{"prefix": "order "}]}`).
//!
//! # Example
//!
//! ```
//! use msk_mapping::filter::Filter;
//!
//! let filter = Filter::parse([r#"{"value": {"kind": ["order"], "total": [{"numeric": [">", 100]}]}}"#])?;
//! assert!(filter.matches(Some(br#"{"kind": "order", "total": 129.5, "lines": []}"#)));
//! assert!(!filter.matches(Some(br#"{"kind": "order", "total": 12}"#)));
//! # Ok::<(), msk_mapping::filter::FilterError>(())
//! ```
//!
//! # What matches
//!
//! All fields of an object have to match; one entry of a field's list is enough; `$or` takes a list of objects.
//! If a value in the record is an array, one element has to match; fields under an array of objects have to match in
//! the same element. Only values without fields of their own count: `exists` does not see an object.
//!
//! | in a field's list | matches |
//! |---|---|
//! | `"new"`, `""`, `null`, `true` | this value |
//! | `300` | this number, also as `300.0` or `3e2` |
//! | `{"prefix": "a"}`, `{"suffix": "z"}` | a string that begins, or ends, so |
//! | `{"equals-ignore-case": "a"}`, also inside `prefix` and `suffix` | a string, in upper or lower case |
//! | `{"wildcard": "a*z"}` | a string, `*` for any characters |
//! | `{"numeric": [">", 0, "<=", 5]}`, `{"numeric": ["=", 5]}` | a number in the range |
//! | `{"anything-but": "a"}`, `{"anything-but": [1, 2]}` | a value that is there, and is none of these |
//! | `{"anything-but": {"prefix": "a"}}`, and with `suffix`, `equals-ignore-case`, `wildcard` | likewise |
//! | `{"exists": true}`, `{"exists": false}` | any value; none of this name |
//! | `{"cidr": "10.0.0.0/24"}` | an IP address of this block |
//!
//! `wildcard`, `cidr`, and what stands inside `anything-but`, `prefix` or `suffix` are EventBridge's. Lambda's documentation
//! says that it takes EventBridge's rules, but does not list these. AWS's own samples have patterns on `topic`, its guide does not.
//! [`Filter::remarks`] names all of these.
//!
//! # Origin
//!
//! The language is that of AWS's open matcher, Event Ruler; this module was written from its version 1.8.1, and the project's
//! tests compare their verdicts on random patterns and records. No crate did it: `event-ruler` is an empty package, and
//! `quamina` implements a sibling of the language, without `$or` and with other operators.
//!
//! Documentation and matcher differ in two points. The documentation says that numbers are compared as they are written, so
//! that 300 is not 300.0; the matcher compares their values, and so does this module. If a pattern has a field twice, the
//! last one counts, as the documentation says; the matcher joins two objects.
//!
//! Three properties of the matcher are not copied. It reads a malformed `$or` as a field of that name, which is a fault here.
//! In a list such as `["a", {"numeric": ["<", 5]}, "b"]` it finds `"a"` only every other time, and in a list with `wildcard`
//! and `equals-ignore-case` it confuses the two: here each entry counts by itself. Lambda may do either.

mod address;
mod compile;
mod criteria;
mod error;
mod json;
mod leaves;
mod matcher;
mod number;
mod operators;
mod pattern;
mod place;
mod text;

pub use self::error::{FilterError, FilterFault};

use self::json::Json;
use self::pattern::{Form, Pattern};
use crate::limits::FILTER_PATTERNS_MAX;

/// The treatment of a value that has another form than a pattern expects: not JSON for a pattern with fields,
/// JSON for a pattern with plain strings, or bytes that are not UTF-8. JSON is every JSON text: `5` and `null` too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mismatch {
    /// It passes. Lambda's documentation says that the pattern then applies to a record's metadata only, and a Kafka record
    /// has none to filter on. So a function behind a filter still has to expect values of every form, and every value
    /// passes a filter that has patterns of both forms.
    #[default]
    Passes,
    /// It does not match the pattern, as on Lambda with messages of SQS and records of Kinesis.
    DoesNotFit,
}

/// The treatment of a record without a value (a tombstone). Lambda's documentation does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tombstone {
    /// A record in which no field exists: it matches `{"exists": false}`, and nothing else.
    #[default]
    NoField,
    /// A record whose `value` is `null`: it matches `{"value": [null]}` too, and `exists` sees it.
    Null,
}

/// A filter: a record passes if any of its patterns matches.
#[derive(Debug, Clone)]
pub struct Filter {
    patterns: Vec<Pattern>,
    mismatch: Mismatch,
    tombstone: Tombstone,
}

impl Filter {
    /// The filter of these patterns, each the JSON text of a `Pattern`.
    ///
    /// # Errors
    ///
    /// Every fault in every pattern, with its place: all that Lambda or its matcher would refuse, no pattern, or more than
    /// [`FILTER_PATTERNS_MAX`] of them. More than
    /// [`FILTER_PATTERNS_DEFAULT`](crate::limits::FILTER_PATTERNS_DEFAULT) are no fault here, but need a higher quota.
    ///
    /// # Example
    ///
    /// ```
    /// use msk_mapping::filter::Filter;
    ///
    /// let error = Filter::parse([r#"{"value": {"total": [{"numeric": ["!=", 0]}]}, "kind": ["a"]}"#]).unwrap_err();
    /// let places: Vec<&str> = error.faults().iter().map(|fault| fault.place.as_str()).collect();
    /// assert_eq!(places, ["Filters[0].Pattern: value.total[0].numeric[0]", "Filters[0].Pattern: kind"]);
    /// ```
    pub fn parse<I>(patterns: I) -> Result<Self, FilterError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut read = Vec::new();
        let mut faults = Vec::new();
        for (index, pattern) in patterns.into_iter().enumerate() {
            match Pattern::parse(pattern.as_ref(), index) {
                Ok(pattern) => read.push(pattern),
                Err(found) => faults.extend(found),
            }
            if index == FILTER_PATTERNS_MAX {
                let reason = format!(
                    "are more than {FILTER_PATTERNS_MAX}, which Lambda allows on request: join some by `$or`"
                );
                faults.push(FilterFault::new("Filters", reason));
                break;
            }
        }
        if read.is_empty() && faults.is_empty() {
            let reason = "has no pattern, so nothing would pass: write one, or no filter at all";
            faults.push(FilterFault::new("Filters", reason));
        }
        FilterError::of(faults)?;
        Ok(Self {
            patterns: read,
            mismatch: Mismatch::default(),
            tombstone: Tombstone::default(),
        })
    }

    /// The filter in a whole `FilterCriteria`, as `aws lambda create-event-source-mapping` takes it:
    /// `{"Filters": [{"Pattern": "…"}]}`. None: it has no filters, as in `{}`, so every record passes.
    ///
    /// # Errors
    ///
    /// Every fault in it, as [`parse`](Self::parse).
    ///
    /// # Example
    ///
    /// ```
    /// use msk_mapping::filter::Filter;
    ///
    /// let filter = Filter::from_criteria(r#"{"Filters": [{"Pattern": "{\"value\": [\"stop\"]}"}]}"#)?.unwrap();
    /// assert!(filter.matches(Some(b"stop")));
    /// assert!(Filter::from_criteria("{}")?.is_none());
    /// # Ok::<(), msk_mapping::filter::FilterError>(())
    /// ```
    pub fn from_criteria(criteria: &str) -> Result<Option<Self>, FilterError> {
        let patterns = criteria::patterns(criteria)?;
        if patterns.is_empty() {
            return Ok(None);
        }
        Self::parse(patterns).map(Some)
    }

    /// The same filter with another treatment of values of another form.
    #[must_use]
    pub fn mismatch(self, mismatch: Mismatch) -> Self {
        Self { mismatch, ..self }
    }

    /// The same filter with another treatment of records without a value.
    #[must_use]
    pub fn tombstone(self, tombstone: Tombstone) -> Self {
        Self { tombstone, ..self }
    }

    /// Parts of its patterns that Lambda may read in another way: fields of a record other than `value`, which are ignored here, and operators
    /// that AWS does not document for mappings.
    ///
    /// # Example
    ///
    /// ```
    /// use msk_mapping::filter::Filter;
    ///
    /// let filter = Filter::parse([r#"{"topic": ["orders"], "value": {"sku": [{"wildcard": "a*z"}]}}"#])?;
    /// let places: Vec<&str> = filter.remarks().map(|remark| remark.place.as_str()).collect();
    /// assert_eq!(places, ["Filters[0].Pattern: topic", "Filters[0].Pattern: value.sku[0].wildcard"]);
    /// # Ok::<(), msk_mapping::filter::FilterError>(())
    /// ```
    pub fn remarks(&self) -> impl Iterator<Item = &FilterFault> {
        self.patterns.iter().flat_map(Pattern::remarks)
    }

    /// The number of its patterns. More than [`FILTER_PATTERNS_DEFAULT`](crate::limits::FILTER_PATTERNS_DEFAULT) need a higher
    /// quota.
    pub fn pattern_count(&self) -> usize {
        self.patterns.len()
    }

    /// Whether a record with this value passes. None: the record is a tombstone.
    ///
    /// A value whose JSON is nested deeper than [`FILTER_JSON_DEPTH_MAX`](crate::limits::FILTER_JSON_DEPTH_MAX) counts as not
    /// JSON. A record that would take too long to compare passes
    /// ([`FILTER_STEPS_MAX`](crate::limits::FILTER_STEPS_MAX)).
    pub fn matches(&self, value: Option<&[u8]>) -> bool {
        let value = Value::read(value);
        self.patterns
            .iter()
            .any(|pattern| self.fits(pattern, &value))
    }

    fn fits(&self, pattern: &Pattern, value: &Value) -> bool {
        match (value, pattern.form()) {
            (_, Form::Any) => true,
            (Value::Json(value), Form::Json) | (Value::Text(value), Form::Text) => {
                pattern.fits(Some(value))
            }
            (Value::None, _) => match self.tombstone {
                Tombstone::NoField => pattern.fits(None),
                Tombstone::Null => pattern.fits(Some(&Json::Null)),
            },
            _ => self.mismatch == Mismatch::Passes,
        }
    }
}

/// A record's value, by its form.
enum Value {
    Json(Json),
    /// A string.
    Text(Json),
    NotUtf8,
    None,
}

impl Value {
    fn read(value: Option<&[u8]>) -> Self {
        let Some(bytes) = value else {
            return Self::None;
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Self::NotUtf8;
        };
        Json::parse(text).map_or_else(|_| Self::Text(Json::String(text.to_owned())), Self::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, Mismatch, Tombstone};
    use crate::limits::{FILTER_PATTERNS_DEFAULT, FILTER_PATTERNS_MAX};

    const OF_FIELDS: &str = r#"{"value": {"a": ["x"]}}"#;
    const OF_TEXT: &str = r#"{"value": ["stop", {"prefix": "go "}]}"#;

    fn filter(pattern: &str) -> Filter {
        Filter::parse([pattern]).unwrap()
    }

    #[test]
    fn a_record_passes_if_it_fits_one_of_the_patterns() {
        let filter = Filter::parse([OF_FIELDS, r#"{"value": {"b": [1]}}"#]).unwrap();

        assert!(filter.matches(Some(br#"{"a": "x", "b": 2}"#)));
        assert!(filter.matches(Some(br#"{"b": 1}"#)));
        assert!(!filter.matches(Some(br#"{"a": "y", "b": 2}"#)));
    }

    #[test]
    fn a_list_behind_value_is_for_plain_strings() {
        let filter = filter(OF_TEXT);

        assert!(filter.matches(Some(b"stop")));
        assert!(filter.matches(Some(b"go north")));
        assert!(!filter.matches(Some(b"stop it")));
        assert!(!filter.matches(Some(b"")));
    }

    #[test]
    fn zero_bytes_are_an_empty_plain_string() {
        assert!(filter(r#"{"value": [""]}"#).matches(Some(b"")));
    }

    #[test]
    fn json_may_have_space_around_it() {
        assert!(filter(OF_FIELDS).matches(Some(b"\r\n {\"a\": \"x\"}\t")));
        assert!(!filter(OF_FIELDS).matches(Some(b"\r\n {\"a\": \"y\"}\t")));
    }

    #[test]
    fn json_that_is_no_object_has_no_fields() {
        for value in ["5", "null", "[]", r#""a""#, r#"["a", "x"]"#] {
            assert!(
                !filter(OF_FIELDS).matches(Some(value.as_bytes())),
                "{value}"
            );
        }
    }

    #[test]
    fn a_record_may_be_an_array_of_objects() {
        assert!(filter(OF_FIELDS).matches(Some(br#"[{"a": "y"}, {"a": "x"}]"#)));
    }

    #[test]
    fn a_value_of_another_form_than_the_pattern_passes() {
        for value in [&b"no JSON"[..], b"", b"{\"a\": \"y\"", b"\xff\xfe"] {
            assert!(filter(OF_FIELDS).matches(Some(value)), "{value:?}");
        }
        for value in [&b"{}"[..], b"5", b"null", b"\"stop\"", b"stop\xff"] {
            assert!(filter(OF_TEXT).matches(Some(value)), "{value:?}");
        }
    }

    #[test]
    fn a_value_of_another_form_may_be_held_back() {
        let of_fields = filter(OF_FIELDS).mismatch(Mismatch::DoesNotFit);
        let of_text = filter(OF_TEXT).mismatch(Mismatch::DoesNotFit);

        for value in [&b"no JSON"[..], b"", b"\xff\xfe"] {
            assert!(!of_fields.matches(Some(value)), "{value:?}");
        }
        for value in [&b"{}"[..], b"5", b"stop\xff"] {
            assert!(!of_text.matches(Some(value)), "{value:?}");
        }
        assert!(of_fields.matches(Some(br#"{"a": "x"}"#)) && of_text.matches(Some(b"stop")));
    }

    #[test]
    fn a_tombstone_has_no_field() {
        assert!(!filter(OF_FIELDS).matches(None));
        assert!(!filter(OF_TEXT).matches(None));
        assert!(
            !filter(r#"{"value": [null, {"anything-but": "a"}, {"exists": true}]}"#).matches(None)
        );
        assert!(filter(r#"{"value": [{"exists": false}]}"#).matches(None));
        assert!(filter(r#"{"value": {"a": [{"exists": false}]}}"#).matches(None));
    }

    #[test]
    fn a_tombstone_may_be_taken_for_null() {
        let null = |pattern| filter(pattern).tombstone(Tombstone::Null);

        assert!(null(r#"{"value": [null]}"#).matches(None));
        assert!(!null(r#"{"value": [{"exists": false}]}"#).matches(None));
        assert!(null(r#"{"value": {"a": [{"exists": false}]}}"#).matches(None));
        assert!(!null(OF_FIELDS).matches(None));
    }

    #[test]
    fn more_patterns_than_the_quota_by_default_are_counted() {
        let filter = Filter::parse([OF_FIELDS; FILTER_PATTERNS_MAX]).unwrap();

        assert!(filter.pattern_count() > FILTER_PATTERNS_DEFAULT);
    }

    #[test]
    fn more_patterns_than_lambda_allows_are_a_fault() {
        let error = Filter::parse([OF_FIELDS; FILTER_PATTERNS_MAX + 5]).unwrap_err();

        assert_eq!(error.faults().len(), 1);
        assert!(error.to_string().contains("more than 10"), "{error}");
    }

    #[test]
    fn no_pattern_is_a_fault() {
        let error = Filter::parse([""; 0]).unwrap_err();

        assert!(error.to_string().contains("no filter at all"), "{error}");
    }

    #[test]
    fn the_faults_of_all_patterns_are_named_at_once() {
        let error = Filter::parse(["{", OF_FIELDS, r#"{"value": {"a": 1}}"#]).unwrap_err();

        assert_eq!(
            error.to_string(),
            "2 faults in the filter: \
             Filters[0].Pattern: is not JSON: EOF while parsing an object at line 1 column 1; \
             Filters[2].Pattern: value.a: is a number: write a list of values, such as `[\"order\"]`, or an object of fields"
        );
    }

    #[test]
    fn a_filter_goes_where_a_mapping_goes() {
        fn shared<T: Clone + std::fmt::Debug + Send + Sync + 'static>() {}

        shared::<Filter>();
    }
}
