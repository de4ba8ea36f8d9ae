//! The public API of the published libraries. A change of it has to change the texts in `tests/api/`, so that it is seen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use public_api::{PublicApi, PublicItem};

const LIBRARIES: [&str; 5] = [
    "lambda-msk",
    "msk-destinations",
    "msk-kafka",
    "msk-mapping",
    "msk-schemas",
];

/// Traits that the compiler implements by itself. Where it does not, a line says so.
const AUTO: [&str; 8] = [
    "core::marker::Freeze",
    "core::marker::Send",
    "core::marker::StructuralPartialEq",
    "core::marker::Sync",
    "core::marker::Unpin",
    "core::marker::UnsafeUnpin",
    "core::panic::unwind_safe::RefUnwindSafe",
    "core::panic::unwind_safe::UnwindSafe",
];

/// Of these, what nobody asks for.
const UNASKED: [&str; 5] = [
    "!core::marker::Freeze",
    "!core::marker::UnsafeUnpin",
    "!core::panic::unwind_safe::RefUnwindSafe",
    "!core::panic::unwind_safe::UnwindSafe",
    "core::marker::StructuralPartialEq",
];

/// The trait of an implementation, with `!` before one that is not implemented.
fn implemented(line: &str) -> Option<&str> {
    let (before, _) = line.strip_prefix("impl")?.split_once(" for ")?;
    before.rsplit_once(' ').map(|(_, name)| name)
}

fn is_std(name: &str) -> bool {
    ["core::", "alloc::", "std::"]
        .iter()
        .any(|from| name.starts_with(from))
}

/// Its public items, one a line: without what follows from the lines above it by itself.
fn text(api: &PublicApi) -> String {
    let of_std: BTreeSet<_> = api
        .items()
        .filter(|item| implemented(&item.to_string()).is_some_and(is_std))
        .map(PublicItem::id)
        .collect();
    let mut text = String::new();
    for item in api.items() {
        let line = item.to_string();
        let given =
            implemented(&line).is_some_and(|name| AUTO.contains(&name) || UNASKED.contains(&name));
        // The methods of a trait of the standard library are those that it has.
        let inherited =
            line.contains(" fn ") && item.parent_id().is_some_and(|id| of_std.contains(&id));
        if !given && !inherited {
            text += &line;
            text.push('\n');
        }
    }
    text
}

#[test]
#[ignore = "needs the JSON of the pinned rustdoc: make api"]
fn the_public_api_is_the_one_that_was_agreed_on() {
    let json = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../doc");
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("api");
    let mut changes = String::new();
    for library in LIBRARIES {
        let path = json.join(library.replace('-', "_")).with_extension("json");
        let api = public_api::Builder::from_rustdoc_json(path)
            .omit_blanket_impls(true)
            .build();
        let now = text(&api.unwrap());
        let path = texts.join(library).with_extension("txt");
        if std::env::var_os("UPDATE").is_some_and(|update| !update.is_empty()) {
            fs::write(&path, &now).unwrap();
        }
        let agreed = fs::read_to_string(&path).unwrap_or_default();

        if now != agreed {
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
            let (now, agreed) = (lines(&now), lines(&agreed));
            changes += &format!("{library}:\n");
            changes.extend(agreed.difference(&now).map(|line| format!("- {line}\n")));
            changes.extend(now.difference(&agreed).map(|line| format!("+ {line}\n")));
        }
    }
    assert!(
        changes.is_empty(),
        "{changes}if that is meant: `make api UPDATE=1` writes tests/api/, CHANGELOG.md says what it is for users"
    );
}
