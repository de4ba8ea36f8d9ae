//! template.yaml of a project: the one of this repository, with the project's names and without what its function has not.

// What the functions of some templates have more.
mod database;
mod files;
mod queue;
mod registry;
mod search;
mod traces;

use super::template::{STACK, Template};

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
    for (has, inserts) in [
        (template.reads_queue(), &queue::INSERTS[..]),
        (template.reads_schemas(), &registry::INSERTS),
        (template.writes_files(), &files::INSERTS),
        (template.writes_to_postgres(), &database::INSERTS),
        (template.exports_traces(), &traces::INSERTS),
    ] {
        if has {
            edits.extend(
                inserts
                    .iter()
                    .map(|&(before, text)| (before, format!("{text}{before}"))),
            );
        }
    }
    if template.searches() {
        edits.extend(search::edits(topic));
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

    /// CloudFormation refuses the function there.
    #[test]
    fn no_condition_asks_if() {
        for template in TEMPLATES {
            let text = text(template, "shop", "clicks");
            let (_, after) = text.split_once("\nConditions:\n").expect("conditions");
            let (conditions, _) = after.split_once("\nResources:\n").expect("resources");

            let has_if = conditions.contains("!If") || conditions.contains("Fn::If");
            assert!(!has_if, "{}: {conditions}", template.name);
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
            let traced = template.name == "traced";
            for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "LAMBDA_MSK_TRACES"] {
                assert_eq!(text.contains(name), traced, "{}", template.name);
            }
            let queue = template.name == "two-sources";
            assert_eq!(text.contains("SourceQueueArn"), queue, "{}", template.name);
            let files = template.name == "files-s3";
            assert_eq!(text.contains("FILES_S3"), files, "{}", template.name);
            let search = template.name == "bulk-opensearch";
            assert_eq!(text.contains("OPENSEARCH_URL"), search, "{}", template.name);
        }
    }
}
