//! Which program the function is: a command as given, or a binary that cargo builds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use msk_mapping::Function;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::fault::Fault;
use crate::interrupts;

pub(crate) fn command(text: &str) -> Result<Function, Fault> {
    let words = shlex::split(text).unwrap_or_default();
    let Some((program, args)) = words.split_first() else {
        return Err(Fault::new("expected a command in --function")
            .at(text)
            .help("words are split as in a shell: close every quote"));
    };
    Ok(Function::new(program).args(args))
}

/// The function that cargo builds, and its executable.
pub(crate) fn build(bin: Option<&str>, release: bool) -> Result<(Function, PathBuf), Fault> {
    let (package, bin) = choose(bin)?;
    let mut cargo = cargo();
    cargo.args([
        "build",
        "--message-format=json-render-diagnostics",
        "--package",
        &package,
        "--bin",
        &bin,
    ]);
    if release {
        cargo.arg("--release");
    }
    cargo.stderr(Stdio::inherit());
    let output = run(cargo)?;
    if !output.status.success() {
        return Err(
            Fault::new(format!("cargo could not build `{bin}`")).help("see its messages above")
        );
    }
    let executable = executable(&output.stdout, &bin)
        .ok_or_else(|| Fault::new(format!("cargo named no executable for `{bin}`")))?;
    Ok((Function::new(&executable).name(bin), executable))
}

/// The cargo that runs us, if one does.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Runs cargo until it ends or this process is told to: then cargo and its compilers end too, which else would go on and
/// hold the lock of the build.
fn run(mut command: Command) -> Result<Output, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the runtime").at(error.to_string()))?;
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    // A group of its own, which a signal reaches as a whole, whoever sent it to us alone.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    runtime.block_on(async {
        let mut interrupts = interrupts::listen();
        let cannot_run = |error: std::io::Error| {
            Fault::new("cannot run cargo")
                .at(error.to_string())
                .help("install Rust, or start the function with --function COMMAND")
        };
        let child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .map_err(cannot_run)?;
        let group = child.id();
        tokio::select! {
            output = child.wait_with_output() => output.map_err(cannot_run),
            Some(()) = interrupts.recv() => {
                end(group);
                Err(Fault::interrupted())
            }
        }
    })
}

/// Ends a process group.
#[cfg(unix)]
fn end(group: Option<u32>) {
    use rustix::process::{Pid, Signal, kill_process_group};

    let group = group.and_then(|id| i32::try_from(id).ok());
    if let Some(group) = group.and_then(Pid::from_raw) {
        // Fails only if it has ended already.
        let _ = kill_process_group(group, Signal::TERM);
    }
}

#[cfg(not(unix))]
fn end(_group: Option<u32>) {}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    #[serde(default)]
    workspace_default_members: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    default_run: Option<String>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Package {
    fn bins(&self) -> impl Iterator<Item = &str> {
        let is_bin = |target: &&Target| target.kind.iter().any(|kind| kind == "bin");
        self.targets
            .iter()
            .filter(is_bin)
            .map(|target| target.name.as_str())
    }
}

fn choose(bin: Option<&str>) -> Result<(String, String), Fault> {
    let metadata: Metadata = metadata(&["metadata", "--no-deps", "--format-version=1"])?;
    let here: Location = self::metadata(&["locate-project"])?;
    pick(&metadata, &here.root, bin)
}

#[derive(Debug, Deserialize)]
struct Location {
    root: PathBuf,
}

fn metadata<T: DeserializeOwned>(args: &[&str]) -> Result<T, Fault> {
    let mut cargo = cargo();
    cargo.args(args).stderr(Stdio::piped());
    let output = run(cargo)?;
    if !output.status.success() {
        return Err(Fault::new("expected a cargo project here, found none")
            .at(String::from_utf8_lossy(&output.stderr).trim_end())
            .help("run this in the folder of your function, or start it with --function COMMAND"));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| {
        Fault::new(format!("cannot read the output of `cargo {}`", args[0])).at(error.to_string())
    })
}

