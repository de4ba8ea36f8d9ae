//! `cargo msk dev` when it is asked to end before it is through: by Ctrl-C, a script, or a terminal that was closed.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{EVENT, command, start, start_with};
use crate::{events, file};

/// How often something is looked for, and the pause between two looks: ten seconds in all.
const LOOKS: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(10);

/// A run whose function has been given its first batch, and holds it until `held` is away.
struct Held {
    child: Child,
    errors: BufReader<ChildStderr>,
    held: PathBuf,
    function: String,
}

fn until(mut what: impl FnMut() -> bool) -> bool {
    (0..LOOKS).any(|_| {
        what() || {
            std::thread::park_timeout(PAUSE);
            false
        }
    })
}

fn held(name: &str) -> Held {
    let path = file(name);
    let (command, behaviour) = (command(), format!("BEHAVIOUR=hold={}", path.display()));
    let args = [
        &["dev", "--topic", "orders", "--partitions", "1", "--once"][..],
        &["--json", "--produce", "-", "--batch-size", "2"],
        &["--function", &command, "--env", &behaviour],
    ];
    let mut child = start(&args.concat(), "1\n2\n3\n4\n");
    let pid = || std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        until(|| pid().ends_with('\n')),
        "the function never started"
    );
    Held {
        errors: BufReader::new(child.stderr.take().unwrap()),
        child,
        function: pid().trim().to_owned(),
        held: path,
    }
}

/// A cargo that has started a compiler, and waits for it for a minute. Answers with where the compiler's number stands.
fn slow_cargo(name: &str) -> (PathBuf, PathBuf) {
    use std::os::unix::fs::PermissionsExt;

    let (cargo, compiler) = (file(name), file(&format!("{name}-compiler")));
    let script = format!(
        "#!/bin/sh\nsleep 60 &\necho $! > '{}'\nwait\n",
        compiler.display()
    );
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).unwrap();
    (cargo, compiler)
}

#[test]
fn a_signal_during_a_build_ends_cargo_and_its_compilers() {
    for (command, signal) in [("dev", "TERM"), ("dev", "INT"), ("invoke", "TERM")] {
        let (cargo, compiler) = slow_cargo(&format!("cargo-{command}-{signal}"));
        let args: &[&str] = match command {
            "dev" => &["dev", "--topic", "orders"],
            _ => &["invoke", "--event", "-"],
        };
        let env = [("CARGO", cargo.to_str().unwrap())];
        let mut child = start_with(&env, args, EVENT);
        let id = || std::fs::read_to_string(&compiler).unwrap_or_default();
        assert!(until(|| id().ends_with('\n')), "the build never started");

        assert!(kill(&["-s", signal, &child.id().to_string()]));
        let ended = child.wait().unwrap();

        let lives = || kill(&["-0", id().trim()]);
        assert!(until(|| !lives()), "{command}: the compiler lives on");
        assert_eq!(ended.code(), Some(130), "{command}");
        for path in [cargo, compiler] {
            std::fs::remove_file(path).unwrap();
        }
    }
}

impl Held {
    fn signal(&self, name: &str) {
        assert!(kill(&["-s", name, &self.child.id().to_string()]));
    }

    /// Waits for a line of standard error.
    fn hears(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let read = self.errors.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it never said {text}");
        }
    }

    fn output(self) -> Output {
        self.child.wait_with_output().unwrap()
    }
}

fn kill(args: &[&str]) -> bool {
    let quiet = Command::new("kill")
        .args(args)
        .stderr(Stdio::null())
        .status();
    quiet.unwrap().success()
}

fn is_gone(process: &str) -> bool {
    until(|| !kill(&["-s", "0", process]))
}

fn let_go(path: &Path) {
    std::fs::remove_file(path).unwrap();
}

