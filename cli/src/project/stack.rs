//! template.yaml of a project: the one of this repository, with the project's names and without what its function has not.

// Of a function that writes to OpenSearch.
mod search;

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

/// The bucket of a function that writes files: parameters, a variable, and what the role may do with its files.
const FILES_PARAMETERS: &str = "  FilesBucket:
    Type: String
    Description: The bucket that takes the files, in this region. It has to exist.
    AllowedPattern: ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$
    ConstraintDescription: is the name of a bucket

  FilesPrefix:
    Type: String
    Default: files
    Description: What the names of the files begin with, without a slash at the end.
    AllowedPattern: ^[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*$
    ConstraintDescription: has the form a/b

";
const FILES_VARIABLE: &str = "          FILES_S3: !Sub s3://${FilesBucket}/${FilesPrefix}\n";
const FILES_POLICY: &str = "        - PolicyName: Files
          PolicyDocument:
            Version: \"2012-10-17\"
            Statement:
              - Sid: WriteFilesAndCompareThem
                Effect: Allow
                Action: [s3:PutObject, s3:GetObject]
                Resource: !Sub arn:${AWS::Partition}:s3:::${FilesBucket}/${FilesPrefix}/*

";
/// The database of a function that writes to one. Its address holds a password: whoever may read the function's configuration sees it.
const DATABASE_PARAMETER: &str = "  DatabaseUrl:
    Type: String
    NoEcho: true
    Description: >-
      The database: postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, with the tables of schema.sql. The
      function's subnets must reach it.

";
const DATABASE_VARIABLE: &str = "          DATABASE_URL: !Ref DatabaseUrl\n";

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
        let calls_of = if template.writes_files() {
            "SQS, DynamoDB and S3 then need"
        } else if template.searches() {
            "SQS, DynamoDB and OPENSEARCH_URL then need"
        } else if template.writes_to_postgres() {
            "SQS, DynamoDB and DATABASE_URL then need"
        } else {
            "SQS and DynamoDB then need"
        };
        edits.push((calls, calls_of.to_owned()));
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
    if template.writes_files() {
        for (before, text) in [
            ("  ConsumerGroup:\n    Type: String\n", FILES_PARAMETERS),
            (
                "          # The function takes the topic that the mapping reads.\n",
                FILES_VARIABLE,
            ),
            ("        - PolicyName: DeadLetters\n", FILES_POLICY),
        ] {
            edits.push((before, format!("{text}{before}")));
        }
    }
    if template.searches() {
        edits.extend(search::edits(topic));
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
    if template.writes_to_postgres() {
        for (before, text) in [
            ("  ConsumerGroup:\n    Type: String\n", DATABASE_PARAMETER),
            (
                "          # The function takes the topic that the mapping reads.\n",
                DATABASE_VARIABLE,
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
            let database = template.name == "bulk-postgres";
            assert_eq!(
                text.contains("DATABASE_URL: !Ref DatabaseUrl"),
                database,
                "{}",
                template.name
            );
            let registry = template.name == "typed";
            assert_eq!(
                text.contains("HasGlueRegistry"),
                registry,
                "{}",
                template.name
            );
            let queue = template.name == "two-sources";
            assert_eq!(text.contains("SourceQueueArn"), queue, "{}", template.name);
            let files = template.name == "files-s3";
            assert_eq!(text.contains("FILES_S3"), files, "{}", template.name);
            let search = template.name == "bulk-opensearch";
            assert_eq!(text.contains("OPENSEARCH_URL"), search, "{}", template.name);
        }
    }
}
