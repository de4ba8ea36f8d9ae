//! One property of a template after the other: read, left out with a remark, or refused with its place.

use serde_json::Value;

use super::node::Node;
use super::resolve::{Needs, Resolver, Stop};
use crate::fault::Fault;

/// The properties below one place of the template.
#[derive(Debug)]
pub(crate) struct Properties<'r, 'a> {
    pub(crate) resolver: &'r Resolver<'a>,
    pub(crate) path: String,
    /// What was left out, and why: a line each.
    pub(crate) remarks: Vec<String>,
}

impl<'a> Properties<'_, 'a> {
    /// A property's node, past the conditions that choose it. `flag` would give what is left out.
    pub(crate) fn node(
        &mut self,
        below: &'a Node,
        keys: &[&str],
        flag: &str,
    ) -> Result<Option<&'a Node>, Fault> {
        let mut node = below;
        for (depth, key) in keys.iter().enumerate() {
            let name = keys[..=depth].join(".");
            let Some(next) = node.get(key) else {
                return Ok(None);
            };
            let followed = self.resolver.follow(next);
            match self.settle(followed, &name, flag)?.flatten() {
                Some(next) => node = next,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// A property's value. None: it is not there, or left out.
    pub(crate) fn value(
        &mut self,
        below: &'a Node,
        keys: &[&str],
        flag: &str,
    ) -> Result<Option<Value>, Fault> {
        let Some(node) = self.node(below, keys, flag)? else {
            return Ok(None);
        };
        let value = self.resolver.value(node);
        let value = self.settle(value, &keys.join("."), flag)?;
        Ok(value.filter(|value| !value.is_null()))
    }

    /// A property that has to be a text of some form.
    pub(crate) fn text<T>(
        &mut self,
        below: &'a Node,
        keys: &[&str],
        flag: &str,
        form: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.value(below, keys, flag)? else {
            return Ok(None);
        };
        match value.as_str().and_then(read) {
            Some(value) => Ok(Some(value)),
            None => {
                let name = keys.join(".");
                let line = below.at(keys).unwrap_or(below);
                Err(
                    Fault::new(format!("expected {form} in {name}, found {value}"))
                        .at(format!(
                            "{}: {}.{name}",
                            self.resolver.place(line),
                            self.path
                        ))
                        .help(format!("correct it there, or give {flag}")),
                )
            }
        }
    }

    pub(crate) fn leave(&mut self, name: &str, why: &str, flag: &str) {
        self.remarks
            .push(format!("left out: {name} ({why}): {flag}"));
    }

    /// The value, or a remark in its place.
    fn settle<T>(
        &mut self,
        found: Result<T, Stop>,
        name: &str,
        flag: &str,
    ) -> Result<Option<T>, Fault> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(Stop::Needs(Needs { what, parameter })) => {
                let or =
                    parameter.map_or_else(String::new, |name| format!(" or --parameter {name}=…"));
                self.leave(
                    name,
                    &format!("it needs {what}"),
                    &format!("give {flag}{or}"),
                );
                Ok(None)
            }
            Err(Stop::Wrong(fault)) => Err(fault.at(format!("{}.{name}", self.path))),
        }
    }
}
