//! The guide and the READMEs: links lead somewhere, no page is left out, and what they name is there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Words of the README, as `wc -w` counts them: two minutes of a reader's time.
const README_WORDS_MAX: usize = 700;

/// The repository as a link from outside names it.
const REPOSITORY: &str = "https://github.com/lambda-msk/lambda-msk/";

/// Pictures that are made elsewhere; all others lie beside the text.
const BADGES: &str = "https://img.shields.io/";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages that lie in a folder, from the repository's root.
fn pages_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<_> = names
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    pages.sort();
    pages
}

/// The pages of the guide, from the repository's root, its table of contents included.
fn pages() -> Vec<String> {
    let mut pages = pages_in("docs/src");
    pages.extend(pages_in("docs/src/design"));
    assert!(pages.len() > 30, "{pages:?}");
    pages
}

/// Texts whose links are followed.
fn texts() -> Vec<String> {
    let others = ["README.md", "CONTRIBUTING.md", "DESIGN.md", "CHANGELOG.md"];
    let crates = [
        "framework",
        "kafka",
        "destinations",
        "mapping",
        "simulation",
        "cli",
    ];
    let crates = crates.iter().map(|folder| format!("{folder}/README.md"));
    let others = others.iter().map(|name| (*name).to_owned());
    pages().into_iter().chain(others).chain(crates).collect()
}

/// The lines outside of code, with inline code left out.
fn prose(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if !fenced {
            let outside = line.split('`').step_by(2);
            lines.push(outside.collect::<Vec<_>>().join("x"));
        }
    }
    lines
}

/// Targets of links and pictures.
fn links(text: &str) -> Vec<String> {
    let text = prose(text).join("\n");
    let parts = text.split("](").skip(1);
    let targets = parts.map(|rest| rest.split(')').next().unwrap().to_owned());
    targets.collect()
}

/// The anchors that headings make, as GitHub and mdBook name them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if let (false, Some((marks, heading))) = (fenced, line.split_once(' '))
            && !marks.is_empty()
            && marks.chars().all(|mark| mark == '#')
        {
            let lower = heading.to_lowercase();
            let kept = lower
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            anchors.insert(kept.collect::<String>().replace(' ', "-"));
        }
    }
    anchors
}

/// Why a link leads nowhere. *None: it leads somewhere, or out of the repository.*
fn fault(from: &str, link: &str) -> Option<String> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match path.strip_prefix(REPOSITORY) {
        Some(inside) => {
            let inside = ["blob/main/", "tree/main/"]
                .iter()
                .find_map(|branch| inside.strip_prefix(branch));
            root().join(inside?)
        }
        None if path.contains("://") => return None,
        None if path.is_empty() => root().join(from),
        None => root().join(from).parent().unwrap().join(path),
    };
    if !target.exists() {
        return Some(format!("{from}: {link}: no such file"));
    }
    let book = root().join("docs/src").canonicalize().unwrap();
    if from.starts_with("docs/src/")
        && !path.contains("://")
        && !target.canonicalize().unwrap().starts_with(book)
    {
        return Some(format!(
            "{from}: {link}: leads out of the book: link to it on GitHub"
        ));
    }
    let found = anchor.is_empty() || anchors(&fs::read_to_string(target).unwrap()).contains(anchor);
    (!found).then(|| format!("{from}: {link}: no such heading"))
}

