//! What `cargo msk dev` refuses before anything is run: exit code 2, and what to do.

use msk_mapping::driver::EmbeddedBroker;

use crate::support::{command, msk, stderr, stdout};

/// What is said of a run that is refused.
fn refused(args: &[&str], input: &str) -> String {
    let args = [&["dev", "--function", "true", "--once"], args].concat();

    let output = msk(&args, input);

    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    stderr(&output)
}

#[test]
fn a_secret_that_stands_on_the_command_line_is_refused_and_not_shown() {
    for setting in ["sasl.password=hunter2", "ssl.key.pem=hunter2"] {
        let text = refused(&["--topic", "orders", "--set", setting], "");

        assert!(text.contains("=@env:NAME"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_setting_that_librdkafka_does_not_know_is_named_with_where_they_stand() {
    let orders = ["--topic", "orders", "--produce", "-"];

    let text = refused(&[&orders[..], &["--set", "nonsense=1"]].concat(), "1\n");

    assert!(text.contains("nonsense"), "{text}");
    assert!(text.contains("help: check --set"), "{text}");
}

#[test]
fn a_setting_that_would_have_no_effect_is_refused_with_the_flag_that_has() {
    let cases = [
        ("group.id=local", "--group"),
        ("bootstrap.servers=b:9092", "--bootstrap"),
        ("metadata.broker.list=b:9092", "--bootstrap"),
        ("auto.offset.reset=latest", "--starting-position"),
        ("enable.auto.commit=true", "leave this --set out"),
    ];
    for (setting, flag) in cases {
        let text = refused(&["--topic", "orders", "--set", setting], "");

        let (name, _) = setting.split_once('=').unwrap();
        assert!(text.contains(&format!("`{name}`")), "{text}");
        assert!(text.contains(flag), "{text}");
    }
}

#[test]
fn the_address_of_the_runtime_api_is_not_taken_from_outside() {
    let variable = "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001";

    let text = refused(&["--topic", "orders", "--env", variable], "");

    assert!(
        text.contains("AWS_LAMBDA_RUNTIME_API is set by this command"),
        "{text}"
    );
}

/// Sixty lines.
fn six_megabytes() -> String {
    format!("\"{}\"\n", "x".repeat(100_000)).repeat(60)
}

#[test]
fn records_that_the_broker_in_the_process_has_no_room_for_are_refused_before_a_run() {
    let big = six_megabytes();

    let text = refused(
        &["--topic", "orders", "--produce", "-", "--partitions", "1"],
        &big,
    );

    assert!(text.contains("holds 5 MB a partition"), "{text}");
    assert!(text.contains("orders-0 has lost its first "), "{text}");
    assert!(
        text.contains("--partitions N") && text.contains("--bootstrap"),
        "{text}"
    );
}

#[test]
fn more_partitions_have_room_for_more_lines() {
    let command = command();
    let args = ["dev", "--topic", "orders", "--produce", "-", "--once"];
    let function = ["--function", &command, "--env", "BEHAVIOUR=done"];

    let output = msk(&[&args[..], &function].concat(), &six_megabytes());

    let text = stdout(&output);
    assert!(text.contains("60 records polled"), "{text}");
    for partition in ["orders-0", "orders-1", "orders-2"] {
        assert!(text.contains(&format!("{partition}@0..")), "{text}");
    }
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_destination_that_is_not_there_is_refused_before_a_record_is_given_up() {
    let broker = EmbeddedBroker::start([("orders", 1)]).unwrap();
    let bootstrap = broker.cluster().bootstrap().to_owned();

    for (destination, why) in [
        ("kafka://missing", "no topic `missing`"),
        ("file:/nonexistent/folder/x", "No such file or directory"),
    ] {
        let text = refused(
            &[
                "--topic",
                "orders",
                "--bootstrap",
                &bootstrap,
                "--on-failure",
                destination,
            ],
            "",
        );

        assert!(text.contains(destination) && text.contains(why), "{text}");
        assert!(text.contains("check --on-failure"), "{text}");
    }
}

#[test]
fn a_file_for_what_is_given_up_is_not_left_where_nothing_is() {
    let path = crate::file("nothing-given-up.ndjson");
    let to = format!("file:{}", path.display());

    let output = crate::dev("done", &["--on-failure", &to]);

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!path.exists());
}

#[test]
fn a_record_that_the_client_does_not_send_names_the_setting_that_lets_it_out() {
    let large = format!("\"{}\"\n", "x".repeat(1_100_000));

    let text = refused(&["--topic", "orders", "--produce", "-"], &large);

    assert!(text.contains("--set message.max.bytes=…"), "{text}");
    assert!(!text.contains("create the topic"), "{text}");
}

#[test]
fn the_largest_record_that_is_read_has_room_in_a_topic_for_what_is_given_up() {
    let command = command();
    let args = [
        &["dev", "--topic", "orders", "--produce", "-", "--once"][..],
        &[
            "--maximum-retry-attempts",
            "0",
            "--on-failure",
            "kafka://dead",
        ],
        &["--function", &command, "--env", "BEHAVIOUR=error"],
    ];
    let large = format!("\"{}\"\n", "x".repeat(950_000));

    let output = msk(&args.concat(), &large);

    let text = stdout(&output);
    assert!(text.contains("1 given up, at the destination"), "{text}");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
fn what_no_broker_could_have_is_refused_without_asking_one() {
    for (args, said) in [
        (&[][..], "--template FILE"),
        (&["--topic", "orders", "--topic", "orders"], "twice"),
        (&["--topic", "bad topic"], "expected the name of a topic"),
        (
            &["--topic", "orders", "--on-failure", "kafka://bad topic"],
            "expected the name of a topic",
        ),
        (
            &["--topic", "orders", "--bootstrap", "http://b:9092"],
            "expected HOST:PORT",
        ),
        (
            &["--topic", "orders", "--event-source-arn", "nonsense"],
            "expected arn:aws:kafka:",
        ),
    ] {
        let text = refused(args, "");

        assert!(text.contains(said), "{text}");
    }
}

#[test]
#[cfg(feature = "aws")]
fn a_queue_that_is_not_reached_is_refused_before_a_record_is_given_up() {
    let env = [
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "any"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
    ];
    for queue in [
        "arn:aws:sqs:eu-west-1:123456789012:q",
        "http://127.0.0.1:9/000000000000/q",
    ] {
        let args = [
            &["dev", "--function", "true", "--once", "--topic", "orders"][..],
            &["--on-failure", queue],
        ];

        let run = crate::support::start_with(&env, &args.concat(), "");

        let output = run.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = stderr(&output);
        let refused = "the destination sqs:q does not accept records";
        assert!(text.contains(refused), "{text}");
    }
}
