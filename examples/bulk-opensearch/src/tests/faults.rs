//! What the environment may say, and what not.

use std::ffi::OsString;
use std::process::Command;

use super::super::consumer_with;

const COMPLETE: [(&str, &str); 4] = [
    ("OPENSEARCH_URL", "https://search.example.com"),
    ("AWS_ACCESS_KEY_ID", "AKID"),
    ("AWS_SECRET_ACCESS_KEY", "s3cret"),
    ("AWS_REGION", "eu-central-1"),
];

/// What is said of a complete environment with these changes.
fn said(changes: &[(&str, &str)]) -> Option<String> {
    let variable = |name: &str| {
        let mut all = changes.iter().chain(&COMPLETE);
        let (_, value) = all.find(|(known, _)| *known == name)?;
        Some(OsString::from(value))
    };
    let error = consumer_with(variable).build().err()?;
    let text = format!("{error} {error:?}");
    assert!(!text.contains("s3cret"), "{text}");
    Some(text)
}

#[test]
fn a_complete_environment_has_no_fault() {
    for more in [
        &[][..],
        &[("OPENSEARCH_SERVICE", "es")],
        &[("OPENSEARCH_SERVICE", "aoss"), ("AWS_SESSION_TOKEN", "t")],
        &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-1")],
        &[
            ("OPENSEARCH_SERVICE", "none"),
            ("AWS_ACCESS_KEY_ID", ""),
            ("OPENSEARCH_URL", "http://u:s3cret@127.0.0.1:9200/path"),
        ],
        &[
            ("OPENSEARCH_INDEX", ".orders_2026-1"),
            ("BULK_RECORDS", "10000"),
            ("BULK_BYTES", "1"),
        ],
    ] {
        assert_eq!(said(more), None, "{more:?}");
    }
}

#[test]
fn a_fault_names_its_variable_and_shows_no_password() {
    for (name, value, expected) in [
        ("OPENSEARCH_URL", "", "found nothing"),
        ("OPENSEARCH_URL", "user:s3cret@host", "found another scheme"),
        ("OPENSEARCH_URL", "//user:s3cret@host", "found no URL"),
        ("OPENSEARCH_URL", "http://user:s3cret#@host", "found"),
        ("OPENSEARCH_URL", "https://host/?key=s3cret", "%3F"),
        (
            "OPENSEARCH_URL",
            "https://user:s3cret@host",
            "OPENSEARCH_SERVICE=none",
        ),
        (
            "OPENSEARCH_URL",
            "https://user@host",
            "OPENSEARCH_SERVICE=none",
        ),
        ("OPENSEARCH_INDEX", "Orders", "small letters"),
        ("OPENSEARCH_INDEX", "_bulk", "small letters"),
        ("OPENSEARCH_INDEX", "a/b", "small letters"),
        ("OPENSEARCH_INDEX", "..", "small letters"),
        ("OPENSEARCH_INDEX", &"a".repeat(256), "255 bytes"),
        (
            "OPENSEARCH_INDEX",
            "https://ann:s3cret@host/orders",
            "found another text",
        ),
        ("OPENSEARCH_SERVICE", "ec2", "`aoss`"),
        ("OPENSEARCH_SERVICE", "s3cret", "found another text"),
        ("AWS_ACCESS_KEY_ID", "", "OPENSEARCH_SERVICE=none"),
        ("AWS_SECRET_ACCESS_KEY", "", "OPENSEARCH_SERVICE=none"),
        ("AWS_REGION", "", "OPENSEARCH_SERVICE=none"),
        ("BULK_RECORDS", "0", "from 1 to 10000"),
        ("BULK_RECORDS", "10001", "from 1 to 10000"),
        ("BULK_RECORDS", "many", "from 1 to 10000"),
        ("BULK_BYTES", "0", "from 1 to"),
        ("BULK_BYTES", "-1", "from 1 to"),
        ("BULK_BYTES", "s3cret", "found another text"),
    ] {
        let text = said(&[(name, value)]).unwrap_or_default();

        assert!(text.contains(name), "{name}={value}: {text}");
        assert!(text.contains(expected), "{name}={value}: {text}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text = said(&[
        ("OPENSEARCH_URL", ""),
        ("BULK_RECORDS", "0"),
        ("AWS_REGION", ""),
    ]);

    let text = text.expect("faults");
    for name in ["OPENSEARCH_URL", "BULK_RECORDS", "AWS_REGION"] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_no_text_is_a_fault() {
    use std::os::unix::ffi::OsStringExt;
    let variable = |name: &str| (name == "OPENSEARCH_URL").then(|| OsString::from_vec(vec![255]));

    let error = consumer_with(variable).build().expect_err("a fault");

    assert!(error.to_string().contains("OPENSEARCH_URL"), "{error}");
    assert!(error.to_string().contains("UTF-8"), "{error}");
}

/// Says to this test's own process that it is the child.
const IS_CHILD: &str = "BULK_OPENSEARCH_TEST_IS_CHILD";

/// The certificates are those of the process's environment, so the test runs itself in another one.
#[test]
#[cfg(target_os = "linux")]
fn certificates_that_are_missing_are_a_fault() {
    const NAME: &str = "tests::faults::certificates_that_are_missing_are_a_fault";
    if std::env::var_os(IS_CHILD).is_some() {
        let text = said(&[]).expect("a fault");
        assert!(text.contains("SSL_CERT_FILE"), "{text}");
        return;
    }
    let program = std::env::current_exe().expect("this test");
    let child = Command::new(program)
        .args([NAME, "--exact"])
        .env(IS_CHILD, "1")
        .env("SSL_CERT_FILE", "/missing")
        .env_remove("SSL_CERT_DIR")
        .output()
        .expect("a process");

    let text = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}
