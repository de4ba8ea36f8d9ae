//! The mutations of `make mutants`, which takes long: here only that each still finds what it replaces.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// How many there are.
const MUTATIONS: usize = 53;

/// The files that a mutation changes, each with what it replaces there.
fn places(mutation: &str) -> Vec<(&str, &str)> {
    let mut places = Vec::new();
    for place in mutation.split("\nfile: ").skip(1) {
        let (file, rest) = place.split_once("\n<<<<<<<\n").unwrap();
        let (old, _) = rest.split_once("\n=======\n").unwrap();
        places.push((file, old));
    }
    places
}

#[test]
fn each_mutation_names_what_it_breaks_and_finds_its_places_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut numbers = BTreeSet::new();

    for entry in fs::read_dir(root.join("simulation/mutants")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "mutant")
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\nbreaks: "), "{}", path.display());
        let places = places(&text);
        assert!(!places.is_empty(), "{}", path.display());
        for (file, old) in places {
            let code = fs::read_to_string(root.join(file)).unwrap();
            let found = code.matches(old).count();
            assert_eq!(found, 1, "{} in {file}", path.display());
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let (number, _) = name.split_once('-').unwrap();
        assert!(numbers.insert(number.parse::<usize>().unwrap()), "{name}");
    }

    // None is left out.
    assert!(numbers.into_iter().eq(1..=MUTATIONS));
}
