//! A project that stands alone, made of a template. Called by `new` and `init`.

// The templates.
pub(crate) mod template;

// Names of projects and topics.
pub(crate) mod name;

// The source of lambda-msk.
pub(crate) mod origin;

// Its template.yaml.
mod stack;

use std::fs;
use std::path::{Path, PathBuf};

use self::origin::Origin;
use self::template::{Names, Template};
use crate::fault::{Fault, note};

/// Files for git to ignore: builds, and those that `cargo msk` writes.
const GITIGNORE: &str = "/target\n/.aws-sam\n/dead-letters.ndjson\n/given-up.ndjson\n";

/// The arguments that `new` and `init` share.
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// Set the topic that the function reads. [default: the template's]
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Choose the template.
    #[arg(long, value_name = "TEMPLATE", default_value = template::DEFAULT, value_parser = Names)]
    template: String,
    /// Use lambda-msk from this checkout of its repository. [default: the released version]
    #[arg(long, value_name = "CHECKOUT")]
    path: Option<PathBuf>,
}

/// The files of a project, before they are written.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) template: &'static Template,
    name: String,
    topic: String,
    origin: Origin,
}

impl Project {
    /// The project of that name.
    pub(crate) fn new(name: &str, wanted: &Wanted) -> Result<Self, Fault> {
        let template = template::template(&wanted.template)?;
        let topic = wanted.topic.as_deref().unwrap_or(template.topic());
        name::check_topic(topic)?;
        let project = Self {
            template,
            name: name.to_owned(),
            topic: topic.to_owned(),
            origin: Origin::of(wanted.path.as_deref())?,
        };
        name::check(name, &project.dependencies())?;
        Ok(project)
    }

    /// The crates that it depends on.
    fn dependencies(&self) -> Vec<String> {
        let manifest = self
            .template
            .file("Cargo.toml")
            .parse::<toml_edit::DocumentMut>();
        let manifest = manifest.unwrap_or_default();
        let tables = ["dependencies", "dev-dependencies"].map(|table| manifest.get(table));
        let tables = tables
            .into_iter()
            .filter_map(|table| table?.as_table_like());
        tables
            .flat_map(|table| table.iter().map(|(name, _)| name.to_owned()))
            .collect()
    }

    /// Each path, with `/` between its parts, and text.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let of_template = self.template.files.iter();
        let mut files: Vec<_> = of_template
            .map(|(path, text)| ((*path).to_owned(), self.text(path, text)))
            .collect();
        files.push((
            "template.yaml".to_owned(),
            stack::text(self.template, &self.name, &self.topic),
        ));
        files.push((".gitignore".to_owned(), GITIGNORE.to_owned()));
        files.sort();
        files
    }

    /// A file of the template with the project's name and topic where the template has its own.
    fn text(&self, path: &str, text: &str) -> String {
        let (name, topic) = (self.template.name, self.template.topic());
        if path == "Cargo.toml" {
            return self.manifest(text);
        }
        let pairs: Vec<(String, String)> = match path.rsplit_once('.').map(|(_, kind)| kind) {
            Some("rs") => vec![
                (
                    format!("{}::", krate(name)),
                    format!("{}::", krate(&self.name)),
                ),
                (format!("BIN_EXE_{name}"), format!("BIN_EXE_{}", self.name)),
                (format!("\"{topic}\""), format!("\"{}\"", self.topic)),
            ],
            Some("json") => vec![
                // A record's topic, and the names of partitions.
                (format!("\"{topic}\""), format!("\"{}\"", self.topic)),
                (format!("\"{topic}-"), format!("\"{}-", self.topic)),
            ],
            Some("md") => vec![
                (format!("# {name}\n"), format!("# {}\n", self.name)),
                (format!("`{topic}`"), format!("`{}`", self.topic)),
                (
                    format!("--topic {topic} "),
                    format!("--topic {} ", self.topic),
                ),
            ],
            _ => Vec::new(),
        };
        pairs
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    fn manifest(&self, text: &str) -> String {
        let name = format!("name = \"{}\"", self.template.name);
        let text = text.replacen(&name, &format!("name = \"{}\"", self.name), 1);
        // The example's, not the project's.
        let own =
            |line: &&str| !line.starts_with("description = ") && !line.starts_with("license = ");
        let lines: Vec<&str> = text.lines().filter(own).collect();
        self.origin.lead(&(lines.join("\n") + "\n"))
    }

    /// Says so if cargo may not find what the project depends on.
    pub(crate) fn note(&self) {
        if let Some((what, help)) = self.origin.note() {
            note(&what, &help);
        }
    }

    /// The commands of the README, which are the next steps.
    pub(crate) fn commands(&self) -> Vec<String> {
        let readme = self.text("README.md", self.template.file("README.md"));
        let after = readme.split("```sh\n").nth(1).unwrap_or_default();
        let block = after.split("```").next().unwrap_or_default();
        block.lines().map(str::to_owned).collect()
    }
}

/// Writes a file, and the folders above it.
pub(crate) fn write(folder: &Path, path: &str, text: &str) -> Result<(), Fault> {
    let file = folder.join(path);
    let written =
        fs::create_dir_all(file.parent().unwrap_or(folder)).and_then(|()| fs::write(&file, text));
    written.map_err(|error| {
        Fault::new(format!("cannot write {}", file.display()))
            .at(error.to_string())
            .help("check the permissions of the folder, and the free space")
    })
}

/// The name of a package as its code has it.
fn krate(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests;
