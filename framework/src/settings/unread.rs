//! Environment variables that are set but not read, since `.from_env()` was not called. Made by `builder`, read by `log`.

use crate::settings::PREFIX;

/// The names of the environment's own variables of the framework, if code did not ask for them. Their values are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unread(Vec<String>);

impl Unread {
    /// Of these names those that are the framework's.
    pub(crate) fn among(names: impl Iterator<Item = String>) -> Self {
        let mut names: Vec<String> = names.filter(|name| name.starts_with(PREFIX)).collect();
        names.sort_unstable();
        Self(names)
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// The advice, corrected where it names a variable that is set: to set it would change nothing.
    pub(crate) fn amend(&self, advice: &str) -> String {
        let is_named = |name: &&String| {
            let mut found = advice.match_indices(name.as_str());
            // `LAMBDA_MSK_ORDER` is not named by `LAMBDA_MSK_ORDERS`.
            found.any(|(at, _)| {
                let behind = advice[at + name.len()..].chars().next();
                !behind.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            })
        };
        match self.0.iter().find(is_named) {
            Some(name) => {
                format!("{advice} ({name} is set, but was not read: call `.from_env()`)")
            }
            None => advice.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Unread;

    fn unread(names: &[&str]) -> Unread {
        Unread::among(names.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn only_the_frameworks_own_variables_count() {
        let unread = unread(&[
            "PATH",
            "LAMBDA_MSK_ORDER",
            "LAMBDA_MSK",
            "LAMBDA_MSK_ATTEMPTS",
        ]);

        assert_eq!(unread.names(), ["LAMBDA_MSK_ATTEMPTS", "LAMBDA_MSK_ORDER"]);
    }

    #[test]
    fn advice_to_set_what_is_set_is_corrected_and_any_other_stays() {
        let unread = unread(&["LAMBDA_MSK_ON_FAILURE", "LAMBDA_MSK_ORDER"]);

        assert_eq!(
            unread.amend("set LAMBDA_MSK_ON_FAILURE"),
            "set LAMBDA_MSK_ON_FAILURE (LAMBDA_MSK_ON_FAILURE is set, but was not read: call `.from_env()`)"
        );
        for other in ["LAMBDA_MSK_CLUSTER", "LAMBDA_MSK_ORDERS", ""] {
            assert_eq!(unread.amend(other), other);
        }
    }
}
