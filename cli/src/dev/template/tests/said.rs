//! Properties of a template without effect in a local run, or anywhere: each is reported.

use std::time::Duration;

use super::{completed, function};

/// The remarks of a function with one event, whose properties are these lines.
fn remarks(properties: &str) -> Vec<String> {
    completed(&function(properties), &[]).unwrap().1
}

#[test]
fn what_a_stack_looks_up_is_left_out_wherever_it_stands() {
    let template = "Parameters: {Dynamic: {Type: String, Default: '{{resolve:ssm:/a}}'}}\n\
        Resources: {F: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {\
        SECRET: '{{resolve:secretsmanager:prod/app:SecretString:token}}', URL: !Sub 'https://{{resolve:ssm:/prod/host}}/orders', \
        JOINED: !Join ['', ['{{resolve:', 'ssm:/b}}']], PARAMETER: !Ref Dynamic, BRACES: '{{mustache}}', PLAIN: a}}, \
        Events: {E: {Type: MSK, Properties: {Topics: [orders], BatchSize: '{{resolve:ssm:/size}}'}}}}}}";

    let (args, remarks) = completed(template, &[]).unwrap();

    let names: Vec<&str> = args.env.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["BRACES", "PLAIN"]);
    assert_eq!(args.settings.batch_size, None);
    assert_eq!(remarks.len(), 5, "{remarks:?}");
    assert_eq!(
        remarks[1],
        "left out: SECRET (it needs {{resolve:secretsmanager:prod/app:SecretString:token}}, which only a stack resolves): give --env SECRET=…"
    );
    let topic = function("").replace("[orders]", "['{{resolve:ssm:/topic}}']");
    let fault = completed(&topic, &[]).unwrap_err();
    assert!(fault.contains("needs {{resolve:ssm:/topic}}"), "{fault}");
}

#[test]
fn language_extensions_are_said_not_to_be_expanded() {
    let looped = "Resources:\n  Fn::ForEach::Consumers:\n    - Name\n    - [orders, refunds]\n    - Consumer${Name}: \
        {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: MSK, Properties: {Topics: [!Ref Name]}}}}}\n";

    let alone = completed(looped, &[]).unwrap_err();
    let beside = format!(
        "{looped}  Own: {{Type: AWS::Serverless::Function, Properties: {{Events: {{E: {{Type: MSK, Properties: {{Topics: [own]}}}}}}}}}}\n"
    );
    let (args, remarks) = completed(&beside, &[]).unwrap();

    let said = "not expanded: Fn::ForEach::Consumers (t.yaml, line";
    assert!(
        alone.contains("expected a mapping of a topic") && alone.contains(said),
        "{alone}"
    );
    assert_eq!(args.topics, ["own"]);
    assert!(
        remarks[0].starts_with(said) && remarks[0].contains("--template-stage Processed"),
        "{remarks:?}"
    );
}

#[test]
fn extensions_inside_an_environment_are_left_out_and_the_rest_of_it_stands() {
    let template = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {\
        A: plain, Fn::ForEach::Names: [N, [B, C], {'${N}': x}], D: {Fn::ToJsonString: {a: 1}}}}, \
        Events: {E: {Type: MSK, Properties: {Topics: [orders]}}}}}}";

    let (args, remarks) = completed(template, &[]).unwrap();

    assert_eq!(args.env, [("A".to_owned(), "plain".to_owned())]);
    assert_eq!(remarks.len(), 2, "{remarks:?}");
    assert!(remarks[0].contains("not expanded: Fn::ForEach::Names"));
    assert!(remarks[1].contains(
        "D (it needs Fn::ToJsonString of AWS::LanguageExtensions, which is not expanded here)"
    ));
}

