//! Projects made by `cargo msk new` and `cargo msk init`, outside the repository's tree.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{file, stderr, stdout};

/// Each with an event that it handles.
const TEMPLATES: [(&str, &str); 8] = [
    ("orders", "batch.json"),
    ("two-sources", "kafka.json"),
    ("cdc", "changes.json"),
    ("typed", "batch.json"),
    ("traced", "batch.json"),
    ("files-s3", "odd.json"),
    ("bulk-opensearch", "batch.json"),
    ("bulk-postgres", "batch.json"),
];

/// A variable that a template's function does not start without, since it needs a server.
const NEEDS: [(&str, &str); 1] = [("files-s3", "FILES_S3")];

/// Its function does not start without one: its own tests run it, beside a real server.
const NEEDS_A_DATABASE: &str = "bulk-postgres";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A new folder that is gone with this.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = file(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A run of the command in it.
    fn msk(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-msk"));
        command.args(args).current_dir(&self.0);
        command.output().unwrap()
    }

    fn made(&self, args: &[&str]) -> String {
        let output = self.msk(args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Every file below it, with its text.
    fn files(&self) -> Vec<(PathBuf, String)> {
        let (mut files, mut folders) = (Vec::new(), vec![self.0.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), fs::read_to_string(path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn checkout() -> String {
    root().to_str().unwrap().to_owned()
}

/// An event for a project that was built before.
fn invoke(project: &Path, event: &str) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-msk"));
    let command = command.args(["invoke", "--event", event]);
    let command = command.current_dir(project).env("CARGO_TARGET_DIR", target);
    let command = command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.env("CARGO_NET_OFFLINE", "true").output().unwrap()
}

/// A program in a project: cargo, with what it builds in one folder for all projects.
fn succeeds(mut command: Command, project: &Path, variables: &[(&str, String)]) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new");
    let output = command
        .current_dir(project)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_NET_OFFLINE", "true")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{command:?}\n{out}\n{err}");
}

fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// The URL of a server that answers as OpenSearch does once it has all documents of a request, until the process ends.
fn index() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(&stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).unwrap() > 0 {}
            let head = head.to_ascii_lowercase();
            let Some((_, length)) = head.split_once("content-length: ") else {
                continue;
            };
            let length = length.split("\r\n").next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            let documents = body.iter().filter(|byte| **byte == b'\n').count() / 2;
            let items = vec![r#"{"create":{"status":201}}"#; documents].join(",");
            let body = format!("{{\"items\":[{items}]}}");
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}",
                body.len()
            );
            let _ = write!(stream, "{head}\r\n\r\n{body}");
        }
    });
    url
}

/// The AWS SDK takes most of the time, and each project would build it with other features. In the workspace all examples
/// are built with it.
fn without_aws(project: &Path) {
    let manifest = project.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let without = text
        .replace("default = [\"dynamodb\", ", "default = [")
        .replace("\"sqs\"]\n", "]\n");
    assert_ne!(text, without);
    fs::write(manifest, without).unwrap();
}

#[test]
#[ignore = "needs minutes, the first time: builds a project of each template (make new)"]
fn in_a_project_of_each_template_its_tests_pass_and_its_events_are_done() {
    let folder = Folder::new("new-each");
    for (template, event) in TEMPLATES {
        let name = format!("my-{template}");
        folder.made(&[
            "new",
            &name,
            "--template",
            template,
            "--topic",
            "A.b-c",
            "--path",
            &checkout(),
        ]);
        let project = folder.0.join(&name);
        // So that it needs no network: the versions that the repository has.
        fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
        if template != TEMPLATES[0].0 {
            without_aws(&project);
        }

        // What its function needs to start.
        let variables = match template {
            "bulk-opensearch" => vec![
                ("OPENSEARCH_URL", index()),
                ("OPENSEARCH_SERVICE", "none".to_owned()),
            ],
            _ => Vec::new(),
        };
        let succeeds = |command| succeeds(command, &project, &variables);
        succeeds(command(env!("CARGO"), &["test", "--offline"]));
        if template == NEEDS_A_DATABASE {
            continue;
        }
        let event = format!("events/{event}");
        let msk = env!("CARGO_BIN_EXE_cargo-msk");
        let needs = NEEDS.iter().find(|(name, _)| *name == template);
        if let Some((_, variable)) = needs {
            let output = invoke(&project, &event);
            let said = stdout(&output) + &stderr(&output);
            assert_ne!(output.status.code(), Some(0), "{said}");
            assert!(said.contains(variable), "{said}");
            continue;
        }
        succeeds(command(msk, &["invoke", "--event", &event]));
        if cfg!(feature = "dev") {
            let dev = ["dev", "--topic", "A.b-c", "--produce", &event, "--once"];
            succeeds(command(msk, &dev));
            let dev = [
                "dev",
                "--template",
                "template.yaml",
                "--produce",
                &event,
                "--once",
            ];
            succeeds(command(msk, &dev));
        }
    }
}

