//! Lambda's Invoke: one signed request an event. The SDK of Lambda would bring each of its other operations.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use tokio::sync::mpsc::UnboundedReceiver;

use super::answer::{Delivered, read};
use super::item::Item;
use crate::fault::Fault;

/// Lambda's longest time for a function fed from Kafka, and the way there and back.
const WAIT: Duration = Duration::from_secs(15 * 60 + 10);
/// Throttling, errors of Lambda itself and refused connections pass. A function that gave no answer may still run, and is not invoked again.
const TRIES_MAX: u32 = 5;
/// The pause before the second try; it doubles.
const BACKOFF: Duration = Duration::from_millis(500);

pub(crate) struct Lambda {
    name: String,
    timeout: Duration,
    client: Option<(reqwest::Client, SdkConfig)>,
}

/// An answer of Lambda.
struct Answer {
    status: u16,
    is_function_error: bool,
    body: Vec<u8>,
}

/// No answer of Lambda, and why.
struct NoAnswer {
    why: String,
    /// Whether the function cannot have begun: a second try does not run it twice at once.
    passes: bool,
}

impl NoAnswer {
    fn of(error: reqwest::Error, timeout: Duration) -> Self {
        if error.is_timeout() {
            let after = timeout.as_secs_f64();
            return Self {
                why: format!(
                    "no answer in {after} s: the function may still run; raise --timeout if it needs longer"
                ),
                passes: false,
            };
        }
        let passes = error.is_connect();
        let why = Fault::from_error(&error.without_url()).first_line();
        Self {
            why: if passes {
                format!("Lambda cannot be reached: {why}")
            } else {
                format!("the connection to Lambda broke, and the function may have run: {why}")
            },
            passes,
        }
    }
}

impl Lambda {
    pub(crate) fn new(name: &str, timeout: Option<Duration>) -> Self {
        Self {
            name: name.to_owned(),
            timeout: timeout.unwrap_or(WAIT),
            client: None,
        }
    }

    pub(crate) async fn deliver(
        &mut self,
        item: &Item,
        interrupts: &mut UnboundedReceiver<()>,
    ) -> Result<Delivered, Fault> {
        let mut pause = BACKOFF;
        let mut tried = 1;
        loop {
            let answer = self.invoke(&item.event).await?;
            let passes = match &answer {
                Ok(answer) => answer.status == 429 || answer.status >= 500,
                Err(none) => none.passes,
            };
            if !passes || tried == TRIES_MAX {
                return self.read(item, answer);
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Some(()) = interrupts.recv() => return Ok(Delivered::Interrupted),
            }
            pause *= 2;
            tried += 1;
        }
    }

    fn read(&self, item: &Item, answer: Result<Answer, NoAnswer>) -> Result<Delivered, Fault> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(none) => return Ok(Delivered::Failed(none.why)),
        };
        let said = || String::from_utf8_lossy(&answer.body).into_owned();
        let fault = |help: &str| {
            Err(Fault::new(format!(
                "Lambda refuses to invoke {} (status {})",
                self.name, answer.status
            ))
            .at(said())
            .help(help))
        };
        match answer.status {
            200 if answer.is_function_error => Ok(Delivered::Failed(
                "the function ended with an error: its own log says why".to_owned(),
            )),
            200 => Ok(read(&item.event, &answer.body)),
            404 => fault(
                "the function does not exist: check the name, the region (AWS_REGION) and the account",
            ),
            401 | 403 => fault(
                "these credentials lack a permission: allow lambda:InvokeFunction on the function, and check which ones are used: aws sts get-caller-identity",
            ),
            413 => Ok(Delivered::Failed(
                "the event is larger than Lambda takes".to_owned(),
            )),
            status => Ok(Delivered::Failed(format!(
                "Lambda answered with status {status}"
            ))),
        }
    }

    async fn invoke(&mut self, event: &str) -> Result<Result<Answer, NoAnswer>, Fault> {
        if self.client.is_none() {
            let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
            let client = reqwest::Client::builder().timeout(self.timeout).build();
            let client = client.map_err(|error| Fault::from_error(&error))?;
            self.client = Some((client, config));
        }
        let (client, config) = self.client.as_ref().expect("it was made above");
        let (url, region) = address(&self.name, config)?;
        let mut request = client.post(&url).body(event.to_owned());
        for (name, value) in signed(&url, &region, event, config).await? {
            request = request.header(name, value);
        }
        let answer = match request
            .header("content-type", "application/json")
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(NoAnswer::of(error, self.timeout))),
        };
        let status = answer.status().as_u16();
        let is_function_error = answer.headers().contains_key("x-amz-function-error");
        Ok(match answer.bytes().await {
            Ok(body) => Ok(Answer {
                status,
                is_function_error,
                body: body.to_vec(),
            }),
            Err(error) => Err(NoAnswer::of(error, self.timeout)),
        })
    }
}

