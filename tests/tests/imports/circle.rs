//! Circles of files that import from each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::house::Import;

/// One for each file that is in any, the shortest: `one.rs (3) -> two.rs (7) -> one.rs`, with the line that imports.
pub(crate) fn circles(imports: &[Import]) -> Vec<String> {
    let mut graph: BTreeMap<&str, Vec<&Import>> = BTreeMap::new();
    for import in imports {
        graph.entry(&import.from).or_default().push(import);
    }
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for file in graph.keys() {
        let Some(circle) = shortest(&graph, file) else {
            continue;
        };
        let mut members: Vec<&str> = circle.iter().map(|import| &*import.from).collect();
        members.sort_unstable();
        if seen.insert(members) {
            let steps = circle.iter().enumerate();
            let steps = steps.map(|(index, import)| match index {
                0 => format!("{} ({})", import.from, import.line),
                _ => import.from.clone(),
            });
            let mut text: Vec<String> = steps.collect();
            text.push((*file).to_owned());
            circles.push(text.join(" -> "));
        }
    }
    circles
}

/// The shortest way from a file back to it.
fn shortest<'a>(graph: &BTreeMap<&'a str, Vec<&'a Import>>, file: &str) -> Option<Vec<&'a Import>> {
    let mut came: BTreeMap<&str, &Import> = BTreeMap::new();
    let mut next = VecDeque::from([file]);
    while let Some(at) = next.pop_front() {
        for import in graph.get(at).into_iter().flatten() {
            if import.to == file {
                let mut way = vec![*import];
                let mut back = at;
                while back != file {
                    let import = came[back];
                    way.push(import);
                    back = &import.from;
                }
                way.reverse();
                return Some(way);
            }
            if !came.contains_key(&*import.to) {
                came.insert(&import.to, import);
                next.push_back(&import.to);
            }
        }
    }
    None
}