#[test]
fn cargo_reads_a_project_of_each_template_below_another_workspace_too() {
    let folder = Folder::new("new-nested");
    folder.write("Cargo.toml", "[workspace]\nmembers = []\n");
    for (template, _) in TEMPLATES {
        let said = folder.made(&[
            "new",
            template,
            "--template",
            template,
            "--path",
            &checkout(),
        ]);

        assert!(
            said.contains(&format!("cd {template}\n  cargo test\n")),
            "{said}"
        );
        let project = folder.0.join(template);
        fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
        succeeds(
            command(
                env!("CARGO"),
                &["metadata", "--offline", "--format-version=1"],
            ),
            &project,
            &[],
        );
    }
}

#[test]
fn a_slip_makes_nothing_and_says_what_was_expected() {
    let folder = Folder::new("new-refused");
    folder.write("there/notes.txt", "mine");
    folder.write(
        "other/framework/Cargo.toml",
        "[package]\nname = \"framework\"\n",
    );
    let before = folder.files();
    for (args, expected, cure) in [
        (
            &["new", "there"][..],
            "expected a new folder, found there",
            "cargo msk init",
        ),
        (
            &["new", "9shop"],
            "expected a package name, found \"9shop\"",
            "begin with a letter",
        ),
        (
            &["new", "a/b"],
            "expected a package name, found \"a/b\"",
            "give the name alone",
        ),
        (
            &["new", "shop", "--topic", "a b"],
            "expected the name of a topic, found \"a b\"",
            "one topic",
        ),
        (
            &["new", "shop", "--template", "bulk"],
            "expected the name of a template, found `bulk`",
            "two-sources",
        ),
        (
            &["new", "shop", "--path", "there"],
            "expected a checkout of lambda-msk, found there",
            "git clone",
        ),
        (
            &["new", "shop", "--path", "other"],
            "expected a checkout of lambda-msk, found other",
            "git clone",
        ),
        (
            &["init"],
            "expected a package in this folder, found none",
            "cargo msk new NAME",
        ),
    ] {
        let output = folder.msk(args);

        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(expected), "{args:?}: {text}");
        let help = text.split("\n  help: ").nth(1).unwrap_or_default();
        assert!(help.contains(cure), "{args:?}: {text}");
        assert!(output.stdout.is_empty());
        assert_eq!(folder.files(), before, "{args:?}");
    }
}

#[test]
fn without_a_path_the_checkout_of_the_command_is_named_once() {
    let folder = Folder::new("new-without-a-path");
    let manifest = "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    folder.write("other/Cargo.toml", manifest);
    let other = folder.0.join("other");
    let checkout = root().canonicalize().unwrap();
    let path = ["--path", checkout.to_str().unwrap()];
    for (folder, args) in [(&folder.0, &["new", "shop"][..]), (&other, &["init"])] {
        let mut command = command(env!("CARGO_BIN_EXE_cargo-msk"), args);
        let text = stderr(&command.current_dir(folder).output().unwrap());

        let expected =
            "note: Cargo.toml names lambda-msk 0.1.0, which may not be on crates.io yet\n  help: ";
        assert_eq!(text.matches(expected).count(), 1, "{args:?}: {text}");
        assert!(text.contains(&path.join(" ")), "{args:?}: {text}");
    }
    let with = folder.msk(&[&["new", "with"][..], &path].concat());
    assert_eq!(stderr(&with), "");
}

#[test]
fn init_overwrites_nothing_and_says_what_it_left() {
    let folder = Folder::new("init");
    folder.write(
        "Cargo.toml",
        "[package]\nname = \"shop\"\nversion = \"1.2.3\"\nedition = \"2024\"\n",
    );
    folder.write("src/main.rs", "fn main() {}\n");
    folder.write("README.md", "mine\n");

    let said = folder.made(&["init", "--path", &checkout()]);

    assert_eq!(folder.read("src/main.rs"), "fn main() {}\n");
    assert_eq!(folder.read("README.md"), "mine\n");
    assert!(folder.read("Cargo.toml").contains("version = \"1.2.3\""));
    assert!(folder.read("src/lib.rs").contains("async fn ship("));
    let (added, left) = said.split_once("left as it was:\n").unwrap();
    for path in [
        "Cargo.toml: dependencies.lambda-msk",
        "src/lib.rs",
        "template.yaml",
        "events/batch.json",
    ] {
        assert!(added.contains(&format!("  {path}\n")), "{path}: {said}");
    }
    for line in [
        "README.md: already exists",
        "src/main.rs: already exists",
        "lambda_msk::run(shop::consumer().from_env()).await",
    ] {
        assert!(left.contains(line), "{line}: {said}");
    }
    let before = folder.files();
    folder.made(&["init", "--path", &checkout()]);
    assert_eq!(
        folder.files(),
        before,
        "a second time there is nothing to add"
    );
}

