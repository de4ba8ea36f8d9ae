//! Which template is read, as flags name it.

use std::path::PathBuf;

use crate::flags::variable;

/// Which template is read, and how.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Template")]
pub(crate) struct Chosen {
    /// Take topic, group, mapping, time-out and environment from a SAM or CloudFormation template. Flags win over it.
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
    /// A parameter of the template, in place of its default; AWS::StackName and the like too.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = variable::parse, requires = "template")]
    pub(crate) parameters: Vec<(String, String)>,
    /// The function whose mapping is meant, by its logical ID in the template.
    #[arg(long, value_name = "LOGICAL_ID", requires = "template")]
    pub(crate) function_name: Option<String>,
}