#[test]
fn each_signal_lets_what_is_under_way_end_and_exits_130_without_a_process_left() {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let mut run = held(&format!("held-{signal}"));
        let (path, function) = (run.held.clone(), run.function.clone());

        run.signal(signal);
        run.hears("stopping");
        let_go(&path);
        let output = run.output();

        let events = events(&output);
        let committed: Vec<&Value> = events
            .iter()
            .filter(|event| event["event"] == "committed")
            .map(|event| &event["position"])
            .collect();
        assert_eq!(committed, [2], "{signal}");
        assert_eq!(events.last().unwrap()["exitCode"], 130, "{signal}");
        assert_eq!(output.status.code(), Some(130), "{signal}");
        assert!(is_gone(&function), "{signal}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once_with_what_is_under_way() {
    let mut run = held("held-twice");
    let (path, function) = (run.held.clone(), run.function.clone());

    run.signal("TERM");
    run.hears("stopping");
    run.signal("HUP");
    run.hears("interrupted");
    let output = run.output();

    assert_eq!(output.status.code(), Some(130));
    assert!(is_gone(&function));
    let_go(&path);
    let end = events(&output).pop().unwrap();
    assert_eq!(
        (&end["event"], &end["exitCode"]),
        (&"end".into(), &130.into())
    );
    assert_eq!(end["verdict"], "interrupted");
    assert_eq!(end["mappings"][0]["committed"], 0);
}

/// A run without an end of its own, stopped after so many answers, of a function that behaves so.
fn stopped_after_an_answer(behaviour: &str) -> (Output, Value) {
    let (command, behaviour) = (command(), format!("BEHAVIOUR={behaviour}"));
    let args = [
        &["dev", "--topic", "orders", "--partitions", "1", "--json"][..],
        &["--produce", "-", "--function", &command],
        &["--env", &behaviour],
    ];
    let mut child = start(&args.concat(), "1\n2\n3\n4\n");
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (mut text, mut line) = (String::new(), String::new());
    let settled = |line: &str| match behaviour.as_str() {
        "BEHAVIOUR=done" => line.contains(r#""event":"committed""#) && line.contains(":4,"),
        _ => line.contains(r#""event":"ended""#),
    };
    while !settled(&line) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "{text}");
        text += &line;
    }
    assert!(kill(&["-s", "TERM", &child.id().to_string()]));
    std::io::Read::read_to_string(&mut lines, &mut text).unwrap();
    let output = child.wait_with_output().unwrap();
    let end = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    (output, end)
}

#[test]
fn a_run_that_is_stopped_while_records_are_not_done_is_no_success() {
    for (behaviour, code, verdict) in [("done", 0, "all-done"), ("error", 1, "not-done")] {
        let (output, end) = stopped_after_an_answer(behaviour);

        assert_eq!(output.status.code(), Some(code), "{behaviour}: {end}");
        assert_eq!(
            (&end["event"], &end["verdict"], &end["exitCode"]),
            (&"end".into(), &verdict.into(), &code.into())
        );
    }
}

#[test]
fn a_signal_while_the_records_are_read_is_told_in_the_last_line() {
    let pipe = file("pipe-that-nobody-writes");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let args = [
        &["dev", "--topic", "orders", "--json", "--function", "true"][..],
        &["--produce", pipe.to_str().unwrap()],
    ];
    let child = start(&args.concat(), "");
    // The pipe has a reader: the run has begun to read it.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();

    assert!(kill(&["-s", "TERM", &child.id().to_string()]));
    let output = child.wait_with_output().unwrap();

    drop(writer);
    let_go(&pipe);
    let end = events(&output).pop().unwrap();
    assert_eq!(
        (&end["event"], &end["verdict"], &end["exitCode"]),
        (&"end".into(), &"interrupted".into(), &130.into())
    );
    assert_eq!(output.status.code(), Some(130));
}

#[test]
fn a_signal_to_invoke_ends_the_function_too() {
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let path = file(&format!("invoke-{signal}"));
        let (command, behaviour) = (command(), format!("BEHAVIOUR=hold={}", path.display()));
        let args = [
            &["invoke", "--event", "-", "--function", &command][..],
            &["--env", &behaviour],
        ];
        let child = start(&args.concat(), EVENT);
        let pid = || std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            until(|| pid().ends_with('\n')),
            "the function never started"
        );
        let function = pid().trim().to_owned();

        assert!(kill(&["-s", signal, &child.id().to_string()]));
        let output = child.wait_with_output().unwrap();

        assert!(is_gone(&function), "{signal}");
        assert_eq!(output.status.code(), Some(130), "{signal}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("error: interrupted"), "{signal}: {said}");
        let_go(&path);
    }
}