/// Package and name of the binary: in the whole workspace if it is named, else in the package here or, in the root of a
/// virtual workspace, in its default members.
fn pick(
    metadata: &Metadata,
    manifest: &Path,
    bin: Option<&str>,
) -> Result<(String, String), Fault> {
    let here = metadata
        .packages
        .iter()
        .find(|package| package.manifest_path == manifest);
    let mut scope: Vec<&Package> = match (bin, here) {
        (None, Some(here)) => vec![here],
        (None, None) => {
            let default =
                |package: &&Package| metadata.workspace_default_members.contains(&package.id);
            metadata.packages.iter().filter(default).collect()
        }
        (Some(_), _) => metadata.packages.iter().collect(),
    };
    // Of two with one name the one of the package here.
    scope.sort_by_key(|package| package.manifest_path != manifest);
    let all: Vec<(&Package, &str)> = scope
        .iter()
        .flat_map(|package| package.bins().map(|name| (*package, name)))
        .collect();
    let wanted = bin.or_else(|| here.and_then(|here| here.default_run.as_deref()));
    let mut fitting = all
        .iter()
        .filter(|(_, name)| wanted.is_none_or(|wanted| wanted == *name));
    let choices = all
        .iter()
        .map(|(package, name)| format!("--bin {name}   (package {})", package.name));
    match (fitting.next(), fitting.next()) {
        (Some((package, name)), second) if second.is_none() || bin.is_some() => {
            Ok((package.name.clone(), (*name).to_owned()))
        }
        (Some(_), _) => Err(choices
            .fold(Fault::new("expected one binary, found several"), Fault::at)
            .help("name the function's binary")),
        (None, _) => match wanted {
            Some(wanted) => Err(choices
                .fold(Fault::new(format!("expected a binary `{wanted}`, found none")), Fault::at)
                .help("name one of these, or start any command with --function COMMAND")),
            None => Err(Fault::new("expected a binary here, found none")
                .at(manifest.display().to_string())
                .help("run this in the folder of your function, name it with --bin, or use --function COMMAND")),
        },
    }
}

/// The executable in cargo's messages, one JSON object a line.
fn executable(messages: &[u8], bin: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        target: Option<Target>,
        executable: Option<PathBuf>,
    }

    let lines = messages.split(|byte| *byte == b'\n');
    let artifacts = lines.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let of_bin = |message: Message| {
        message
            .target
            .filter(|target| target.name == bin)
            .and(message.executable)
    };
    artifacts.filter_map(of_bin).next_back()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Metadata, command, executable, pick};

    fn workspace() -> Metadata {
        let package = |name: &str, bins: &str| {
            format!(
                r#"{{"id":"{name} 1","name":"{name}","manifest_path":"/w/{name}/Cargo.toml","default_run":null,
                     "targets":[{{"name":"{name}","kind":["lib"]}}{bins}]}}"#
            )
        };
        let bin = |name: &str| format!(r#",{{"name":"{name}","kind":["bin"]}}"#);
        let packages = [
            package("orders", &bin("ship")),
            package("clicks", &(bin("count") + &bin("ship"))),
            package("words", ""),
        ];
        let json = format!(
            r#"{{"packages":[{}],"workspace_default_members":["orders 1","words 1"]}}"#,
            packages.join(",")
        );
        serde_json::from_str(&json).unwrap()
    }

    fn picked(manifest: &str, bin: Option<&str>) -> Result<(String, String), String> {
        pick(&workspace(), Path::new(manifest), bin).map_err(|fault| fault.text())
    }

    fn pair(package: &str, bin: &str) -> Result<(String, String), String> {
        Ok((package.to_owned(), bin.to_owned()))
    }

    #[test]
    fn the_only_binary_of_the_package_here_is_the_function() {
        assert_eq!(picked("/w/orders/Cargo.toml", None), pair("orders", "ship"));
    }

    #[test]
    fn in_the_root_it_is_the_only_one_of_the_default_members() {
        assert_eq!(picked("/w/Cargo.toml", None), pair("orders", "ship"));
    }

    #[test]
    fn a_named_binary_is_found_in_the_whole_workspace_and_here_first() {
        assert_eq!(
            picked("/w/words/Cargo.toml", Some("count")),
            pair("clicks", "count")
        );
        assert_eq!(
            picked("/w/clicks/Cargo.toml", Some("ship")),
            pair("clicks", "ship")
        );
    }

    #[test]
    fn several_are_listed() {
        let text = picked("/w/clicks/Cargo.toml", None).unwrap_err();

        assert!(
            text.contains("--bin count") && text.contains("--bin ship"),
            "{text}"
        );
    }

    #[test]
    fn a_missing_one_is_named_with_those_there_are() {
        let text = picked("/w/Cargo.toml", Some("shop")).unwrap_err();

        assert!(
            text.contains("`shop`") && text.contains("--bin ship"),
            "{text}"
        );
        assert!(
            picked("/w/words/Cargo.toml", None)
                .unwrap_err()
                .contains("expected a binary here, found none")
        );
    }

    #[test]
    fn the_executable_stands_in_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"ship","kind":["lib"]},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"ship","kind":["bin"]},"executable":"/t/ship"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\n"
        );

        assert_eq!(
            executable(messages.as_bytes(), "ship"),
            Some(PathBuf::from("/t/ship"))
        );
        assert_eq!(executable(messages.as_bytes(), "shop"), None);
    }

    #[test]
    fn an_open_quote_is_refused() {
        assert!(
            command("sh -c 'x")
                .unwrap_err()
                .text()
                .contains("close every quote")
        );
        assert!(command("").is_err());
    }
}
