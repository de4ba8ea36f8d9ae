//! `SchemaRegistryConfig` of a template: taken, overridden, left out, misspelled.

use msk_mapping::machine::{EventRecordFormat, ValidatedAttribute};

use super::{completed, function};

const PROVISIONED: &str = "ProvisionedPollerConfig: {MinimumPollers: 1}";

/// An event with this registry.
fn with(registry: &str) -> String {
    function(&format!("{PROVISIONED}\nSchemaRegistryConfig: {registry}"))
}

const REGISTRY: &str = "{SchemaRegistryURI: 'https://registry.example', EventRecordFormat: JSON, \
    SchemaValidationConfigs: [{Attribute: KEY}, {Attribute: VALUE}]}";

/// A resource's, which has it inside the configuration of its kind of cluster.
#[cfg(feature = "schemas")]
fn resource(kind: &str) -> String {
    format!(
        "Resources: {{M: {{Type: AWS::Lambda::EventSourceMapping, Properties: {{Topics: [orders], FunctionName: f, {PROVISIONED}, {kind}: {{SchemaRegistryConfig: {REGISTRY}}}}}}}}}"
    )
}

#[cfg(feature = "schemas")]
#[test]
fn it_is_read_of_an_event_and_of_a_resource() {
    for template in [
        with(REGISTRY),
        resource("AmazonManagedKafkaEventSourceConfig"),
        resource("SelfManagedKafkaEventSourceConfig"),
    ] {
        let (args, remarks) = completed(&template, &[]).unwrap();

        let config = args.settings.schemas.config().unwrap().unwrap();
        assert_eq!(config.uri, "https://registry.example");
        assert_eq!(config.event_record_format, Some(EventRecordFormat::Json));
        assert_eq!(
            config.validated,
            [ValidatedAttribute::Key, ValidatedAttribute::Value]
        );
        assert!(
            !remarks.iter().any(|remark| remark.contains("Schema")),
            "{remarks:?}"
        );
    }
}

#[test]
fn a_flags_registry_takes_the_place_of_the_templates_and_the_rest_stands() {
    let own = ["--schema-registry-uri", "http://localhost:8081"];
    let format = [
        "--event-record-format",
        "SOURCE",
        "--schema-validation",
        "KEY",
    ];

    let (uri, remarks) = completed(&with(REGISTRY), &own).unwrap();
    let (all, _) = completed(&with(REGISTRY), &[&own[..], &format].concat()).unwrap();

    let shown_by = uri.settings.schemas.named().unwrap().unwrap();
    assert_eq!(shown_by.uri, "http://localhost:8081");
    let uri = uri.settings.schemas.config().unwrap().unwrap();
    assert_eq!(uri.uri, "http://localhost:8081");
    assert_eq!(uri.event_record_format, Some(EventRecordFormat::Json));
    assert_eq!(uri.validated.len(), 2);
    let all = all.settings.schemas.config().unwrap().unwrap();
    assert_eq!(all.event_record_format, Some(EventRecordFormat::Source));
    assert_eq!(all.validated, [ValidatedAttribute::Key]);
    assert!(
        remarks.iter().all(|remark| !remark.contains("Schema")),
        "{remarks:?}"
    );
}

#[test]
fn none_turns_the_templates_off() {
    let (args, remarks) = completed(&with(REGISTRY), &["--schema-registry-uri", "none"]).unwrap();

    assert_eq!(args.settings.schemas.config().unwrap(), None);
    assert!(args.settings.schemas.named().unwrap().is_none());
    assert!(
        remarks.iter().all(|remark| !remark.contains("Schema")),
        "{remarks:?}"
    );
}

