//! What a file is asked before it is written to, and what is said where it cannot be.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::{File, retried};

/// A folder of a test's own, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let process = std::process::id();
        let path = std::env::temp_dir().join(format!("msk-destinations-{process}-{name}"));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_read_only_file_system_is_told_with_lambdas_own() {
    let file = File::new("dlq.ndjson");
    for kind in [ErrorKind::ReadOnlyFilesystem, ErrorKind::PermissionDenied] {
        let error = file.error("open", io::Error::from(kind));
        assert_eq!(
            error.to_string(),
            "cannot open the dead-letter file `dlq.ndjson`: it is not writable; in Lambda only /tmp is writable, and it does not persist: use a queue there"
        );
    }
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_file_renamed_between_open_and_lock_is_not_current() {
    let folder = Folder::new("renamed");
    let path = folder.join("dlq.ndjson");
    let file = File::new(&path);
    let open = file.open().unwrap();

    assert!(file.is_current(&open).unwrap());
    fs::rename(&path, folder.join("read.ndjson")).unwrap();
    assert!(!file.is_current(&open).unwrap());
    fs::write(&path, "").unwrap();
    assert!(!file.is_current(&open).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_always_leads_to_another_file_costs_the_time_and_lets_others_run() {
    let until = Instant::now() + Duration::from_secs(10);
    let mut tries = 0;
    let once = || {
        tries += 1;
        assert!(tries < 20_000, "tried without a wait");
        Ok::<Option<()>, ()>(None)
    };
    let others = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Instant::now()
    };

    let (found, ran) = tokio::join!(retried(until, once), others);

    assert_eq!(found, Ok(None));
    assert_eq!(ran, until - Duration::from_secs(9));
    assert!(Instant::now() < until);
    let error = File::new("dlq.ndjson").error("lock", ErrorKind::ResourceBusy.into());
    assert!(
        error
            .to_string()
            .contains("its name led to another file after each opening"),
        "{error}"
    );
}

#[test]
fn a_check_leaves_no_file_and_refuses_what_cannot_be_one() {
    let folder = Folder::new("checked");
    let (here, missing) = (folder.join("dlq.ndjson"), folder.join("missing/dlq.ndjson"));

    let checked = File::new(&here).check();
    let refused = File::new(&missing).check();
    let device = File::new("/dev/null").check();

    assert!(checked.is_ok() && !here.exists());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(device.unwrap_err().kind(), ErrorKind::InvalidInput);
}
