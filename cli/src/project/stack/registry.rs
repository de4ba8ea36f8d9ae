//! What the template.yaml of a function that reads payloads by the schemas of a registry has more: a parameter, a variable, and what the role may do with a registry of AWS Glue.

const PARAMETER: &str = "  SchemaRegistry:
    Type: String
    Default: \"\"
    Description: >-
      The schema registry: https://HOST/PATH, or arn:aws:glue:REGION:ACCOUNT:registry/NAME. If empty, the schemas in the
      code stand for the writers'.

";

const CONDITION: &str = "  HasRegistry: !Not [!Equals [!Ref SchemaRegistry, \"\"]]
  HasGlueRegistry: !Equals [!Select [0, !Split [\":\", !Ref SchemaRegistry]], arn]
";

const VARIABLE: &str = "          LAMBDA_MSK_SCHEMA_REGISTRY: !If [HasRegistry, !Ref SchemaRegistry, !Ref AWS::NoValue]\n";

const POLICY: &str = "        - !If
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

/// Each with the place in this repository's template.yaml that it stands before.
pub(super) const INSERTS: [(&str, &str); 4] = [
    ("  ConsumerGroup:\n    Type: String\n", PARAMETER),
    ("  HasConsumerGroup: !Not", CONDITION),
    (
        "          # The function takes the topic that the mapping reads.\n",
        VARIABLE,
    ),
    ("        - PolicyName: DeadLetters\n", POLICY),
];
