//! A record as Lambda's matcher sees it: the values at the ends of its branches, each with the dotted name of its path, and
//! in which elements of which arrays it lies. Made for one pattern at a time, which says the names it asks for.

use std::collections::{BTreeMap, HashSet};

use super::json::Json;
use super::number::Number;

/// A record's values, by name. A name that is not in it does not exist; empty arrays and objects have no values.
#[derive(Debug)]
pub(super) struct Leaves<'a> {
    by_name: BTreeMap<&'a str, Vec<Leaf>>,
    /// The name of each array's place. Its index is the array's number.
    arrays: Vec<String>,
}

/// One value.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) scalar: Scalar,
    pub(super) elements: Elements,
}

/// A value as it is compared: by its text, where strings, and they alone, stand in quotes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalar {
    quoted: String,
    /// Of a number that can be compared.
    number: Option<Number>,
}

impl Scalar {
    pub(super) fn string(text: &str) -> Self {
        Self {
            quoted: format!("\"{text}\""),
            number: None,
        }
    }

    pub(super) fn number(text: &str) -> Self {
        Self {
            quoted: text.to_owned(),
            number: Number::parse(text),
        }
    }

    /// `null`, `true` or `false`.
    pub(super) fn literal(text: &str) -> Self {
        Self {
            quoted: text.to_owned(),
            number: None,
        }
    }

    /// The text, a string's in quotes.
    pub(super) fn quoted(&self) -> &str {
        &self.quoted
    }

    /// A string's text. None: it is not a string.
    pub(super) fn text(&self) -> Option<&str> {
        self.quoted.strip_prefix('"')?.strip_suffix('"')
    }

    /// None: it is not a number, or not one that can be compared.
    pub(super) fn comparable(&self) -> Option<Number> {
        self.number
    }
}

/// For each array around a value, the element it lies in. A value that is itself an element of an array is not in it: of
/// `[1, 2]`, both stand for the whole array.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Elements(
    /// Array and element, ascending: an array's number is above those around it.
    Vec<(usize, usize)>,
);

impl Elements {
    /// Both together. None: they lie in different elements of one array.
    pub(super) fn with(&self, other: &Self) -> Option<Self> {
        if !self.agrees(other) {
            return None;
        }
        let mut both = self.clone();
        both.0.extend(&other.0);
        both.0.sort_unstable();
        both.0.dedup();
        Some(both)
    }

    /// Whether no array has them in different elements.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let differs = |(array, element): &(usize, usize)| {
            let mut own = self.0.iter();
            own.any(|own| own.0 == *array && own.1 != *element)
        };
        !other.0.iter().any(differs)
    }

    /// Forgets the arrays that are not wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(usize) -> bool) {
        self.0.retain(|(array, _)| wanted(*array));
    }
}

impl<'a> Leaves<'a> {
    /// The values of a field that is itself the record: `{name: value}`.
    pub(super) fn of(name: &str, value: &Json, asked: &'a Names) -> Self {
        let mut walk = Walk {
            asked,
            path: name.to_owned(),
            elements: Elements::default(),
            leaves: Self {
                by_name: BTreeMap::new(),
                arrays: Vec::new(),
            },
        };
        walk.value(value);
        walk.leaves
    }

    /// A record in which no field exists.
    pub(super) fn none() -> Self {
        Self {
            by_name: BTreeMap::new(),
            arrays: Vec::new(),
        }
    }

    pub(super) fn named(&self, name: &str) -> &[Leaf] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a value of this name may lie in the array.
    pub(super) fn holds(&self, array: usize, name: &str) -> bool {
        self.arrays
            .get(array)
            .and_then(|place| name.strip_prefix(place.as_str()))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// The dotted names that a pattern asks for.
#[derive(Debug, Clone)]
pub(super) struct Names {
    names: HashSet<String>,
    /// The parts between their dots: a field with another name leads nowhere.
    steps: HashSet<String>,
}

impl Names {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: HashSet<String> = names.map(str::to_owned).collect();
        let steps = names.iter().flat_map(|name| steps(name));
        Self {
            steps: steps.map(str::to_owned).collect(),
            names,
        }
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    fn leads_on(&self, field: &str) -> bool {
        self.steps.contains(field)
            || field.contains('.') && steps(field).all(|step| self.steps.contains(step))
    }
}

/// The parts of a dotted name, as Java splits it: without empty ones at the end. So a field with an empty name inside which
/// nothing is asked for is never found.
fn steps(name: &str) -> impl Iterator<Item = &str> {
    let kept = if name.is_empty() {
        Some(name)
    } else {
        Some(name.trim_end_matches('.')).filter(|kept| !kept.is_empty())
    };
    kept.into_iter().flat_map(|name| name.split('.'))
}

struct Walk<'a> {
    asked: &'a Names,
    /// The dotted name of the place that is walked.
    path: String,
    elements: Elements,
    leaves: Leaves<'a>,
}

impl Walk<'_> {
    fn value(&mut self, value: &Json) {
        match value {
            Json::Null => self.leaf(|| Scalar::literal("null")),
            Json::Bool(true) => self.leaf(|| Scalar::literal("true")),
            Json::Bool(false) => self.leaf(|| Scalar::literal("false")),
            Json::Number(text) => self.leaf(|| Scalar::number(text)),
            Json::String(text) => self.leaf(|| Scalar::string(text)),
            Json::Array(elements) => self.array(elements),
            Json::Object(fields) => self.object(fields),
        }
    }