#[test]
fn init_makes_what_new_makes_where_a_package_has_no_code_yet() {
    let folder = Folder::new("init-empty");
    folder.made(&["new", "shop", "--path", &checkout()]);
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    folder.write("other/Cargo.toml", manifest);
    let other = Folder(folder.0.join("other"));

    let said = other.made(&["init", "--path", &checkout()]);

    assert!(!said.contains("left as it was"), "{said}");
    for (path, text) in Folder(folder.0.join("shop")).files() {
        let own = path.strip_prefix(folder.0.join("shop")).unwrap();
        if own != Path::new("Cargo.toml") {
            assert_eq!(other.read(own.to_str().unwrap()), text, "{}", own.display());
        }
    }
}

/// The links below `templates/`, which a package of this crate is built from, lead to all that a checkout is built from.
#[test]
#[cfg(unix)]
fn the_links_for_a_package_of_this_crate_lead_to_every_file_of_the_examples() {
    let links = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let same = |link: PathBuf, file: PathBuf| {
        let found = link
            .canonicalize()
            .unwrap_or_else(|error| panic!("{}: {error}", link.display()));
        assert_eq!(found, file.canonicalize().unwrap());
    };
    same(links.join("template.yaml"), root().join("template.yaml"));
    let mut templates = Vec::new();
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let example = entry.unwrap().path();
        if !example.is_dir() {
            continue;
        }
        let name = example.file_name().unwrap().to_str().unwrap().to_owned();
        for entry in fs::read_dir(&example).unwrap() {
            let file = entry.unwrap();
            let link = if file.file_name() == "Cargo.toml" {
                "manifest.toml".into()
            } else {
                file.file_name()
            };
            same(links.join(&name).join(link), file.path());
        }
        templates.push(name);
    }
    templates.sort();
    assert_eq!(
        templates,
        [
            "bulk-opensearch",
            "bulk-postgres",
            "cdc",
            "files-s3",
            "orders",
            "traced",
            "two-sources",
            "typed"
        ]
    );
}

#[test]
fn examples_readme_lists_each_template_with_its_description() {
    let readme = fs::read_to_string(root().join("examples/README.md")).unwrap();
    for (template, _) in TEMPLATES {
        let manifest = root().join("examples").join(template).join("Cargo.toml");
        let manifest = fs::read_to_string(manifest).unwrap();
        let lines = manifest.lines();
        let mut descriptions =
            lines.filter_map(|line| line.strip_prefix("description = \"")?.strip_suffix('"'));
        let line = format!("| `{template}` | {} |\n", descriptions.next().unwrap());
        assert!(readme.contains(&line), "{line}");
    }
}

#[test]
fn the_examples_take_the_versions_of_the_workspace_and_inherit_nothing() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = |text: &str| {
        text.split("version = \"")
            .nth(1)
            .and_then(|rest| Some(rest.split_once('"')?.0.to_owned()))
    };
    let of_workspace = |name: &str| {
        let mut lines = workspace.lines();
        let line = lines
            .find(|line| line.starts_with(&format!("{name} = ")))
            .unwrap_or_else(|| panic!("{name}"));
        version(line).unwrap_or_else(|| line.split('"').nth(1).unwrap().to_owned())
    };
    let mut compared = 0;
    for (template, _) in TEMPLATES {
        let manifest =
            fs::read_to_string(root().join("examples").join(template).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("workspace"), "{template}");
        for (name, value) in manifest.lines().filter_map(|line| line.split_once(" = ")) {
            match name {
                "edition" | "rust-version" | "version" => {
                    assert_eq!(
                        value.trim_matches('"'),
                        of_workspace(name),
                        "{template}: {name}"
                    );
                }
                "name" | "description" | "license" | "publish" | "default" | "dynamodb"
                | "glue" | "schema-registry" | "secrets" | "sqs" => {
                    continue;
                }
                _ => {
                    let own = version(value).unwrap_or_else(|| value.trim_matches('"').to_owned());
                    assert_eq!(own, of_workspace(name), "{template}: {name}");
                }
            }
            compared += 1;
        }
    }
    assert!(compared > 25, "{compared}");
    let release = workspace
        .split("[profile.release]\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let folder = Folder::new("new-release");
    folder.made(&["new", "shop"]);
    assert!(
        folder
            .read("shop/Cargo.toml")
            .ends_with(&format!("[profile.release]\n{release}\n"))
    );
}
