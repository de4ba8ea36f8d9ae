//! Where a name is defined.

use crate::house::House;

/// More steps from one re-export to the next than there are.
const STEPS_MAX: usize = 20;

/// The file that defines what a path names, seen from a module. None: it is of another crate, a module as such, or local.
pub(crate) fn defined_in(house: &House, place: &[String], path: &[String]) -> Option<String> {
    let (start, rest) = begin(place, path);
    go(house, start, rest, STEPS_MAX)
}

/// The module that a path begins at, and what is left of the path.
fn begin<'a>(place: &[String], path: &'a [String]) -> (Vec<String>, &'a [String]) {
    let mut from = place.to_vec();
    let mut rest = path;
    while let [first, after @ ..] = rest {
        match first.as_str() {
            "crate" => from.clear(),
            "self" => {}
            "super" => {
                from.pop();
            }
            _ => break,
        }
        rest = after;
    }
    (from, rest)
}

fn go(house: &House, mut place: Vec<String>, path: &[String], steps: usize) -> Option<String> {
    let steps = steps.checked_sub(1)?;
    for (index, name) in path.iter().enumerate() {
        let module = house.modules.get(&place)?;
        if module.defined.contains(name) {
            return Some(module.file.clone());
        }
        if let Some(used) = module.used.get(name) {
            let (start, rest) = begin(&place, used);
            let begins_here = start == place && rest.first() == Some(name);
            let mut whole = rest.to_vec();
            whole.extend_from_slice(&path[index + 1..]);
            if !begins_here {
                return go(house, start, &whole, steps);
            }
        }
        place.push(name.clone());
    }
    None
}
