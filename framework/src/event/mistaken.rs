//! Names the source of an event that is not Kafka's. Called on the way out with an error only.

use super::scan::{Cursor, Scan};
use super::text::Text;

/// What the event is, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) cure: &'static str,
}

const TRIGGER: &str =
    "remove that trigger from this function, or connect it to the intended function";

/// What the outermost names of `body` give away. None: nothing that is known, or a Kafka event after all.
pub(super) fn source(body: &[u8]) -> Option<Source> {
    let mut cursor = Cursor::new(body);
    let found = match cursor.token().ok()? {
        b'{' => {
            let clues = Clues::of_object(&mut cursor, 0).ok()?;
            clues.of_event()
        }
        b'[' => {
            cursor.step();
            if !cursor.element(true).ok()? || cursor.token().ok()? != b'{' {
                return None;
            }
            Clues::of_object(&mut cursor, 1).ok()?.of_batch()
        }
        b'"' => {
            let text = cursor.string().ok()?;
            text.raw.trim_ascii_start().starts_with(b"{").then_some((
                "a JSON string with another JSON document inside",
                "send the inner document, unescaped, as an on-failure record in S3 has it in `payload`",
            ))
        }
        _ => None,
    };
    found.map(|(name, cure)| Source { name, cure })
}

/// The names of an object, and what the telling ones among them say.
#[derive(Default)]
struct Clues<'a> {
    names: Vec<Text<'a>>,
    event_source: Option<Text<'a>>,
    source: Option<Text<'a>>,
    /// Of the first element of `Records`.
    record_source: Option<Text<'a>>,
    record_names: Vec<Text<'a>>,
    /// The names inside `requestContext`.
    context_names: Vec<Text<'a>>,
    payload_names: Vec<Text<'a>>,
}

type Found = Option<(&'static str, &'static str)>;

impl<'a> Clues<'a> {
    /// Reads the object that the cursor stands on, inside `depth` others.
    fn of_object(cursor: &mut Cursor<'a>, depth: usize) -> Scan<Self> {
        let mut clues = Self::default();
        cursor.step();
        let mut first = true;
        while let Some(name) = cursor.member(first)? {
            first = false;
            let at = cursor.at();
            let kind = cursor.token()?;
            cursor.skip_value(depth + 1)?;
            let after = cursor.at();
            cursor.rewind(at);
            match kind {
                b'"' if name.is(b"eventSource") || name.is(b"EventSource") => {
                    clues.event_source = Some(cursor.string()?);
                }
                b'"' if name.is(b"source") => clues.source = Some(cursor.string()?),
                b'{' if name.is(b"requestContext") && depth == 0 => {
                    clues.context_names = Self::of_object(cursor, depth + 1)?.names;
                }
                b'{' if name.is(b"payload") && depth == 1 => {
                    clues.payload_names = Self::of_object(cursor, depth + 1)?.names;
                }
                b'[' if name.is(b"Records") && depth == 0 => {
                    cursor.step();
                    if cursor.element(true)? && cursor.token()? == b'{' {
                        let record = Self::of_object(cursor, depth + 2)?;
                        clues.record_source = record.event_source;
                        clues.record_names = record.names;
                    }
                }
                _ => {}
            }
            cursor.rewind(after);
            clues.names.push(name);
        }
        Ok(clues)
    }

    fn has(&self, name: &str) -> bool {
        has(&self.names, name)
    }

    fn is_kafka(&self) -> bool {
        self.event_source.is_some_and(|source| {
            source.is(b"aws:kafka")
                || source.is(b"SelfManagedKafka")
                || source.is(b"aws:SelfManagedKafka")
        })
    }

    /// An array was sent, and this is its first element.
    fn of_batch(&self) -> Found {
        if self.is_kafka() {
            let cure = "a pipe sends bare records; use an event source mapping (`AWS::Lambda::EventSourceMapping`, SAM `Type: MSK`) instead of the pipe";
            return Some(("a batch of an EventBridge pipe with a Kafka source", cure));
        }
        if has(&self.payload_names, "topic") && has(&self.payload_names, "offset") {
            let cure = "use an event source mapping instead of the connector";
            return Some(("a batch of Confluent's Lambda sink connector", cure));
        }
        None
    }

    fn of_event(&self) -> Found {
        // The envelope around a failed batch names its cluster too, so it comes before the question whether this is Kafka.
        if self.has("KafkaBatchInfo") {
            let cure = match self.has("payloadEncoding") {
                true => {
                    "send the event in the attribute `payload` of its SQS message instead, decompressed with gunzip"
                }
                false => "send the event in its `payload` field instead",
            };
            return Some(("a dead letter (an on-failure record)", cure));
        }
        if self.is_kafka() {
            return None;
        }
        self.of_source()
            .or_else(|| self.of_records())
            .or_else(|| self.of_request())
            .or_else(|| self.of_names())
    }

