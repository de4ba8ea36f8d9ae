//! `--watch`: rebuilds the function when one of its files changes, and uses it for the next invocations.
//!
//! Which files it is made of stands in the dependency file that rustc leaves beside the executable.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use msk_mapping::Function;
use msk_mapping::driver::Control;

use super::show::Show;
use crate::function::target;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The files of a build, with their times.
type Files = BTreeMap<PathBuf, Option<SystemTime>>;

/// What is built anew.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) bin: Option<String>,
    pub(crate) release: bool,
    pub(crate) executable: PathBuf,
}

/// Runs until it is dropped.
pub(crate) async fn watch(
    watched: Watched,
    dress: impl Fn(Function) -> Function,
    controls: Vec<Control>,
    show: &Show,
) {
    let mut before = files(&watched.executable);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = files(&watched.executable);
        if now == before {
            continue;
        }
        show.remark("watch", "rebuilding the function");
        let (bin, release) = (watched.bin.clone(), watched.release);
        let built = tokio::task::spawn_blocking(move || target::build(bin.as_deref(), release));
        // What changes while it is built is built next.
        before = now;
        match built.await {
            Ok(Ok((function, _))) => {
                let function = dress(function);
                for control in &controls {
                    control.swap(function.clone());
                }
                show.remark("watch", "the next invocations run the new function");
                // It may be made of other files now.
                let made_of = files(&watched.executable);
                before.retain(|path, _| made_of.contains_key(path));
                for (path, time) in made_of {
                    before.entry(path).or_insert(time);
                }
            }
            Ok(Err(fault)) => show.remark("watch", fault.text().trim_end()),
            Err(error) => show.remark("watch", &error.to_string()),
        }
    }
}

/// The sources in `EXECUTABLE.d`, the manifests above them, and each file's time. None: it is not there.
fn files(executable: &Path) -> Files {
    let time = |path: PathBuf| {
        let time = fs::metadata(&path).and_then(|file| file.modified()).ok();
        (path, time)
    };
    let listed = fs::read_to_string(executable.with_extension("d")).unwrap_or_default();
    let sources = sources(&listed);
    let manifests = sources
        .iter()
        .filter_map(|source| {
            source
                .ancestors()
                .find(|folder| folder.join("Cargo.toml").is_file())
        })
        .map(|folder| folder.join("Cargo.toml"));
    let all: Vec<PathBuf> = manifests.chain(sources.iter().cloned()).collect();
    all.into_iter().map(time).collect()
}

/// The paths behind the colon of a makefile's line; a blank in a path is escaped.
fn sources(listed: &str) -> Vec<PathBuf> {
    let line = listed.lines().next().unwrap_or_default();
    let (_, paths) = line.split_once(": ").unwrap_or_default();
    paths
        .replace("\\ ", "\0")
        .split(' ')
        .filter(|path| !path.is_empty())
        .map(|path| PathBuf::from(path.replace('\0', " ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::sources;

    #[test]
    fn the_files_of_a_build_stand_behind_the_colon() {
        let listed = "/t/debug/ship: /w/a/src/lib.rs /w/my\\ own/src/main.rs\n\n/w/a/src/lib.rs:\n";

        let paths = sources(listed);

        assert_eq!(
            paths,
            ["/w/a/src/lib.rs", "/w/my own/src/main.rs"].map(PathBuf::from)
        );
    }
}
