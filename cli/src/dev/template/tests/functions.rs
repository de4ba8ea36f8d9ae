//! Which function a mapping's `FunctionName` leads to.

use std::time::Duration;

use super::completed;

/// A function, an alias of its version, and a mapping of what `name` says.
fn named(name: &str) -> String {
    format!(
        "Parameters: {{Stage: {{Type: String, Default: test}}, Given: {{Type: String}}}}\nResources:\n  \
         Other: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: other, Timeout: 7}}}}\n  \
         Consumer:\n    Type: AWS::Serverless::Function\n    Metadata: {{BuildProperties: {{Binary: consumer}}}}\n    \
         Properties: {{FunctionName: !Sub \"${{AWS::StackName}}-${{Stage}}\", AutoPublishAlias: live, Timeout: 60, \
         Environment: {{Variables: {{A: own}}}}}}\n  \
         First: {{Type: AWS::Lambda::Version, Properties: {{FunctionName: !Ref Consumer}}}}\n  \
         Live: {{Type: AWS::Lambda::Alias, Properties: {{FunctionName: !GetAtt First.FunctionArn, Name: live}}}}\n  \
         Round: {{Type: AWS::Lambda::Alias, Properties: {{FunctionName: !Ref Round, Name: live}}}}\n  \
         Mapping:\n    Type: AWS::Lambda::EventSourceMapping\n    Properties:\n      Topics: [orders]\n      \
         StartingPosition: LATEST\n      FunctionName: {name}\n"
    )
}

#[test]
fn an_alias_a_version_an_arn_or_a_name_leads_to_the_functions_settings() {
    for name in [
        "!Ref Consumer",
        "!GetAtt Consumer.Arn",
        "{Fn::GetAtt: [Consumer, Arn]}",
        "!Ref First",
        "!Ref Live",
        "!Ref Consumer.Alias",
        "!Ref ConsumerAliaslive",
        "!GetAtt Live.AliasArn",
        "!Sub \"${Live}\"",
        "!Sub \"${Consumer.Arn}:live\"",
        "!Join [\":\", [!GetAtt Consumer.Arn, live]]",
        "!Join [\"\", [\"arn:aws:lambda:\", !Ref AWS::Region, \":\", !Ref AWS::AccountId, \":function:\", !Ref Consumer, \":live\"]]",
        "!Sub \"arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Consumer}:live\"",
        "!Sub \"arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}-test\"",
        "!Sub [\"${Name}:live\", {Name: !Ref Consumer}]",
        "!If [Always, !Ref Live, !Ref Other]",
    ] {
        let template = format!("Conditions: {{Always: !Equals [a, a]}}\n{}", named(name));

        let (args, remarks) = completed(&template, &[]).unwrap();

        assert_eq!(args.timeout, Some(Duration::from_secs(60)), "{name}");
        assert_eq!(args.env, [("A".to_owned(), "own".to_owned())], "{name}");
        assert_eq!(args.bin.as_deref(), Some("consumer"), "{name}");
        assert!(remarks.is_empty(), "{name}: {remarks:?}");
    }
    for name in [
        "other",
        "other:live",
        "123456789012:function:other",
        "arn:aws:lambda:eu-west-1:123456789012:function:other:7",
    ] {
        let (args, _) = completed(&named(name), &[]).unwrap();

        assert_eq!(args.timeout, Some(Duration::from_secs(7)), "{name}");
    }
}

#[test]
fn a_function_that_is_not_in_the_template_is_one_remark_with_the_flags() {
    for (name, written) in [
        ("!ImportValue consumer-arn", "!ImportValue consumer-arn"),
        ("!Ref Given", "!Ref Given"),
        ("!GetAtt Nested.Outputs.Arn", "!GetAtt Nested.Outputs.Arn"),
        ("!Ref Round", "!Ref Round"),
        ("elsewhere", "elsewhere"),
    ] {
        let (args, remarks) = completed(&named(name), &[]).unwrap();

        assert_eq!((args.timeout, args.env.len()), (None, 0), "{name}");
        assert_eq!(
            remarks,
            [format!(
                "left out: the function's time-out, environment, binary (FunctionName is {written}, which is not a \
                 function of this template): give --timeout, --env, --bin"
            )]
        );
    }
    let (_, remarks) = completed(
        &named("!ImportValue x"),
        &["--timeout", "9s", "--bin", "consumer"],
    )
    .unwrap();
    assert!(remarks[0].ends_with("give --env"), "{remarks:?}");
}

#[test]
fn a_template_of_the_cdk_with_an_alias_of_a_version_is_followed() {
    let template = r#"{"Resources": {
        "Handler886CB40B": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "bootstrap", "Timeout": 60,
            "Environment": {"Variables": {"LAMBDA_MSK_FAILURE_REPORTING": "partial"}}}},
        "HandlerCurrentVersion7F": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Handler886CB40B"}}},
        "Live0A1B": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Handler886CB40B"},
            "FunctionVersion": {"Fn::GetAtt": ["HandlerCurrentVersion7F", "Version"]}, "Name": "live"}},
        "Source": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Live0A1B"}, "Topics": ["orders"],
            "EventSourceArn": "arn:aws:kafka:eu-west-1:123456789012:cluster/c/u", "StartingPosition": "TRIM_HORIZON"}}}}"#;

    let (args, remarks) = completed(template, &["--function-name", "Handler886CB40B"]).unwrap();

    assert_eq!(args.timeout, Some(Duration::from_secs(60)));
    assert_eq!(args.env[0].1, "partial");
    assert!(remarks.is_empty(), "{remarks:?}");
}
