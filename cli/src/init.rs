//! `cargo msk init`.

mod manifest;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use self::manifest::Merged;
use crate::fault::{Fault, print};
use crate::project::{Project, Wanted, template, write};
use crate::text::style::BOLD;

/// Add a template's code, events and template.yaml to the package in this folder.
///
/// Missing dependencies and features are added to Cargo.toml. No file is overwritten: existing files stay as they are,
/// and are listed.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
Templates:
{}

Examples:
  cargo msk init --topic orders
  cargo msk init --template cdc --topic shop.public.customers", template::list()))]
pub(crate) struct Args {
    #[command(flatten)]
    wanted: Wanted,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Fault> {
    let folder = Path::new(".");
    let manifest = fs::read_to_string("Cargo.toml").map_err(|error| {
        Fault::new("expected a package in this folder, found none")
            .at(format!("cannot read Cargo.toml: {error}"))
            .help("change to the package's folder, or make a project with `cargo msk new NAME`")
    })?;
    let name = manifest::name(&manifest)?;
    let project = Project::new(&name, &args.wanted)?;
    let files = project.files();
    let mut done = Done::default();
    let code = Code::found(&files, |path| folder.join(path).exists());
    for (path, text) in &files {
        if path == "Cargo.toml" {
            let Merged { text, added, left } = manifest::merge(&manifest, text)?;
            if !added.is_empty() {
                write(folder, path, &text)?;
            }
            done.added
                .extend(added.iter().map(|what| format!("Cargo.toml: {what}")));
            done.left
                .extend(left.iter().map(|what| format!("Cargo.toml: {what}")));
        } else if folder.join(path).exists() {
            done.left.push(format!("{path}: already exists"));
        } else if let Some(why) = code.forbids(path) {
            done.left.push(format!("{path}: not added, {why}"));
        } else {
            write(folder, path, text)?;
            done.added.push(path.clone());
        }
    }
    let main = files.iter().find(|(path, _)| path == "src/main.rs");
    let main = main.filter(|_| code == Code::OwnMain);
    print(&done.text(&project, main.map(|(_, text)| text.as_str())))?;
    project.note();
    Ok(ExitCode::SUCCESS)
}

/// The code that the package has before the template's is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    None,
    /// A binary, to which a library can be added.
    OwnMain,
    /// A library, whose modules the template's code does not know.
    OwnLibrary,
}

impl Code {
    fn found(files: &[(String, String)], exists: impl Fn(&str) -> bool) -> Self {
        let mut code = files.iter().filter(|(path, _)| path.starts_with("src/"));
        if code.any(|(path, _)| path != "src/main.rs" && exists(path)) {
            Self::OwnLibrary
        } else if exists("src/main.rs") {
            Self::OwnMain
        } else {
            Self::None
        }
    }

    /// Why a file is not added that would not compile, or not pass, beside the package's own.
    fn forbids(self, path: &str) -> Option<&'static str> {
        match self {
            Self::OwnLibrary if path.starts_with("src/") || path.starts_with("tests/") => {
                Some("since the package has a library of its own")
            }
            Self::OwnMain if path.starts_with("tests/") => {
                Some("since it tests the template's src/main.rs")
            }
            _ => None,
        }
    }
}

/// The files and entries of a run, in words.
#[derive(Debug, Default)]
struct Done {
    added: Vec<String>,
    left: Vec<String>,
}

impl Done {
    fn text(&self, project: &Project, main: Option<&str>) -> String {
        let mut text = String::new();
        for (what, lines) in [("added", &self.added), ("left as it was", &self.left)] {
            if !lines.is_empty() {
                text += &format!("{BOLD}{what}{BOLD:#}:\n");
            }
            for line in lines {
                text += &format!("  {line}\n");
            }
        }
        if let Some(main) = main {
            text += "\nsrc/main.rs is unchanged. To start the consumer, it needs this code:\n";
            for line in main.lines().filter(|line| !line.starts_with("//!")) {
                text += format!("  {line}").trim_end();
                text += "\n";
            }
        }
        if self
            .left
            .iter()
            .any(|line| line.contains("a library of its own"))
        {
            text += "\nTo see the template's code, make a project beside this package: cargo msk new NAME\n";
        }
        text += "\nnext:\n";
        for command in project.commands() {
            text += &format!("  {command}\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    fn found(there: &[&str]) -> Code {
        let files = [
            "Cargo.toml",
            "src/lib.rs",
            "src/main.rs",
            "src/service.rs",
            "tests/all.rs",
        ];
        let files: Vec<_> = files.map(|path| (path.to_owned(), String::new())).into();
        Code::found(&files, |path| there.contains(&path))
    }

    #[test]
    fn code_is_added_where_it_compiles_beside_the_packages_own() {
        let none = found(&["Cargo.toml"]);
        assert_eq!(none, Code::None);
        assert!(none.forbids("tests/all.rs").is_none());

        let binary = found(&["Cargo.toml", "src/main.rs"]);
        assert_eq!(binary, Code::OwnMain);
        assert!(binary.forbids("src/lib.rs").is_none());
        assert!(binary.forbids("tests/all.rs").is_some());

        for own in ["src/lib.rs", "src/service.rs"] {
            let library = found(&["src/main.rs", own]);
            assert_eq!(library, Code::OwnLibrary);
            assert!(library.forbids("src/main.rs").is_some());
            assert!(library.forbids("events/batch.json").is_none());
        }
    }
}
