//! A crate as a tree of modules, read from its sources.

use std::collections::{BTreeMap, BTreeSet};

use crate::parse::{self, Item, Named};
use crate::resolve::defined_in;

/// A module's place, from the crate's root.
pub(crate) type Place = Vec<String>;

/// One module, in a file or inside one.
pub(crate) struct Module {
    /// From the crate's `src`.
    pub(crate) file: String,
    /// What is defined here, modules left out.
    pub(crate) defined: BTreeSet<String>,
    /// What stands for which path: `use` of any kind.
    pub(crate) used: BTreeMap<String, Vec<String>>,
    /// Paths in use, and those of imports that pass nothing on.
    named: Vec<Named>,
}

/// One file needs another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The first that says so.
    pub(crate) line: usize,
}

pub(crate) struct House {
    pub(crate) modules: BTreeMap<Place, Module>,
    order: Vec<String>,
}

impl House {
    /// Reads a crate from its first file on. Files are named from its `src`, and `read` has the text of those that exist.
    pub(crate) fn read(first: &str, read: impl Fn(&str) -> Option<String>) -> Self {
        let mut house = Self {
            modules: BTreeMap::new(),
            order: Vec::new(),
        };
        let items = parse::file(&read(first).unwrap());
        house.order = modules(&items).map(|(name, _)| name.to_owned()).collect();
        house.add(&read, first, &Vec::new(), &items);
        house
    }

    /// The crate's modules as its first file lists them.
    pub(crate) fn order(&self) -> &[String] {
        &self.order
    }

    /// Who needs whom.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut first = BTreeMap::new();
        for (place, module) in &self.modules {
            for named in &module.named {
                let Some(to) = defined_in(self, place, &named.path) else {
                    continue;
                };
                if to != module.file {
                    let key = (module.file.clone(), to);
                    let line = first.entry(key).or_insert(named.line);
                    *line = (*line).min(named.line);
                }
            }
        }
        let import = |((from, to), line)| Import { from, to, line };
        first.into_iter().map(import).collect()
    }

    /// Paths through the crate's root that name no module of it, each with its place.
    pub(crate) fn through_the_root(&self) -> Vec<String> {
        let mut found = Vec::new();
        for module in self.modules.values() {
            for Named { path, line } in &module.named {
                if let [first, name, ..] = path.as_slice()
                    && first == "crate"
                    && !self.order.contains(name)
                {
                    found.push(format!("{}:{line}: `crate::{name}`", module.file));
                }
            }
        }
        found
    }

    /// A module, and those below it.
    fn add(
        &mut self,
        read: &impl Fn(&str) -> Option<String>,
        file: &str,
        place: &Place,
        items: &[Item],
    ) {
        let mut module = Module {
            file: file.to_owned(),
            defined: BTreeSet::new(),
            used: BTreeMap::new(),
            named: Vec::new(),
        };
        for item in items {
            match item {
                Item::Defined(name) => {
                    module.defined.insert(name.clone());
                }
                Item::Used {
                    name,
                    path,
                    passed_on,
                } => {
                    module.used.insert(name.clone(), path.path.clone());
                    if !passed_on {
                        module.named.push(path.clone());
                    }
                }
                Item::Named(named) => module.named.push(named.clone()),
                Item::Module(..) => {}
            }
        }
        self.modules.insert(place.clone(), module);
        for (name, inside) in modules(items) {
            let mut below = place.clone();
            below.push(name.to_owned());
            if let Some(items) = inside {
                self.add(read, file, &below, items);
                continue;
            }
            let folder = below.join("/");
            let (file, text) = [format!("{folder}.rs"), format!("{folder}/mod.rs")]
                .into_iter()
                .find_map(|file| read(&file).map(|text| (file, text)))
                .unwrap_or_else(|| panic!("no file of the module {folder}"));
            self.add(read, &file, &below, &parse::file(&text));
        }
    }
}

fn modules(items: &[Item]) -> impl Iterator<Item = (&str, Option<&[Item]>)> {
    items.iter().filter_map(|item| match item {
        Item::Module(name, inside) => Some((name.as_str(), inside.as_deref())),
        _ => None,
    })
}
