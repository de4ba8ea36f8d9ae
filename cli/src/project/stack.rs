//! template.yaml of a project: the one of this repository, with the project's names and without what its function has not.

use super::template::{STACK, Template};

/// The SQS queue of a function that reads one beside its topic: a parameter, a mapping, and what the role may do with it.
const QUEUE_PARAMETER: &str = "  SourceQueueArn:
    Type: String
    Description: >-
      The SQS queue to read beside the topic: arn:aws:sqs:REGION:ACCOUNT:NAME. Its visibility timeout is at least
      FunctionTimeout; AWS recommends six times that.
    AllowedPattern: ^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\\d{12}:[^:]+$
    ConstraintDescription: has the form arn:aws:sqs:REGION:ACCOUNT:NAME

";
const QUEUE_MAPPING: &str = "        Messages:
          Type: SQS
          Properties:
            Queue: !Ref SourceQueueArn
            # The function lists the messages that are not done, whatever PartialBatchResponses says of Kafka.
            FunctionResponseTypes: [ReportBatchItemFailures]
";
const QUEUE_POLICY: &str = "        - PolicyName: Messages
          PolicyDocument:
            Version: \"2012-10-17\"
            Statement:
              - Sid: ReadTheQueue
                Effect: Allow
                Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes]
                Resource: !Ref SourceQueueArn

";

/// The schema registry of a function that reads payloads by its schemas: a parameter, a variable, and what the role may do with one of AWS Glue.
const REGISTRY_PARAMETER: &str = "  SchemaRegistry:
    Type: String
    Default: \"\"
    Description: >-
      The schema registry: https://HOST/PATH, or arn:aws:glue:REGION:ACCOUNT:registry/NAME. If empty, the schemas in the
      code stand for the writers'.

