//! `cargo msk dev` in a build without it: says how to get one.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::fault::Fault;

/// Read topics as Lambda would, with a local function (not in this build: needs the feature `dev`).
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Any arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<OsString>,
}

pub(crate) fn run(_args: &Args) -> Result<ExitCode, Fault> {
    Err(Fault::new("`cargo msk dev` is not in this build").help(
        "install it with the feature `dev`: cargo install --path cli --features dev\n\
             That builds librdkafka too, which needs a C compiler and takes a minute or two.",
    ))
}