/// The URL of the function's invocations, and the region that signs for it.
fn address(name: &str, config: &SdkConfig) -> Result<(String, String), Fault> {
    let of_arn = name
        .strip_prefix("arn:")
        .and_then(|it| it.split(':').nth(2));
    let region = of_arn.or_else(|| config.region().map(AsRef::as_ref));
    let region = region.ok_or_else(|| {
        Fault::new("expected a region, found none")
            .help("set AWS_REGION, or name the function by its ARN")
    })?;
    let own = std::env::var("AWS_ENDPOINT_URL_LAMBDA").ok();
    let own = own.filter(|url| !url.is_empty());
    let endpoint = own.as_deref().or_else(|| config.endpoint_url());
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let endpoint = endpoint.map_or_else(
        || format!("https://lambda.{region}.{domain}"),
        |url| url.trim_end_matches('/').to_owned(),
    );
    let name: String = name.bytes().map(encoded).collect();
    let url = format!("{endpoint}/2015-03-31/functions/{name}/invocations");
    Ok((url, region.to_owned()))
}

/// A byte of a path, as RFC 3986 has it.
fn encoded(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

/// The headers that sign a request.
#[expect(
    clippy::disallowed_methods,
    reason = "a signature names the time of the desk"
)]
async fn signed(
    url: &str,
    region: &str,
    body: &str,
    config: &SdkConfig,
) -> Result<Vec<(String, String)>, Fault> {
    let none = || {
        Fault::new("no valid credentials were found")
            .help("set AWS_PROFILE, or log in with: aws sso login")
    };
    let provider = config.credentials_provider().ok_or_else(none)?;
    let credentials = provider.provide_credentials().await;
    let identity = credentials
        .map_err(|error| none().at(error.to_string()))?
        .into();
    let cannot = |error: &dyn std::error::Error| {
        Fault::new("the request to Lambda could not be signed")
            .at(error.to_string())
            .help("check the function's name, AWS_ENDPOINT_URL_LAMBDA and the credentials: aws sts get-caller-identity")
    };
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("lambda")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| cannot(&error))?
        .into();
    let headers = std::iter::once(("content-type", "application/json"));
    let body = SignableBody::Bytes(body.as_bytes());
    let request =
        SignableRequest::new("POST", url, headers, body).map_err(|error| cannot(&error))?;
    let (instructions, _) = sign(request, &params)
        .map_err(|error| cannot(&error))?
        .into_parts();
    let headers = instructions.headers();
    Ok(headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

#[cfg(test)]
mod tests {
    use aws_config::SdkConfig;

    use super::address;

    #[test]
    fn a_function_by_its_arn_says_its_region() {
        let config = SdkConfig::builder().build();
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders";

        let (url, region) = address(arn, &config).map_err(|fault| fault.text()).unwrap();

        assert_eq!(region, "eu-west-1");
        assert_eq!(
            url,
            "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aorders/invocations"
        );
        assert!(address("orders", &config).is_err());
    }
}
