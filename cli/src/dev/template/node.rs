//! A template's text as a tree, for the resolver: YAML with CloudFormation's tags, and so JSON too.
//!
//! Scalars stay text: to CloudFormation `100`, `"100"` and a parameter's default of either are the same.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use crate::fault::Fault;

/// CloudFormation takes templates of 1 MB, and they are not nested deeper than a few dozen.
const DEPTH_MAX: usize = 128;
/// Nodes with what aliases repeat: a small file can ask for billions.
const NODES_MAX: usize = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// An intrinsic function, of either form: `!If […]`, `{"Fn::If": […]}`.
    Call(String, Box<Node>),
}

impl Node {
    /// A map's value. None: it is no map, or has no such key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }

    /// The value at the end of several keys.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Nothing if it is no map.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Nothing if it is no list.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    fn count(&self) -> usize {
        let below: usize = match &self.kind {
            Kind::Null | Kind::Text(_) => 0,
            Kind::List(items) => items.iter().map(Self::count).sum(),
            Kind::Map(entries) => entries.iter().map(|(_, node)| node.count()).sum(),
            Kind::Call(_, argument) => argument.count(),
        };
        below + 1
    }
}

/// The first document of a text.
pub(crate) fn parse(text: &str, file: &str) -> Result<Node, Fault> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        file,
        anchors: HashMap::new(),
        count: 0,
    };
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd, _) => {
                return Err(Fault::new(format!(
                    "expected a template in {file}, found an empty file"
                ))
                .help("give a SAM or CloudFormation template"));
            }
            (event, span) => return reader.node(event, span, 0),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    file: &'a str,
    anchors: HashMap<usize, Node>,
    count: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.fault(
                &format!("expected YAML: {}", error.info()),
                error.marker().line(),
            )),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn fault(&self, what: &str, line: usize) -> Fault {
        Fault::new(format!("cannot read the template: {what}"))
            .at(format!("{}, line {line}", self.file))
            .help("`sam validate` checks the whole of a template")
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Fault> {
        let line = span.start.line();
        self.count += 1;
        if depth > DEPTH_MAX {
            return Err(self.fault("it is nested too deeply", line));
        }
        let (kind, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style), anchor, tag),
            Event::SequenceStart(anchor, tag) => (Kind::List(self.list(depth)?), anchor, tag),
            Event::MappingStart(anchor, tag) => (Kind::Map(self.map(depth)?), anchor, tag),
            Event::Alias(anchor) => return self.alias(anchor, line),
            _ => return Err(self.fault("it ends in the middle", line)),
        };
        if self.count > NODES_MAX {
            return Err(self.fault("it is too large", line));
        }
        let node = called(Node { line, kind }, tag.as_deref());
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<Node, Fault> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.fault("an alias is inside its own anchor", line));
        };
        self.count += node.count();
        if self.count > NODES_MAX {
            return Err(self.fault("its aliases repeat too much", line));
        }
        Ok(node.clone())
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(String, Node)>, Fault> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (Event::Scalar(key, ..), span) => (key.into_owned(), span.start.line()),
                (_, span) => {
                    return Err(self.fault("expected a string as a key", span.start.line()));
                }
            };
            if entries.iter().any(|(name, _)| *name == key) {
                return Err(self.fault(
                    &format!("expected the key {key} once, found it twice"),
                    line,
                ));
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            entries.push((key, node));
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Kind {
    match text {
        "" | "~" | "null" if style == ScalarStyle::Plain => Kind::Null,
        text => Kind::Text(text.to_owned()),
    }
}

/// The same node, as a call if it is one: by its tag, or as a map of the one key `Ref` or `Fn::NAME`.
fn called(node: Node, tag: Option<&Tag>) -> Node {
    let line = node.line;
    let kind = match (node.kind, tag) {
        (kind, Some(tag)) if tag.handle == "!" && !tag.suffix.is_empty() => {
            Kind::Call(tag.suffix.clone(), Box::new(Node { line, kind }))
        }
        (Kind::Map(mut entries), _) if entries.len() == 1 => match entries.pop() {
            Some((key, argument)) if key == "Ref" || key.starts_with("Fn::") => {
                let name = key.strip_prefix("Fn::").unwrap_or(&key).to_owned();
                Kind::Call(name, Box::new(argument))
            }
            entry => Kind::Map(entry.into_iter().collect()),
        },
        (kind, _) => kind,
    };
    Node { line, kind }
}
