//! Secrets that flags name and do not hold: everybody on the machine reads the command line. Read by `registry`, `connect` and `schemas`.

use std::fs;

use crate::fault::Fault;

/// A secret's file is a line or two; a certificate's a few more.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Secret {
    Variable(String),
    File(String),
    /// It stood on the command line. Refused when it is read: what clap refuses it shows.
    Bare,
}

impl Secret {
    /// `@env:NAME` or `@file:PATH`. None: another text.
    pub(crate) fn named(text: &str) -> Option<Self> {
        match (text.strip_prefix("@env:"), text.strip_prefix("@file:")) {
            (Some(name), _) => Some(Self::Variable(name.to_owned())),
            (_, Some(path)) => Some(Self::File(path.to_owned())),
            _ => None,
        }
    }

    /// The secret of a flag, of whose value `before` is the part in front of `@env:NAME`.
    pub(crate) fn read(&self, before: &str, flag: &str) -> Result<String, Fault> {
        match self {
            Self::Bare => Err(Fault::new(format!(
                "the value of {flag} is a secret, and every user of this machine can read the command line"
            ))
            .help(format!("write {before}@env:NAME or {before}@file:PATH"))),
            Self::Variable(name) => std::env::var(name).map_err(|error| {
                Fault::new(format!("cannot read the variable {name} for {flag}"))
                    .at(error.to_string())
                    .help(format!("export {name}, or name a file: {flag} {before}@file:PATH"))
            }),
            Self::File(path) => {
                let read = fs::metadata(path).and_then(|file| {
                    if file.len() > SECRET_BYTES_MAX {
                        return Err(std::io::ErrorKind::FileTooLarge.into());
                    }
                    fs::read_to_string(path)
                });
                match read {
                    // Editors end a file with a line break, which is no part of a password.
                    Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                    Err(error) => Err(Fault::new(format!("cannot read {path} for {flag}"))
                        .at(error.to_string())
                        .help("name a file with nothing but the value")),
                }
            }
        }
    }
}
