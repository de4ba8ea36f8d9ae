//! The templates: the folders of `examples/`, as they were when this command was built.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};

use crate::fault::Fault;

// `STACK`, the text of template.yaml, and `TEMPLATES`, the one that is taken unless another is named first.
include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The template that is taken unless another is named.
pub(crate) const DEFAULT: &str = "orders";

/// A folder of `examples/`.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) name: &'static str,
    /// Path, with `/` between its parts, and text.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

impl Template {
    pub(crate) fn file(&self, path: &str) -> &'static str {
        let file = self.files.iter().find(|(known, _)| *known == path);
        file.map_or("", |(_, text)| text)
    }

    /// What stands between the two texts, where both stand in one line of the file.
    fn between(&self, path: &str, before: &str, after: &str) -> &'static str {
        let lines = self.file(path).lines();
        let mut found = lines.filter_map(|line| line.strip_prefix(before)?.strip_suffix(after));
        found.next().unwrap_or_default()
    }

    /// The topic that its code and events are about.
    pub(crate) fn topic(&self) -> &'static str {
        self.between("src/lib.rs", "const TOPIC: &str = \"", "\";")
    }

    /// One line that says what it is.
    pub(crate) fn description(&self) -> &'static str {
        self.between("Cargo.toml", "description = \"", "\"")
    }

    /// The variable with the URL of the service that its function posts to. *None: it posts to none.*
    pub(crate) fn service_variable(&self) -> Option<&'static str> {
        let code = self.file("src/lib.rs");
        let known = ["SERVICE_URL", "FULFILMENT_URL"];
        known
            .into_iter()
            .find(|name| code.contains(&format!("\"{name}\"")))
    }

    /// Whether its function reads payloads by schemas of a registry.
    pub(crate) fn reads_schemas(&self) -> bool {
        self.file("src/lib.rs")
            .contains("\"LAMBDA_MSK_SCHEMA_REGISTRY\"")
    }

    /// Whether its function writes files to a bucket of S3.
    pub(crate) fn writes_files(&self) -> bool {
        self.file("src/settings.rs").contains("\"FILES_S3\"")
    }

    /// Whether its function writes to an index of OpenSearch.
    pub(crate) fn searches(&self) -> bool {
        self.file("src/settings.rs").contains("\"OPENSEARCH_URL\"")
    }

    /// Whether its function writes to a database of Postgres.
    pub(crate) fn writes_to_postgres(&self) -> bool {
        self.file("src/settings.rs").contains("\"DATABASE_URL\"")
    }

    /// Whether its function exports spans.
    pub(crate) fn exports_traces(&self) -> bool {
        self.file("src/traces.rs")
            .contains("\"OTEL_EXPORTER_OTLP_ENDPOINT\"")
    }

    /// Whether its function reads a queue of SQS too.
    pub(crate) fn reads_queue(&self) -> bool {
        !self.file("events/sqs.json").is_empty()
    }
}

/// The template of that name.
pub(crate) fn template(name: &str) -> Result<&'static Template, Fault> {
    let found = TEMPLATES.iter().find(|template| template.name == name);
    found.ok_or_else(|| {
        Fault::new(format!("expected the name of a template, found `{name}`"))
            .help(format!("give --template one of these:\n{}", list()))
    })
}

/// A line for each.
pub(crate) fn list() -> String {
    let line = |of: &Template| format!("  {:<15} {}", of.name, of.description());
    let lines: Vec<String> = TEMPLATES.iter().map(line).collect();
    lines.join("\n")
}

/// Reads any text, since [`template`] tells of another one with more words; shells complete the names.
#[derive(Clone, Debug)]
pub(crate) struct Names;

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let names = TEMPLATES.iter().map(|template| template.name);
        Some(Box::new(names.map(PossibleValue::new)))
    }
}
