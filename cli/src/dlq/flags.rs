//! Flags of `dlq`, as they are written.

use std::time::Duration;

use jiff::Timestamp;

use super::letter::Letter;
use super::source::Reach;

/// The source, and how its cluster is reached.
#[derive(Debug, clap::Args)]
pub(crate) struct From {
    /// The source: an SQS queue's URL, s3://BUCKET/PREFIX, kafka://TOPIC?bootstrap=…, file:PATH, or - for standard input.
    #[arg(long, value_name = "SOURCE", allow_hyphen_values = true)]
    pub(crate) from: String,
    /// Brokers of the cluster: of the source if it is a topic, and of the records if letters hold only coordinates.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) bootstrap: Option<String>,
    /// Set one of librdkafka's settings, such as security.protocol=SASL_SSL; secrets as @env:NAME or @file:PATH.
    #[cfg(feature = "dev")]
    #[arg(long, value_name = "KEY=VALUE", value_parser = crate::dev::setting)]
    pub(crate) set: Vec<crate::dev::Setting>,
    #[cfg(feature = "dev")]
    #[command(flatten)]
    pub(crate) iam: crate::dev::Iam,
}

impl From {
    pub(crate) fn reach(&self) -> Reach<'_> {
        Reach {
            bootstrap: self.bootstrap.as_deref(),
            #[cfg(feature = "dev")]
            settings: &self.set,
            #[cfg(feature = "dev")]
            iam: &self.iam,
        }
    }
}

/// A condition of `--where`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    field: Field,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Code,
    Topic,
    Partition,
    Shape,
    Id,
}

impl Condition {
    pub(crate) fn holds(&self, letter: &Letter) -> bool {
        let any = |is: &dyn Fn(&super::letter::Span) -> bool| letter.spans.iter().any(is);
        match self.field {
            Field::Code => letter.code == self.value,
            Field::Topic => any(&|span| span.topic == self.value),
            Field::Partition => any(&|span| span.partition.to_string() == self.value),
            Field::Shape => letter.shape.name() == self.value,
            Field::Id => letter.id.starts_with(&self.value),
        }
    }
}

/// For clap.
pub(crate) fn condition(text: &str) -> Result<Condition, String> {
    let expected = "expected code=…, topic=…, partition=…, shape=… or id=…";
    let (field, value) = text.split_once('=').ok_or(expected)?;
    let field = match field {
        "code" => Field::Code,
        "topic" => Field::Topic,
        "partition" => Field::Partition,
        "shape" => Field::Shape,
        "id" => Field::Id,
        _ => return Err(expected.to_owned()),
    };
    if value.is_empty() {
        return Err(expected.to_owned());
    }
    Ok(Condition {
        field,
        value: value.to_owned(),
    })
}

/// `90s`, `15m`, `2h`, `7d`. For clap.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let expected = "expected a number and s, m, h or d";
    let (number, seconds) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3_600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => return Err(expected.to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| expected.to_owned())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// The time so long ago.
#[expect(
    clippy::disallowed_methods,
    reason = "the age of a letter counts from the time of the desk"
)]
pub(crate) fn before(age: Duration) -> Timestamp {
    let then = std::time::SystemTime::now().checked_sub(age);
    then.and_then(|then| Timestamp::try_from(then).ok())
        .unwrap_or(Timestamp::MIN)
}

/// `20/s`, `90/m`: the time between two. For clap.
pub(crate) fn rate(text: &str) -> Result<Duration, String> {
    let expected = "expected a number above 0 and /s, /m or /h: 20/s";
    let (number, unit) = text.split_once('/').ok_or(expected)?;
    let unit = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(expected.to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| expected.to_owned())?;
    if number == 0 {
        return Err(expected.to_owned());
    }
    Ok(Duration::from_secs_f64(unit / f64::from(number)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{age, condition, rate};

    #[test]
    fn flags_are_read_or_refused_with_their_form() {
        assert_eq!(age("2h"), Ok(Duration::from_secs(7_200)));
        assert_eq!(rate("20/s"), Ok(Duration::from_millis(50)));
        assert_eq!(rate("2/m"), Ok(Duration::from_secs(30)));
        assert!(condition("code=reject.json").is_ok());
        for wrong in ["", "2", "h", "-1h", "2w", "é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "0/s", "20", "1.5/s", "20/d", "/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "code", "code=", "=x", "message=x"] {
            assert!(condition(wrong).is_err(), "{wrong}");
        }
    }
}
