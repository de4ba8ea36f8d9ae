//! Tests that cross crates. Each piece of Rust in the guide and in the READMEs is compiled and run here, as a doctest; beside them stands what benches and tests share.

use std::path::PathBuf;
use std::process::Command;

/// Headers as many records have them: a trace, two short texts, and bytes that are no text.
pub const HEADERS: [(&str, &[u8]); 4] = [
    (
        "traceparent",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("content-type", b"application/json"),
    ("source", b"checkout"),
    ("schema", &[0, 0, 0, 1, 255, 128]),
];

/// Builds programs as they are deployed, and gives the folder in which they lie. Called by benches, which lie below it.
///
/// # Panics
///
/// They do not build: there is nothing to measure.
#[must_use]
pub fn build_release(arguments: &[&str]) -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--release"])
        .args(arguments)
        .status()
        .expect("cargo starts");
    assert!(status.success(), "cargo build {arguments:?}");
    let own = std::env::current_exe().expect("a running program has a path");
    // target/release/deps/NAME-…
    own.ancestors().nth(2).expect("cargo's layout").into()
}

/// A page, as the documentation of an item that only doctests see.
macro_rules! pages {
    ($($name:ident: $path:literal;)*) => {$(
        #[cfg(doctest)]
        #[doc = include_str!($path)]
        struct $name;
    )*};
}

pages! {
    Readme: "../README.md";
    FrameworkReadme: "../framework/README.md";
    Introduction: "../docs/src/introduction.md";
    Start: "../docs/src/start.md";
    Handlers: "../docs/src/handlers.md";
    Batches: "../docs/src/batches.md";
    Schemas: "../docs/src/schemas.md";
    Failures: "../docs/src/failures.md";
    Order: "../docs/src/order.md";
    Once: "../docs/src/once.md";
    DeadLetters: "../docs/src/dead-letters.md";
    Service: "../docs/src/service.md";
    Testing: "../docs/src/testing.md";
    Recipes: "../docs/src/recipes.md";
}
