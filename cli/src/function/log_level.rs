//! Whether a function of lambda-msk tells of its rejected records: it does so in its log, as warnings. Asked by `dev` and
//! `invoke`, which read them there.

use crate::function::dead_letters::{Mark, ON_FAILURE, variable};

/// The module whose lines are read.
const TARGET: &str = "lambda_msk";

/// The remark on a function that rejects records where nobody hears of them. None: its log tells, its file of dead letters
/// does, or it has no destination and rejects none.
pub(crate) fn remark(env: &[(String, String)]) -> Option<String> {
    variable(env, ON_FAILURE)?;
    if Mark::set(env).is_some() {
        return None;
    }
    let level = variable(env, "AWS_LAMBDA_LOG_LEVEL");
    let directives = variable(env, "RUST_LOG");
    let name = match (&level, &directives) {
        (Some(level), _) if hides(level) => "AWS_LAMBDA_LOG_LEVEL",
        (None, Some(directives)) if hides_ours(directives) => "RUST_LOG",
        _ => return None,
    };
    Some(format!(
        "{name} hides the log lines about rejected records: they are not counted here, and the exit \
         code ignores them; set it to warn, info or debug, or set {ON_FAILURE} to file:PATH"
    ))
}

fn hides(level: &str) -> bool {
    ["error", "fatal", "off"]
        .iter()
        .any(|hidden| level.eq_ignore_ascii_case(hidden))
}

/// Of the directives the one that names the most of the target counts, and without one nothing but errors is shown.
fn hides_ours(directives: &str) -> bool {
    let level_of = |directive: &str| match directive.trim().split_once('=') {
        Some((target, level)) => TARGET
            .starts_with(target.trim())
            .then(|| (target.trim().len(), level.trim().to_owned())),
        // A target alone shows everything of it.
        None if TARGET == directive.trim() => Some((TARGET.len(), "trace".to_owned())),
        None => LEVELS
            .iter()
            .any(|level| directive.trim().eq_ignore_ascii_case(level))
            .then(|| (0, directive.trim().to_owned())),
    };
    let of_ours = directives.split(',').filter_map(level_of);
    let level = of_ours.max_by_key(|(length, _)| *length);
    level.is_none_or(|(_, level)| hides(&level))
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

#[cfg(test)]
mod tests {
    use super::{hides_ours, remark};

    #[test]
    fn directives_hide_warnings_of_the_framework_unless_one_shows_them() {
        for hidden in [
            "off",
            "error",
            "hyper=info",
            "ERROR,hyper=debug",
            "info,lambda_msk=error",
        ] {
            assert!(hides_ours(hidden), "{hidden}");
        }
        for shown in [
            "info",
            "WARN",
            "error,lambda_msk=info",
            "lambda_msk",
            "off, lambda_msk=warn",
        ] {
            assert!(!hides_ours(shown), "{shown}");
        }
    }

    #[test]
    fn only_a_destination_that_cannot_be_read_here_is_remarked_on() {
        let with = |on_failure: &str, name: &str, value: &str| {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            remark(&[pair("LAMBDA_MSK_ON_FAILURE", on_failure), pair(name, value)])
        };
        let queue = "arn:aws:sqs:us-east-1:123456789012:q";

        let hidden = with(queue, "AWS_LAMBDA_LOG_LEVEL", "ERROR").unwrap();
        assert!(hidden.starts_with("AWS_LAMBDA_LOG_LEVEL hides"), "{hidden}");
        let hidden = with(queue, "RUST_LOG", "off").unwrap();
        assert!(hidden.starts_with("RUST_LOG hides"), "{hidden}");
        assert_eq!(with(queue, "AWS_LAMBDA_LOG_LEVEL", "warn"), None);
        assert_eq!(with("file:/tmp/letters", "RUST_LOG", "off"), None);
        assert_eq!(with("", "RUST_LOG", "off"), None);
    }
}
