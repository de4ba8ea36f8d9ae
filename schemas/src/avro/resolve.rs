//! The writer's schema against the reader's, compiled into a plan. By the specification's rules of resolution; DESIGN says where libraries differ.

use std::collections::{HashMap, HashSet};

use crate::avro::matching::{self, Fit};
use crate::avro::own::{inside, leaf, own_node};
use crate::avro::plan::{Branch, From, Node, Plan, Record, Step};
use crate::avro::schema::{self, Kind, Schema, TypeId};
use crate::limits::{AVRO_PLAN_NODES_MAX, AVRO_RESOLUTION_DEPTH_MAX};

/// Why values of the writer's schema can never be read as the reader's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at `{path}`: {reason}")]
#[non_exhaustive]
pub struct Incompatible {
    /// The place of the field: `lines[].sku`. A map's values are at `*`, the root at `.`.
    pub path: String,
    /// What the writer has and what the reader wants, with the cure.
    pub reason: String,
}

impl Schema {
    /// The plan by which values that were written with `writer` are read as this schema says.
    ///
    /// # Errors
    ///
    /// No value of the writer's can be read. If only some cannot, such as those of a branch that the reader lacks, these are errors when they are read.
    pub fn reads(&self, writer: &Self) -> Result<Plan, Incompatible> {
        let mut resolver = Resolver {
            writer,
            reader: self,
            nodes: Vec::new(),
            done: HashMap::new(),
            path: Vec::new(),
        };
        let root = resolver.pair(writer.root, self.root)?;
        Ok(Plan {
            nodes: resolver.nodes,
            root,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// A type of the writer's read as one of the reader's.
    Pair(TypeId, TypeId),
    /// A type of the writer's that is passed over.
    Writer(TypeId),
    /// A type of the reader's whose default is read.
    Reader(TypeId),
}

struct Resolver<'a> {
    writer: &'a Schema,
    reader: &'a Schema,
    nodes: Vec<Node>,
    /// Where each pair's node is, or will be: recursive types end here.
    done: HashMap<Key, Result<usize, Incompatible>>,
    path: Vec<String>,
}

type Resolved<T> = Result<T, Incompatible>;

impl Resolver<'_> {
    fn incompatible(&self, reason: impl Into<String>) -> Incompatible {
        let mut path = String::new();
        for part in &self.path {
            if !path.is_empty() && part != "[]" {
                path.push('.');
            }
            path.push_str(part);
        }
        if path.is_empty() {
            path.push('.');
        }
        Incompatible {
            path,
            reason: reason.into(),
        }
    }

    fn kinds(&self, writer: TypeId, reader: TypeId) -> Incompatible {
        let (writer, reader) = (&self.writer.types[writer], &self.reader.types[reader]);
        self.incompatible(format!(
            "the writer has {}, and the reader's schema wants {}: {}",
            writer.described(),
            reader.described(),
            matching::cure(writer, reader)
        ))
    }

    fn reserve(&mut self) -> Resolved<usize> {
        if self.nodes.len() == AVRO_PLAN_NODES_MAX {
            return Err(self.incompatible(format!(
                "the two schemas have more than {AVRO_PLAN_NODES_MAX} pairs of types"
            )));
        }
        self.nodes.push(Node::Null);
        Ok(self.nodes.len() - 1)
    }

    fn pair(&mut self, writer: TypeId, reader: TypeId) -> Resolved<usize> {
        let key = Key::Pair(writer, reader);
        if let Some(done) = self.done.get(&key) {
            return done.clone();
        }
        if self.path.len() >= AVRO_RESOLUTION_DEPTH_MAX {
            return Err(self.incompatible(format!(
                "the types are nested more than {AVRO_RESOLUTION_DEPTH_MAX} deep"
            )));
        }
        let at = self.reserve()?;
        self.done.insert(key, Ok(at));
        match self.resolve(writer, reader) {
            Ok(node) => {
                self.nodes[at] = node;
                Ok(at)
            }
            Err(error) => {
                self.nodes[at] = Node::Refuse(error.reason.as_str().into());
                self.done.insert(key, Err(error.clone()));
                Err(error)
            }
        }
    }

    fn inside(&mut self, part: &str, writer: TypeId, reader: TypeId) -> Resolved<usize> {
        self.path.push(part.to_owned());
        let at = self.pair(writer, reader);
        self.path.pop();
        at
    }

    fn resolve(&mut self, writer: TypeId, reader: TypeId) -> Resolved<Node> {
        let (writers, readers) = (self.writer, self.reader);
        match (writers.kind(writer), readers.kind(reader)) {
            (Kind::Union(branches), _) => self.writer_union(branches, reader),
            (_, Kind::Union(branches)) => {
                let branch = self.reader_union(writer, reader, branches)?;
                Ok(Node::Branch(Box::new(branch)))
            }
            (Kind::Array(writer), Kind::Array(reader)) => {
                Ok(Node::Array(self.inside("[]", *writer, *reader)?))
            }
            (Kind::Map(writer), Kind::Map(reader)) => {
                Ok(Node::Map(self.inside("*", *writer, *reader)?))
            }
            _ => match matching::fit(&writers.types[writer], &readers.types[reader]) {
                Fit::No => Err(self.kinds(writer, reader)),
                Fit::Name | Fit::Exact => self.same_kind(writer, reader),
                Fit::Promoted(node) => Ok(node),
            },
        }
    }

    fn same_kind(&mut self, writer: TypeId, reader: TypeId) -> Resolved<Node> {
        let (writers, readers) = (self.writer, self.reader);
        let (of_writer, of_reader) = (&writers.types[writer], &readers.types[reader]);
        match (&of_writer.kind, &of_reader.kind) {
            (Kind::Record(writer), Kind::Record(reader)) => self.record(writer, reader),
            (Kind::Enum(of_writer), Kind::Enum(of_reader)) => {
                let default = match &of_reader.default {
                    None => None,
                    Some(Ok(at)) => Some(&of_reader.symbols[*at]),
                    Some(Err(fault)) => {
                        let is_known = |symbol| of_reader.symbols.contains(symbol);
                        if !of_writer.symbols.iter().all(is_known) {
                            return Err(self.incompatible(fault.to_string()));
                        }
                        None
                    }
                };
                let symbols: Box<[_]> = of_writer
                    .symbols
                    .iter()
                    .map(|symbol| {
                        let known = of_reader.symbols.iter().find(|known| *known == symbol);
                        known.or(default).cloned()
                    })
                    .collect();
                if symbols.iter().all(Option::is_none) {
                    return Err(self.incompatible(format!(
                        "the reader's enum {} has none of the writer's symbols and no default",
                        of_reader.name.full
                    )));
                }
                Ok(Node::Enum(symbols))
            }
            _ => Ok(leaf(of_reader)),
        }
    }

    fn record(&mut self, writer: &schema::Record, reader: &schema::Record) -> Resolved<Node> {
        let reads = read_fields(writer, reader);
        let is_read: HashSet<usize> = reads.values().copied().collect();
        let fields = reader.fields.iter().enumerate();
        let defaults: Vec<_> = fields.filter(|(at, _)| !is_read.contains(at)).collect();
        let mut steps = Vec::with_capacity(writer.fields.len() + defaults.len());
        let mut order = Vec::new();
        for (at, field) in writer.fields.iter().enumerate() {
            steps.push(match reads.get(&at) {
                Some(of_reader) => {
                    order.push(*of_reader);
                    let to = &reader.fields[*of_reader];
                    Step {
                        name: to.name.clone(),
                        node: self.inside(&to.name, field.of, to.of)?,
                        from: From::Payload,
                    }
                }
                None => Step {
                    name: field.name.clone(),
                    node: self.alone(Key::Writer(field.of))?,
                    from: From::Dropped,
                },
            });
        }
        for (of_reader, field) in defaults {
            let why = match &field.default_bytes {
                Some(Ok(bytes)) => {
                    order.push(of_reader);
                    steps.push(Step {
                        name: field.name.clone(),
                        node: self.alone(Key::Reader(field.of))?,
                        from: From::Default(bytes.clone()),
                    });
                    continue;
                }
                Some(Err(fault)) => fault.to_string(),
                None => "the reader's schema gives no default: give the field a default".to_owned(),
            };
            self.path.push(field.name.to_string());
            let error = self.incompatible(format!(
                "the writer's record {} has no field `{}`, and {why}",
                writer.name.full, field.name
            ));
            self.path.pop();
            return Err(error);
        }
        Ok(Node::Record(Box::new(Record {
            steps: steps.into(),
            is_in_order: order.is_sorted(),
        })))
    }

    /// Types of one schema alone, with all inside them. Without recursion: names can make a chain of any length.
    fn alone(&mut self, key: Key) -> Resolved<usize> {
        let mut open = Vec::new();
        let at = self.place(key, &mut open)?;
        while let Some((key, at)) = open.pop() {
            let (Key::Writer(id) | Key::Reader(id) | Key::Pair(_, id)) = key;
            let (schema, wrap): (&Schema, fn(TypeId) -> Key) = match key {
                Key::Writer(_) => (self.writer, Key::Writer),
                _ => (self.reader, Key::Reader),
            };
            for inner in inside(schema.kind(id)) {
                self.place(wrap(inner), &mut open)?;
            }
            self.nodes[at] = own_node(schema, id, &|inner| {
                // Placed in the loop above.
                self.done
                    .get(&wrap(inner))
                    .map_or(at, |place| *place.as_ref().unwrap_or(&at))
            });
        }
        Ok(at)
    }

    fn place(&mut self, key: Key, open: &mut Vec<(Key, usize)>) -> Resolved<usize> {
        if let Some(done) = self.done.get(&key) {
            return done.clone();
        }
        let at = self.reserve()?;
        self.done.insert(key, Ok(at));
        open.push((key, at));
        Ok(at)
    }

    fn writer_union(&mut self, branches: &[TypeId], reader: TypeId) -> Resolved<Node> {
        let readers = self.reader;
        let mut resolved = Vec::with_capacity(branches.len());
        let mut first = None;
        let mut fits = false;
        for writer in branches {
            let branch = match readers.kind(reader) {
                Kind::Union(of_reader) => self.reader_union(*writer, reader, of_reader),
                _ => self
                    .pair(*writer, reader)
                    .map(|node| Branch { node, name: None }),
            };
            resolved.push(match branch {
                Ok(branch) => {
                    fits = true;
                    branch
                }
                Err(error) => {
                    let node = self.reserve()?;
                    self.nodes[node] = Node::Refuse(error.reason.as_str().into());
                    first.get_or_insert(error);
                    Branch { node, name: None }
                }
            });
        }
        match first {
            Some(error) if !fits => Err(error),
            _ => Ok(Node::Union(resolved.into())),
        }
    }

    /// The first branch of the reader's that fits: of the same type and name, else of the same simple name, else promoted.
    fn reader_union(
        &mut self,
        writer: TypeId,
        reader: TypeId,
        branches: &[TypeId],
    ) -> Resolved<Branch> {
        let (writers, readers) = (self.writer, self.reader);
        let of_writer = &writers.types[writer];
        let rank = |branch: &TypeId| matching::fit(of_writer, &readers.types[*branch]).rank();
        let mut fitting: Vec<(usize, TypeId)> = branches
            .iter()
            .filter_map(|branch| rank(branch).map(|rank| (rank, *branch)))
            .collect();
        fitting.sort_by_key(|(rank, _)| *rank);
        let mut first = None;
        for (_, branch) in fitting {
            match self.pair(writer, branch) {
                Ok(node) => {
                    return Ok(Branch {
                        node,
                        name: Some(readers.types[branch].branch_name().into()),
                    });
                }
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        Err(first.unwrap_or_else(|| self.kinds(writer, reader)))
    }
}

/// Which field of the reader's each field of the writer's is for. A name goes before an alias.
fn read_fields(writer: &schema::Record, reader: &schema::Record) -> HashMap<usize, usize> {
    let by_name: HashMap<&str, usize> = writer
        .fields
        .iter()
        .enumerate()
        .map(|(at, field)| (&*field.name, at))
        .collect();
    let mut reads = HashMap::new();
    let mut left = Vec::new();
    for (at, field) in reader.fields.iter().enumerate() {
        match by_name.get(&*field.name) {
            Some(of_writer) => {
                reads.insert(*of_writer, at);
            }
            None => left.push((at, field)),
        }
    }
    for (at, field) in left {
        let mut found = field
            .aliases
            .iter()
            .filter_map(|alias| by_name.get(&**alias));
        if let Some(of_writer) = found.find(|of_writer| !reads.contains_key(*of_writer)) {
            reads.insert(*of_writer, at);
        }
    }
    reads
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::avro::schema::Schema;
    use crate::avro::{to_json, to_vec};
    use crate::id::{Format, Reference, Source};

    fn schema(json: &Value) -> Schema {
        Schema::parse(&json.to_string()).unwrap()
    }

    fn record(name: &str, fields: &Value) -> Schema {
        schema(&json!({"type": "record", "name": name, "fields": fields}))
    }

    /// The value as the reader sees it, or why not.
    fn resolved(writer: &Schema, reader: &Schema, value: &Value) -> Result<Value, String> {
        let plan = reader.reads(writer).map_err(|error| error.to_string())?;
        let bytes = to_vec(writer, value).unwrap();
        to_json(&plan, &bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn a_writer_of_old_is_read_with_aliases_defaults_and_promotions() {
        let writer = record(
            "Order",
            &json!([
                {"name": "remark", "type": "string"},
                {"name": "gone", "type": {"type": "array", "items": "string"}},
                {"name": "order_id", "type": "int"},
            ]),
        );
        let reader = record(
            "Order",
            &json!([
                {"name": "order_id", "type": "double"},
                {"name": "note", "type": ["null", "string"], "default": null, "aliases": ["remark"]},
                {"name": "currency", "type": "string", "default": "EUR"},
            ]),
        );
        let value = json!({"remark": "r", "gone": ["a", "b"], "order_id": 5});

        let read = resolved(&writer, &reader, &value).unwrap();

        assert_eq!(
            read,
            json!({"order_id": 5.0, "note": "r", "currency": "EUR"})
        );
    }

    #[test]
    fn a_field_without_a_default_that_the_writer_lacks_is_named_with_the_cure() {
        let writer = record("R", &json!([]));
        let inner =
            json!({"type": "record", "name": "R", "fields": [{"name": "sku", "type": "string"}]});
        let lines = |of: &Value| {
            record(
                "O",
                &json!([{"name": "lines", "type": {"type": "array", "items": of}}]),
            )
        };
        let without = json!({"type": "record", "name": "R", "fields": []});

        let error = lines(&inner).reads(&lines(&without)).unwrap_err();

        assert_eq!(error.path, "lines[].sku");
        assert_eq!(
            error.reason,
            "the writer's record R has no field `sku`, and the reader's schema gives no default: give the field a default"
        );
        assert!(writer.reads(&writer).is_ok());
    }

    #[test]
    fn kinds_that_do_not_fit_are_named_with_their_field() {
        let writer = record("R", &json!([{"name": "a", "type": "string"}]));
        let reader = record("R", &json!([{"name": "a", "type": "int"}]));

        let error = reader.reads(&writer).unwrap_err();

        assert_eq!(
            error.to_string(),
            "at `a`: the writer has a string, and the reader's schema wants an int: change the reader's schema to what is written"
        );
    }

    #[test]
    fn another_name_is_cured_by_an_alias() {
        let error = record("New", &json!([])).reads(&record("Old", &json!([])));

        let error = error.unwrap_err();
        assert!(
            error.reason.ends_with("give New the alias `Old`"),
            "{error}"
        );
    }

    #[test]
    fn a_branch_that_the_reader_lacks_is_an_error_when_it_is_met() {
        let writer = record(
            "R",
            &json!([{"name": "a", "type": ["null", "string", "int"]}]),
        );
        let reader = record("R", &json!([{"name": "a", "type": ["null", "string"]}]));

        assert_eq!(
            resolved(&writer, &reader, &json!({"a": "x"})),
            Ok(json!({"a": "x"}))
        );
        let error = resolved(&writer, &reader, &json!({"a": 5})).unwrap_err();
        assert!(
            error.ends_with("at `a`") && error.contains("the writer has an int"),
            "{error}"
        );
    }

    #[test]
    fn a_union_of_which_no_branch_fits_is_incompatible() {
        let error = schema(&json!("boolean")).reads(&schema(&json!(["null", "string"])));

        assert!(error.is_err());
    }

    #[test]
    fn a_symbol_that_the_reader_lacks_is_an_error_when_it_is_met() {
        let symbols =
            |symbols: Value| schema(&json!({"type": "enum", "name": "E", "symbols": symbols}));
        let (writer, reader) = (symbols(json!(["A", "B"])), symbols(json!(["B"])));

        assert_eq!(resolved(&writer, &reader, &json!("B")), Ok(json!("B")));
        assert!(
            resolved(&writer, &reader, &json!("A"))
                .unwrap_err()
                .contains("give the enum a default")
        );
        assert!(symbols(json!(["C"])).reads(&writer).is_err());
    }

    #[test]
    fn the_exact_branch_goes_before_a_promotion_that_stands_before_it() {
        let reader = schema(&json!(["double", "int"]));

        let read = resolved(&schema(&json!("int")), &reader, &json!(5));

        assert_eq!(read, Ok(json!(5)));
    }

    #[test]
    fn the_payload_goes_on_behind_a_default() {
        let lines = |fields: &Value| {
            let line = json!({"type": "record", "name": "Line", "fields": fields});
            let fields = json!([
                {"name": "lines", "type": {"type": "array", "items": line}}, {"name": "total", "type": "int"}
            ]);
            record("Order", &fields)
        };
        let writer = lines(&json!([{"name": "sku", "type": "int"}]));
        let reader = lines(&json!([
            {"name": "sku", "type": "int"}, {"name": "unit", "type": "string", "default": "kg"}
        ]));

        let read = resolved(
            &writer,
            &reader,
            &json!({"lines": [{"sku": 1}, {"sku": 2}], "total": 3}),
        );

        let lines = json!([{"sku": 1, "unit": "kg"}, {"sku": 2, "unit": "kg"}]);
        assert_eq!(read, Ok(json!({"lines": lines, "total": 3})));
    }

    #[test]
    fn a_name_of_the_writers_goes_before_an_alias() {
        let writer = record("R", &json!([{"name": "b", "type": "int"}]));
        let reader = record(
            "R",
            &json!([
                {"name": "a", "type": "int", "aliases": ["b"], "default": 1},
                {"name": "b", "type": "int"},
            ]),
        );

        assert_eq!(
            resolved(&writer, &reader, &json!({"b": 7})),
            Ok(json!({"a": 1, "b": 7}))
        );
    }

    #[test]
    fn a_recursive_record_is_resolved_once() {
        let node = |value: &str| {
            record(
                "Node",
                &json!([
                    {"name": "value", "type": value}, {"name": "next", "type": ["null", "Node"]}
                ]),
            )
        };
        let value = json!({"value": 1, "next": {"value": 2, "next": null}});

        let read = resolved(&node("int"), &node("double"), &value);

        assert_eq!(
            read,
            Ok(json!({"value": 1.0, "next": {"value": 2.0, "next": null}}))
        );
    }

    #[test]
    fn a_record_that_holds_itself_without_an_end_is_resolved_and_never_read() {
        let endless = record("R", &json!([{"name": "r", "type": "R"}]));

        let plan = endless.reads(&endless).unwrap();

        assert!(
            to_json(&plan, &[])
                .unwrap_err()
                .reason()
                .contains("inside each other")
        );
    }

    #[test]
    fn a_dropped_recursive_field_is_passed_over() {
        let writer = record(
            "R",
            &json!([
                {"name": "gone", "type": {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}},
                {"name": "kept", "type": "int"},
            ]),
        );
        let reader = record("R", &json!([{"name": "kept", "type": "int"}]));
        let value = json!({"gone": {"next": {"next": null}}, "kept": 3});

        assert_eq!(resolved(&writer, &reader, &value), Ok(json!({"kept": 3})));
    }

    #[test]
    fn units_of_time_that_differ_are_incompatible() {
        let time = |name: &str| schema(&json!({"type": "long", "logicalType": name}));

        let error = time("timestamp-micros")
            .reads(&time("timestamp-millis"))
            .unwrap_err();

        assert!(
            error.reason.contains("a long (timestamp-millis)"),
            "{error}"
        );
        assert!(
            time("local-timestamp-millis")
                .reads(&time("timestamp-millis"))
                .is_ok()
        );
    }

    #[test]
    fn a_long_chain_of_names_does_not_exhaust_the_stack() {
        let mut chain = Source::new(Format::Avro, "\"R1999\"");
        for step in 0..2_000_usize {
            let of = match step.checked_sub(1) {
                Some(before) => format!("R{before}"),
                None => "int".to_owned(),
            };
            let fields = json!([{"name": "r", "type": of}]);
            let json = json!({"type": "record", "name": format!("R{step}"), "fields": fields});
            chain.references.push(Reference {
                name: format!("R{step}"),
                source: Source::new(Format::Avro, json.to_string()),
            });
        }
        let chain = Schema::of(&chain).unwrap();

        let error = chain.reads(&chain).err().unwrap();

        assert!(error.reason.contains("nested more than"), "{error}");
        let error = to_json(chain.plan(), &[0]).unwrap_err();
        assert!(error.reason().contains("inside each other"), "{error}");
    }
}
