//! The values of a template in a local run: parameters, conditions and the intrinsic functions that need no stack.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::node::{Kind, Node};
use crate::fault::Fault;

/// Conditions that depend on each other in a row. A template of AWS's has far fewer.
const CONDITIONS_MAX: usize = 64;

/// Functions of `AWS::LanguageExtensions`, beside `Fn::ForEach`.
const LANGUAGE_EXTENSIONS: &[&str] = &["ToJsonString", "Length"];

/// Why a value is not to be had.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Only a stack knows it.
    Needs(Needs),
    /// CloudFormation would refuse the template.
    Wrong(Fault),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needs {
    /// As the template writes it: `!GetAtt Bucket.Arn`.
    pub(crate) what: String,
    /// The parameter that would give it.
    pub(crate) parameter: Option<String>,
}

impl Needs {
    fn stack(what: String) -> Stop {
        Stop::Needs(Self {
            what,
            parameter: None,
        })
    }

    fn parameter(what: String, name: &str) -> Stop {
        Stop::Needs(Self {
            what,
            parameter: Some(name.to_owned()),
        })
    }
}

/// A template with its parameters. Every scalar of a value is a text, and null is `AWS::NoValue`.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    root: &'a Node,
    file: &'a str,
    given: BTreeMap<&'a str, &'a str>,
    /// The conditions that are being evaluated.
    open: RefCell<Vec<String>>,
}

impl<'a> Resolver<'a> {
    /// The template with parameters as given; later ones win.
    ///
    /// # Errors
    ///
    /// If the template has no such parameter, or does not allow its value.
    pub(crate) fn new(
        root: &'a Node,
        file: &'a str,
        given: &'a [(String, String)],
    ) -> Result<Self, Fault> {
        let declared = root.get("Parameters").map(Node::entries).unwrap_or(&[]);
        for (name, value) in given {
            if name.starts_with("AWS::") {
                continue;
            }
            let Some((_, parameter)) = declared.iter().find(|(declared, _)| declared == name)
            else {
                let names: Vec<&str> = declared.iter().map(|(name, _)| &**name).collect();
                return Err(Fault::new(format!("expected a parameter of {file}, found {name}"))
                    .at(format!("Parameters: {}", names.join(", ")))
                    .help(
                        "give --parameter one of these names, or a pseudo parameter such as AWS::StackName",
                    ));
            };
            let allowed = parameter.get("AllowedValues").map(Node::items);
            let texts: Vec<&str> = allowed
                .iter()
                .copied()
                .flatten()
                .filter_map(Node::text)
                .collect();
            if !texts.is_empty() && !texts.contains(&&**value) {
                return Err(Fault::new(format!(
                    "expected an allowed value in --parameter {name}, found {value}"
                ))
                .at(format!(
                    "{file}, line {}: Parameters.{name}",
                    parameter.line
                ))
                .help(format!("give one of {}", texts.join(", "))));
            }
        }
        Ok(Self {
            root,
            file,
            given: given
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect(),
            open: RefCell::default(),
        })
    }

