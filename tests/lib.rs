//! Tests that cross crates. Its own code is that of the guide and of the READMEs: each piece of Rust in them is compiled and run as a doctest.

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
    Failures: "../docs/src/failures.md";
    Order: "../docs/src/order.md";
    Once: "../docs/src/once.md";
    DeadLetters: "../docs/src/dead-letters.md";
    Service: "../docs/src/service.md";
    Testing: "../docs/src/testing.md";
    Recipes: "../docs/src/recipes.md";
}
