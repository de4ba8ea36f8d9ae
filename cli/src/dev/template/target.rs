//! The function that a mapping's `FunctionName` leads to: past aliases and versions, by a reference, an ARN or a name. Called by `mapping`.

use std::fmt::Write;

use super::node::{Kind, Node};
use super::resolve::{Resolver, Stop, shown};

/// Aliases and versions in a row: a version of a function, an alias of that, and a reference to it.
const HOPS_MAX: usize = 8;
/// Stands around the logical ID of a resource in a text that is not known whole. No template holds such a character.
const MARK: char = '\u{1}';

/// A function of the template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Function<'a> {
    pub(crate) id: &'a str,
    pub(crate) resource: &'a Node,
}

/// What a `FunctionName` leads to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target<'a> {
    /// None: no function of this template.
    pub(crate) function: Option<Function<'a>>,
    /// The text that could not be followed. None: it was, or there is none.
    pub(crate) unread: Option<String>,
}

impl<'a> Target<'a> {
    /// The target of a mapping's `FunctionName`.
    pub(crate) fn of(resolver: &Resolver<'a>, name: &'a Node) -> Self {
        let function = find(resolver, name, 0);
        let unread = function.is_none().then(|| written(name));
        Self { function, unread }
    }
}

fn find<'a>(resolver: &Resolver<'a>, name: &'a Node, hops: usize) -> Option<Function<'a>> {
    if hops > HOPS_MAX {
        return None;
    }
    let text = marked(resolver, resolver.follow(name).ok()??)?;
    let resources = resolver.root().get("Resources").map(Node::entries)?;
    if let Some(id) = text.split(MARK).nth(1) {
        return by_id(resolver, resources, id, hops);
    }
    let wanted = bare_name(&text);
    let mut named = resources.iter().filter(|(_, resource)| {
        let own = resource.at(&["Properties", "FunctionName"]);
        is_function(resource)
            && own
                .and_then(|own| marked(resolver, own))
                .is_some_and(|own| own == wanted)
    });
    named.next().map(|(id, resource)| Function { id, resource })
}

fn by_id<'a>(
    resolver: &Resolver<'a>,
    resources: &'a [(String, Node)],
    id: &str,
    hops: usize,
) -> Option<Function<'a>> {
    let Some((id, resource)) = resources.iter().find(|(known, _)| known == id) else {
        return of_its_publishing(resources, id);
    };
    if is_function(resource) {
        return Some(Function { id, resource });
    }
    let of = resource.at(&["Properties", "FunctionName"])?;
    let kind = resource.get("Type").and_then(Node::text)?;
    matches!(kind, "AWS::Lambda::Alias" | "AWS::Lambda::Version")
        .then(|| find(resolver, of, hops + 1))
        .flatten()
}

/// SAM makes `ConsumerAliaslive` and `ConsumerVersion0a1b2c3d4e` of a function with `AutoPublishAlias`.
fn of_its_publishing<'a>(resources: &'a [(String, Node)], id: &str) -> Option<Function<'a>> {
    let publishes = |(name, resource): &&(String, Node)| {
        let rest = id.strip_prefix(name.as_str()).unwrap_or_default();
        (rest.starts_with("Alias") || rest.starts_with("Version"))
            && resource.at(&["Properties", "AutoPublishAlias"]).is_some()
    };
    let found = resources.iter().find(publishes);
    found.map(|(id, resource)| Function { id, resource })
}

fn is_function(resource: &Node) -> bool {
    matches!(
        resource.get("Type").and_then(Node::text),
        Some("AWS::Serverless::Function" | "AWS::Lambda::Function")
    )
}

/// A name without the ARN around it and the alias or version behind it.
fn bare_name(text: &str) -> &str {
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME:ALIAS, ACCOUNT:function:NAME, NAME:ALIAS. A pseudo parameter holds colons of its own.
    let name = text
        .rsplit_once(":function:")
        .map_or(text, |(_, name)| name);
    let mut from = 0;
    if let Some(end) = name.find('}').filter(|_| name.starts_with("${")) {
        from = end;
    }
    let end = name[from..]
        .find(':')
        .filter(|_| !name[from..].contains("${"));
    end.map_or(name, |end| &name[..from + end])
}

/// The text that a value comes to, with each resource as its ID between two [`MARK`]s and each value that only a stack knows as `${NAME}`. None: it is no text.
fn marked<'a>(resolver: &Resolver<'a>, node: &'a Node) -> Option<String> {
    let resources = resolver.root().get("Resources");
    let refer = |name: &str| match resolver.reference(name) {
        Ok(value) => value.as_str().map(str::to_owned),
        Err(Stop::Needs(_)) => Some(if is_known(resolver, name) {
            format!("${{{name}}}")
        } else {
            // `Consumer.Alias` and `Consumer.Version` are SAM's.
            let id = name.split('.').next().unwrap_or(name);
            format!("{MARK}{id}{MARK}")
        }),
        Err(Stop::Wrong(_)) => None,
    };
    match &resolver.follow(node).ok()??.kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Call(name, argument) => match (&**name, &argument.kind) {
            ("Ref", Kind::Text(name)) => refer(name),
            ("GetAtt", Kind::Text(path)) => Some(format!(
                "{MARK}{}{MARK}",
                path.split('.').next().unwrap_or(path)
            )),
            ("GetAtt", Kind::List(path)) => {
                let id = path.first().and_then(Node::text)?;
                resources?.get(id)?;
                Some(format!("{MARK}{id}{MARK}"))
            }
            ("Join", Kind::List(parts)) => {
                let [separator, list] = &parts[..] else {
                    return None;
                };
                let parts: Option<Vec<String>> = list
                    .items()
                    .iter()
                    .map(|part| marked(resolver, part))
                    .collect();
                Some(parts?.join(separator.text()?))
            }
            ("Sub", _) => substituted(resolver, argument, refer),
            _ => match resolver.value(node) {
                Ok(value) => value.as_str().map(str::to_owned),
                Err(_) => None,
            },
        },
        _ => None,
    }
}

/// Whether a name is a parameter's or AWS's own, and no resource's.
fn is_known(resolver: &Resolver<'_>, name: &str) -> bool {
    name.starts_with("AWS::") || resolver.root().at(&["Parameters", name]).is_some()
}

fn substituted<'a>(
    resolver: &Resolver<'a>,
    argument: &'a Node,
    refer: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let (text, more) = match argument.items() {
        [text, more] => (text.text()?, Some(more)),
        _ => (argument.text()?, None),
    };
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}')?;
        let name = name.trim();
        let value = match more.and_then(|more| more.get(name)) {
            Some(node) => marked(resolver, node),
            None => refer(name),
        };
        write!(done, "{before}{}", value?).ok()?;
        rest = after;
    }
    Some(done + rest)
}

/// As the template writes it, as far as that is short.
fn written(name: &Node) -> String {
    match &name.kind {
        Kind::Call(call, argument) => shown(call, argument),
        Kind::Text(text) => text.clone(),
        _ => "not a string".to_owned(),
    }
}
