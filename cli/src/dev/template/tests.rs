//! Small templates, and the project's own.

mod flags;
mod functions;
mod said;
mod schemas;

use std::time::Duration;

use clap::Parser;

use super::apply;
use crate::dev::args::Args;
use crate::dev::flags::start::Start;
use crate::fault::Fault;
use crate::flags::response_types::ResponseTypes;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// What comes of flags and a template's text, with its remarks.
fn completed(text: &str, flags: &[&str]) -> Result<(Args, Vec<String>), String> {
    let flags = ["dev", "--template", "t.yaml"].iter().chain(flags);
    let mut args = Line::parse_from(flags).args;
    let remarks = apply(&mut args, text, "t.yaml").map_err(|fault: Fault| fault.text())?;
    Ok((args, remarks))
}

/// Whether partial answers are read.
fn partial(args: &Args) -> bool {
    args.settings.function_response_types == Some(ResponseTypes::ReportBatchItemFailures)
}

/// A function with one event, whose properties are these lines.
fn function(properties: &str) -> String {
    let lines: String = properties
        .lines()
        .map(|line| format!("            {line}\n"))
        .collect();
    format!(
        "Mappings: {{Loop: {{a: {{b: !FindInMap [Loop, a, b]}}}}}}\nParameters:\n  Size: {{Type: Number, Default: 5}}\n  Cluster: {{Type: String}}\nConditions:\n  Small: !Equals [!Ref Size, 5]\n  \
         Both: !And [!Condition Small, !Not [!Equals [!Ref Size, \"6\"]]]\n  Round: !Not [!Condition Round]\n\
         Resources:\n  Orders:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events:\n        Records:\n          \
         Type: MSK\n          Properties:\n            Topics: [orders]\n{lines}"
    )
}

#[test]
fn the_projects_own_template_gives_its_settings_and_names_what_only_a_stack_knows() {
    let template = include_str!("../../../../template.yaml");

    let (args, remarks) = completed(template, &[]).unwrap();

    assert_eq!(args.topics, ["orders"]);
    assert_eq!(args.timeout, Some(Duration::from_secs(120)));
    assert_eq!(args.bin.as_deref(), Some("handler"));
    let partial = ("LAMBDA_MSK_FAILURE_REPORTING", "partial");
    let metrics = ("LAMBDA_MSK_METRICS", "emf:lambda-msk");
    let topic = ("ORDERS_TOPIC", "orders");
    assert_eq!(
        args.env,
        [partial, metrics, topic].map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let settings = &args.settings;
    assert_eq!(settings.batch_size, Some(100));
    assert_eq!(settings.maximum_retry_attempts, Some(10_000));
    assert_eq!(settings.maximum_record_age_in_seconds, Some(-1));
    assert!(settings.bisect_batch_on_function_error && !settings.on_demand);
    assert_eq!(settings.pollers, Some(1));
    assert_eq!(settings.starting_position, Some(Start::TrimHorizon));
    assert_eq!(
        settings.function_response_types,
        Some(ResponseTypes::ReportBatchItemFailures)
    );
    assert_eq!(
        remarks,
        [
            "left out: ConsumerGroupId (it needs AWS::StackName): give --group or --parameter AWS::StackName=…",
            "left out: Stream (it needs !Ref ClusterArn, a parameter without a default): give --event-source-arn or --parameter ClusterArn=…",
            "left out: DestinationConfig.OnFailure.Destination (it needs !GetAtt GivenUpBucket.Arn): give --on-failure",
            "left out: LAMBDA_MSK_ON_FAILURE (it needs !Ref DeadLetterQueue): give --env LAMBDA_MSK_ON_FAILURE=…",
            "left out: LAMBDA_MSK_IDEMPOTENCY (it needs !Ref IdempotencyTable): give --env LAMBDA_MSK_IDEMPOTENCY=…",
            "left out: LAMBDA_MSK_NAMESPACE (it needs AWS::StackName): give --env LAMBDA_MSK_NAMESPACE=… or --parameter AWS::StackName=…",
        ]
    );
    let checked = settings.configuration("orders", args.group(), "b:9092");
    assert!(checked.is_ok());
}

#[test]
fn parameters_turn_the_projects_own_template() {
    let template = include_str!("../../../../template.yaml");
    let arn = "arn:aws:kafka:eu-west-1:123456789012:cluster/c/u";
    let cluster = format!("ClusterArn={arn}");
    let flags = [
        "--parameter",
        "PartialBatchResponses=off",
        "--parameter",
        "ConsumerGroup=desk",
        "--parameter",
        "FulfilmentUrl=http://127.0.0.1:1",
        "--parameter",
        &cluster,
        "--parameter",
        "AWS::StackName=stack",
    ];

    let (args, remarks) = completed(template, &flags).unwrap();

    assert_eq!(args.group(), "desk");
    assert_eq!(args.settings.event_source_arn.as_deref(), Some(arn));
    assert!(!partial(&args));
    let variables: Vec<String> = args
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        variables,
        [
            "LAMBDA_MSK_FAILURE_REPORTING=whole-batch",
            "LAMBDA_MSK_NAMESPACE=stack",
            "LAMBDA_MSK_METRICS=emf:lambda-msk",
            "ORDERS_TOPIC=orders",
            "FULFILMENT_URL=http://127.0.0.1:1"
        ]
    );
    assert_eq!(remarks.len(), 3, "{remarks:?}");
}

