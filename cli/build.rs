//! Puts the files of `examples/` and `template.yaml` into the command, for `cargo msk new`.
//!
//! In a checkout they are read where they stand. In a package of this crate they are what the links below `templates/`
//! lead to; a manifest is called `manifest.toml` there, since cargo packages no folder that has a `Cargo.toml`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let checkout = here.join("..");
    let (examples, stack) = if checkout.join("examples/README.md").is_file() {
        (checkout.join("examples"), checkout.join("template.yaml"))
    } else {
        (here.join("templates"), here.join("templates/template.yaml"))
    };
    println!("cargo::rerun-if-changed={}", examples.display());
    println!("cargo::rerun-if-changed={}", stack.display());
    let mut code = format!("pub(crate) const STACK: &str = include_str!({stack:?});\n");
    code += "pub(crate) static TEMPLATES: &[Template] = &[\n";
    let mut folders = entries(&examples)?;
    folders.retain(|folder| folder.is_dir());
    // The default comes first.
    folders.sort_by_key(|folder| !folder.ends_with("orders"));
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        code += &format!("    Template {{ name: {name:?}, files: &[\n");
        let mut files = Vec::new();
        collect(&folder, &mut files)?;
        for file in files {
            let path = file.strip_prefix(&folder).map_err(io::Error::other)?;
            let path = path.to_string_lossy().replace('\\', "/");
            let path = if path == "manifest.toml" {
                "Cargo.toml"
            } else {
                &path
            };
            code += &format!("        ({path:?}, include_str!({file:?})),\n");
        }
        code += "    ] },\n";
    }
    code += "];\n";
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&out).join("templates.rs"), code)
}

/// Every file below a folder, but what builds and runs leave there.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in entries(folder)? {
        if path.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|of| of != "ndjson" && of != "lock")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// What a folder holds, by name.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
