//! What `cargo msk dev` refuses before anything is run: exit code 2, and what to do.

use crate::support::{msk, stderr, stdout};

/// What is said of a run that is refused.
fn refused(args: &[&str], input: &str) -> String {
    let args = [&["dev", "--function", "true", "--once"], args].concat();

    let output = msk(&args, input);

    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    stderr(&output)
}

#[test]
fn a_setting_that_librdkafka_does_not_know_is_named_with_where_they_stand() {
    let orders = ["--topic", "orders", "--produce", "-"];

    let text = refused(&[&orders[..], &["--set", "nonsense=1"]].concat(), "1\n");

    assert!(text.contains("nonsense"), "{text}");
    assert!(text.contains("help: check --set"), "{text}");
}
