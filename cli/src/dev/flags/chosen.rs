//! The flags that choose a template.

use std::path::PathBuf;

use crate::flags::variable;

/// The template to read, and its parameters.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Template")]
pub(crate) struct Chosen {
    /// Take topic, group, mapping, time-out and environment from a SAM or CloudFormation template. Flags override it.
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
    /// Set a parameter of the template, or a pseudo parameter such as AWS::StackName.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = variable::parse, requires = "template")]
    pub(crate) parameters: Vec<(String, String)>,
    /// Logical ID of the function whose mapping is read.
    #[arg(long, value_name = "LOGICAL_ID", requires = "template")]
    pub(crate) function_name: Option<String>,
}
