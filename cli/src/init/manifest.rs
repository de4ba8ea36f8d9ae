//! A package's Cargo.toml with the dependencies and features of a template's that it lacks. Called by `init`.

use toml_edit::{DocumentMut, Item, Table, TableLike};

use crate::fault::Fault;

/// The tables of which entries are added.
const TABLES: [&str; 3] = ["features", "dependencies", "dev-dependencies"];

/// A manifest with the entries that were added, and those that were there already and differ.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) text: String,
    pub(super) added: Vec<String>,
    pub(super) left: Vec<String>,
}

fn read(text: &str) -> Result<DocumentMut, Fault> {
    text.parse::<DocumentMut>().map_err(|error| {
        Fault::new("cannot read Cargo.toml")
            .at(error.to_string().trim_end())
            .help("correct it until `cargo check` accepts it")
    })
}

/// The name of the package.
pub(super) fn name(manifest: &str) -> Result<String, Fault> {
    let manifest = read(manifest)?;
    let package = manifest.get("package").and_then(Item::as_table_like);
    let name = package.and_then(|package| package.get("name")?.as_str());
    name.map(str::to_owned).ok_or_else(|| {
        Fault::new("expected a package in Cargo.toml, found none")
            .at("`[package]` with a `name` is missing")
            .help("change to the folder of a package of the workspace, or make one with `cargo msk new NAME`")
    })
}

/// The package's manifest with what it lacks of the template's.
pub(super) fn merge(own: &str, template: &str) -> Result<Merged, Fault> {
    let (mut own, template) = (read(own)?, read(template)?);
    let mut added = Vec::new();
    let mut left: Vec<String> = older(&own, &template).into_iter().collect();
    for name in TABLES {
        let Some(wanted) = template.get(name).and_then(Item::as_table) else {
            continue;
        };
        let table = own.entry(name).or_insert_with(|| Item::Table(Table::new()));
        let Some(table) = table.as_table_like_mut() else {
            left.push(format!("`{name}`: expected a table, found another value"));
            continue;
        };
        for (key, item) in wanted {
            match table.get(key) {
                None => {
                    table.insert(key, item.clone());
                    added.push(format!("{name}.{key}"));
                }
                Some(there) => left.extend(lack(name, key, there, item)),
            }
        }
    }
    let text = own.to_string();
    Ok(Merged { text, added, left })
}

/// That the package is of another edition than the template's code. *None: it is of the same, or inherits one.*
fn older(own: &DocumentMut, template: &DocumentMut) -> Option<String> {
    let edition = |manifest: &DocumentMut| {
        let package = manifest.get("package")?.as_table_like()?;
        let edition = package.get("edition");
        // Cargo's default.
        edition.map_or(Some("2015".to_owned()), |edition| {
            Some(edition.as_str()?.to_owned())
        })
    };
    let (own, template) = (edition(own)?, edition(template)?);
    (own != template)
        .then(|| format!("package.edition is {own}; the template's code is written for {template}"))
}

/// The parts of the template's entry that the package's own entry lacks, in words. *None: it lacks nothing.*
fn lack(table: &str, key: &str, there: &Item, wanted: &Item) -> Option<String> {
    if table == "features" {
        let same = there.to_string().trim() == wanted.to_string().trim();
        return (!same).then(|| {
            format!(
                "features.{key} is your own; the template's is {}",
                shown(wanted)
            )
        });
    }
    let spec = there.as_table_like();
    if spec.is_some_and(|spec| spec.contains_key("workspace")) {
        return Some(format!(
            "{table}.{key} is the workspace's; the template's is {}",
            shown(wanted)
        ));
    }
    let has = features(spec);
    let lacking: Vec<String> = features(wanted.as_table_like())
        .into_iter()
        .filter(|feature| !has.contains(feature))
        .collect();
    (!lacking.is_empty()).then(|| {
        format!(
            "{table}.{key} is your own; the template's code needs its features {}",
            lacking.join(", ")
        )
    })
}

fn features(spec: Option<&dyn TableLike>) -> Vec<String> {
    let features = spec.and_then(|spec| spec.get("features")?.as_array());
    let names = features
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str());
    names.map(str::to_owned).collect()
}

fn shown(item: &Item) -> String {
    item.to_string().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{merge, name};

    const TEMPLATE: &str = "\
[package]
name = \"shop\"
edition = \"2024\"

[features]
default = [\"sqs\"]
sqs = [\"lambda-msk/sqs\"]

[dependencies]
lambda-msk = \"0.1.0\"
serde = { version = \"1.0.229\", features = [\"derive\"] }

[dev-dependencies]
lambda-msk = { version = \"0.1.0\", features = [\"testing\"] }
";

    #[test]
    fn what_is_missing_is_added_and_the_rest_stays_as_it_is_written() {
        let own = "[package] # mine\nname = \"shop\"\nedition = \"2024\"\n\n[dependencies]\n# for prices\nrust_decimal   = '1'\n";

        let merged = merge(own, TEMPLATE).unwrap();

        assert!(merged.text.starts_with(own), "{}", merged.text);
        assert!(merged.left.is_empty(), "{:?}", merged.left);
        let again = merge(&merged.text, TEMPLATE).unwrap();
        assert!(again.added.is_empty() && again.left.is_empty(), "{again:?}");
        assert_eq!(again.text, merged.text);
    }

    #[test]
    fn an_entry_that_is_there_is_left_and_told_of_where_it_lacks_something() {
        let own = "\
[package]
name = \"shop\"
[features]
default = []
[dependencies]
serde = \"1\"
[dev-dependencies]
lambda-msk.workspace = true
";

        let merged = merge(own, TEMPLATE).unwrap();

        assert!(merged.text.contains("serde = \"1\"\n"), "{}", merged.text);
        assert_eq!(merged.added, ["features.sqs", "dependencies.lambda-msk"]);
        assert_eq!(
            merged.left,
            [
                "package.edition is 2015; the template's code is written for 2024",
                "features.default is your own; the template's is [\"sqs\"]",
                "dependencies.serde is your own; the template's code needs its features derive",
                "dev-dependencies.lambda-msk is the workspace's; the template's is { version = \"0.1.0\", features = [\"testing\"] }",
            ]
        );
    }

    #[test]
    fn an_edition_that_the_workspace_gives_is_not_complained_of() {
        let own = "[package]\nname = \"shop\"\nedition.workspace = true\n";

        assert!(merge(own, TEMPLATE).unwrap().left.is_empty());
    }

    #[test]
    fn a_manifest_without_a_package_or_that_is_no_toml_is_refused() {
        for (manifest, why) in [
            (
                "[workspace]\nmembers = []\n",
                "expected a package in Cargo.toml",
            ),
            ("[package\n", "cannot read Cargo.toml"),
        ] {
            let text = name(manifest).unwrap_err().text();

            assert!(text.contains(why) && text.contains("help"), "{text}");
        }
    }
}
