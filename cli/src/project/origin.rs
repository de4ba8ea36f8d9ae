//! The source of lambda-msk for a project: the registry, or a checkout.

use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// What a dependency on a crate of this repository begins with in the manifests of `examples/`.
const IN_THE_REPOSITORY: &str = "path = \"../../";
/// What parts that path from the version behind it.
const TO_VERSION: &str = "\", version = \"";

/// The source of this repository's crates.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// crates.io, in the version of this command.
    Registry,
    /// This folder.
    Checkout(PathBuf),
}

impl Origin {
    /// The checkout at that path, if one is given.
    pub(crate) fn of(path: Option<&Path>) -> Result<Self, Fault> {
        let Some(path) = path else {
            return Ok(Self::Registry);
        };
        let fault = |why: String| {
            Fault::new(format!("expected a checkout of lambda-msk, found {}", path.display()))
                .at(why)
                .help(
                    "give --path the folder that `git clone https://github.com/lambda-msk/lambda-msk` made,\n\
                     or leave --path out to take the released version",
                )
        };
        let manifest = path.join("framework").join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest)
            .map_err(|error| fault(format!("cannot read {}: {error}", manifest.display())))?;
        if !text.lines().any(|line| line == "name = \"lambda-msk\"") {
            return Err(fault(format!(
                "{} belongs to another package",
                manifest.display()
            )));
        }
        let whole = path
            .canonicalize()
            .map_err(|error| fault(error.to_string()))?;
        // As Windows spells it for itself, cargo does not take it.
        let whole = whole.to_string_lossy();
        let whole = whole.strip_prefix(r"\\?\").unwrap_or(&whole);
        Ok(Self::Checkout(PathBuf::from(whole)))
    }

    /// A manifest of `examples/` with this source in the place of its paths into the repository.
    pub(crate) fn lead(&self, manifest: &str) -> String {
        let mut lead = String::new();
        let mut rest = manifest;
        while let Some((before, path, version, after)) = next(rest) {
            lead += before;
            lead += &match self {
                Self::Registry => format!("version = \"{version}\""),
                Self::Checkout(folder) => {
                    format!("path = {}", toml_edit::value(shown(&folder.join(path))))
                }
            };
            rest = after;
        }
        lead += rest;
        // A version alone is written without braces.
        let plain = |line: &str| {
            let alone = line.split_once(" = { version = \"");
            let alone = alone.and_then(|(name, rest)| Some((name, rest.strip_suffix("\" }")?)));
            match alone {
                Some((name, version)) if !version.contains('"') => {
                    format!("{name} = \"{version}\"\n")
                }
                _ => format!("{line}\n"),
            }
        };
        lead.lines().map(plain).collect()
    }
}

/// The next dependency on a crate of this repository: the text before it, its folder, its version, the text behind it.
fn next(manifest: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, rest) = manifest.split_once(IN_THE_REPOSITORY)?;
    let (path, rest) = rest.split_once(TO_VERSION)?;
    let (version, after) = rest.split_once('"')?;
    Some((before, path, version, after))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::Origin;

    const MANIFEST: &str = "\
[dependencies]
lambda-msk = { path = \"../../framework\", version = \"0.1.0\" }
serde = { version = \"1\", features = [\"derive\"] }

[dev-dependencies]
msk-mapping = { path = \"../../mapping\", version = \"0.1.0\", features = [\"x\"] }
";

    #[test]
    fn without_a_checkout_versions_stand_in_the_manifest() {
        assert_eq!(
            Origin::Registry.lead(MANIFEST),
            MANIFEST
                .replace(
                    "{ path = \"../../framework\", version = \"0.1.0\" }",
                    "\"0.1.0\""
                )
                .replace("path = \"../../mapping\", ", "")
        );
    }

    #[test]
    fn with_a_checkout_its_folders_stand_there() {
        let lead = Origin::Checkout(PathBuf::from("/a \"b\"")).lead(MANIFEST);

        let read: toml_edit::DocumentMut = lead.parse().unwrap();
        let path = read["dependencies"]["lambda-msk"]["path"].as_str();
        assert_eq!(path.map(Path::new), Some(Path::new("/a \"b\"/framework")));
        let path = read["dev-dependencies"]["msk-mapping"]["path"].as_str();
        assert_eq!(path.map(Path::new), Some(Path::new("/a \"b\"/mapping")));
    }

    #[test]
    fn a_path_that_is_no_checkout_is_refused() {
        for path in ["/nowhere", env!("CARGO_MANIFEST_DIR")] {
            let text = Origin::of(Some(Path::new(path))).unwrap_err().text();

            let expected = format!("expected a checkout of lambda-msk, found {path}");
            assert!(
                text.contains(&expected) && text.contains("give --path"),
                "{text}"
            );
        }
    }
}
