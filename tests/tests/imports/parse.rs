//! What a file defines, imports and names, tests left out.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, UseTree, Visibility};

/// A path in the text.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

pub(crate) enum Item {
    /// Anything but a module.
    Defined(String),
    /// A name that an import brings.
    Used {
        name: String,
        path: Named,
        /// For others: it is named from here, but not needed here.
        passed_on: bool,
    },
    /// A path, or a type's name.
    Named(Named),
    /// None: in a file of its own.
    Module(String, Option<Vec<Item>>),
}

/// The items of a file.
pub(crate) fn file(text: &str) -> Vec<Item> {
    let file = syn::parse_file(text).unwrap();
    items(file.items)
}

fn items(parsed: Vec<syn::Item>) -> Vec<Item> {
    let mut items = Vec::new();
    for item in parsed {
        match item {
            syn::Item::Mod(module) => {
                if !of_tests(&module.attrs) {
                    let inside = module.content.map(|(_, inside)| self::items(inside));
                    items.push(Item::Module(module.ident.to_string(), inside));
                }
            }
            syn::Item::Use(import) => {
                if !of_tests(&import.attrs) {
                    let line = import.span().start().line;
                    let passed_on = !matches!(import.vis, Visibility::Inherited);
                    used(&import.tree, &mut Vec::new(), line, passed_on, &mut items);
                }
            }
            other => {
                let tokens = other.to_token_stream();
                if let Some((name, attributes)) = defined(&other) {
                    if of_tests(attributes) {
                        continue;
                    }
                    items.push(Item::Defined(name));
                }
                paths(tokens, &mut items);
            }
        }
    }
    items
}

fn of_tests(attributes: &[Attribute]) -> bool {
    let is = |attribute: &Attribute| {
        let text = attribute.to_token_stream().to_string();
        text.starts_with("# [cfg (test") || text.starts_with("# [cfg (all (test")
    };
    attributes.iter().any(is)
}

/// The name of an item that has one.
fn defined(item: &syn::Item) -> Option<(String, &[Attribute])> {
    let (name, attributes) = match item {
        syn::Item::Const(item) => (&item.ident, &item.attrs),
        syn::Item::Enum(item) => (&item.ident, &item.attrs),
        syn::Item::Fn(item) => (&item.sig.ident, &item.attrs),
        syn::Item::Static(item) => (&item.ident, &item.attrs),
        syn::Item::Struct(item) => (&item.ident, &item.attrs),
        syn::Item::Trait(item) => (&item.ident, &item.attrs),
        syn::Item::Type(item) => (&item.ident, &item.attrs),
        syn::Item::Macro(item) => (item.ident.as_ref()?, &item.attrs),
        _ => return None,
    };
    Some((name.to_string(), attributes))
}

/// The names of an import. A glob brings none that is known.
fn used(
    tree: &UseTree,
    above: &mut Vec<String>,
    line: usize,
    passed_on: bool,
    items: &mut Vec<Item>,
) {
    let mut bring = |name: &str, last: &str, above: &[String]| {
        let mut path = above.to_vec();
        if last != "self" {
            path.push(last.to_owned());
        }
        items.push(Item::Used {
            name: name.to_owned(),
            path: Named { path, line },
            passed_on,
        });
    };
    match tree {
        UseTree::Path(path) => {
            above.push(path.ident.to_string());
            used(&path.tree, above, line, passed_on, items);
            above.pop();
        }
        UseTree::Name(name) => {
            let last = name.ident.to_string();
            let known = if last == "self" {
                above.last().cloned()
            } else {
                None
            };
            bring(known.as_deref().unwrap_or(&last), &last, above);
        }
        UseTree::Rename(renamed) => {
            let last = renamed.ident.to_string();
            bring(&renamed.rename.to_string(), &last, above);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                used(tree, above, line, passed_on, items);
            }
        }
        _ => {}
    }
}

/// Every path of the text, inside macros too.
fn paths(tokens: TokenStream, items: &mut Vec<Item>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    let mut line = 0;
    let mut end = |path: &mut Vec<String>, line: usize| {
        // Alone, a name may be that of anything; a type's stands out.
        let is_type = |name: &String| name.starts_with(|letter: char| letter.is_uppercase());
        if path.len() > 1 || path.first().is_some_and(is_type) {
            items.push(Item::Named(Named {
                path: std::mem::take(path),
                line,
            }));
        }
        path.clear();
    };
    let mut inside = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    end(&mut path, line);
                    line = ident.span().start().line;
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                end(&mut path, line);
                colons = 0;
                inside.push(group.stream());
            }
            _ => {
                end(&mut path, line);
                colons = 0;
            }
        }
    }
    end(&mut path, line);
    for stream in inside {
        paths(stream, items);
    }
}