    fn object(&mut self, fields: &[(String, Json)]) {
        let length = self.path.len();
        for (name, value) in fields {
            if self.asked.leads_on(name) {
                self.path.push('.');
                self.path.push_str(name);
                self.value(value);
                self.path.truncate(length);
            }
        }
    }

    fn array(&mut self, elements: &[Json]) {
        let array = self.leaves.arrays.len();
        self.leaves.arrays.push(self.path.clone());
        for (index, element) in elements.iter().enumerate() {
            if matches!(element, Json::Object(_) | Json::Array(_)) {
                self.elements.0.push((array, index));
                self.value(element);
                self.elements.0.pop();
            } else {
                self.value(element);
            }
        }
    }

    fn leaf(&mut self, scalar: impl FnOnce() -> Scalar) {
        if let Some(name) = self.asked.find(&self.path) {
            self.leaves.by_name.entry(name).or_default().push(Leaf {
                scalar: scalar(),
                elements: self.elements.clone(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Leaves, Names};

    fn names(names: &[&str]) -> Names {
        Names::new(names.iter().copied())
    }

    fn texts(json: &str, name: &str) -> Vec<String> {
        let asked = names(&[name]);
        let leaves = Leaves::of("value", &Json::parse(json).unwrap(), &asked);
        let texts = leaves.named(name).iter();
        texts.map(|leaf| leaf.scalar.quoted().to_owned()).collect()
    }

    #[test]
    fn a_value_has_the_dotted_name_of_its_path() {
        assert_eq!(texts(r#"{"a": {"b": 1.0}}"#, "value.a.b"), ["1.0"]);
        assert_eq!(texts(r#"{"a.b": "x"}"#, "value.a.b"), ["\"x\""]);
        assert_eq!(texts("null", "value"), ["null"]);
    }

    #[test]
    fn an_array_gives_each_of_its_elements_its_own_name() {
        assert_eq!(
            texts(r#"{"a": [1, [2, "3"], {"b": 4}]}"#, "value.a"),
            ["1", "2", "\"3\""]
        );
        assert_eq!(
            texts(r#"{"a": [{"b": 1}, {"b": [2]}]}"#, "value.a.b"),
            ["1", "2"]
        );
    }

    #[test]
    fn an_empty_array_and_an_empty_object_are_not_there() {
        assert!(texts(r#"{"a": []}"#, "value.a").is_empty());
        assert!(texts(r#"{"a": {}}"#, "value.a").is_empty());
    }

    #[test]
    fn values_in_different_elements_of_an_array_do_not_agree() {
        let asked = names(&["value.a.x", "value.a.y"]);
        let json = Json::parse(r#"{"a": [{"x": 1, "y": 2}, {"y": 3}]}"#).unwrap();
        let leaves = Leaves::of("value", &json, &asked);

        let x = &leaves.named("value.a.x")[0].elements;
        let [beside, elsewhere] = leaves.named("value.a.y") else {
            panic!()
        };
        assert!(x.with(&beside.elements).is_some());
        assert_eq!(x.with(&elsewhere.elements), None);
    }

    #[test]
    fn values_in_different_arrays_agree() {
        let asked = names(&["value.a.x", "value.b.x"]);
        let json = Json::parse(r#"{"a": [{"x": 1}], "b": [{}, {"x": 2}]}"#).unwrap();
        let leaves = Leaves::of("value", &json, &asked);

        let a = &leaves.named("value.a.x")[0].elements;
        let b = &leaves.named("value.b.x")[0].elements;
        assert!(a.with(b).is_some());
    }

    #[test]
    fn a_field_with_an_empty_name_at_the_end_is_not_found() {
        assert!(texts(r#"{"": 1}"#, "value.").is_empty());
        assert_eq!(texts(r#"{"": {"a": 1}}"#, "value..a"), ["1"]);
    }
}
