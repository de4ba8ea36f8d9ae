//! The settings of this function, and what is wrong with them. Called by `consumer`.
//!
//! What a variable holds is not shown: an address may have been given with a password in it.

use std::ffi::OsString;

use lambda_msk::error::ConfigurationFault;
use lambda_msk::limits::{
    BATCH_BYTES_DEFAULT, BATCH_RECORDS_DEFAULT, BATCH_RECORDS_MAX, EVENT_BYTES_MAX,
};

use crate::endpoint::{ENDPOINTS, check_endpoint};

/// The variable that names the bucket and the prefix of the files.
const FILES_S3: &str = "FILES_S3";

/// The most records of a file.
const BULK_RECORDS: &str = "BULK_RECORDS";

/// The most bytes of keys and values of a file.
const BULK_BYTES: &str = "BULK_BYTES";

/// The variables that name the region. The first that is set counts.
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

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
    /// *None: that of the profile.*
    pub(crate) region: Option<String>,
    /// The most records of a file, and the most bytes of their keys and values.
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl Settings {
    /// Reads the variables. An empty one counts as unset. `topic` is read unless `TOPIC` names another.
    pub(crate) fn read(
        topic: &str,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> (Self, Vec<ConfigurationFault>) {
        let mut variables = Variables {
            variable,
            faults: Vec::new(),
        };
        for name in ENDPOINTS {
            variables.read(name, (), |text| text.map_or(Ok(()), check_endpoint));
        }
        let settings = Self {
            topic: variables.text("TOPIC").unwrap_or_else(|| topic.to_owned()),
            place: variables.read(FILES_S3, Place::default(), Place::read),
            region: REGIONS.into_iter().find_map(|name| variables.text(name)),
            records: variables.number(BULK_RECORDS, BATCH_RECORDS_DEFAULT, BATCH_RECORDS_MAX),
            bytes: variables.number(BULK_BYTES, BATCH_BYTES_DEFAULT, EVENT_BYTES_MAX),
        };
        (settings, variables.faults)
    }
}

/// The fault of a function that knows no region.
pub(crate) fn no_region() -> ConfigurationFault {
    let reason = "expected the region of the bucket, found it neither in the environment nor in a profile: Lambda sets the variable; elsewhere set it, or AWS_PROFILE";
    ConfigurationFault::new(REGIONS[0], reason)
}

struct Variables<V> {
    variable: V,
    faults: Vec<ConfigurationFault>,
}

impl<V: Fn(&str) -> Option<OsString>> Variables<V> {
    fn known(&self, name: &str) -> Result<Option<String>, String> {
        let Some(text) = (self.variable)(name) else {
            return Ok(None);
        };
        let text = text
            .into_string()
            .map_err(|_| "expected text in UTF-8, found other bytes".to_owned())?;
        let text = text.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    /// What is made of a variable's text. Where nothing can be, it is a fault, and something else stands in its place until the faults are reported.
    fn read<T>(
        &mut self,
        name: &str,
        otherwise: T,
        make: impl FnOnce(Option<&str>) -> Result<T, String>,
    ) -> T {
        let text = self.known(name);
        let made = text.and_then(|text| make(text.as_deref()));
        made.unwrap_or_else(|reason| {
            self.faults.push(ConfigurationFault::new(name, reason));
            otherwise
        })
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.read(name, None, |text| Ok(text.map(str::to_owned)))
    }

    fn number(&mut self, name: &str, otherwise: usize, max: usize) -> usize {
        self.read(name, otherwise, |text| {
            text.map_or(Ok(otherwise), |text| within(text, max))
        })
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
    let expected = format!("expected a number from 1 to {max}");
    match text.parse::<usize>() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        Ok(number) => Err(format!("{expected}, found {number}")),
        Err(_) => Err(format!("{expected}, found another text")),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{PREFIX_BYTES_MAX, Place, Settings};

    fn read(variables: &[(&str, &str)]) -> (Settings, Vec<String>) {
        let variable = |name: &str| {
            let mut all = variables.iter();
            let found = all.find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
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
            ("BULK_BYTES", "0", "from 1 to 67108864, found 0"),
            (
                "BULK_BYTES",
                "67108865",
                "from 1 to 67108864, found 67108865",
            ),
            ("BULK_BYTES", "-1", "from 1 to 67108864, found another text"),
            (
                "BULK_BYTES",
                "secret",
                "from 1 to 67108864, found another text",
            ),
        ] {
            let (_, faults) = read(&[place, (name, text)]);

            assert_eq!(faults, [format!("{name}: expected a number {found}")]);
        }
    }

    #[test]
    fn an_endpoint_is_an_address_without_a_user() {
        let place = ("FILES_S3", "s3://my-bucket/a");
        for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
            for text in [
                "",
                "http://127.0.0.1:9000",
                "https://s3.example.com/",
                "http://[::1]:9000/path",
                "http://minio",
            ] {
                let (_, faults) = read(&[place, (name, text)]);

                assert_eq!(faults, [""; 0], "{text}");
            }
            for text in [
                "user:s3cret@host:9000",
                "http://user:s3cret@host:9000",
                "s3cret",
                "http://",
                "http://:9000",
                "http://host:s3cret",
                "http://host:65536",
                "http://[s3cret]:9000",
                "http://s3cret host",
                "http://host/?key=s3cret",
                "ftp://s3cret",
            ] {
                let (_, faults) = read(&[place, (name, text)]);

                assert_eq!(faults.len(), 1, "{text}: {faults:?}");
                let expected = format!("{name}: expected ");
                assert!(faults[0].starts_with(&expected), "{faults:?}");
                assert!(!faults[0].contains("s3cret"), "{faults:?}");
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_that_is_no_text_is_a_fault() {
        use std::os::unix::ffi::OsStringExt;
        for name in ["FILES_S3", "TOPIC", "BULK_RECORDS", "AWS_REGION"] {
            let variable = |asked: &str| match asked {
                asked if asked == name => Some(OsString::from_vec(vec![255])),
                "FILES_S3" => Some("s3://my-bucket/a".into()),
                _ => None,
            };

            let (_, faults) = Settings::read("orders", variable);

            let places: Vec<_> = faults.iter().map(|fault| &*fault.place).collect();
            assert_eq!(places, [name]);
            assert!(faults[0].reason.contains("UTF-8"), "{faults:?}");
        }
    }
}
