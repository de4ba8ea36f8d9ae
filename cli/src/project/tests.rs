//! Each template as a project: names, topics, versions, commands.

use super::template::{TEMPLATES, Template};
use super::{Project, Wanted};
use crate::fault::Fault;

fn project(template: &str, name: &str, topic: Option<&str>) -> Result<Project, Fault> {
    let wanted = Wanted {
        topic: topic.map(str::to_owned),
        template: template.to_owned(),
        path: None,
    };
    Project::new(name, &wanted)
}

/// The files of the template that a project has as they are there, or with its own names.
fn files(template: &Template, name: &str, topic: &str) -> Vec<(String, String)> {
    let project = project(template.name, name, Some(topic)).unwrap();
    let mut files = project.files();
    let made_by_us = ["Cargo.toml", "template.yaml", ".gitignore"];
    files.retain(|(path, _)| !made_by_us.contains(&path.as_str()));
    files
}

#[test]
fn with_the_examples_own_names_every_file_is_the_examples() {
    for template in TEMPLATES {
        let files = files(template, template.name, template.topic());

        assert_eq!(files.len() + 1, template.files.len(), "{}", template.name);
        for (path, text) in files {
            assert_eq!(text, template.file(&path), "{}: {path}", template.name);
        }
    }
}

#[test]
fn names_of_ones_own_stand_where_the_examples_stood_and_nowhere_else() {
    let (name, topic) = ("my-Shop9", "A.b_c-d");
    for template in TEMPLATES {
        let own = files(template, name, topic);

        for (path, text) in &own {
            let back = text
                .replace("my_Shop9", &template.name.replace('-', "_"))
                .replace(name, template.name)
                .replace(topic, template.topic());
            assert_eq!(back, template.file(path), "{}: {path}", template.name);
            let old = template.topic();
            for old in [
                format!("`{old}`"),
                format!("\"{old}\""),
                format!("\"{old}-"),
                format!("--topic {old}"),
            ] {
                assert!(!text.contains(&old), "{}: {path} has {old}", template.name);
            }
        }
        let of = |wanted: &str| {
            let file = own.iter().find(|(path, _)| path == wanted);
            &file.expect(wanted).1
        };
        assert!(
            of("src/main.rs").contains("my_Shop9::"),
            "{}",
            template.name
        );
        assert!(of("src/lib.rs").contains("const TOPIC: &str = \"A.b_c-d\";"));
        assert!(of("README.md").starts_with("# my-Shop9\n"));
        let events = own.iter().filter(|(path, _)| path.starts_with("events/"));
        // A function may read other topics beside its own.
        let its_own = format!("\"{}\"", template.topic());
        let of_kafka: Vec<_> = events
            .filter(|(_, text)| text.contains("\"aws:kafka\""))
            .filter(|(path, _)| template.file(path).contains(&its_own))
            .collect();
        assert!(!of_kafka.is_empty(), "{}", template.name);
        for (path, text) in of_kafka {
            assert!(text.contains("\"A.b_c-d-0\": ["), "{path}");
            assert!(!text.contains(&its_own), "{path}");
        }
    }
}

#[test]
fn a_manifest_has_the_name_and_released_versions_and_inherits_nothing() {
    for template in TEMPLATES {
        let project = project(template.name, "shop", None).unwrap();
        let files = project.files();
        let manifest = files.iter().find(|(path, _)| path == "Cargo.toml").unwrap();

        let text = &manifest.1;
        assert!(
            text.starts_with("[package]\nname = \"shop\"\nversion = \"0.1.0\"\n"),
            "{text}"
        );
        for word in ["path", "workspace", "description", template.name] {
            // A feature, or a part of an option's name, is none of them.
            let alone = text.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
            assert!(
                !alone.into_iter().any(|found| found == word),
                "{word}: {text}"
            );
        }
        let version = env!("CARGO_PKG_VERSION");
        let (alone, with_features) = (
            format!("lambda-msk = \"{version}\"\n"),
            format!("lambda-msk = {{ version = \"{version}\", features"),
        );
        assert!(
            text.contains(&alone) || text.contains(&with_features),
            "{text}"
        );
    }
}

#[test]
fn every_template_says_what_it_is_and_what_to_type() {
    for template in TEMPLATES {
        assert!(!template.description().is_empty(), "{}", template.name);
        let commands = project(template.name, "shop", Some("t"))
            .unwrap()
            .commands();
        let [test, invoke, dev, deploy] = &commands[..] else {
            panic!("{commands:?}");
        };
        assert_eq!(test, "cargo test");
        let invoke = invoke.strip_prefix("cargo msk invoke --event ").unwrap();
        // Behind it, what the function does not start without.
        let (event, needs) = invoke.split_at(invoke.find(' ').unwrap_or(invoke.len()));
        assert!(needs.is_empty() || needs.starts_with(" --env "), "{needs}");
        assert!(!template.file(event).is_empty(), "{event}");
        assert_eq!(
            *dev,
            format!("cargo msk dev --topic t --produce {event} --once{needs}")
        );
        assert!(deploy.starts_with("sam build"), "{deploy}");
        let lines = template.file("README.md").lines().count();
        // More where it says how others read what the function writes.
        let most = if needs.is_empty() { 35 } else { 80 };
        assert!((15..=most).contains(&lines), "{lines} lines");
    }
}

#[test]
fn an_unknown_template_is_answered_with_all_there_are() {
    let text = project("bulk", "shop", None).unwrap_err().text();

    assert!(
        text.contains("expected the name of a template, found `bulk`"),
        "{text}"
    );
    for template in TEMPLATES {
        assert!(text.contains(template.description()), "{text}");
    }
}

#[test]
fn a_project_is_not_called_as_what_it_depends_on() {
    for name in ["tokio", "lambda_msk", "serde"] {
        let text = project("orders", name, None).unwrap_err().text();
        assert!(text.contains("depends on the crate of that name"), "{text}");
    }
}
