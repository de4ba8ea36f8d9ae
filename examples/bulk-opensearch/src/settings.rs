//! What the environment says: where documents go, who signs, and how many records one request takes.
//!
//! What a variable holds is not shown: an address with a password may stand in the wrong one.

use std::ffi::OsString;
use std::ops::RangeInclusive;

use aws_credential_types::Credentials;
use lambda_msk::error::ConfigurationFault;
use lambda_msk::limits::{
    BATCH_BYTES_DEFAULT, BATCH_RECORDS_DEFAULT, BATCH_RECORDS_MAX, EVENT_BYTES_MAX,
};
use reqwest::Url;

use crate::index::Target;
use crate::sign::Signer;

/// The longest name of an index.
const INDEX_BYTES_MAX: usize = 255;

const URL: &str = "OPENSEARCH_URL";
const INDEX: &str = "OPENSEARCH_INDEX";
const SERVICE: &str = "OPENSEARCH_SERVICE";

/// The settings of the function.
pub(crate) struct Settings {
    pub(crate) topic: String,
    pub(crate) target: Target,
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl Settings {
    /// Reads them. What cannot be read is a fault, and something else stands in its place until the faults are reported.
    pub(crate) fn read(
        topic: &str,
        variable: impl Fn(&str) -> Option<OsString>,
        faults: &mut Vec<ConfigurationFault>,
    ) -> Self {
        let mut variables = Variables { variable, faults };
        // The same name for both, in the letters that an index may have.
        let index = topic.to_ascii_lowercase();
        Self {
            topic: variables.text("TOPIC").unwrap_or_else(|| topic.to_owned()),
            target: variables.target(index),
            records: variables.number("BULK_RECORDS", BATCH_RECORDS_DEFAULT, 1..=BATCH_RECORDS_MAX),
            bytes: variables.number("BULK_BYTES", BATCH_BYTES_DEFAULT, 1..=EVENT_BYTES_MAX),
        }
    }
}

struct Variables<'f, V> {
    variable: V,
    faults: &'f mut Vec<ConfigurationFault>,
}

impl<V: Fn(&str) -> Option<OsString>> Variables<'_, V> {
    fn fault(&mut self, name: &str, reason: impl Into<String>) {
        self.faults.push(ConfigurationFault::new(name, reason));
    }

    /// An empty variable counts as unset.
    fn text(&mut self, name: &str) -> Option<String> {
        let text = (self.variable)(name).filter(|text| !text.is_empty())?;
        let text = text.into_string();
        if text.is_err() {
            self.fault(name, "expected text in UTF-8, found other bytes");
        }
        text.ok()
    }

    fn number(&mut self, name: &str, default: usize, range: RangeInclusive<usize>) -> usize {
        let Some(text) = self.text(name) else {
            return default;
        };
        let found = match text.parse() {
            Ok(number) if range.contains(&number) => return number,
            Ok(number) => number.to_string(),
            Err(_) => "another text".to_owned(),
        };
        let (least, most) = range.into_inner();
        self.fault(
            name,
            format!("expected a number from {least} to {most}, found {found}"),
        );
        default
    }

    fn target(&mut self, default_index: String) -> Target {
        let index = self.text(INDEX).unwrap_or(default_index);
        if let Err(reason) = check_index(&index) {
            self.fault(INDEX, reason);
        }
        let service = self.service();
        let mut url = self.url(service.is_some());
        let signer = service.and_then(|service| self.signer(service));
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([&index, "_bulk"]);
        }
        Target { url, signer }
    }

    fn url(&mut self, is_signed: bool) -> Url {
        let expected =
            "expected the server of the index, as in `https://HOST` or `http://127.0.0.1:9200`";
        let has_user = |url: &Url| !url.username().is_empty() || url.password().is_some();
        // No text of it is shown: it may hold a password.
        let read = match self.text(URL).as_deref().map(Url::parse) {
            None => Err(format!("{expected}, found nothing")),
            Some(Err(error)) => Err(format!("{expected}, found no URL: {error}")),
            Some(Ok(url)) if !matches!(url.scheme(), "http" | "https") => {
                Err(format!("{expected}, found another scheme"))
            }
            Some(Ok(url)) if url.query().is_some() || url.fragment().is_some() => Err(format!(
                "{expected}, found a URL with `?` or `#`: in a password, write them as %3F and %23"
            )),
            Some(Ok(url)) if is_signed && has_user(&url) => Err(format!(
                "{expected}, found a URL with a user, and requests are signed: take the user out, or set {SERVICE}=none"
            )),
            Some(Ok(url)) => Ok(url),
        };
        read.unwrap_or_else(|reason| {
            self.fault(URL, reason);
            nowhere()
        })
    }

    /// The service that requests are signed for. *None: they are not signed.*
    fn service(&mut self) -> Option<&'static str> {
        match self.text(SERVICE).as_deref() {
            None | Some("es") => Some("es"),
            Some("aoss") => Some("aoss"),
            Some("none") => None,
            Some(_) => {
                self.fault(
                    SERVICE,
                    "expected `es` (a domain), `aoss` (a serverless collection) or `none` (requests are not signed), found another text",
                );
                None
            }
        }
    }

    fn signer(&mut self, service: &'static str) -> Option<Signer> {
        let cure = format!(
            "Lambda sets it; elsewhere set it, or {SERVICE}=none for requests that are not signed"
        );
        let mut needed = |name: &str| {
            let text = self.text(name);
            if text.is_none() {
                self.fault(
                    name,
                    format!("expected AWS's credentials to sign with, found nothing: {cure}"),
                );
            }
            text
        };
        let (id, secret) = (needed("AWS_ACCESS_KEY_ID"), needed("AWS_SECRET_ACCESS_KEY"));
        // A role's credentials hold with their session's token alone.
        let token = self.text("AWS_SESSION_TOKEN");
        let region = self
            .text("AWS_REGION")
            .or_else(|| self.text("AWS_DEFAULT_REGION"));
        if region.is_none() {
            self.fault(
                "AWS_REGION",
                format!("expected the region to sign for, found nothing: {cure}"),
            );
        }
        Some(Signer {
            credentials: Credentials::new(id?, secret?, token, None, "environment"),
            region: region?,
            service,
        })
    }
}

/// What stands in the place of a URL that cannot be read. Nothing is sent there: the function does not start.
fn nowhere() -> Url {
    Url::parse("http://127.0.0.1").expect("a URL")
}

fn check_index(name: &str) -> Result<(), String> {
    let begins = name.starts_with(|first: char| {
        first.is_ascii_lowercase() || first.is_ascii_digit() || first == '.'
    });
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let is_name = begins && !matches!(name, "." | "..") && name.bytes().all(plain);
    if is_name && name.len() <= INDEX_BYTES_MAX {
        return Ok(());
    }
    Err(format!(
        "expected the name of an index (small letters, digits, `.`, `_` and `-`, at most {INDEX_BYTES_MAX} bytes, the first no `_` or `-`), found another text of {} bytes",
        name.len()
    ))
}