";
const REGISTRY_CONDITION: &str = "  HasRegistry: !Not [!Equals [!Ref SchemaRegistry, \"\"]]
  HasGlueRegistry: !Equals [!Select [0, !Split [\":\", !Ref SchemaRegistry]], arn]
";
const REGISTRY_VARIABLE: &str = "          LAMBDA_MSK_SCHEMA_REGISTRY: !If [HasRegistry, !Ref SchemaRegistry, !Ref AWS::NoValue]\n";
const REGISTRY_POLICY: &str = "        - !If
          - HasGlueRegistry
          - PolicyName: Schemas
            PolicyDocument:
              Version: \"2012-10-17\"
              Statement:
                # A version is asked for by its id alone, which does not tell the schema's name.
                - Sid: ReadSchemas
                  Effect: Allow
                  Action: glue:GetSchemaVersion
                  Resource:
                    - !Ref SchemaRegistry
                    - !Sub arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:schema/*
          - !Ref AWS::NoValue

";

/// Where the spans of a function that exports them go, and which there are: parameters, variables, and the layer of a collector.
const TRACES_PARAMETERS: &str = "  OtlpEndpoint:
    Type: String
    Default: \"\"
    Description: >-
      The OpenTelemetry collector, which takes spans over HTTP: http://localhost:4318 for that of a layer, or
      http(s)://HOST:PORT. If empty, no span is exported.
    AllowedPattern: ^(https?://[^\\s/]+(/\\S*)?)?$
    ConstraintDescription: has the form http://HOST:PORT or https://HOST:PORT

  CollectorLayerArn:
    Type: String
    Default: \"\"
    Description: >-
      A layer with a collector for arm64, such as that of ADOT (AWS Distro for OpenTelemetry). It comes with
      OtlpEndpoint=http://localhost:4318.
    AllowedPattern: ^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\\d{12}:layer:[^:]+:\\d+)?$
    ConstraintDescription: has the form arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION

  TracedRecords:
    Type: String
    Default: sampled
    AllowedValues: [sampled, all, failed, none]
    Description: >-
      The records that have a span. sampled: those whose producer has sampled its trace, and those that failed or were
      rejected. all: up to 10,000 spans a batch. none: no record, and no invocation.

  TraceSampler:
    Type: String
    Default: \"\"
    AllowedValues:
      - \"\"
      - always_on
      - always_off
      - traceidratio
      - parentbased_always_on
      - parentbased_always_off
      - parentbased_traceidratio
    Description: >-
      The sampler of OpenTelemetry's SDK. If empty, each invocation is sampled, and below it as the parent says. Unless
      active tracing is on, X-Ray says that nothing is sampled: samplers by the parent then export nothing.

  TraceSamplerArg:
    Type: String
    Default: \"1\"
    Description: The part of traces that is sampled, from 0 to 1, for the samplers with a ratio.
    AllowedPattern: ^(0(\\.\\d+)?|1(\\.0+)?)$
    ConstraintDescription: is a number from 0 to 1, such as 0.05

";
const TRACES_RULE: &str = "  CollectorNeedsItsEndpoint:
    RuleCondition: !Not [!Equals [!Ref CollectorLayerArn, \"\"]]
    Assertions:
      - Assert: !Not [!Equals [!Ref OtlpEndpoint, \"\"]]
        AssertDescription: CollectorLayerArn comes with OtlpEndpoint
";
const TRACES_CONDITION: &str = "  HasOtlpEndpoint: !Not [!Equals [!Ref OtlpEndpoint, \"\"]]
  HasCollectorLayer: !Not [!Equals [!Ref CollectorLayerArn, \"\"]]
  HasTraceSampler: !Not [!Equals [!Ref TraceSampler, \"\"]]
";
const TRACES_LAYER: &str =
    "      Layers: !If [HasCollectorLayer, [!Ref CollectorLayerArn], !Ref AWS::NoValue]\n";
const TRACES_VARIABLES: &str = "          OTEL_EXPORTER_OTLP_ENDPOINT: !If [HasOtlpEndpoint, !Ref OtlpEndpoint, !Ref AWS::NoValue]
          OTEL_TRACES_SAMPLER: !If [HasTraceSampler, !Ref TraceSampler, !Ref AWS::NoValue]
          OTEL_TRACES_SAMPLER_ARG: !If [HasTraceSampler, !Ref TraceSamplerArg, !Ref AWS::NoValue]
          LAMBDA_MSK_TRACES: !Ref TracedRecords
";

/// A place in this repository's template.yaml, and what stands there in a project's.
type Edit = (&'static str, String);

fn edits(template: &Template, name: &str, topic: &str) -> Vec<Edit> {
    let binary = "        # The root of the workspace has several binaries; this is the one to ship.\n        Binary: handler\n";
    let mut edits: Vec<Edit> = vec![
        (binary, format!("        Binary: {name}\n")),
        (
            "    Default: orders\n",
            format!("    Default: \"{topic}\"\n"),
        ),
        (
            "          ORDERS_TOPIC: !Ref Topic\n",
            "          TOPIC: !Ref Topic\n".to_owned(),
        ),
    ];
    let parameter = "  FulfilmentUrl:\n    Type: String\n    Default: \"\"\n    Description: The URL to which the sample handler POSTs each order. If empty, it logs them.\n\n";
    let condition = "  HasFulfilmentUrl: !Not [!Equals [!Ref FulfilmentUrl, \"\"]]\n";
    let variable =
        "          FULFILMENT_URL: !If [HasFulfilmentUrl, !Ref FulfilmentUrl, !Ref AWS::NoValue]\n";
    let calls = "SQS, DynamoDB and FULFILMENT_URL then need";
    if let Some(of_service) = template.service_variable() {
        let service = |text: &str| {
            text.replace("FulfilmentUrl", "ServiceUrl")
                .replace("FULFILMENT_URL", of_service)
                .replace(
                    "the sample handler POSTs each order. If empty, it logs them.",
                    "the function POSTs each order. If empty, they are only counted.",
                )
        };
        edits.extend([parameter, condition, variable, calls].map(|text| (text, service(text))));
    } else {
        edits.extend([parameter, condition, variable].map(|text| (text, String::new())));
        edits.push((calls, "SQS and DynamoDB then need".to_owned()));
    }
    if template.reads_queue() {
        for (before, text) in [
            ("  ConsumerGroup:\n    Type: String\n", QUEUE_PARAMETER),
            ("        Records:\n          Type: MSK\n", QUEUE_MAPPING),
            ("        - PolicyName: DeadLetters\n", QUEUE_POLICY),
        ] {
            edits.push((before, format!("{text}{before}")));
        }
    }
    if template.reads_schemas() {
        for (before, text) in [
            ("  ConsumerGroup:\n    Type: String\n", REGISTRY_PARAMETER),
            ("  HasConsumerGroup: !Not", REGISTRY_CONDITION),
            (
                "          # The function takes the topic that the mapping reads.\n",
                REGISTRY_VARIABLE,
            ),
            ("        - PolicyName: DeadLetters\n", REGISTRY_POLICY),
        ] {
            edits.push((before, format!("{text}{before}")));
        }
    }
    if template.exports_traces() {
        for (before, text) in [
            ("  ConsumerGroup:\n    Type: String\n", TRACES_PARAMETERS),
            ("  SubnetsNeedSecurityGroups:\n", TRACES_RULE),
            ("  HasConsumerGroup: !Not", TRACES_CONDITION),
            ("      MemorySize: !Ref FunctionMemory\n", TRACES_LAYER),
            (
                "          # The function takes the topic that the mapping reads.\n",
                TRACES_VARIABLES,
            ),
        ] {
            edits.push((before, format!("{text}{before}")));
        }
    }
    edits
}

/// The template.yaml of a project of that name which reads that topic.
pub(super) fn text(template: &Template, name: &str, topic: &str) -> String {
    let edits = edits(template, name, topic);
    edits.iter().fold(STACK.to_owned(), |text, (from, to)| {
        text.replacen(from, to, 1)
    })
}

#[cfg(test)]
mod tests {
    use super::super::template::{STACK, TEMPLATES};
    use super::{edits, text};

    #[test]
    fn each_place_that_is_changed_stands_once_in_template_yaml() {
        for template in TEMPLATES {
            for (place, _) in edits(template, "shop", "t") {
                assert_eq!(
                    STACK.matches(place).count(),
                    1,
                    "{}: {place}",
                    template.name
                );
            }
        }
    }

    #[test]
    fn nothing_of_the_sample_function_is_left() {
        for template in TEMPLATES {
            let text = text(template, "shop", "clicks");

            for word in ["handler", "orders", "ORDERS_", "Fulfilment"] {
                assert!(!text.contains(word), "{}: {word}", template.name);
            }
            assert!(text.contains("        Binary: shop\n"), "{}", template.name);
            assert!(
                text.contains("    Default: \"clicks\"\n"),
                "{}",
                template.name
            );
            let posting = [
                ("SERVICE_URL", &["orders", "traced"][..]),
                ("FULFILMENT_URL", &["typed"]),
            ];
            for (variable, names) in posting {
                let is_there = text.contains(&format!("  {variable}: !If [HasServiceUrl"));
                assert_eq!(
                    is_there,
                    names.contains(&template.name),
                    "{}",
                    template.name
                );
            }
            let registry = template.name == "typed";
            assert_eq!(
                text.contains("HasGlueRegistry"),
                registry,
                "{}",
                template.name
            );
            let traced = template.name == "traced";
            for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "LAMBDA_MSK_TRACES"] {
                assert_eq!(text.contains(name), traced, "{}", template.name);
            }
            let queue = template.name == "two-sources";
            assert_eq!(text.contains("SourceQueueArn"), queue, "{}", template.name);
        }
    }
}