#[test]
fn every_link_leads_somewhere() {
    let mut faults = Vec::new();
    let mut followed = 0;
    for from in texts() {
        for link in links(&read(&from)) {
            followed += 1;
            faults.extend(fault(&from, &link));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(followed > 50, "{followed}");
}

#[test]
fn a_link_to_no_file_or_no_heading_is_found() {
    let from = "docs/src/once.md";
    assert_eq!(fault(from, "operating.md#replay-by-hand"), None);
    assert_eq!(fault(from, "https://kafka.apache.org/"), None);
    for wrong in [
        "nowhere.md",
        "operating.md#nowhere",
        "#nowhere",
        "../../DESIGN.md",
        "https://github.com/lambda-msk/lambda-msk/blob/main/NOWHERE.md",
        "https://github.com/lambda-msk/lambda-msk/blob/main/DESIGN.md#nowhere",
    ] {
        assert!(fault(from, wrong).is_some(), "{wrong}");
    }
    let text = "[a](b.md) `[c](d.md)`\n```\n[e](f.md)\n```\n![g](h.svg)";
    assert_eq!(links(text), ["b.md", "h.svg"]);
}

#[test]
fn every_page_stands_in_the_table_of_contents_once() {
    let contents = links(&read("docs/src/SUMMARY.md"));
    for page in pages() {
        let name = page.strip_prefix("docs/src/").unwrap();
        let times = contents.iter().filter(|link| *link == name).count();
        let expected = usize::from(name != "SUMMARY.md");
        assert_eq!(times, expected, "{page}");
    }
}

#[test]
fn every_page_of_the_design_stands_in_its_two_indexes_once() {
    let pages: BTreeSet<_> = pages_in("docs/src/design").into_iter().collect();
    for (index, folder) in [("DESIGN.md", ""), ("docs/src/design.md", "docs/src/")] {
        let links = links(&read(index)).into_iter();
        let links = links.map(|link| format!("{folder}{link}"));
        let listed: Vec<_> = links.filter(|link| link.contains("/design/")).collect();
        let once: BTreeSet<_> = listed.iter().cloned().collect();
        assert_eq!(once, pages, "{index}");
        assert_eq!(listed.len(), pages.len(), "{index}");
    }
}

#[test]
fn every_page_with_rust_in_it_is_compiled() {
    let compiled = read("tests/lib.rs");
    for page in texts() {
        let rust = read(&page).lines().any(|line| line.starts_with("```rust"));
        let named = compiled.contains(&format!("\"../{page}\""));
        assert_eq!(rust, named, "{page}: see tests/lib.rs");
    }
}

#[test]
fn every_block_of_code_names_its_language() {
    let mut faults = Vec::new();
    for page in pages() {
        let mut fenced = false;
        for (number, line) in read(&page).lines().enumerate() {
            if line.starts_with("```") {
                fenced = !fenced;
                if fenced && line == "```" {
                    faults.push(format!("{page}:{}", number + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// What is wrong with a picture. Renderers collapse spaces in its text, and nothing is fetched for a picture in a page.
fn faults_of_picture(svg: &str) -> Vec<&'static str> {
    let texts = svg.split('>').skip(1).map(|rest| rest.split('<').next());
    let mut texts = texts.map(|text| text.unwrap().trim_matches('\n'));
    let spaced = texts.any(|text| text != text.trim() || text.contains("  "));
    let outside = svg.replace("http://www.w3.org/", "").contains("://");
    let faults = [
        (!svg.contains("<title"), "expected a <title>, found none"),
        (spaced, "a text depends on spaces: place its words"),
        (outside, "it names something outside"),
    ];
    faults
        .into_iter()
        .filter_map(|(is, fault)| is.then_some(fault))
        .collect()
}

#[test]
fn every_picture_reads_the_same_everywhere_and_is_shown_on_a_page() {
    let shown: String = pages().iter().map(read).collect();
    let mut seen = 0;
    for entry in fs::read_dir(root().join("docs/src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".svg") {
            seen += 1;
            let faults = faults_of_picture(&read(format!("docs/src/{name}")));
            assert_eq!(faults, [""; 0], "{name}");
            assert!(shown.contains(&format!("]({name})")), "{name}");
        }
    }
    assert!(seen > 4, "{seen}");
}

#[test]
fn a_picture_without_a_title_or_with_spaces_to_keep_is_found() {
    let good =
        "<svg xmlns=\"http://www.w3.org/2000/svg\">\n<title>a</title>\n<text>b c</text>\n</svg>\n";
    assert_eq!(faults_of_picture(good), [""; 0]);
    for (from, to) in [
        ("<title>a</title>", ""),
        ("b c", "b  c"),
        ("b c", " b"),
        ("b c", "<image href=\"https://c.d\"/>"),
    ] {
        assert_eq!(faults_of_picture(&good.replace(from, to)).len(), 1, "{to}");
    }
}

#[test]
fn the_readme_is_short_and_shows_what_everybody_sees() {
    let readme = read("README.md");
    let words = readme.split_whitespace().count();
    assert!(words <= README_WORDS_MAX, "{words} words");

    let blocks = readme.split("```rust").skip(1);
    let code = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let hidden: Vec<_> = code
        .filter(|line| line.trim_start().starts_with("# "))
        .collect();
    assert!(hidden.is_empty(), "GitHub shows these lines: {hidden:?}");

    let pictures = readme.split("![").skip(1);
    for picture in pictures {
        let target = picture.split("](").nth(1).unwrap();
        let beside = !target.starts_with("http") || target.starts_with(BADGES);
        assert!(beside, "{target}");
    }
}

#[test]
fn every_variable_of_the_framework_stands_in_the_guide() {
    let settings = read("framework/src/settings.rs");
    let guide = read("docs/src/configuration.md");
    let names: Vec<_> = settings
        .split("reader.read(")
        .skip(1)
        .map(|rest| rest.split('"').nth(1).unwrap())
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(guide.contains(&format!("`LAMBDA_MSK_{name}`")), "{name}");
    }
}

#[test]
fn every_feature_of_the_framework_stands_in_the_guide_and_in_its_documentation() {
    let manifest = read("framework/Cargo.toml");
    let features = manifest.split("[features]\n").nth(1).unwrap();
    let features = features.split("\n[").next().unwrap();
    let names = features.lines().filter_map(|line| line.split_once(" = "));
    let guide = read("docs/src/configuration.md");
    let documentation = read("framework/src/lib.rs");
    let mut seen = 0;
    for (name, _) in names.filter(|(name, _)| !name.starts_with('#') && *name != "default") {
        seen += 1;
        let row = format!("| `{name}`");
        assert!(guide.contains(&row), "{name}: docs/src/configuration.md");
        assert!(documentation.contains(&row), "{name}: framework/src/lib.rs");
    }
    assert!(seen > 4, "{seen}");
}
