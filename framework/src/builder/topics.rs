//! Names of topics, as code gives them. Used by `builder`.

/// The name of one topic, or the names of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a topic",
    label = "expected one or more topic names",
    note = "write `\"orders\"`, `[\"orders\", \"returns\"]`, or give a `String` or a `Vec<String>`"
)]
pub trait Topics {
    /// Returns the names.
    fn names(self) -> Vec<String>;
}

impl Topics for &str {
    fn names(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl Topics for String {
    fn names(self) -> Vec<String> {
        vec![self]
    }
}

impl<const N: usize> Topics for [&str; N] {
    fn names(self) -> Vec<String> {
        self.map(str::to_owned).into()
    }
}

impl Topics for Vec<String> {
    fn names(self) -> Vec<String> {
        self
    }
}