    pub(crate) fn root(&self) -> &'a Node {
        self.root
    }

    /// Where a node stands.
    pub(crate) fn place(&self, node: &Node) -> String {
        format!("{}, line {}", self.file, node.line)
    }

    /// The node that counts: what conditions choose. None: there is none.
    pub(crate) fn follow(&self, node: &'a Node) -> Result<Option<&'a Node>, Stop> {
        match &node.kind {
            Kind::Null => Ok(None),
            Kind::Call(name, argument)
                if name == "Ref" && argument.text() == Some("AWS::NoValue") =>
            {
                Ok(None)
            }
            Kind::Call(name, argument) if name == "If" => {
                let [condition, yes, no] = argument.items() else {
                    return Err(self.wrong("!If takes a condition and two values", node));
                };
                let Some(condition) = condition.text() else {
                    return Err(self.wrong("!If takes the name of a condition", condition));
                };
                self.follow(if self.condition(condition, node)? {
                    yes
                } else {
                    no
                })
            }
            _ => Ok(Some(node)),
        }
    }

    pub(crate) fn value(&self, node: &'a Node) -> Result<Value, Stop> {
        let Some(node) = self.follow(node)? else {
            return Ok(Value::Null);
        };
        match &node.kind {
            Kind::Null => Ok(Value::Null),
            Kind::Text(text) => settled(text),
            Kind::List(items) => {
                let mut values = Vec::new();
                for item in items {
                    values.push(self.value(item)?);
                }
                values.retain(|value| !value.is_null());
                Ok(Value::Array(values))
            }
            Kind::Map(entries) => {
                let mut values = serde_json::Map::new();
                for (key, node) in entries {
                    if let Some(name) = key.strip_prefix("Fn::ForEach") {
                        return Err(Needs::stack(shown(&format!("ForEach{name}"), node)));
                    }
                    let value = self.value(node)?;
                    if !value.is_null() {
                        values.insert(key.clone(), value);
                    }
                }
                Ok(Value::Object(values))
            }
            Kind::Call(name, argument) => self.call(name, argument),
        }
    }

    /// Whether a resource is there, by its `Condition`.
    pub(crate) fn exists(&self, resource: &'a Node) -> Result<bool, Stop> {
        match resource.get("Condition").and_then(Node::text) {
            Some(name) => self.condition(name, resource),
            None => Ok(true),
        }
    }

    fn wrong(&self, what: &str, node: &Node) -> Stop {
        Stop::Wrong(
            Fault::new(what)
                .at(self.place(node))
                .help("`sam validate` checks the whole of a template"),
        )
    }

    fn call(&self, name: &str, argument: &'a Node) -> Result<Value, Stop> {
        match name {
            "Ref" => match argument.text() {
                Some(name) => self.reference(name),
                None => Err(self.wrong("!Ref takes a name", argument)),
            },
            "Sub" => self.substitute(argument),
            "Join" => {
                let [separator, list] = argument.items() else {
                    return Err(self.wrong("!Join takes a separator and a list", argument));
                };
                let list = self.list(list)?;
                settled(&list.join(&self.text(separator)?))
            }
            "Split" => {
                let [separator, text] = argument.items() else {
                    return Err(self.wrong("!Split takes a separator and a string", argument));
                };
                let (separator, text) = (self.text(separator)?, self.text(text)?);
                Ok(text.split(&*separator).collect())
            }
            "Select" => {
                let [index, list] = argument.items() else {
                    return Err(self.wrong("!Select takes an index and a list", argument));
                };
                let index = self.text(index)?.parse::<usize>();
                let list = self.list(list)?;
                let item = index.ok().and_then(|index| list.get(index));
                item.map(|item| Value::from(&**item))
                    .ok_or_else(|| self.wrong("!Select: the list has no such index", argument))
            }
            "FindInMap" => self.find_in_map(argument),
            _ => Err(Needs::stack(shown(name, argument))),
        }
    }

    fn text(&self, node: &'a Node) -> Result<String, Stop> {
        match self.value(node)? {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong("expected a string", node)),
        }
    }

    fn list(&self, node: &'a Node) -> Result<Vec<String>, Stop> {
        let texts = match self.value(node)? {
            Value::Array(items) => items.into_iter().map(|item| match item {
                Value::String(text) => Some(text),
                _ => None,
            }),
            _ => return Err(self.wrong("expected a list", node)),
        };
        texts
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong("expected a list of strings", node))
    }

    fn find_in_map(&self, argument: &'a Node) -> Result<Value, Stop> {
        let [map, first, second] = argument.items() else {
            return Err(self.wrong("!FindInMap takes a map and two keys", argument));
        };
        let keys = [self.text(map)?, self.text(first)?, self.text(second)?];
        let [map, first, second] = keys.each_ref().map(String::as_str);
        let found = self.root.at(&["Mappings", map, first, second]);
        // Functions have no place there, and could go round in circles.
        let plain = |node: &&Node| match &node.kind {
            Kind::Text(_) => true,
            Kind::List(items) => items.iter().all(|item| item.text().is_some()),
            _ => false,
        };
        match found.filter(plain) {
            Some(node) => self.value(node),
            None => {
                let what = format!(
                    "expected a plain value {map}.{first}.{second} in Mappings, found none"
                );
                Err(self.wrong(&what, argument))
            }
        }
    }

    pub(crate) fn reference(&self, name: &str) -> Result<Value, Stop> {
        let parameter = self.root.at(&["Parameters", name]);
        let declared = |key| {
            parameter
                .and_then(|node| node.get(key))
                .and_then(Node::text)
        };
        let kind = declared("Type").unwrap_or("String");
        let given = self.given.get(name).copied();
        let text = match given {
            Some(text) => text,
            None if name == "AWS::NoValue" => return Ok(Value::Null),
            None if name.starts_with("AWS::") => {
                return Err(Needs::parameter(name.to_owned(), name));
            }
            None if parameter.is_none() => return Err(Needs::stack(format!("!Ref {name}"))),
            None if kind.starts_with("AWS::SSM::") => {
                let what = format!("!Ref {name}, which is kept in Systems Manager");
                return Err(Needs::parameter(what, name));
            }
            None => match parameter.and_then(|node| node.get("Default")) {
                // An empty default is a text too.
                Some(default) => default.text().unwrap_or_default(),
                None => {
                    let what = format!("!Ref {name}, a parameter without a default");
                    return Err(Needs::parameter(what, name));
                }
            },
        };
        if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            return Ok(text.split(',').map(str::trim).collect());
        }
        settled(text)
    }

    /// `!Sub` of a text, or of a text and what else it may name.
    fn substitute(&self, argument: &'a Node) -> Result<Value, Stop> {
        let (text, more) = match argument.items() {
            [text, more] => (text.text(), Some(more)),
            _ => (argument.text(), None),
        };
        let Some(mut rest) = text else {
            return Err(self.wrong("!Sub takes a string, or a string and a map", argument));
        };
        let mut done = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err(self.wrong("!Sub: expected } after ${", argument));
            };
            done += before;
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                done += &format!("${{{literal}}}");
                continue;
            }
            let name = name.trim();
            let value = match more.and_then(|more| more.get(name)) {
                Some(node) => self.value(node)?,
                None if name.contains('.') => return Err(Needs::stack(format!("!GetAtt {name}"))),
                None => self.reference(name)?,
            };
            match value {
                Value::String(text) => done += &text,
                _ => {
                    return Err(self.wrong(&format!("!Sub: expected a string in {name}"), argument));
                }
            }
        }
        settled(&(done + rest))
    }

    fn condition(&self, name: &str, node: &'a Node) -> Result<bool, Stop> {
        let Some(condition) = self.root.at(&["Conditions", name]) else {
            return Err(self.wrong(&format!("the template has no condition {name}"), node));
        };
        if self.open.borrow().iter().any(|open| open == name) {
            return Err(self.wrong(
                &format!("the condition {name} depends on itself"),
                condition,
            ));
        }
        if self.open.borrow().len() >= CONDITIONS_MAX {
            return Err(self.wrong("conditions depend on each other too deeply", condition));
        }
        self.open.borrow_mut().push(name.to_owned());
        let truth = self.truth(condition);
        self.open.borrow_mut().pop();
        truth
    }

    fn truth(&self, node: &'a Node) -> Result<bool, Stop> {
        match &node.kind {
            Kind::Call(name, argument) => match (&**name, argument.items()) {
                ("Equals", [one, other]) => Ok(self.value(one)? == self.value(other)?),
                ("Not", [condition]) => Ok(!self.truth(condition)?),
                ("And", conditions @ [_, ..]) => self.first(conditions, false).map(|found| !found),
                ("Or", conditions @ [_, ..]) => self.first(conditions, true),
                ("Condition", []) => match argument.text() {
                    Some(name) => self.condition(name, node),
                    None => Err(self.wrong("!Condition takes a name", node)),
                },
                _ => Err(self.wrong(
                    &format!("expected a condition, found !{name} with other arguments"),
                    node,
                )),
            },
            Kind::Map(entries) => match &entries[..] {
                [(key, name)] if key == "Condition" => match name.text() {
                    Some(name) => self.condition(name, node),
                    None => Err(self.wrong("Condition takes a name", node)),
                },
                _ => Err(self.wrong("a condition is wanted here", node)),
            },
            _ => Err(self.wrong("a condition is wanted here", node)),
        }
    }

    /// Whether one of these conditions is `wanted`. Those behind it are not looked at.
    fn first(&self, conditions: &'a [Node], wanted: bool) -> Result<bool, Stop> {
        for condition in conditions {
            if self.truth(condition)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A text as a value, unless CloudFormation replaces a part of it when the stack is made: `{{resolve:ssm:/prod/host}}`.
fn settled(text: &str) -> Result<Value, Stop> {
    let Some((_, reference)) = text.split_once("{{resolve:") else {
        return Ok(Value::from(text));
    };
    let reference = reference.split("}}").next().unwrap_or(reference);
    Err(Needs::stack(format!(
        "{{{{resolve:{reference}}}}}, which only a stack resolves"
    )))
}

/// A call as the template writes it, as far as that is short.
pub(crate) fn shown(name: &str, argument: &Node) -> String {
    let texts: Vec<&str> = argument.items().iter().filter_map(Node::text).collect();
    if LANGUAGE_EXTENSIONS.contains(&name) || name.starts_with("ForEach::") {
        return format!("Fn::{name} of AWS::LanguageExtensions, which is not expanded here");
    }
    match argument.text() {
        Some(text) => format!("!{name} {text}"),
        None if name == "GetAtt" && !texts.is_empty() => format!("!{name} {}", texts.join(".")),
        None => format!("!{name}"),
    }
}
