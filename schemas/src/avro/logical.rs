//! Which logical type a schema gives a type. One that is unknown or does not fit is ignored, as the specification says. Called by `parse`.

use serde_json::{Map, Value};

use crate::avro::schema::{Kind, Logical};
use crate::avro::temporal::Temporal;

/// The logical type of a type. None: the schema gives none that fits.
pub(super) fn of(object: &Map<String, Value>, kind: &Kind) -> Option<Logical> {
    let name = object.get("logicalType")?.as_str()?;
    match (name, kind) {
        ("decimal", Kind::Bytes | Kind::Fixed(_)) => decimal(object, kind),
        ("uuid", Kind::String) => Some(Logical::Uuid),
        ("uuid", Kind::Fixed(fixed)) if fixed.size == 16 => Some(Logical::Uuid),
        ("duration", Kind::Fixed(fixed)) if fixed.size == 12 => Some(Logical::Duration),
        (_, Kind::Int) => [Temporal::Date, Temporal::TimeMillis]
            .into_iter()
            .find(|time| time.name() == name)
            .map(Logical::Time),
        (_, Kind::Long) => [
            Temporal::TimeMicros,
            Temporal::TimestampMillis,
            Temporal::TimestampMicros,
            Temporal::TimestampNanos,
            Temporal::LocalTimestampMillis,
            Temporal::LocalTimestampMicros,
            Temporal::LocalTimestampNanos,
        ]
        .into_iter()
        .find(|time| time.name() == name)
        .map(Logical::Time),
        _ => None,
    }
}

fn decimal(object: &Map<String, Value>, kind: &Kind) -> Option<Logical> {
    let number = |name| match object.get(name) {
        Some(value) => value.as_u64().and_then(|value| u32::try_from(value).ok()),
        None => Some(0),
    };
    let (precision, scale) = (number("precision")?, number("scale")?);
    let holds = match kind {
        // The digits that all values of so many bytes have: log10(2) × (8 × size - 1).
        Kind::Fixed(fixed) => {
            let bits = (fixed.size as f64) * 8.0 - 1.0;
            f64::from(precision) <= (bits * std::f64::consts::LOG10_2).floor()
        }
        _ => true,
    };
    (precision > 0 && scale <= precision && holds).then_some(Logical::Decimal { precision, scale })
}
