//! Letters in a file: whole, once confirmed there, and by several writers at once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::FileDestination;
use crate::destination::fixture::{Folder, letters, letters_until};
use crate::destination::{Destination, SendError};
use crate::failure::error_text;

/// Each line parsed. *None: it does not parse.*
fn lines(path: &Path) -> Vec<Option<Value>> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The one text that all letters got.
fn refusal(results: Vec<Result<(), SendError>>) -> String {
    let texts: BTreeSet<String> = results
        .into_iter()
        .map(|result| error_text(&result.unwrap_err()))
        .collect();
    assert_eq!(texts.len(), 1);
    texts.into_iter().next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn letters_are_confirmed_and_stand_in_the_file_a_line_each() {
    let folder = Folder::new();
    let path = folder.join("dlq.ndjson");
    let file = FileDestination::new(&path);

    let first = file.send(&letters(2)).await;
    let second = file.send(&letters(1)).await;

    assert!(first.iter().chain(&second).all(Result::is_ok));
    let offsets: Vec<Value> = lines(&path)
        .into_iter()
        .map(|line| line.unwrap()["KafkaBatchInfo"]["recordInfo"]["offset"].clone())
        .collect();
    assert_eq!(offsets, ["15", "16", "15"]);
}

#[tokio::test(start_paused = true)]
async fn no_letters_make_no_file() {
    let folder = Folder::new();
    let path = folder.join("dlq.ndjson");

    let results = FileDestination::new(&path).send(&[]).await;

    assert!(results.is_empty());
    assert!(!path.exists());
}

#[tokio::test(start_paused = true)]
async fn a_torn_last_line_is_left_behind_and_the_next_is_whole() {
    let folder = Folder::new();
    let path = folder.join("dlq.ndjson");
    fs::write(&path, "{\"whole\":1}\n{\"requestContext\":{\"requ").unwrap();

    let results = FileDestination::new(&path).send(&letters(1)).await;

    assert!(results[0].is_ok());
    let parsed: Vec<bool> = lines(&path).iter().map(Option::is_some).collect();
    assert_eq!(parsed, [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_directory_is_named_with_what_to_do() {
    let folder = Folder::new();
    let path = folder.join("missing/dlq.ndjson");

    let refusal = refusal(FileDestination::new(&path).send(&letters(2)).await);

    let path = path.display();
    assert_eq!(
        refusal,
        format!(
            "cannot open the dead-letter file `{path}`: its directory does not exist; create it, or use another path: No such file or directory (os error 2)"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_directory_or_a_device_is_refused() {
    let folder = Folder::new();

    let directory = refusal(FileDestination::new(folder.path()).send(&letters(1)).await);
    let device = refusal(FileDestination::new("/dev/null").send(&letters(1)).await);

    assert!(
        directory.contains("it is a directory; use the path of a file in it"),
        "{directory}"
    );
    assert!(
        device.contains("`/dev/null`: it is not a regular file"),
        "{device}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_is_never_given_back_costs_the_time_and_no_more() {
    let folder = Folder::new();
    let path = folder.join("dlq.ndjson");
    let holder = fs::File::create(&path).unwrap();
    holder.lock().unwrap();
    let letters = letters_until(Duration::from_millis(400), &["a".to_owned()]);
    let started = Instant::now();

    let refusal = refusal(FileDestination::new(&path).send(&letters).await);

    assert!(
        refusal.contains("another process held its lock"),
        "{refusal}"
    );
    assert!(started.elapsed() < Duration::from_millis(400));
    assert!(started.elapsed() > Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_renamed_away_is_made_anew() {
    let folder = Folder::new();
    let path = folder.join("dlq.ndjson");
    let file = FileDestination::new(&path);

    assert!(file.send(&letters(1)).await[0].is_ok());
    fs::rename(&path, folder.join("read.ndjson")).unwrap();
    assert!(file.send(&letters(2)).await[0].is_ok());

    assert_eq!(lines(&folder.join("read.ndjson")).len(), 1);
    assert_eq!(lines(&path).len(), 2);
}

/// A process of the tests below: this test binary, run again with a file to write to.
fn writer(path: &Path, calls: usize, confirmed: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(WRITER)
        .env("WRITER_FILE", path)
        .env("WRITER_CALLS", calls.to_string())
        .env("WRITER_CONFIRMED", confirmed)
        .stdout(Stdio::null());
    command
}

const WRITER: [&str; 2] = [
    "--exact",
    "destination::file::tests::four_processes_and_their_tasks_never_tear_a_line",
];

/// What such a process does: so many calls of five letters by each of four tasks; at the end it says how many letters were confirmed.
async fn write(path: PathBuf) {
    let calls: usize = std::env::var("WRITER_CALLS").unwrap().parse().unwrap();
    let values = vec!["a".repeat(3_000); 5];
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let file = FileDestination::new(&path);
            let values = values.clone();
            tokio::spawn(async move {
                let mut confirmed = 0;
                for _ in 0..calls {
                    let letters = letters_until(Duration::from_secs(60), &values);
                    let results = file.send(&letters).await;
                    confirmed += results.iter().filter(|result| result.is_ok()).count();
                }
                confirmed
            })
        })
        .collect();
    let mut confirmed = 0;
    for task in tasks {
        confirmed += task.await.unwrap();
    }
    let report = std::env::var_os("WRITER_CONFIRMED").unwrap();
    fs::write(report, confirmed.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_and_their_tasks_never_tear_a_line() {
    match std::env::var_os("WRITER_FILE") {
        Some(path) => write(path.into()).await,
        None => four_processes(),
    }
}

fn four_processes() {
    let folder = Folder::new();
    let path = folder.join("dlq.ndjson");
    let confirmed = |at| folder.join(&format!("confirmed-{at}"));

    let writers: Vec<_> = (0..4)
        .map(|at| writer(&path, 10, &confirmed(at)).spawn().unwrap())
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }

    let lines = lines(&path);
    assert_eq!(lines.len(), 4 * 4 * 10 * 5);
    assert!(lines.iter().all(Option::is_some));
    for at in 0..4 {
        assert_eq!(fs::read_to_string(confirmed(at)).unwrap(), "200");
    }
}

/// `ulimit -f` with its signal ignored makes a write stop half-way, as a full disk does.
#[cfg(unix)]
#[test]
fn a_full_disk_keeps_nothing_of_the_call() {
    let folder = Folder::new();
    let path = folder.join("dlq.ndjson");
    let confirmed = folder.join("confirmed");
    let program = writer(&path, 4, &confirmed);

    let mut limited = Command::new("bash");
    limited
        // 100 blocks of 1024 bytes: room for five calls, and for a part of the sixth.
        .args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""])
        .arg(program.get_program())
        .args(program.get_args())
        .stdout(Stdio::null());
    for (name, value) in program.get_envs() {
        limited.env(name, value.unwrap());
    }
    assert!(limited.status().unwrap().success());

    let lines = lines(&path);
    let confirmed: usize = fs::read_to_string(confirmed).unwrap().parse().unwrap();
    assert!(confirmed > 0 && confirmed < 80, "{confirmed}");
    assert!(lines.iter().all(Option::is_some));
    assert_eq!(lines.len(), confirmed);
}

#[tokio::test]
async fn a_line_cut_by_a_kill_is_the_only_one_that_does_not_parse() {
    let folder = Folder::new();
    let path = folder.join("dlq.ndjson");
    fs::write(&path, "").unwrap();

    let mut writer = writer(&path, 100_000, &folder.join("confirmed"))
        .spawn()
        .unwrap();
    while fs::metadata(&path).unwrap().len() < 500_000 {
        assert!(writer.try_wait().unwrap().is_none());
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    let results = FileDestination::new(&path).send(&letters(1)).await;

    assert!(results[0].is_ok());
    let torn = lines(&path).iter().filter(|line| line.is_none()).count();
    assert!(torn <= 1, "{torn}");
}