#[test]
fn a_property_that_nothing_reads_is_named_with_the_one_that_was_meant() {
    for (property, said) in [
        (
            "FunctionResponseType: [ReportBatchItemFailures]",
            "FunctionResponseType is not a property of an event of the type MSK, and has no effect on AWS; did you mean FunctionResponseTypes? (t.yaml, line 18)",
        ),
        ("MaximumRetries: 1", "did you mean MaximumRetryAttempts?"),
        ("Batchsize: 5", "did you mean BatchSize?"),
        ("DestinationArn: a", "did you mean DestinationConfig?"),
        (
            "Colour: red",
            "Colour is not a property of an event of the type MSK, and has no effect on AWS (t.yaml, line 18)",
        ),
        (
            "ProvisionedPollerConfig: {MinPollers: 2}",
            "MinPollers is not a property of ProvisionedPollerConfig",
        ),
        (
            "DestinationConfig: {OnFail: {Destination: a}}",
            "did you mean OnFailure?",
        ),
        (
            "TumblingWindowInSeconds: 5",
            "TumblingWindowInSeconds has no effect",
        ),
        (
            "ParallelizationFactor: 5",
            "ParallelizationFactor has no effect",
        ),
        (
            "Enabled: false",
            "Enabled is false: on Lambda this mapping reads nothing",
        ),
        ("Enabled: !If [Small, false, true]", "Enabled is false"),
    ] {
        let remarks = remarks(property);

        assert!(
            remarks.len() == 1 && remarks[0].contains(said),
            "{property}: {remarks:?}"
        );
    }
    for right in [
        "Enabled: true",
        "Enabled: !Ref Cluster",
        "KmsKeyArn: a",
        "SourceAccessConfigurations: !Ref AWS::NoValue",
    ] {
        let remarks = remarks(right);
        assert!(
            !remarks
                .iter()
                .any(|remark| remark.contains("not a property") || remark.contains("Enabled")),
            "{right}: {remarks:?}"
        );
    }
}

#[test]
fn a_functions_own_misspelled_properties_are_named_too() {
    let template = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {TimeOut: 60, Enviroment: {}, MemorySize: 128, \
        Environment: {Variabels: {A: b}}, Events: {E: {Type: MSK, Properties: {Topics: [orders]}}}}}}";

    let (_, remarks) = completed(template, &[]).unwrap();

    for (remark, meant) in remarks.iter().zip(["Timeout", "Environment", "Variables"]) {
        assert!(
            remark.contains(&format!("did you mean {meant}?")),
            "{remark}"
        );
    }
    assert_eq!(remarks.len(), 3, "{remarks:?}");
}

#[test]
fn a_time_out_is_held_against_what_lambda_takes_for_the_kind_of_function() {
    let of = |properties: &str| {
        let template = format!(
            "Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{{properties}, Events: {{E: {{Type: MSK, Properties: {{Topics: [orders]}}}}}}}}}}}}"
        );
        completed(&template, &[]).map(|(args, _)| args.timeout)
    };

    assert_eq!(of("Timeout: 900"), Ok(Some(Duration::from_secs(900))));
    let refused = of("Timeout: 1801").unwrap_err();
    assert!(
        refused.contains("expected 1 to 1800 seconds, as on Lambda without"),
        "{refused}"
    );
    let managed = |timeout| of(&format!("CapacityProviderConfig: {{}}, Timeout: {timeout}"));
    assert_eq!(managed(5_400), Ok(Some(Duration::from_secs(5_400))));
    assert!(managed(5_401).is_err());
}

#[test]
fn a_variables_text_stays_as_written_and_a_parameter_of_ssm_is_left_out() {
    let template = "Parameters: {Table: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /prod/table}}\n\
        Resources: {F: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {\
        TABLE: !Ref Table, LITERAL: !Sub '${!keep}', BIG: 12345678901234567890, OCTAL: 010, YES: yes, FLOAT: 1.10, DATE: 2026-01-01}}, \
        Events: {E: {Type: MSK, Properties: {Topics: [orders]}}}}}}";

    let (args, remarks) = completed(template, &[]).unwrap();

    let values: Vec<&str> = args.env.iter().map(|(_, value)| &**value).collect();
    assert_eq!(
        values,
        [
            "${keep}",
            "12345678901234567890",
            "010",
            "yes",
            "1.10",
            "2026-01-01"
        ]
    );
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(
        remarks[0].contains("TABLE") && remarks[0].contains("--parameter Table=…"),
        "{remarks:?}"
    );
}
