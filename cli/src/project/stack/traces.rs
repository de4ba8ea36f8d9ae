//! What the template.yaml of a function that exports spans has more: where they go, which there are, and the layer of a collector.

const PARAMETERS: &str = "  OtlpEndpoint:
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

const RULE: &str = "  CollectorNeedsItsEndpoint:
    RuleCondition: !Not [!Equals [!Ref CollectorLayerArn, \"\"]]
    Assertions:
      - Assert: !Not [!Equals [!Ref OtlpEndpoint, \"\"]]
        AssertDescription: CollectorLayerArn comes with OtlpEndpoint
";

const CONDITION: &str = "  HasOtlpEndpoint: !Not [!Equals [!Ref OtlpEndpoint, \"\"]]
  HasCollectorLayer: !Not [!Equals [!Ref CollectorLayerArn, \"\"]]
  HasTraceSampler: !Not [!Equals [!Ref TraceSampler, \"\"]]
";

const LAYER: &str =
    "      Layers: !If [HasCollectorLayer, [!Ref CollectorLayerArn], !Ref AWS::NoValue]\n";

const VARIABLES: &str = "          OTEL_EXPORTER_OTLP_ENDPOINT: !If [HasOtlpEndpoint, !Ref OtlpEndpoint, !Ref AWS::NoValue]
          OTEL_TRACES_SAMPLER: !If [HasTraceSampler, !Ref TraceSampler, !Ref AWS::NoValue]
          OTEL_TRACES_SAMPLER_ARG: !If [HasTraceSampler, !Ref TraceSamplerArg, !Ref AWS::NoValue]
          LAMBDA_MSK_TRACES: !Ref TracedRecords
";

/// Each with the place in this repository's template.yaml that it stands before.
pub(super) const INSERTS: [(&str, &str); 5] = [
    ("  ConsumerGroup:\n    Type: String\n", PARAMETERS),
    ("  SubnetsNeedSecurityGroups:\n", RULE),
    ("  HasConsumerGroup: !Not", CONDITION),
    ("      MemorySize: !Ref FunctionMemory\n", LAYER),
    (
        "          # The function takes the topic that the mapping reads.\n",
        VARIABLES,
    ),
];
