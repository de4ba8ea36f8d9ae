//! The source of lambda-msk for a project: the registry, or a checkout.

use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// What a dependency on a crate of this repository begins with in the manifests of `examples/`.
const IN_THE_REPOSITORY: &str = "path = \"../../";
/// What parts that path from the version behind it.
const TO_VERSION: &str = "\", version = \"";

/// The folder that this command was built from.
const BUILT_FROM: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");

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

    /// A remark and its cure, for a project that takes the released version from a command that was not released itself.
    pub(crate) fn note(&self) -> Option<(String, String)> {
        match self {
            Self::Registry => note(Path::new(BUILT_FROM)),
            Self::Checkout(_) => None,
        }
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

fn note(built_from: &Path) -> Option<(String, String)> {
    // Cargo names the folder of a package from crates.io so.
    if built_from.ends_with(format!("cargo-msk-{VERSION}")) {
        return None;
    }
    let what = format!("Cargo.toml names lambda-msk {VERSION}, which may not be on crates.io yet");
    let checkout = built_from.parent().map(|path| Origin::of(Some(path)));
    let help = if let Some(Ok(Origin::Checkout(path))) = checkout {
        format!(
            "to take it from the checkout that this command was built from, give --path {},\n\
             or write path = {:?} in Cargo.toml in the place of the version",
            path.display(),
            shown(&path.join("framework"))
        )
    } else {
        "to take it from a checkout, give --path the folder that\n\
         `git clone https://github.com/lambda-msk/lambda-msk` made"
            .to_owned()
    };
    Some((what, help))
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

    use super::{Origin, VERSION, note};

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

    #[test]
    fn a_version_that_may_not_be_released_is_noted_with_the_checkout_if_it_still_stands() {
        let (what, help) = Origin::Registry.note().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert!(what.contains("lambda-msk 0.1.0"), "{what}");
        assert!(
            help.contains(&format!("--path {},", root.display())),
            "{help}"
        );
        assert!(
            help.contains(root.join("framework").to_str().unwrap()),
            "{help}"
        );

        let (_, help) = note(Path::new("/gone/lambda-msk/cli")).unwrap();
        assert!(
            help.contains("git clone") && !help.contains("/gone"),
            "{help}"
        );

        let released = format!("/home/me/.cargo/registry/src/index/cargo-msk-{VERSION}");
        assert_eq!(note(Path::new(&released)), None);
        assert_eq!(Origin::Checkout(root.into()).note(), None);
    }
}
