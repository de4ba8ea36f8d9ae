//! The address of an SQS queue, read from its URL or ARN.

/// The address of an SQS queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    url: String,
    region: Option<String>,
    endpoint: Option<String>,
}

/// The reason why a text is not the address of a usable queue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqsQueueError {
    /// Neither a URL nor an ARN.
    #[error(
        "is neither the URL of an SQS queue (`https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`) nor its ARN (`arn:aws:sqs:REGION:ACCOUNT:NAME`)"
    )]
    NotAQueue,
    /// An ARN of an AWS partition whose domain is unknown.
    #[error(
        "is an ARN of the AWS partition `{0}`, whose URLs are unknown: use the queue's URL instead"
    )]
    Partition(String),
}

impl Queue {
    /// Parses the URL or ARN of a queue.
    ///
    /// # Errors
    ///
    /// [`SqsQueueError`]: the text names no queue. A queue that does not exist is only noticed with the first message.
    pub fn parse(text: &str) -> Result<Self, SqsQueueError> {
        match text.starts_with("arn:") {
            true => Self::from_arn(text),
            false => Self::from_url(text),
        }
    }

    /// The queue's URL, as used in requests.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The queue's region. *None: the address names no region, so the environment's is used.*
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The endpoint for requests. *None: the environment's endpoint, or AWS's own in the region.*
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The queue's name: the last part of the URL.
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is a FIFO queue. Lambda's own destinations do not support them.
    pub fn is_fifo(&self) -> bool {
        self.name().ends_with(".fifo")
    }

    fn from_arn(arn: &str) -> Result<Self, SqsQueueError> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "sqs", region, account, name] = parts[..] else {
            return Err(SqsQueueError::NotAQueue);
        };
        // https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
        let domain = match partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            other => return Err(SqsQueueError::Partition(other.to_owned())),
        };
        if !is_label(region) || !is_name(account) || !is_name(name) {
            return Err(SqsQueueError::NotAQueue);
        }
        Ok(Self {
            url: format!("https://sqs.{region}.{domain}/{account}/{name}"),
            region: Some(region.to_owned()),
            endpoint: None,
        })
    }

    /// AWS's own URLs, and any other that ends in a queue's name: emulators and VPC endpoints.
    fn from_url(url: &str) -> Result<Self, SqsQueueError> {
        let (scheme, rest) = url.split_once("://").ok_or(SqsQueueError::NotAQueue)?;
        let (authority, path) = rest.split_once('/').ok_or(SqsQueueError::NotAQueue)?;
        let path = path.trim_start_matches('/');
        let named = path.contains('/') && path.split('/').all(is_name);
        let (host, port) = host_of(authority).ok_or(SqsQueueError::NotAQueue)?;
        if !named || !matches!(scheme, "http" | "https") {
            return Err(SqsQueueError::NotAQueue);
        }
        let labels: Vec<&str> = host.split('.').collect();
        let (region, public) = match labels[..] {
            ["sqs", region, "amazonaws", "com"] | ["sqs", region, "amazonaws", "com", "cn"] => {
                (Some(region), port.is_none())
            }
            // Older public names, the FIPS and dual-stack ones, and VPC endpoints.
            [region, "queue", "amazonaws", "com", ..]
            | ["sqs-fips", region, "amazonaws", "com"]
            | ["sqs" | "sqs-fips", region, "api", "aws"]
            | [.., "sqs", region, "vpce", "amazonaws", "com"]
            | [.., "sqs", region, "vpce", "amazonaws", "com", "cn"] => (Some(region), false),
            // Other services' names are likely mistakes.
            [.., "amazonaws", "com"] | [.., "amazonaws", "com", "cn"] => {
                return Err(SqsQueueError::NotAQueue);
            }
            _ => (None, false),
        };
        Ok(Self {
            url: url.to_owned(),
            region: region.map(str::to_owned),
            endpoint: (!public).then(|| format!("{scheme}://{authority}")),
        })
    }
}

/// The host of an authority, and its port where it has one. *None: it is no host, or one with a user before it.*
fn host_of(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let inside = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_host = match inside {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_name(host),
    };
    is_host.then_some((host, port))
}

