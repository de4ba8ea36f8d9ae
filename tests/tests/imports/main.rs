//! The house's rules on who imports from whom: no circle between files, and a crate that reads from its words down.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod circle;
mod house;
mod parse;
mod resolve;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use circle::circles;
use house::{House, Import};

/// What every module may look up, wherever it stands: bounds and defaults.
const LOOKED_UP: &str = "limits";

/// Each with the file that its modules begin at.
const CRATES: [(&str, &str); 17] = [
    ("framework", "lib.rs"),
    ("kafka", "lib.rs"),
    ("destinations", "lib.rs"),
    ("schemas", "lib.rs"),
    ("mapping", "lib.rs"),
    ("simulation", "lib.rs"),
    ("cli", "main.rs"),
    ("handler", "lib.rs"),
    ("examples/orders", "lib.rs"),
    ("examples/two-sources", "lib.rs"),
    ("examples/cdc", "lib.rs"),
    ("examples/typed", "lib.rs"),
    ("examples/traced", "lib.rs"),
    ("examples/files-s3", "lib.rs"),
    ("examples/bulk-opensearch", "lib.rs"),
    ("examples/bulk-postgres", "lib.rs"),
    ("tests/cost", "main.rs"),
];

/// Those that list their modules in the order in which they are read.
const IN_ORDER: [&str; 6] = [
    "kafka",
    "destinations",
    "schemas",
    "mapping",
    "framework",
    "simulation",
];

/// Names that people type in their first hour: the rest stands in public modules.
const ROOT_NAMES_MAX: usize = 28;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn house(name: &str) -> House {
    let (_, first) = CRATES.iter().find(|(known, _)| *known == name).unwrap();
    let src = root().join(name).join("src");
    House::read(first, |file| fs::read_to_string(src.join(file)).ok())
}

/// The Rust files below a folder, from there, but those that begin a crate and those of tests.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy();
            let begins = ["lib.rs", "main.rs"].contains(&&*name);
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && !begins {
                found.push(name.into_owned());
            }
        }
    }
    found
}

#[test]
fn every_file_of_each_crate_is_read() {
    for (name, _) in CRATES {
        let house = house(name);
        let read: BTreeSet<&str> = house.modules.values().map(|module| &*module.file).collect();
        for file in files(&root().join(name).join("src")) {
            // Of tests alone, so behind `#[cfg(test)]`; and what stands for `dev` in a build without it.
            let apart = [
                "fixture.rs",
                "stub.rs",
                "real.rs",
                "dev/absent.rs",
                "payloads/absent.rs",
            ];
            let apart = apart.iter().any(|end| file.ends_with(end));
            assert!(read.contains(&*file) || apart, "{name}/src/{file}");
        }
    }
}

#[test]
fn no_file_imports_from_one_that_imports_from_it() {
    let mut found = Vec::new();
    for (name, _) in CRATES {
        let imports = house(name).imports();
        found.extend(
            circles(&imports)
                .into_iter()
                .map(|circle| format!("{name}: {circle}")),
        );
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_module_imports_only_from_modules_above_it() {
    let mut found = Vec::new();
    for name in IN_ORDER {
        let house = house(name);
        let order = house.order();
        assert!(order.len() > 2, "{name}: {order:?}");
        // Nobody reads it from end to end, and it needs nobody.
        assert_eq!(order.last().map(String::as_str), Some(LOOKED_UP), "{name}");
        let place = |file: &str| {
            let module = file.split(['/', '.']).next().unwrap();
            order.iter().position(|listed| listed == module)
        };
        for Import { from, to, line, .. } in house.imports() {
            let looked_up = to.split(['/', '.']).next() == Some(LOOKED_UP);
            if let (Some(own), Some(other)) = (place(&from), place(&to))
                && ((other > own && !looked_up) || from.starts_with(LOOKED_UP))
            {
                found.push(format!("{name}/src/{from}:{line}: {to} stands below it"));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn an_import_through_the_crates_root_names_the_module() {
    for name in IN_ORDER {
        let found = house(name).through_the_root();
        assert!(found.is_empty(), "{name}/src: {found:#?}");
    }
}

#[test]
fn the_root_of_the_framework_shows_at_most_28_names() {
    let lib = fs::read_to_string(root().join("framework/src/lib.rs")).unwrap();
    let items = parse::file(&lib);
    let shown = items.iter().filter_map(|item| match item {
        parse::Item::Used {
            name,
            passed_on: true,
            ..
        } => Some(name.as_str()),
        _ => None,
    });
    let shown: Vec<_> = shown.collect();
    assert!(
        shown.contains(&"Consumer") && shown.len() <= ROOT_NAMES_MAX,
        "{} {shown:?}",
        shown.len()
    );
}

mod tests {
    use crate::circle::circles;
    use crate::house::House;

    /// The circles of a crate of these files.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let text = |name: &str| files.iter().find(|(known, _)| *known == name);
        let house = House::read("lib.rs", |name| {
            text(name).map(|(_, text)| (*text).to_owned())
        });
        circles(&house.imports())
    }

    #[test]
    fn a_circle_is_found_by_what_is_named_and_where_it_is_defined() {
        let lib = "mod one;\nmod two;\npub use one::One;\n";
        let one = "pub struct One;\nfn f() -> crate::two::Two { todo!() }\n";
        for two in [
            "use crate::one::One;\npub struct Two(One);\n",
            "use super::One as Other;\npub struct Two(Other);\n",
            "pub struct Two;\nfn f() { assert!(true, \"{:?}\", super::one::One); }\n",
            "use crate::{one};\npub struct Two;\nfn f(_: one::One) {}\n",
        ] {
            let found = found(&[("lib.rs", lib), ("one.rs", one), ("two.rs", two)]);
            assert_eq!(found, ["one.rs (2) -> two.rs -> one.rs"], "{two}");
        }
    }

    #[test]
    fn a_parent_that_names_a_child_that_needs_the_parent_makes_a_circle() {
        let lib = "mod run;\n";
        let child = (
            "run/act.rs",
            "use super::Run;\npub(super) fn act(_: &Run) {}\n",
        );
        let calls = "mod act;\npub struct Run;\nfn f(run: &Run) { act::act(run) }\n";
        let silent = "mod act;\npub struct Run;\n";

        assert_eq!(found(&[("lib.rs", lib), ("run.rs", calls), child]).len(), 1);
        assert!(found(&[("lib.rs", lib), ("run.rs", silent), child]).is_empty());
    }

    #[test]
    fn what_passes_a_name_on_or_stands_in_tests_is_no_import() {
        let lib = "mod one;\nmod two;\npub use one::One;\n";
        let one = "mod inner;\npub use inner::Inner;\npub struct One;\n#[cfg(test)]\nmod tests { use crate::two::Two; }\n";
        let inner = "use super::One;\npub struct Inner(One);\n";
        let two = "use crate::one::{Inner, One};\npub struct Two(Inner, One);\n";
        let files = [
            ("lib.rs", lib),
            ("one.rs", one),
            ("one/inner.rs", inner),
            ("two.rs", two),
        ];

        assert!(found(&files).is_empty(), "{:?}", found(&files));
    }
}