#[test]
fn without_provisioned_pollers_it_is_on_demand_and_without_a_timeout_three_seconds() {
    let (args, _) = completed(&function(""), &[]).unwrap();

    assert!(args.settings.on_demand);
    assert_eq!(args.settings.pollers, None);
    assert_eq!(args.timeout, Some(Duration::from_secs(3)));
}

#[test]
fn functions_of_the_long_form_and_json_are_the_same() {
    let json = r#"{"Parameters": {"Name": {"Type": "String", "Default": "a,b"}},
        "Conditions": {"Yes": {"Fn::Or": [{"Fn::Equals": ["x", "y"]}, {"Fn::Not": [{"Fn::Equals": ["x", "y"]}]}]}},
        "Mappings": {"Sizes": {"desk": {"batch": 3}}},
        "Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": 20,
            "Environment": {"Variables": {"JOINED": {"Fn::Join": ["-", {"Fn::Split": [",", {"Ref": "Name"}]}]},
                "SUB": {"Fn::Sub": ["${Name}/${Second}/${!Kept}", {"Second": {"Fn::Select": [1, {"Fn::Split": [",", {"Ref": "Name"}]}]}}]}}}}},
          "M": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Fn::GetAtt": ["F", "Arn"]},
            "SelfManagedEventSource": {"Endpoints": {"KafkaBootstrapServers": ["b:9092"]}}, "Topics": ["orders"],
            "SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": "group"},
            "BatchSize": {"Fn::FindInMap": ["Sizes", "desk", "batch"]}, "StartingPosition": "LATEST",
            "MaximumBatchingWindowInSeconds": {"Fn::If": ["Yes", 1, {"Ref": "AWS::NoValue"}]},
            "FilterCriteria": {"Filters": [{"Pattern": "{\"value\":{\"n\":[3]}}"}]}}}}}"#;

    let (args, remarks) = completed(json, &[]).unwrap();

    assert_eq!((&*args.topics[0], args.group()), ("orders", "group"));
    assert_eq!(args.timeout, Some(Duration::from_secs(20)));
    assert!(args.settings.self_managed);
    assert_eq!(args.settings.batch_size, Some(3));
    assert_eq!(args.settings.maximum_batching_window_in_seconds, Some(1));
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        args.env,
        [variable("JOINED", "a-b"), variable("SUB", "a,b/b/${Kept}")]
    );
    let checked = args.settings.configuration("orders", "group", "b:9092");
    let filter = checked
        .map_err(|fault| fault.text())
        .unwrap()
        .filter_criteria
        .unwrap();
    assert!(filter(Some(br#"{"n":3}"#)) && !filter(Some(br#"{"n":4}"#)));
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn the_functions_own_variables_count_more_than_the_globals_and_flags_most() {
    let template = "Globals: {Function: {Timeout: 40, Environment: {Variables: {A: global, B: global, C: global}}}}\n\
        Resources: {F: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {B: own, C: !GetAtt X.Arn}}, \
        Events: {E: {Type: SelfManagedKafka, Properties: {Topics: [orders]}}}}}}";

    let (args, remarks) = completed(template, &["--env", "A=flag"]).unwrap();

    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(args.env, [variable("B", "own"), variable("A", "flag")]);
    assert_eq!(args.timeout, Some(Duration::from_secs(40)));
    assert_eq!(
        remarks,
        ["left out: C (it needs !GetAtt X.Arn): give --env C=…"]
    );
}

#[test]
fn of_several_mappings_a_topic_or_a_function_chooses_and_else_all_are_listed() {
    let event = |topic: &str| {
        format!(
            "{{Type: AWS::Serverless::Function, Properties: {{Events: {{E: {{Type: MSK, Properties: {{Topics: [{topic}]}}}}}}}}}}"
        )
    };
    let template = format!(
        "Conditions: {{Never: !Equals [a, b]}}\nResources:\n  One: {}\n  Two: {}\n  \
         Queue: {{Type: AWS::Lambda::EventSourceMapping, Properties: {{EventSourceArn: q}}}}\n  \
         Not: {{Type: AWS::Lambda::EventSourceMapping, Condition: Never, Properties: {{Topics: [c]}}}}\n",
        event("a"),
        event("b")
    );
    let topics = |flags: &[&str]| completed(&template, flags).map(|(args, _)| args.topics);

    assert_eq!(topics(&["--topic", "b"]), Ok(vec!["b".to_owned()]));
    assert_eq!(
        topics(&["--function-name", "One"]),
        Ok(vec!["a".to_owned()])
    );
    for flags in [&[][..], &["--topic", "a", "--topic", "b"]] {
        let fault = topics(flags).unwrap_err();
        assert!(
            fault.contains("One.E reads a\n  Two.E reads b\n"),
            "{fault}"
        );
        assert!(fault.contains("--function-name"), "{fault}");
    }
    assert!(
        topics(&["--topic", "z"])
            .unwrap_err()
            .contains("expected a mapping in t.yaml that reads z")
    );
    assert!(
        topics(&["--function-name", "Queue"])
            .unwrap_err()
            .contains("expected a function Queue")
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (properties, what, place) in [
        (
            "BatchSize: many",
            "expected a whole number in BatchSize, found \"many\"",
            "t.yaml, line 18: Resources.Orders.Properties.Events.Records.Properties.BatchSize",
        ),
        (
            "StartingPosition: FIRST",
            "expected TRIM_HORIZON, LATEST or AT_TIMESTAMP",
            "Properties.StartingPosition",
        ),
        (
            "BatchSize: !If [Missing, 1, 2]",
            "no condition Missing",
            "t.yaml, line 18",
        ),
        (
            "BatchSize: !If [Round, 1, 2]",
            "the condition Round depends on itself",
            "Properties.BatchSize",
        ),
        (
            "Stream: nonsense",
            "expected the ARN of an MSK cluster",
            "t.yaml, line 18",
        ),
        (
            "FunctionResponseTypes: [Other]",
            "in FunctionResponseTypes, found [\"Other\"]",
            "t.yaml, line 18",
        ),
        (
            "BatchSize: !FindInMap [Loop, a, b]",
            "expected a plain value Loop.a.b",
            "Properties.BatchSize",
        ),
        (
            "Topics: [other]",
            "expected the key Topics once, found it twice",
            "t.yaml, line 18",
        ),
        ("BatchSize: [", "expected YAML", "t.yaml, line"),
        (
            "A: &a [*a]",
            "an alias is inside its own anchor",
            "t.yaml, line 18",
        ),
    ] {
        let fault = completed(&function(properties), &[]).unwrap_err();

        assert!(fault.contains(what) && fault.contains(place), "{fault}");
        assert!(fault.contains("help"), "{fault}");
    }
}

#[test]
fn conditions_choose_and_parameters_turn_them() {
    let template = function("BatchSize: !If [Both, 1, 2]");
    let size = |flags: &[&str]| completed(&template, flags).unwrap().0.settings.batch_size;

    assert_eq!(size(&[]), Some(1));
    assert_eq!(size(&["--parameter", "Size=6"]), Some(2));
}

#[test]
fn a_parameter_that_the_template_does_not_have_or_allow_is_refused() {
    let template = include_str!("../../../../template.yaml");
    let fault = |parameter| completed(template, &["--parameter", parameter]).unwrap_err();

    assert!(fault("Topik=a").contains("expected a parameter of t.yaml, found Topik"));
    assert!(fault("StartingPosition=FIRST").contains("give one of TRIM_HORIZON, LATEST"));
}

#[test]
fn a_topic_that_only_a_stack_knows_has_to_be_given() {
    let template = function("").replace("[orders]", "[!Ref Cluster]");

    let fault = completed(&template, &[]).unwrap_err();

    assert!(
        fault.contains("cannot tell the topic of Orders.Records"),
        "{fault}"
    );
    assert!(
        fault.contains("give --topic TOPIC, or --parameter Cluster=…"),
        "{fault}"
    );
    assert!(completed(&template, &["--topic", "a"]).is_ok());
}

#[test]
fn what_needs_provisioned_mode_is_refused_as_lambda_would() {
    let (args, _) = completed(&function("MaximumRetryAttempts: 3"), &[]).unwrap();

    let checked = args.settings.configuration("orders", "desk", "b:9092");

    let fault = checked.unwrap_err().text();
    assert!(
        fault.contains("MaximumRetryAttempts needs provisioned mode\n"),
        "{fault}"
    );
    assert!(
        fault
            .contains("give --pollers N, or add ProvisionedPollerConfig to the template's mapping"),
        "{fault}"
    );
}

#[test]
fn a_file_that_is_away_or_too_large_is_refused() {
    let path = std::env::temp_dir().join(format!("cargo-msk-{}.template", std::process::id()));
    let fault = |path: &std::path::Path| super::read(path).unwrap_err().text();

    assert!(fault(&path).contains("cannot read"));
    std::fs::write(&path, "#".repeat(1_000_001)).unwrap();
    let large = fault(&path);
    std::fs::remove_file(&path).unwrap();
    assert!(large.contains("at most 1000000 bytes"), "{large}");
}

#[test]
fn a_destination_in_aws_is_left_out_and_a_topic_of_the_cluster_is_taken() {
    let to = |destination: &str| {
        let template = function(&format!(
            "DestinationConfig: {{OnFailure: {{Destination: \"{destination}\"}}}}"
        ));
        let (args, remarks) = completed(&template, &[]).unwrap();
        (args.settings.on_failure, remarks)
    };

    assert_eq!(
        to("kafka://dead"),
        (Some("kafka://dead".to_owned()), vec![])
    );
    let (destination, remarks) = to("arn:aws:s3:::bucket");
    assert_eq!(destination, None);
    assert!(remarks[0].contains("--on-failure file:PATH"), "{remarks:?}");
}

#[test]
fn aliases_that_repeat_without_end_and_nesting_without_end_are_refused() {
    let mut laughs = "A0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}", level - 1);
        laughs += &format!("A{level}: &a{level} [{}]\n", [&*alias; 10].join(", "));
    }

    assert!(
        completed(&laughs, &[])
            .unwrap_err()
            .contains("repeat too much")
    );
    let nested = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    assert!(
        completed(&nested, &[])
            .unwrap_err()
            .contains("nested too deeply")
    );
}

#[test]
fn a_refused_setting_is_named_by_the_templates_line_or_the_flag_that_was_typed() {
    let refused = |flags: &[&str]| {
        let text = function(
            "BatchSize: 0\nMaximumRetryAttempts: -2\nProvisionedPollerConfig: {MinimumPollers: 1}",
        );
        let (args, _) = completed(&text, flags).unwrap();
        let configuration = args.settings.configuration("orders", "desk", "b:9");
        configuration.unwrap_err().text()
    };

    let by_template = refused(&[]);
    let by_flag = refused(&["--batch-size", "20000"]);

    assert!(
        by_template.contains("t.yaml, line 18: BatchSize is 0"),
        "{by_template}"
    );
    assert!(
        by_template.contains("t.yaml, line 19: MaximumRetryAttempts is -2"),
        "{by_template}"
    );
    assert!(
        by_flag.contains("--batch-size: BatchSize is 20000"),
        "{by_flag}"
    );
}
