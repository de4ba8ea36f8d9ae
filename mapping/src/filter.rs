//! Which records a mapping sends to its function: Lambda's event filter language, for Kafka. Without I/O; for whatever polls
//! records as a mapping would.
//!
//! A [`Filter`] is a `FilterCriteria`: a few patterns, of which a record has to fit one. Of a Kafka record Lambda filters on
//! the value alone, as JSON (`{"value": {"kind": ["order"]}}`) or as a plain string (`{"value": [{"prefix": "order "}]}`).
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
//! # What fits
//!
//! Fields beside each other have to fit all; of the entries in a field's list one is enough; `$or` takes a list of objects.
//! A value in the record may be an array, of which one element has to fit; fields under an array of objects have to fit in
//! the same element. Only what has no fields of its own counts: `exists` does not see an object.
//!
//! | in a field's list | fits |
//! |---|---|
//! | `"new"`, `""`, `null`, `true` | this value |
//! | `300` | this number, also as `300.0` or `3e2` |
//! | `{"prefix": "a"}`, `{"suffix": "z"}` | a string that begins, or ends, so |
//! | `{"equals-ignore-case": "a"}`, also inside `prefix` and `suffix` | small or capital letters |
//! | `{"wildcard": "a*z"}` | a string, `*` for any characters |
//! | `{"numeric": [">", 0, "<=", 5]}`, `{"numeric": ["=", 5]}` | a number in the range |
//! | `{"anything-but": "a"}`, `{"anything-but": [1, 2]}` | a value that is there, and is none of these |
//! | `{"anything-but": {"prefix": "a"}}`, and with `suffix`, `equals-ignore-case`, `wildcard` | likewise |
//! | `{"exists": true}`, `{"exists": false}` | any value; none of this name |
//! | `{"cidr": "10.0.0.0/24"}` | an IP address of this block |
//!
//! `wildcard`, `cidr`, and what stands inside `anything-but`, `prefix` or `suffix` are EventBridge's. Lambda's documentation
//! says that it takes EventBridge's rules, but does not list these.
//!
//! # Where it comes from
//!
//! The language is that of AWS's open matcher, Event Ruler; this module was written from its version 1.8.1, and the project's
//! tests compare their verdicts on random patterns and records. No crate did it: `event-ruler` is an empty package, and
//! `quamina` implements a sibling of the language, without `$or` and with other operators.
//!
//! Lambda's documentation says that numbers are compared as they are written, so that 300 is not 300.0; its matcher compares
//! their values, and so does this. A field twice in an object counts with its last value, as Lambda's documentation says. A
//! `$or` that is malformed is a fault here, while the matcher takes it for a field of that name.

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

/// What becomes of a record whose value has another form than a pattern takes it for: no JSON where the pattern names fields,
/// JSON where it lists plain strings, or bytes that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mismatch {
    /// It passes. Lambda's documentation says that such a pattern is applied to a record's metadata only, and for Kafka there
    /// is none to filter on. So a function behind a filter still has to expect values of every form, and a filter
    /// that has patterns of both forms lets everything pass.
    #[default]
    Passes,
    /// It does not fit this pattern: what Lambda does with messages of SQS and records of Kinesis.
    DoesNotFit,
}

/// What a record without a value (a tombstone) is for a pattern. Lambda's documentation does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tombstone {
    /// A record in which no field exists: it fits `{"exists": false}`, and nothing else.
    #[default]
    NoField,
    /// A record whose `value` is `null`: it fits `{"value": [null]}` too, and `exists` sees it.
    Null,
}

/// Which records pass: those that fit one of its patterns.
#[derive(Debug, Clone)]
pub struct Filter {
    patterns: Vec<Pattern>,
    mismatch: Mismatch,
    tombstone: Tombstone,
}

impl Filter {
    /// The filter of these patterns, each the JSON text that stands in a `Pattern`.
    ///
    /// # Errors
    ///
    /// Every fault in every pattern, and where: what Lambda or its matcher would refuse, no pattern, or more than
    /// [`FILTER_PATTERNS_MAX`] of them. More than
    /// [`FILTER_PATTERNS_DEFAULT`](crate::limits::FILTER_PATTERNS_DEFAULT) are no fault here, but need a higher quota.
    ///
    /// # Example
    ///
    /// ```
    /// use msk_mapping::filter::Filter;
    ///
    /// let error = Filter::parse([r#"{"value": {"total": [{"numeric": ["!=", 0]}]}, "key": ["a"]}"#]).unwrap_err();
    /// let places: Vec<&str> = error.faults().iter().map(|fault| fault.place.as_str()).collect();
    /// assert_eq!(places, ["Filters[0].Pattern: value.total[0].numeric[0]", "Filters[0].Pattern: key"]);
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

    /// The same filter with another reading of values whose form does not match.
    #[must_use]
    pub fn mismatch(self, mismatch: Mismatch) -> Self {
        Self { mismatch, ..self }
    }

    /// The same filter with another reading of records without a value.
    #[must_use]
    pub fn tombstone(self, tombstone: Tombstone) -> Self {
        Self { tombstone, ..self }
    }

    /// How many patterns it has. More than [`FILTER_PATTERNS_DEFAULT`](crate::limits::FILTER_PATTERNS_DEFAULT) need a higher
    /// quota.
    pub fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// Whether a record with this value passes. None: it has none, it is a tombstone.
    ///
    /// A value whose JSON is nested deeper than [`FILTER_JSON_DEPTH_MAX`](crate::limits::FILTER_JSON_DEPTH_MAX) counts as no
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