    fn of_source(&self) -> Found {
        const BY_SOURCE: [(&str, &str); 3] = [
            (
                "aws:mq",
                "an Amazon MQ event (ActiveMQ, eventSource aws:mq)",
            ),
            (
                "aws:rmq",
                "an Amazon MQ event (RabbitMQ, eventSource aws:rmq)",
            ),
            ("aws:docdb", "a DocumentDB event (eventSource aws:docdb)"),
        ];
        let source = self.event_source?;
        by_text(&BY_SOURCE, source)
    }

    fn of_records(&self) -> Found {
        const BY_RECORD_SOURCE: [(&str, &str); 7] = [
            ("aws:sqs", "an SQS event (eventSource aws:sqs)"),
            ("aws:sns", "an SNS event (EventSource aws:sns)"),
            ("aws:kinesis", "a Kinesis event (eventSource aws:kinesis)"),
            (
                "aws:dynamodb",
                "a DynamoDB Streams event (eventSource aws:dynamodb)",
            ),
            ("aws:s3", "an S3 event (eventSource aws:s3)"),
            ("aws:ses", "an SES event (eventSource aws:ses)"),
            (
                "aws:codecommit",
                "a CodeCommit event (eventSource aws:codecommit)",
            ),
        ];
        if let Some(source) = self.record_source {
            return by_text(&BY_RECORD_SOURCE, source).or(Some((
                "an event of another AWS service (its records are in `Records`)",
                TRIGGER,
            )));
        }
        has(&self.record_names, "cf").then_some(("a CloudFront event (Lambda@Edge)", TRIGGER))
    }

    fn of_request(&self) -> Found {
        let in_context = |name| has(&self.context_names, name);
        let name = if in_context("elb") {
            "a request of an Application Load Balancer"
        } else if in_context("connectionId") {
            "a message of an API Gateway WebSocket API"
        } else if in_context("http") {
            "a request of an API Gateway HTTP API or a function URL"
        } else if self.has("httpMethod") && self.has("path") {
            "a request of an API Gateway REST API"
        } else if self.has("methodArn") || self.has("routeArn") {
            "a call of an API Gateway authorizer"
        } else {
            return None;
        };
        Some((name, TRIGGER))
    }

    fn of_names(&self) -> Found {
        if self.has("detail-type") && self.has("source") {
            let scheduled = self
                .source
                .is_some_and(|source| source.is(b"aws.scheduler") || source.is(b"aws.events"));
            let name = if scheduled {
                "a scheduled event (EventBridge)"
            } else {
                "an EventBridge event"
            };
            return Some((name, TRIGGER));
        }
        const BY_NAMES: [(&[&str], &str); 10] = [
            (
                &["deliveryStreamArn", "records"],
                "a Data Firehose transformation",
            ),
            (&["awslogs"], "a CloudWatch Logs subscription"),
            (
                &["triggerSource", "userPoolId"],
                "a Cognito user pool trigger",
            ),
            (&["datasetName", "identityPoolId"], "a Cognito Sync trigger"),
            (&["invokingEvent", "resultToken"], "an AWS Config rule"),
            (
                &["RequestType", "StackId"],
                "a CloudFormation custom resource",
            ),
            (
                &["SecretId", "ClientRequestToken"],
                "a Secrets Manager rotation",
            ),
            (&["CodePipeline.job"], "a CodePipeline job"),
            (
                &["invocationSchemaVersion", "tasks"],
                "an S3 batch operation",
            ),
            (&["bot", "sessionState"], "a Lex event"),
        ];
        let found = BY_NAMES
            .iter()
            .find(|(names, _)| names.iter().all(|name| self.has(name)));
        if let Some((_, name)) = found {
            return Some((name, TRIGGER));
        }
        if ["key1", "key2", "key3"].iter().all(|name| self.has(name)) {
            let cure = "choose the template for Amazon MSK (or Apache Kafka) in the console";
            return Some(("the console's hello-world test event", cure));
        }
        None
    }
}

fn has(names: &[Text<'_>], name: &str) -> bool {
    names.iter().any(|other| other.is(name.as_bytes()))
}

fn by_text(table: &[(&'static str, &'static str)], text: Text<'_>) -> Found {
    let (_, name) = table
        .iter()
        .find(|(source, _)| text.is(source.as_bytes()))?;
    Some((name, TRIGGER))
}
