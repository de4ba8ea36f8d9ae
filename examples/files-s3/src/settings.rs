//! The settings of this function, and what is wrong with them. Called by `consumer`.
//!
//! What a variable holds is not shown: an address may have been given with a password in it.

use lambda_msk::error::ConfigurationFault;
use lambda_msk::limits::{BATCH_BYTES_DEFAULT, BATCH_RECORDS_DEFAULT, BATCH_RECORDS_MAX};

/// The variable that names the bucket and the prefix of the files.
const FILES_S3: &str = "FILES_S3";

/// The most records of a file.
const BULK_RECORDS: &str = "BULK_RECORDS";

/// The most bytes of keys and values of a file.
const BULK_BYTES: &str = "BULK_BYTES";

/// The longest prefix. An object's key has at most 1,024 bytes, and the rest of it up to 640: the topic twice, and a hash.
const PREFIX_BYTES_MAX: usize = 350;

/// Where the files lie: a bucket, and what their names begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The bucket's name.
    pub bucket: String,
    /// Without a `/` at the end. *Empty: no prefix.*
    pub prefix: String,
}

/// What the environment says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) topic: String,
    pub(crate) place: Place,
    /// The most records of a file, and the most bytes of their keys and values.
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl Settings {
    /// Reads the variables. An empty one counts as unset. `topic` is read unless `TOPIC` names another.
    pub(crate) fn read(
        topic: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> (Self, Vec<ConfigurationFault>) {
        let variable = |name| {
            let text = variable(name)?.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let mut faults = Vec::new();
        let mut fault = |name, reason| faults.push(ConfigurationFault::new(name, reason));
        let place = Place::read(variable(FILES_S3).as_deref()).unwrap_or_else(|reason| {
            fault(FILES_S3, reason);
            Place::default()
        });
        let mut number = |name, otherwise, max| {
            let Some(text) = variable(name) else {
                return otherwise;
            };
            within(&text, max).unwrap_or_else(|reason| {
                fault(name, reason);
                otherwise
            })
        };
        let records = number(BULK_RECORDS, BATCH_RECORDS_DEFAULT, BATCH_RECORDS_MAX);
        let bytes = number(BULK_BYTES, BATCH_BYTES_DEFAULT, usize::MAX);
        let topic = variable("TOPIC").unwrap_or_else(|| topic.to_owned());
        let settings = Self {
            topic,
            place,
            records,
            bytes,
        };
        (settings, faults)
    }
}

impl Place {
    /// Reads `s3://BUCKET/PREFIX`; the prefix may be left out.
    fn read(text: Option<&str>) -> Result<Self, String> {
        let expected = "expected `s3://BUCKET/PREFIX`, ";
        let Some(text) = text else {
            return Err(format!("{expected}found nothing: set the variable"));
        };
        let Some(path) = text.strip_prefix("s3://") else {
            return Err(format!("{expected}found a text that does not begin so"));
        };
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if !is_bucket(bucket) {
            return Err(format!(
                "{expected}found no bucket's name: it has 3 to 63 small letters, digits, `-` and `.`"
            ));
        }
        let prefix = prefix.trim_end_matches('/');
        let is_part = |part: &str| {
            !matches!(part, "" | "." | "..") && !part.contains(|c: char| c.is_control())
        };
        if !prefix.is_empty() && !prefix.split('/').all(is_part) {
            return Err(format!(
                "{expected}found a prefix with an empty part, `.`, `..` or a control character: remove it"
            ));
        }
        if prefix.len() > PREFIX_BYTES_MAX {
            return Err(format!(
                "expected a prefix of at most {PREFIX_BYTES_MAX} bytes, found {}: shorten it",
                prefix.len()
            ));
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

fn is_bucket(name: &str) -> bool {
    let is_end = |byte: Option<u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let legal = |byte: u8| is_end(Some(byte)) || b"-.".contains(&byte);
    (3..=63).contains(&name.len())
        && name.bytes().all(legal)
        && is_end(name.bytes().next())
        && is_end(name.bytes().next_back())
}

fn within(text: &str, max: usize) -> Result<usize, String> {
    let expected = match max {
        usize::MAX => "expected a number from 1".to_owned(),
        max => format!("expected a number from 1 to {max}"),
    };
    match text.parse::<usize>() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        Ok(number) => Err(format!("{expected}, found {number}")),
        Err(_) => Err(format!("{expected}, found another text")),
    }
}

#[cfg(test)]
mod tests {
    use super::{PREFIX_BYTES_MAX, Place, Settings};

    fn read(variables: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let variable = |name: &str| {
            let mut all = variables.iter();
            let found = all.find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let (settings, faults) = Settings::read("orders", variable);
        let faults = faults
            .iter()
            .map(|it| format!("{}: {}", it.place, it.reason));
        (settings, faults.collect())
    }

    #[test]
    fn a_prefix_may_be_left_out_and_its_last_slash_does_not_count() {
        for (text, prefix) in [
            ("s3://my-bucket/a/b", "a/b"),
            ("s3://my-bucket/a/b//", "a/b"),
            ("s3://my-bucket/", ""),
            (" s3://my-bucket ", ""),
        ] {
            let (settings, faults) = read(&[("FILES_S3", text)]);

            assert_eq!(faults, [""; 0], "{text}");
            let expected = Place {
                bucket: "my-bucket".to_owned(),
                prefix: prefix.to_owned(),
            };
            assert_eq!(settings.place, expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_and_not_shown() {
        let long = format!("s3://my-bucket/{}", "p".repeat(PREFIX_BYTES_MAX + 1));
        for text in [
            "",
            "my-bucket/secret",
            "https://secret@my-bucket/a",
            "s3://",
            "s3://AKIA:secret@my-bucket/a",
            "s3://-b-/secret",
            "s3://my-bucket/secret//b",
            "s3://my-bucket/secret/../b",
            "s3://my-bucket/secret\u{7}",
            &long,
        ] {
            let (_, faults) = read(&[("FILES_S3", text)]);

            assert_eq!(faults.len(), 1, "{text}");
            assert!(faults[0].starts_with("FILES_S3: expected "), "{faults:?}");
            assert!(!faults[0].contains("secret"), "{faults:?}");
        }
    }

    #[test]
    fn limits_of_a_file_are_numbers_in_their_range() {
        let place = ("FILES_S3", "s3://my-bucket/a");
        let (settings, faults) = read(&[place, ("BULK_RECORDS", "10000"), ("BULK_BYTES", "1")]);
        assert_eq!((settings.records, settings.bytes), (10_000, 1));
        assert_eq!(faults, [""; 0]);
        let (settings, _) = read(&[place, ("BULK_RECORDS", ""), ("BULK_BYTES", " ")]);
        assert_eq!((settings.records, settings.bytes), (500, 1 << 20));
        for (name, text, found) in [
            ("BULK_RECORDS", "0", "from 1 to 10000, found 0"),
            ("BULK_RECORDS", "10001", "from 1 to 10000, found 10001"),
            ("BULK_BYTES", "0", "from 1, found 0"),
            ("BULK_BYTES", "-1", "from 1, found another text"),
            ("BULK_BYTES", "secret", "from 1, found another text"),
        ] {
            let (_, faults) = read(&[place, (name, text)]);

            assert_eq!(faults, [format!("{name}: expected a number {found}")]);
        }
    }
}
