//! Every variable that the README, the template and the Makefile name is one that the function reads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::Path;

/// No variable takes this: neither a number nor a name, and not of visible ASCII.
const NONSENSE: &str = "é é";

fn variables(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let word = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let found: BTreeSet<String> = text
        .split(|letter| !word(letter))
        .filter(|name| name.starts_with("LAMBDA_MSK_") && !name.ends_with('_'))
        .map(str::to_owned)
        .collect();
    assert!(!found.is_empty(), "{file} names none");
    found
}

#[test]
fn every_variable_that_is_named_is_read() {
    for file in ["README.md", "template.yaml", "Makefile"] {
        for name in variables(file) {
            let error = handler::consumer([(name.clone(), NONSENSE.to_owned())]).unwrap_err();
            assert!(error.to_string().contains(&name), "{file}: {name}: {error}");
        }
    }
}
