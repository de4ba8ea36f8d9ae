//! What the lines of a function's log come to.

use super::Fates;
use crate::function::said::read;

/// Whether to go on is of no use after a record failed so.
fn is_hopeless(code: &str, destination: &str) -> bool {
    let line = format!(
        r#"{{"message":"record failed","request_id":"r","topic":"orders","partition":0,"offset":1,"code":"{code}","destination":"{destination}","problem":"no"}}"#
    );
    let mut fates = Fates::default();
    fates.said(read(&line).unwrap());
    fates.topic("orders").is_hopeless()
}

#[test]
fn a_record_without_a_handler_waits_only_for_a_destination_that_may_take_it() {
    assert!(is_hopeless("handler.missing", ""));
    assert!(is_hopeless("reject.no_handler", "destination.missing"));
    assert!(!is_hopeless("reject.no_handler", "destination.unconfirmed"));
    assert!(!is_hopeless("reject.json", "destination.missing"));
}
