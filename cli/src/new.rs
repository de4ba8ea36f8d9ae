//! `cargo msk new`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::fault::{Fault, print};
use crate::project::{Project, Wanted, template, write};
use crate::text::style::BOLD;

/// The release profile: the same as this repository's.
const RELEASE: &str = "
# For a small binary that starts quickly.
[profile.release]
lto = \"fat\"
codegen-units = 1
strip = \"symbols\"
";

/// The table that keeps a package out of the workspace of a folder above.
const ALONE: &str = "
# A folder above has a workspace, and this package is not a member. To make it one, delete this table and add the package
# to `members` there.
[workspace]
";

/// Make a standalone function: code with tests, sample events, template.yaml for AWS SAM.
///
/// The project is a new folder with the name of its package. Its tests pass, and `cargo msk invoke` and
/// `cargo msk dev` run it, before you write a line.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
Templates:
{}

Examples:
  cargo msk new shop
  cargo msk new mirror --template cdc --topic shop.public.customers
  cargo msk new shop --path ../lambda-msk

`cargo msk init` does the same for an existing package.", template::list()))]
pub(crate) struct Args {
    /// Name of the package and of its new folder.
    name: String,
    #[command(flatten)]
    wanted: Wanted,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    let project = Project::new(&args.name, &args.wanted)?;
    let folder = Path::new(&args.name);
    let cannot = |error: std::io::Error| {
        Fault::new(format!("cannot make the folder {}", args.name)).at(error.to_string())
    };
    let above = std::env::current_dir().map_err(cannot)?;
    fs::create_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Fault::new(format!(
            "expected a new folder, found {}",
            args.name
        ))
        .at(format!("{} exists", above.join(folder).display()))
        .help("choose another name; if that folder holds a package, run `cargo msk init` in it"),
        _ => cannot(error)
            .help("check the permissions of the current folder, or change to another one"),
    })?;
    let files = project.files();
    for (path, text) in &files {
        let more = if path == "Cargo.toml" {
            tail(&above)
        } else {
            String::new()
        };
        if let Err(fault) = write(folder, path, &format!("{text}{more}")) {
            // Nothing half made stays behind: the folder is ours, it was not there before.
            let _ = fs::remove_dir_all(folder);
            return Err(fault);
        }
    }
    let mut text = format!(
        "{BOLD}made{BOLD:#} {}: {} files from the template {}\n\nnext:\n  cd {}\n",
        args.name,
        files.len(),
        project.template.name,
        args.name
    );
    for command in project.commands() {
        text += &format!("  {command}\n");
    }
    print(&text)?;
    project.note();
    Ok(ExitCode::SUCCESS)
}

/// The end of the manifest: tables that only the root of a workspace has.
fn tail(above: &Path) -> String {
    let has_workspace = |folder: &Path| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        let manifest = text.parse::<toml_edit::DocumentMut>();
        manifest.is_ok_and(|manifest| manifest.contains_key("workspace"))
    };
    let alone = above.ancestors().any(has_workspace);
    format!("{RELEASE}{}", if alone { ALONE } else { "" })
}