#[cfg(feature = "schemas")]
#[test]
fn what_only_a_stack_has_is_left_out_with_the_flag_that_gives_it() {
    let secrets = REGISTRY.replace(
        "}]}",
        "}], AccessConfigs: [{Type: BASIC_AUTH, URI: 'arn:s'}, {Type: SERVER_ROOT_CA_CERTIFICATE, URI: 'arn:c'}, {Type: CLIENT_CERTIFICATE_TLS_AUTH, URI: 'arn:t'}]}",
    );
    let glue = "{SchemaRegistryURI: !GetAtt Registry.Arn, EventRecordFormat: JSON}";
    let said = |template: &str, flags: &[&str]| {
        let (args, remarks) = completed(template, flags).unwrap();
        assert!(args.settings.schemas.config().is_ok());
        let of_it = remarks
            .into_iter()
            .filter(|remark| remark.contains("Schema"));
        of_it.collect::<Vec<_>>()
    };

    let of_secrets = said(&with(&secrets), &[]);
    let given = said(&with(&secrets), &["--schema-registry-auth", "@env:AUTH"]);
    let of_glue = said(&with(glue), &["--schema-validation", "KEY"]);

    assert_eq!(
        of_secrets,
        [
            "left out: SchemaRegistryConfig.AccessConfigs BASIC_AUTH (a secret of the account): give --schema-registry-auth @env:NAME or @file:PATH, with USER:PASSWORD in it",
            "left out: SchemaRegistryConfig.AccessConfigs SERVER_ROOT_CA_CERTIFICATE (a secret of the account): a registry's certificate is checked by the authorities of this machine",
            "left out: SchemaRegistryConfig.AccessConfigs CLIENT_CERTIFICATE_TLS_AUTH (a secret of the account): cargo msk dev shows a registry no certificate of its own",
        ]
    );
    assert_eq!(given.len(), 2, "{given:?}");
    assert_eq!(
        of_glue,
        [
            "left out: SchemaRegistryConfig.SchemaRegistryURI (it needs !GetAtt Registry.Arn): give --schema-registry-uri"
        ]
    );
}

#[cfg(feature = "schemas")]
#[test]
fn what_is_wrong_in_it_is_named_with_its_place() {
    let refused = |registry: &str| {
        let (args, _) = completed(&with(registry), &[])?;
        let made = args.settings.configuration("orders", "g", "b:9092");
        made.map(drop).map_err(|fault| fault.text())
    };

    let format = refused("{SchemaRegistryURI: 'https://r', EventRecordFormat: AVRO}").unwrap_err();
    let attribute =
        refused("{SchemaRegistryURI: 'https://r', SchemaValidationConfigs: [{Attribute: HEADER}]}")
            .unwrap_err();
    let missing = refused("{SchemaRegistryURI: 'https://r', EventRecordFormat: JSON}").unwrap_err();
    let on_demand = function(&format!("SchemaRegistryConfig: {REGISTRY}"));
    let (args, _) = completed(&on_demand, &[]).unwrap();
    let on_demand = args.settings.configuration("orders", "g", "b:9092");
    let on_demand = on_demand.unwrap_err().text();

    assert!(
        format.contains("expected JSON or SOURCE in SchemaRegistryConfig.EventRecordFormat"),
        "{format}"
    );
    assert!(
        attribute.contains("expected a list of {Attribute: KEY} and {Attribute: VALUE}"),
        "{attribute}"
    );
    assert!(attribute.contains("t.yaml, line"), "{attribute}");
    assert!(
        missing.contains("SchemaValidationConfigs is empty"),
        "{missing}"
    );
    assert!(
        on_demand.contains("t.yaml, line 18: SchemaRegistryConfig needs provisioned mode"),
        "{on_demand}"
    );
}

#[test]
fn a_misspelled_property_of_it_is_named_with_the_one_that_was_meant() {
    let template = with("{SchemaRegistryUri: 'https://r', EventRecordFormats: JSON, Colour: red}");

    let (_, remarks) = completed(&template, &[]).unwrap();

    let said = |text: &str| remarks.iter().any(|remark| remark.contains(text));
    assert!(
        said(
            "SchemaRegistryUri is not a property of SchemaRegistryConfig, and has no effect on AWS; did you mean SchemaRegistryURI?"
        ),
        "{remarks:?}"
    );
    assert!(said("did you mean EventRecordFormat?"), "{remarks:?}");
    assert!(
        said("Colour is not a property of SchemaRegistryConfig"),
        "{remarks:?}"
    );
}

#[cfg(not(feature = "schemas"))]
#[test]
fn a_build_without_registries_leaves_it_out() {
    let (args, remarks) = completed(&with(REGISTRY), &[]).unwrap();

    assert_eq!(args.settings.schemas.config().unwrap(), None);
    assert!(args.settings.schemas.named().unwrap().is_none());
    let said = "left out: SchemaRegistryConfig (this build of cargo msk lacks the feature schemas): records come as they are in the topic";
    assert!(remarks.iter().any(|remark| remark == said), "{remarks:?}");
}