/// A part of a host's name.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A queue's name or an account: letters, digits, `-`, `_`, and the `.` of `.fifo`.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{Queue, SqsQueueError};

    fn addresses(text: &str) -> (String, Option<String>, Option<String>) {
        let queue = Queue::parse(text).unwrap();
        (queue.url, queue.region, queue.endpoint)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn an_arn_becomes_the_url_of_its_partition() {
        let url = |partition: &str, region: &str| {
            addresses(&format!(
                "arn:{partition}:sqs:{region}:123456789012:orders-dlq"
            ))
        };
        assert_eq!(
            url("aws", "eu-central-1"),
            (
                "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq".to_owned(),
                some("eu-central-1"),
                None
            )
        );
        assert_eq!(
            url("aws-cn", "cn-north-1").0,
            "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/orders-dlq"
        );
        assert_eq!(
            url("aws-us-gov", "us-gov-west-1").0,
            "https://sqs.us-gov-west-1.amazonaws.com/123456789012/orders-dlq"
        );
    }

    #[test]
    fn a_url_keeps_its_form_and_says_region_and_endpoint() {
        let public = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq";
        let emulator = "http://127.0.0.1:9324/000000000000/orders-dlq";
        let vpce = "https://vpce-1.sqs.eu-central-1.vpce.amazonaws.com/123456789012/orders-dlq";
        assert_eq!(
            addresses(public),
            (public.to_owned(), some("eu-central-1"), None)
        );
        assert_eq!(
            addresses(emulator),
            (emulator.to_owned(), None, some("http://127.0.0.1:9324"))
        );
        assert_eq!(
            addresses(vpce),
            (
                vpce.to_owned(),
                some("eu-central-1"),
                some("https://vpce-1.sqs.eu-central-1.vpce.amazonaws.com")
            )
        );
        let china = "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q";
        assert_eq!(
            addresses(china),
            (china.to_owned(), some("cn-north-1"), None)
        );
        let local = "http://sqs.local/queue/q";
        assert_eq!(
            addresses(local),
            (local.to_owned(), None, some("http://sqs.local"))
        );
        assert!(Queue::parse("http://localhost:9324/queue/orders-dlq").is_ok());
        assert!(Queue::parse("http://[::1]:9324/queue/orders-dlq").is_ok());
    }

    #[test]
    fn a_fifo_queue_is_known_by_its_name() {
        for (text, is_fifo) in [
            ("arn:aws:sqs:eu-central-1:123456789012:orders.fifo", true),
            (
                "https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo",
                true,
            ),
            ("arn:aws:sqs:eu-central-1:123456789012:orders-fifo", false),
        ] {
            assert_eq!(Queue::parse(text).unwrap().is_fifo(), is_fifo, "{text}");
        }
    }

    #[test]
    fn what_names_no_queue_is_refused() {
        for text in [
            "",
            "arn:",
            "arn:aws:sqs:eu-central-1:123456789012",
            "arn:aws:sqs:eu-central-1:123456789012:a:b",
            "arn:aws:sqs:eu/x:123456789012:a",
            "arn:aws:sqs:eu-central-1:123456789012:",
            "arn:aws:sns:eu-central-1:123456789012:a",
            "https://",
            "https://sqs.eu-central-1.amazonaws.com",
            "https://sqs.eu-central-1.amazonaws.com/orders-dlq",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq/",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq?Action=x",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/orders dlq",
            "https://s3.eu-central-1.amazonaws.com/bucket/key",
            "https://user:secret@127.0.0.1:9324/queue/orders-dlq",
            "https://user@127.0.0.1/queue/orders-dlq",
            "https://127.0.0.1:port/queue/orders-dlq",
            "https:///queue/orders-dlq",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq#part",
            "ftp://127.0.0.1/queue/orders-dlq",
            "/queue/orders-dlq",
        ] {
            assert_eq!(Queue::parse(text), Err(SqsQueueError::NotAQueue), "{text}");
        }
        assert_eq!(
            Queue::parse("arn:aws-iso:sqs:us-iso-east-1:123456789012:a"),
            Err(SqsQueueError::Partition("aws-iso".to_owned()))
        );
    }
}
