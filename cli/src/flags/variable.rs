//! `--env NAME=VALUE`: a variable of the function's environment.

/// For clap.
pub(crate) fn parse(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name @ "AWS_LAMBDA_RUNTIME_API", _)) => Err(format!(
            "{name} is set by this command: the address of its Runtime API"
        )),
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
