//! `cargo msk completions`.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::fault::{Fault, print_document};

/// Print the completions of `cargo-msk` for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo msk completions bash > ~/.local/share/bash-completion/completions/cargo-msk
  cargo msk completions zsh > ~/.zfunc/_cargo-msk
  cargo msk completions fish > ~/.config/fish/completions/cargo-msk.fish

They complete `cargo-msk …`: cargo does not hand on completions of its subcommands.")]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

/// The script for that command line.
pub(crate) fn run(args: &Args, mut command: clap::Command) -> Result<ExitCode, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "cargo-msk", &mut script);
    print_document(&script)?;
    Ok(ExitCode::SUCCESS)
}
