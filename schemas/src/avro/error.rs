//! Why a value was not read or written: where, and what was expected, without a byte of the payload. Made by every module of `avro`.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::de::{self, Expected, Unexpected};
use serde::ser;

use crate::limits::{EXPECTED_TEXT_BYTES_MAX, NAMES_LISTED_MAX};

/// An error of reading or writing one value. Its text names the place and the kinds of what was expected and found, never a byte of the payload.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// The innermost first: the path is built while the error unwinds.
    place: Vec<Segment>,
    reason: Cow<'static, str>,
}

#[derive(Debug)]
enum Segment {
    Field(Box<str>),
    Index(usize),
    /// A map's key is payload.
    Key,
}

impl Error {
    #[cold]
    pub(super) fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            place: Vec::new(),
            reason: reason.into(),
        }))
    }

    #[cold]
    pub(super) fn in_field(mut self, name: &str) -> Self {
        self.0.place.push(Segment::Field(name.into()));
        self
    }

    #[cold]
    pub(super) fn at_index(mut self, index: usize) -> Self {
        self.0.place.push(Segment::Index(index));
        self
    }

    #[cold]
    pub(super) fn at_key(mut self) -> Self {
        self.0.place.push(Segment::Key);
        self
    }

    /// The place of the value: `lines[2].sku`. A map's key is shown as `*`, the root as `.`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for segment in self.0.place.iter().rev() {
            match segment {
                Segment::Index(index) => {
                    // Writing to a String does not fail.
                    let _ = write!(path, "[{index}]");
                }
                Segment::Field(_) | Segment::Key => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(match segment {
                        Segment::Field(name) => name,
                        _ => "*",
                    });
                }
            }
        }
        if path.is_empty() {
            path.push('.');
        }
        path
    }

    /// What was expected and what was found, by kind.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at `{}`", self.reason(), self.path())
    }
}

impl std::error::Error for Error {}

/// serde's own texts quote the value, so texts are made of its parts here.
impl de::Error for Error {
    fn custom<T: fmt::Display>(text: T) -> Self {
        const UNTAGGED: &str = "data did not match any variant of untagged enum ";
        let text = text.to_string();
        match text.strip_prefix(UNTAGGED) {
            Some(name) if is_name(name) => {
                Self::new(format!("no variant of the untagged enum `{name}` fits"))
            }
            _ => Self::new("its type refuses the value"),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!(
            "expected {}, found {}",
            wanted(expected),
            kind(&found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let of = match found {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => {
                "out of range"
            }
            _ => "that is not allowed",
        };
        Self::new(format!(
            "expected {}, found {} {of}",
            wanted(expected),
            kind(&found)
        ))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(format!(
            "expected {}, found another number of elements",
            wanted(expected)
        ))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "expected {}, found an unknown variant",
            listed(expected)
        ))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "expected {}, found an unknown field",
            listed(expected)
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("no field `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("the field `{field}` twice"))
    }
}

impl ser::Error for Error {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new("its type refuses to be written")
    }
}

fn kind(found: &Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a floating-point number",
        Unexpected::Char(_) => "a character",
        Unexpected::Str(_) => "a string",
        Unexpected::Bytes(_) => "bytes",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::NewtypeStruct => "a value in a newtype",
        Unexpected::Seq => "an array",
        Unexpected::Map => "a record or a map",
        Unexpected::Enum => "an enum",
        Unexpected::UnitVariant => "a variant without a value",
        Unexpected::NewtypeVariant | Unexpected::TupleVariant | Unexpected::StructVariant => {
            "a variant with a value"
        }
        Unexpected::Other(_) => "a value of another type",
    }
}

/// What a Rust type says that it expects.
fn wanted(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    let is_integer = |text: &str| {
        text.strip_prefix(['i', 'u'])
            .is_some_and(|bits| ["8", "16", "32", "64", "128", "size"].contains(&bits))
    };
    match text.as_str() {
        "f32" | "f64" => format!("a number ({text})"),
        "unit" => "null".to_owned(),
        "option" => "a value or null".to_owned(),
        _ if is_integer(&text) => format!("an integer ({text})"),
        _ if text.is_empty() || text.len() > EXPECTED_TEXT_BYTES_MAX => {
            "a value of another kind".to_owned()
        }
        _ => text,
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = names
        .iter()
        .take(NAMES_LISTED_MAX)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if names.len() > NAMES_LISTED_MAX {
        ", …"
    } else {
        ""
    };
    format!("one of {}{more}", shown.join(", "))
}

/// Whether a text can be a Rust type's name.
fn is_name(text: &str) -> bool {
    (1..=EXPECTED_TEXT_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
