//! Events of other sources: each is called by its name.

use super::refused;

#[track_caller]
fn named(body: &str) -> String {
    let error = refused(body.to_owned());
    assert_eq!(error.code(), "event.not_kafka", "{error}");
    error.to_string()
}

/// Bodies as they begin, and what they are.
const BODIES: &[(&str, &str)] = &[
    (
        r#"{"Records":[{"messageId":"1","body":"{}","eventSource":"aws:sqs"}]}"#,
        "an SQS event (eventSource aws:sqs)",
    ),
    (
        r#"{"Records":[{"EventSource":"aws:sns","Sns":{}}]}"#,
        "an SNS event",
    ),
    (
        r#"{"Records":[{"kinesis":{},"eventSource":"aws:kinesis"}]}"#,
        "a Kinesis event",
    ),
    (
        r#"{"Records":[{"dynamodb":{},"eventSource":"aws:dynamodb"}]}"#,
        "a DynamoDB Streams event",
    ),
    (
        r#"{"Records":[{"s3":{},"eventSource":"aws:s3"}]}"#,
        "an S3 event",
    ),
    (
        r#"{"Records":[{"eventSource":"aws:new"}]}"#,
        "an event of another AWS service",
    ),
    (r#"{"Records":[{"cf":{}}]}"#, "a CloudFront event"),
    (
        r#"{"eventSource":"aws:mq","messages":[]}"#,
        "an Amazon MQ event (ActiveMQ",
    ),
    (
        r#"{"eventSource":"aws:rmq","rmqMessagesByQueue":{}}"#,
        "an Amazon MQ event (RabbitMQ",
    ),
    (
        r#"{"eventSource":"aws:docdb","events":[]}"#,
        "a DocumentDB event",
    ),
    (
        r#"{"version":"0","detail-type":"Order","source":"shop","detail":{}}"#,
        "an EventBridge event",
    ),
    (
        r#"{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}"#,
        "a scheduled event",
    ),
    (
        r#"{"resource":"/","path":"/","httpMethod":"GET","requestContext":{}}"#,
        "a request of an API Gateway REST API",
    ),
    (
        r#"{"version":"2.0","routeKey":"$default","requestContext":{"http":{}}}"#,
        "a request of an API Gateway HTTP API or a function URL",
    ),
    (
        r#"{"requestContext":{"connectionId":"1"},"body":""}"#,
        "a message of an API Gateway WebSocket API",
    ),
    (
        r#"{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/"}"#,
        "a request of an Application Load Balancer",
    ),
    (
        r#"{"type":"TOKEN","methodArn":"arn"}"#,
        "a call of an API Gateway authorizer",
    ),
    (
        r#"{"triggerSource":"PreSignUp_SignUp","userPoolId":"1"}"#,
        "a Cognito user pool trigger",
    ),
    (
        r#"{"deliveryStreamArn":"arn","records":[{"data":""}]}"#,
        "a Data Firehose transformation",
    ),
    (
        r#"{"awslogs":{"data":""}}"#,
        "a CloudWatch Logs subscription",
    ),
    (
        r#"{"RequestType":"Create","StackId":"1"}"#,
        "a CloudFormation custom resource",
    ),
    (
        r#"{"key1":"value1","key2":"value2","key3":"value3"}"#,
        "the console's hello-world test event",
    ),
    (
        r#"[{"eventSource":"aws:kafka","topic":"orders","partition":0,"offset":1}]"#,
        "a batch of an EventBridge pipe",
    ),
    (
        r#"[{"payload":{"topic":"orders","partition":0,"offset":1}}]"#,
        "a batch of Confluent's Lambda sink connector",
    ),
    (
        r#"{"requestContext":{},"KafkaBatchInfo":{},"payload":{"eventSource":"aws:kafka"}}"#,
        "a dead letter (an on-failure record)",
    ),
    (
        r#"{"requestContext":{},"KafkaBatchInfo":{},"payloadEncoding":"gzip"}"#,
        "a dead letter (an on-failure record), not a Kafka event: send the event in the attribute `payload` of its SQS message instead",
    ),
    (
        r#""{\"eventSource\":\"aws:kafka\"}""#,
        "a JSON string with another JSON document inside",
    ),
];

#[test]
fn an_event_of_another_source_is_called_by_its_name() {
    for (body, name) in BODIES {
        let message = named(body);
        assert!(message.starts_with(&format!("this is {name}")), "{message}");
    }
}

#[test]
fn the_message_says_what_to_do() {
    assert_eq!(
        named(r#"{"Records":[{"eventSource":"aws:sqs"}]}"#),
        "this is an SQS event (eventSource aws:sqs), not a Kafka event: remove that trigger from this function, or connect it to the intended function (at byte 0 of the event)"
    );
}

#[test]
fn what_no_one_sends_is_called_by_what_it_is() {
    for (body, what) in [
        ("null", "null"),
        ("7", "a number"),
        ("[]", "an array"),
        ("[1]", "an array"),
        ("true", "a boolean"),
        (r#""hi""#, "a string"),
    ] {
        assert!(named(body).starts_with(&format!("this is {what}, not a Kafka event")));
    }
    assert!(named("{}").contains("neither `eventSource` nor `records`"));
    assert!(
        named(r#"{"eventSource":"aws:unknown"}"#)
            .contains("expected `eventSource` to be `aws:kafka`")
    );
}

#[test]
fn the_source_is_named_though_a_field_has_the_same_name_as_one_of_ours() {
    assert!(named(r#"{"records":7,"eventSource":"aws:mq"}"#).contains("ActiveMQ"));
}

#[test]
fn a_broken_event_of_kafka_is_not_taken_for_another() {
    let error =
        refused(r#"{"eventSource":"aws:kafka","records":7,"Records":[{"eventSource":"aws:sqs"}]}"#);
    assert_eq!(error.code(), "event.wrong_type");
}
