//! What the environment may say, and what not.

use std::ffi::OsString;

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
        ("OPENSEARCH_SERVICE", "ec2", "`aoss`"),
        ("AWS_ACCESS_KEY_ID", "", "OPENSEARCH_SERVICE=none"),
        ("AWS_SECRET_ACCESS_KEY", "", "OPENSEARCH_SERVICE=none"),
        ("AWS_REGION", "", "OPENSEARCH_SERVICE=none"),
        ("BULK_RECORDS", "0", "from 1 to 10000"),
        ("BULK_RECORDS", "10001", "from 1 to 10000"),
        ("BULK_RECORDS", "many", "from 1 to 10000"),
        ("BULK_BYTES", "0", "from 1 to"),
        ("BULK_BYTES", "-1", "from 1 to"),
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
