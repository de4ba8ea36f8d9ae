//! What a schema refers to, fetched level by level. Each subject's version is fetched once, however many schemas refer to it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::api::{Answered, Api, Named};
use crate::id::{Format, Reference, Source};
use crate::limits::{
    REFERENCES_CONCURRENCY, REFERENCES_DEPTH_MAX, REFERENCES_KEPT_MAX, REFERENCES_MAX,
    REFERENCES_REPEATED_MAX, SCHEMA_BYTES_MAX,
};
use crate::registry::FetchError;

/// A subject's version.
type Place = (String, i64);

/// A schema whose references are not yet put in.
struct Node {
    format: Format,
    text: Arc<str>,
    references: Vec<(String, Place)>,
}

impl Node {
    fn new(answered: Answered) -> Result<Self, FetchError> {
        let format = answered.format()?;
        let named = answered.references.unwrap_or_default();
        let place = |Named {
                         name,
                         subject,
                         version,
                     }| (name, (subject, version));
        Ok(Self {
            format,
            text: Arc::from(answered.schema),
            references: named.into_iter().map(place).collect(),
        })
    }
}

/// A version that is kept once it is fetched, or is being fetched. A failed fetch leaves it empty.
type Version = Arc<OnceCell<Arc<Node>>>;

/// Versions of subjects: a version never changes.
#[derive(Default)]
pub(super) struct Versions {
    kept: Mutex<HashMap<Place, Version>>,
}

impl Versions {
    fn at(&self, place: &Place) -> Version {
        // Each change is whole before anything can panic.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = kept.get(place) {
            return Arc::clone(version);
        }
        if kept.len() >= REFERENCES_KEPT_MAX {
            kept.clear();
        }
        Arc::clone(kept.entry(place.clone()).or_default())
    }
}

/// The schema with everything that it refers to.
pub(super) async fn gathered(
    registry: &Api,
    versions: &Versions,
    schema: Answered,
) -> Result<Source, FetchError> {
    let root = Node::new(schema)?;
    let mut bytes = root.text.len();
    let mut found: HashMap<Place, Arc<Node>> = HashMap::new();
    let mut seen: HashSet<Place> = HashSet::new();
    let mut level = unseen(&mut seen, &root)?;
    for _ in 0..REFERENCES_DEPTH_MAX {
        if level.is_empty() {
            break;
        }
        let mut next = Vec::new();
        let asked = level.into_iter().map(|place| async move {
            let version = versions.at(&place);
            let node = version.get_or_try_init(|| fetched(registry, &place));
            let node = Arc::clone(node.await?);
            Ok::<_, FetchError>((place, node))
        });
        let mut answers = stream::iter(asked).buffer_unordered(REFERENCES_CONCURRENCY);
        while let Some((place, node)) = answers.try_next().await? {
            bytes += node.text.len();
            if bytes > SCHEMA_BYTES_MAX {
                return Err(FetchError::Unusable(format!(
                    "the schema and its references have more than {SCHEMA_BYTES_MAX} bytes, the most that are read"
                )));
            }
            next.extend(unseen(&mut seen, &node)?);
            found.insert(place, node);
        }
        level = next;
    }
    let mut tree = Tree {
        found: &found,
        path: Vec::new(),
        references: 0,
    };
    tree.source(&root)
}

/// Those of a schema's references that are not asked for yet.
fn unseen(seen: &mut HashSet<Place>, node: &Node) -> Result<Vec<Place>, FetchError> {
    let mut new = Vec::new();
    for (_, place) in &node.references {
        if seen.insert(place.clone()) {
            new.push(place.clone());
        }
        if seen.len() > REFERENCES_MAX {
            return Err(FetchError::Unusable(format!(
                "the schema refers to more than {REFERENCES_MAX} others, the most that are fetched"
            )));
        }
    }
    Ok(new)
}

async fn fetched(registry: &Api, place: &Place) -> Result<Arc<Node>, FetchError> {
    let (subject, version) = place;
    let path = match subject.as_str() {
        // As a part of a path they mean another path.
        "." | ".." | "" => None,
        // A deleted version is still referred to, and payloads of it are still on topics.
        _ => Some(format!(
            "subjects/{}/versions/{version}?deleted=true",
            encoded(subject)
        )),
    };
    let is_subject = path.is_some();
    let answered = match path {
        Some(path) => registry.schema(&path).await?,
        None => None,
    };
    let Some(answered) = answered else {
        let text = format!(
            "the schema refers to version {version} of the subject {subject:?}, which the schema registry {} does not have",
            registry.url
        );
        return Err(match is_subject {
            true => FetchError::ReferenceNotFound(text),
            false => FetchError::Unusable(text),
        });
    };
    Node::new(answered).map(Arc::new)
}

/// A subject as a part of a URL's path.
fn encoded(subject: &str) -> String {
    let mut encoded = String::with_capacity(subject.len());
    for byte in subject.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                for digit in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(digit.into(), 16).unwrap_or_default();
                    encoded.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
    encoded
}

/// Puts references where they are referred to.
struct Tree<'a> {
    found: &'a HashMap<Place, Arc<Node>>,
    /// The subjects' versions on the way to the schema that is made now.
    path: Vec<&'a Place>,
    references: usize,
}

impl<'a> Tree<'a> {
    fn source(&mut self, node: &'a Node) -> Result<Source, FetchError> {
        let mut references = Vec::with_capacity(node.references.len());
        for (name, place) in &node.references {
            self.references += 1;
            if self.references > REFERENCES_REPEATED_MAX {
                return Err(FetchError::Unusable(format!(
                    "the schema's references refer to one another more than {REFERENCES_REPEATED_MAX} times, the most that are read"
                )));
            }
            if let Some(at) = self.path.iter().position(|on_path| *on_path == place) {
                return Err(circle(&self.path[at..]));
            }
            // Absent only where the way to it is as long as is read.
            let Some(referred) = self.found.get(place) else {
                return Err(too_deep());
            };
            if self.path.len() >= REFERENCES_DEPTH_MAX {
                return Err(too_deep());
            }
            self.path.push(place);
            let source = self.source(referred)?;
            self.path.pop();
            let name = name.clone();
            references.push(Reference { name, source });
        }
        Ok(Source {
            format: node.format,
            text: Arc::clone(&node.text),
            references,
        })
    }
}

fn circle(path: &[&Place]) -> FetchError {
    let mut names = String::new();
    for (subject, version) in path.iter().chain(path.first()) {
        if !names.is_empty() {
            names.push_str(" -> ");
        }
        names.push_str(&format!("{subject} {version}"));
    }
    FetchError::Unusable(format!("the schema's references go in a circle: {names}"))
}

fn too_deep() -> FetchError {
    FetchError::Unusable(format!(
        "the schema's references are more than {REFERENCES_DEPTH_MAX} deep, the most that are followed"
    ))
}
