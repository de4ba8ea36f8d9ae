//! What the template.yaml of a function that reads an SQS queue beside its topic has more: a parameter, a mapping, and what the role may do with the queue.

const PARAMETER: &str = "  SourceQueueArn:
    Type: String
    Description: >-
      The SQS queue to read beside the topic: arn:aws:sqs:REGION:ACCOUNT:NAME. Its visibility timeout is at least
      FunctionTimeout; AWS recommends six times that.
    AllowedPattern: ^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\\d{12}:[^:]+$
    ConstraintDescription: has the form arn:aws:sqs:REGION:ACCOUNT:NAME

";

const MAPPING: &str = "        Messages:
          Type: SQS
          Properties:
            Queue: !Ref SourceQueueArn
            # The function lists the messages that are not done, whatever PartialBatchResponses says of Kafka.
            FunctionResponseTypes: [ReportBatchItemFailures]
";

const POLICY: &str = "        - PolicyName: Messages
          PolicyDocument:
            Version: \"2012-10-17\"
            Statement:
              - Sid: ReadTheQueue
                Effect: Allow
                Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]
                Resource: !Ref SourceQueueArn

";

/// Each with the place in this repository's template.yaml that it stands before.
pub(super) const INSERTS: [(&str, &str); 3] = [
    ("  ConsumerGroup:\n    Type: String\n", PARAMETER),
    ("        Records:\n          Type: MSK\n", MAPPING),
    ("        - PolicyName: DeadLetters\n", POLICY),
];
