//! From a pattern's JSON to alternatives of fields with dotted names. `$or` multiplies the alternatives that stand before it,
//! as in Lambda's matcher; so a field behind or inside it replaces one of the same name before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::json::Json;
use super::matcher::Matcher;
use super::operators;
use super::place::Place;
use crate::limits::{FILTER_ALTERNATIVES_MAX, FILTER_FIELDS_MAX};

/// The one field of a Kafka record that Lambda filters on.
pub(super) const VALUE: &str = "value";

const OR: &str = "$or";

/// Names that Lambda's matcher keeps for itself inside `$or`: its operators, and those that it may get.
const RESERVED_INSIDE_OR: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// Fields that all have to fit, by dotted name, in the order in which Lambda's matcher looks at them.
pub(super) type Fields = BTreeMap<String, Arc<[Matcher]>>;

/// The alternatives of a pattern: a record fits if it fits one of them. Faults are noted, and leave gaps in what is returned.
pub(super) fn alternatives(place: &mut Place, pattern: &[(String, Json)]) -> Vec<Fields> {
    let mut compiler = Compiler {
        path: Vec::new(),
        inside_or: false,
        alternatives: Vec::new(),
    };
    compiler.object(place, pattern);
    let fields = compiler.alternatives.iter().map(BTreeMap::len).max();
    if let Some(fields) = fields.filter(|fields| *fields > FILTER_FIELDS_MAX) {
        place.fault(format!(
            "has {fields} fields, and Lambda's matcher takes {FILTER_FIELDS_MAX}: leave some out"
        ));
    }
    compiler.alternatives
}

struct Compiler {
    /// The names of the objects around.
    path: Vec<String>,
    inside_or: bool,
    /// What was read so far. Empty: nothing, which is one alternative without fields.
    alternatives: Vec<Fields>,
}

impl Compiler {
    fn object(&mut self, place: &mut Place, fields: &[(String, Json)]) {
        if fields.is_empty() {
            place
                .fault("is an empty object, which asks for nothing: name a field, or leave it out");
        }
        for (name, field) in last_of_each(fields) {
            place.field(name, |place| {
                if name == OR {
                    self.or(place, field);
                } else if self.may_be_named(place, name) {
                    self.field(place, name, field);
                }
            });
        }
    }

    fn may_be_named(&self, place: &mut Place, name: &str) -> bool {
        if self.path.is_empty() && name != VALUE {
            place.fault("cannot be filtered on: of a Kafka record Lambda filters on `value` alone");
            return false;
        }
        if self.inside_or && RESERVED_INSIDE_OR.contains(&name) {
            place.fault("is a name that Lambda's matcher reserves inside `$or`: an operator stands in the list of a field");
            return false;
        }
        true
    }

    fn field(&mut self, place: &mut Place, name: &str, field: &Json) {
        match field {
            Json::Object(fields) => {
                self.path.push(name.to_owned());
                self.object(place, fields);
                self.path.pop();
            }
            Json::Array(entries) => {
                let matchers: Arc<[Matcher]> = operators::list(place, entries).into();
                let steps = self.path.iter().map(String::as_str).chain([name]);
                let name = steps.collect::<Vec<_>>().join(".");
                if self.alternatives.is_empty() {
                    self.alternatives.push(Fields::new());
                }
                for alternative in &mut self.alternatives {
                    alternative.insert(name.clone(), matchers.clone());
                }
            }
            other => place.fault(format!(
                "is {}: write a list of what fits, such as `[\"order\"]`, or an object of fields",
                other.kind()
            )),
        }
    }

    /// Every alternative so far, once with each of the branches.
    fn or(&mut self, place: &mut Place, or: &Json) {
        let Json::Array(branches) = or else {
            place.fault(format!("is {}: write a list of objects", or.kind()));
            return;
        };
        if branches.len() < 2 {
            place.fault("has no choice: write at least two objects, or the fields without `$or`");
        }
        let before = std::mem::take(&mut self.alternatives);
        let was_inside = std::mem::replace(&mut self.inside_or, true);
        let mut all = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            self.alternatives = before.clone();
            place.element(index, |place| match branch {
                Json::Object(fields) => self.object(place, fields),
                other => place.fault(format!("is {}: write an object of fields", other.kind())),
            });
            all.append(&mut self.alternatives);
            if all.len() > FILTER_ALTERNATIVES_MAX {
                place.fault(format!(
                    "makes more than {FILTER_ALTERNATIVES_MAX} combinations with what stands before it, and EventBridge takes no more: write several patterns"
                ));
                all.truncate(1);
                break;
            }
        }
        self.alternatives = all;
        self.inside_or = was_inside;
    }
}

/// Of a name that stands twice, Lambda uses the last value (Lambda developer guide, event filtering: duplicate keys).
fn last_of_each(fields: &[(String, Json)]) -> impl Iterator<Item = (&str, &Json)> {
    let is_last = |(index, (name, _)): &(usize, &(String, Json))| {
        !fields[index + 1..].iter().any(|(later, _)| later == name)
    };
    fields
        .iter()
        .enumerate()
        .filter(is_last)
        .map(|(_, (name, field))| (name.as_str(), field))
}
