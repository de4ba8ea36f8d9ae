//! A schema's text into its types. What the specification forbids is an error that names it.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::avro::logical;
use crate::avro::schema::{Enum, Field, Fixed, Kind, Name, Record, Schema, Type, TypeId};
use crate::avro::write;
use crate::id::{SchemaError, Source};
use crate::limits::{
    AVRO_DEFAULT_VALUES_MAX, AVRO_REFERENCES_DEPTH_MAX, AVRO_SCHEMA_BYTES_MAX,
    AVRO_SCHEMA_DEPTH_MAX, AVRO_SCHEMA_TYPES_MAX, AVRO_UNION_BRANCHES_MAX,
};

type Parsed<T> = Result<T, SchemaError>;

impl Schema {
    /// Parses a schema with those that it refers to. Their names are known to the text; a schema that several refer to counts once.
    ///
    /// # Errors
    ///
    /// The text, or that of a reference, is no Avro schema: the error names the fault and its place.
    pub fn of(source: &Source) -> Result<Self, SchemaError> {
        let mut parser = Parser::default();
        parser.references(source, 0)?;
        let root = parser.text(&source.text)?;
        parser.finish(root)
    }

    /// Parses a schema that refers to no other.
    ///
    /// # Errors
    ///
    /// The text is no Avro schema: the error names the fault and its place.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let mut parser = Parser::default();
        let root = parser.text(text)?;
        parser.finish(root)
    }
}

#[derive(Default)]
struct Parser<'a> {
    types: Vec<Type>,
    /// By full name.
    names: HashMap<String, TypeId>,
    /// The names of references that were read.
    read: HashSet<&'a str>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn references(&mut self, source: &'a Source, depth: usize) -> Parsed<()> {
        if depth == AVRO_REFERENCES_DEPTH_MAX {
            return fault(format!(
                "expected at most {AVRO_REFERENCES_DEPTH_MAX} schemas that refer to each other in a row, found more"
            ));
        }
        for reference in &source.references {
            let (name, text) = (&*reference.name, &*reference.source.text);
            // The first of a name holds, as with Confluent's clients: of a diamond's two versions the one that is met first.
            if !self.read.insert(name) {
                continue;
            }
            self.references(&reference.source, depth + 1)?;
            let id = self
                .text(text)
                .map_err(|error| SchemaError(format!("reference `{name}`: {error}")))?;
            self.names.entry(name.to_owned()).or_insert(id);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Parsed<TypeId> {
        if text.len() > AVRO_SCHEMA_BYTES_MAX {
            return fault(format!(
                "expected a schema of at most {AVRO_SCHEMA_BYTES_MAX} bytes, found {}",
                text.len()
            ));
        }
        let json: Value = serde_json::from_str(text)
            .map_err(|error| SchemaError(format!("the schema is not JSON: {error}")))?;
        self.value(&json, "")
    }

    /// Defaults may be of types that end behind them, so they are encoded last. One that does not fit is a fault only where it stands in: a writer's are never read, and Java's avro registers schemas without looking at them.
    fn finish(self, root: TypeId) -> Parsed<Schema> {
        let mut schema = Schema {
            types: self.types,
            root,
            own: OnceLock::new(),
        };
        let mut values_left = AVRO_DEFAULT_VALUES_MAX;
        for id in 0..schema.types.len() {
            let Kind::Record(record) = schema.kind(id) else {
                continue;
            };
            let mut defaults = Vec::with_capacity(record.fields.len());
            for field in &record.fields {
                defaults.push(field.default.as_ref().map(|default| {
                    let bytes = write::default_bytes(&schema, field.of, default, &mut values_left);
                    bytes.map_err(|error| {
                        SchemaError(format!(
                            "the default of the field `{}` of {} does not fit: {}",
                            field.name,
                            record.name.full,
                            error.reason()
                        ))
                    })
                }));
            }
            if let Kind::Record(record) = &mut schema.types[id].kind {
                for (field, bytes) in record.fields.iter_mut().zip(defaults) {
                    field.default_bytes = bytes;
                }
            }
        }
        Ok(schema)
    }

    fn add(&mut self, kind: Kind) -> Parsed<TypeId> {
        if self.types.len() == AVRO_SCHEMA_TYPES_MAX {
            return fault(format!(
                "expected at most {AVRO_SCHEMA_TYPES_MAX} types, found more"
            ));
        }
        self.types.push(Type {
            kind,
            logical: None,
        });
        Ok(self.types.len() - 1)
    }

    fn value(&mut self, json: &Value, space: &str) -> Parsed<TypeId> {
        if self.depth == AVRO_SCHEMA_DEPTH_MAX {
            return fault(format!(
                "expected at most {AVRO_SCHEMA_DEPTH_MAX} types inside each other, found more"
            ));
        }
        self.depth += 1;
        let id = match json {
            Value::String(name) => self.named(name, space),
            Value::Array(branches) => self.union(branches, space),
            Value::Object(object) => self.object(object, space),
            _ => fault("expected a type: a name, an array or an object"),
        };
        self.depth -= 1;
        id
    }

    /// A type by its name.
    fn named(&mut self, name: &str, space: &str) -> Parsed<TypeId> {
        if let Some(kind) = primitive(name) {
            return self.add(kind);
        }
        let in_space = full_name(name, space);
        let known = self.names.get(&in_space);
        // As Java's avro: a name that its namespace lacks may be one without a namespace.
        match known.or_else(|| self.names.get(name)) {
            Some(id) => Ok(*id),
            None => fault(format!(
                "no type `{in_space}`: define the type before its name is used, or register its schema as a reference"
            )),
        }
    }

    fn union(&mut self, json: &[Value], space: &str) -> Parsed<TypeId> {
        if json.len() > AVRO_UNION_BRANCHES_MAX {
            return fault(format!(
                "expected a union of at most {AVRO_UNION_BRANCHES_MAX} branches, found {}",
                json.len()
            ));
        }
        let mut branches = Vec::with_capacity(json.len());
        for branch in json {
            branches.push(self.value(branch, space)?);
        }
        let mut names: Vec<&str> = Vec::with_capacity(branches.len());
        for branch in &branches {
            let name = self.types[*branch].branch_name();
            if name == "union" {
                return fault("a union directly in a union");
            }
            if names.contains(&name) {
                return fault(format!("a union with two branches `{name}`"));
            }
            names.push(name);
        }
        self.add(Kind::Union(branches))
    }

    fn object(&mut self, object: &Map<String, Value>, space: &str) -> Parsed<TypeId> {
        let word = match object.get("type") {
            Some(Value::String(word)) => word.as_str(),
            Some(inner) => return self.value(inner, space),
            None => return fault("a type without `type`"),
        };
        let id = match word {
            "array" => {
                let items = self.value(member(object, "array", "items")?, space)?;
                self.add(Kind::Array(items))?
            }
            "map" => {
                let values = self.value(member(object, "map", "values")?, space)?;
                self.add(Kind::Map(values))?
            }
            "record" | "error" => return self.record(object, space),
            "enum" => self.enumeration(object, space)?,
            "fixed" => self.fixed(object, space)?,
            _ => match primitive(word) {
                Some(kind) => self.add(kind)?,
                None => return self.named(word, space),
            },
        };
        self.types[id].logical = logical::of(object, &self.types[id].kind);
        Ok(id)
    }

    /// Registers a named type, so that it can refer to itself.
    fn define(&mut self, name: &Name, kind: Kind) -> Parsed<TypeId> {
        let id = self.add(kind)?;
        if self.names.insert(name.full.to_string(), id).is_some() {
            return fault(format!("the type `{}` is defined twice", name.full));
        }
        Ok(id)
    }

    fn record(&mut self, object: &Map<String, Value>, space: &str) -> Parsed<TypeId> {
        let name = name_of(object, "record", space)?;
        let full = name.full.clone();
        let space = full.rsplit_once('.').map_or("", |(space, _)| space);
        let record = Record {
            name: name.clone(),
            fields: Vec::new(),
        };
        let id = self.define(&name, Kind::Record(record))?;
        let Value::Array(json) = member(object, &full, "fields")? else {
            return fault(format!("`fields` of {full} is no array"));
        };
        let mut fields: Vec<Field> = Vec::with_capacity(json.len());
        let mut names = HashMap::with_capacity(json.len());
        for field in json {
            let field = self.field(field, &full, space)?;
            if names.insert(field.name.clone(), ()).is_some() {
                return fault(format!("the field `{}` of {full} twice", field.name));
            }
            fields.push(field);
        }
        if let Kind::Record(record) = &mut self.types[id].kind {
            record.fields = fields;
        }
        Ok(id)
    }

    fn field(&mut self, json: &Value, of: &str, space: &str) -> Parsed<Field> {
        let Value::Object(object) = json else {
            return fault(format!("a field of {of} that is no object"));
        };
        let Some(Value::String(name)) = object.get("name") else {
            return fault(format!("a field of {of} without a name"));
        };
        check_name(name)?;
        let place = format!("the field `{name}` of {of}");
        let of_type = self
            .value(member(object, &place, "type")?, space)
            .map_err(|error| match error.0.strip_prefix("the field `") {
                // The innermost place says enough.
                Some(_) => error,
                None => SchemaError(format!("{place}: {error}")),
            })?;
        Ok(Field {
            name: name.as_str().into(),
            aliases: strings(object, "aliases").map(Box::from).collect(),
            of: of_type,
            default: object.get("default").cloned(),
            default_bytes: None,
        })
    }

    fn enumeration(&mut self, object: &Map<String, Value>, space: &str) -> Parsed<TypeId> {
        let name = name_of(object, "enum", space)?;
        let full = &name.full;
        let Value::Array(json) = member(object, full, "symbols")? else {
            return fault(format!("`symbols` of {full} is no array"));
        };
        let mut places = HashMap::with_capacity(json.len());
        let mut symbols: Vec<Box<str>> = Vec::with_capacity(json.len());
        for (at, symbol) in json.iter().enumerate() {
            let Value::String(symbol) = symbol else {
                return fault(format!("a symbol of {full} that is no string"));
            };
            check_name(symbol)?;
            if places.insert(symbol.as_str(), at).is_some() {
                return fault(format!("the symbol `{symbol}` of {full} twice"));
            }
            symbols.push(symbol.as_str().into());
        }
        let default = match object.get("default") {
            None | Some(Value::Null) => None,
            Some(default) => match default.as_str().and_then(|default| places.get(default)) {
                Some(at) => Some(Ok(*at)),
                None => Some(fault(format!(
                    "the default of {full} is none of its symbols"
                ))),
            },
        };
        let kind = Kind::Enum(Enum {
            name: name.clone(),
            symbols,
            default,
        });
        self.define(&name, kind)
    }

    fn fixed(&mut self, object: &Map<String, Value>, space: &str) -> Parsed<TypeId> {
        let name = name_of(object, "fixed", space)?;
        let size = member(object, &name.full, "size")?.as_u64();
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            return fault(format!("`size` of {} is no size", name.full));
        };
        let kind = Kind::Fixed(Fixed {
            name: name.clone(),
            size,
        });
        self.define(&name, kind)
    }
}

fn fault<T>(text: impl Into<String>) -> Parsed<T> {
    Err(SchemaError(text.into()))
}

fn primitive(word: &str) -> Option<Kind> {
    Some(match word {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bytes" => Kind::Bytes,
        "string" => Kind::String,
        _ => return None,
    })
}

fn member<'a>(object: &'a Map<String, Value>, of: &str, name: &str) -> Parsed<&'a Value> {
    object
        .get(name)
        .ok_or_else(|| SchemaError(format!("{of} has no `{name}`")))
}

fn strings<'a>(object: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a str> {
    let array = object.get(name).and_then(Value::as_array);
    array.into_iter().flatten().filter_map(Value::as_str)
}

/// The name of a type with its aliases, all with their namespaces.
fn name_of(object: &Map<String, Value>, kind: &str, space: &str) -> Parsed<Name> {
    let Some(Value::String(name)) = object.get("name") else {
        return fault(format!("a type `{kind}` without a name"));
    };
    let space = match object.get("namespace") {
        Some(Value::String(space)) => space,
        _ => space,
    };
    let full = full_name(name, space);
    let full = full.strip_prefix('.').unwrap_or(&full);
    for part in full.split('.') {
        check_name(part)?;
    }
    if primitive(full).is_some() {
        return fault(format!("a type named `{full}`, which is a type of Avro"));
    }
    let space = full.rsplit_once('.').map_or("", |(space, _)| space);
    Ok(Name {
        full: full.into(),
        aliases: strings(object, "aliases")
            .map(|alias| full_name(alias, space).into())
            .collect(),
    })
}

/// A name with a dot has its namespace.
fn full_name(name: &str, space: &str) -> String {
    if space.is_empty() || name.contains('.') {
        name.to_owned()
    } else {
        format!("{space}.{name}")
    }
}

/// As Java's avro, which most registries check schemas with: letters of any language. The specification has those of English alone.
fn check_name(name: &str) -> Parsed<()> {
    let is_letter = |letter: char| letter == '_' || letter.is_alphabetic();
    let mut letters = name.chars();
    let is_name = letters.next().is_some_and(is_letter)
        && letters.all(|letter| is_letter(letter) || letter.is_numeric());
    if is_name {
        Ok(())
    } else {
        fault(format!(
            "expected a name of letters, digits and `_` that begins with no digit, found `{name}`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::avro::schema::Schema;
    use crate::avro::{to_json, to_vec};
    use crate::id::{Format, Reference, Source};
    use crate::limits::{AVRO_SCHEMA_BYTES_MAX, AVRO_SCHEMA_DEPTH_MAX};

    /// Why a text is no schema.
    fn fault(json: &Value) -> String {
        Schema::parse(&json.to_string()).unwrap_err().0
    }

    fn source(json: &Value, references: Vec<Reference>) -> Source {
        Source {
            references,
            ..Source::new(Format::Avro, json.to_string())
        }
    }

    fn reference(name: &str, source: Source) -> Reference {
        Reference {
            name: name.to_owned(),
            source,
        }
    }

    #[test]
    fn what_the_specification_forbids_is_named() {
        let cases = [
            (json!("shop.Order"), "no type `shop.Order`"),
            (json!(5), "expected a type"),
            (json!({"name": "R"}), "a type without `type`"),
            (json!({"type": "record", "fields": []}), "without a name"),
            (json!({"type": "record", "name": "R"}), "R has no `fields`"),
            (
                json!({"type": "record", "name": "1R", "fields": []}),
                "found `1R`",
            ),
            (
                json!({"type": "record", "name": "long", "fields": []}),
                "which is a type of Avro",
            ),
            (json!({"type": "array"}), "array has no `items`"),
            (
                json!({"type": "fixed", "name": "F", "size": -1}),
                "`size` of F is no size",
            ),
            (json!(["int", "int"]), "a union with two branches `int`"),
            (json!(["int", ["null"]]), "a union directly in a union"),
            (
                json!({"type": "enum", "name": "E", "symbols": ["A", "A"]}),
                "the symbol `A` of E twice",
            ),
        ];
        for (json, expected) in cases {
            let fault = fault(&json);
            assert!(fault.contains(expected), "{json}: {fault}");
        }
        assert!(Schema::parse("string").unwrap_err().0.contains("not JSON"));
    }

    #[test]
    fn a_fault_inside_a_field_names_the_field() {
        let fields = json!([{"name": "at", "type": {"type": "array", "items": "Place"}}]);

        let fault = fault(
            &json!({"type": "record", "name": "Order", "namespace": "shop", "fields": fields}),
        );

        assert!(
            fault.starts_with("the field `at` of shop.Order: no type `shop.Place`"),
            "{fault}"
        );
    }

    #[test]
    fn a_name_that_is_defined_twice_is_a_fault() {
        let of = json!({"type": "fixed", "name": "F", "size": 1});
        let fields = json!([{"name": "a", "type": of}, {"name": "b", "type": of}]);

        let fault = fault(&json!({"type": "record", "name": "R", "fields": fields}));

        assert!(fault.contains("the type `F` is defined twice"), "{fault}");
    }

    /// What is wrong with a schema's defaults.
    fn bad_default(json: &Value) -> String {
        let schema = Schema::parse(&json.to_string()).unwrap();
        schema.check_defaults().unwrap_err().0
    }

    #[test]
    fn a_default_that_does_not_fit_its_type_is_a_fault_where_it_stands_in() {
        let with = |fields: Value| {
            let record = json!({"type": "record", "name": "R", "fields": fields});
            Schema::parse(&record.to_string()).unwrap()
        };
        let id = json!({"name": "id", "type": "long"});
        let written = with(json!([id, {"name": "note", "type": "long", "default": null}]));
        let without = with(json!([id]));

        let value = json!({"id": 1, "note": 2});
        let bytes = to_vec(&written, &value).unwrap();
        assert_eq!(to_json(written.plan(), &bytes).unwrap(), value);
        assert!(without.reads(&written).is_ok());
        assert!(written.reads(&written).is_ok());

        let expected = "the default of the field `note` of R does not fit";
        let read = written.reads(&without).unwrap_err().to_string();
        assert!(read.contains(expected), "{read}");
        let left_out = to_vec(&written, &json!({"id": 1})).unwrap_err();
        assert!(left_out.to_string().contains(expected), "{left_out}");
    }

    #[test]
    fn an_enums_default_that_is_no_symbol_is_a_fault_where_it_stands_in() {
        let of = |symbols: Value| {
            let of = json!({"type": "enum", "name": "E", "symbols": symbols, "default": "C"});
            Schema::parse(&of.to_string()).unwrap()
        };
        let (short, long) = (of(json!(["A"])), of(json!(["A", "B"])));

        assert!(long.reads(&short).is_ok());
        let fault = short.reads(&long).unwrap_err().to_string();
        assert!(
            fault.contains("the default of E is none of its symbols"),
            "{fault}"
        );
        let fault = short.check_defaults().unwrap_err().0;
        assert_eq!(fault, "the default of E is none of its symbols");
    }

    #[test]
    fn each_kind_of_default_that_does_not_fit_is_named() {
        for (of, default) in [
            (json!("int"), json!("x")),
            (json!("int"), json!(1_i64 << 40)),
            (json!("bytes"), json!("ł")),
            (json!("boolean"), json!(null)),
            (json!(["null", "int"]), json!("x")),
            (
                json!({"type": "fixed", "name": "F", "size": 2}),
                json!("abc"),
            ),
            (
                json!({"type": "enum", "name": "E", "symbols": ["A"]}),
                json!("B"),
            ),
            (json!({"type": "array", "items": "int"}), json!([1, null])),
        ] {
            let fields = json!([{"name": "f", "type": of, "default": default}]);
            let fault = bad_default(&json!({"type": "record", "name": "R", "fields": fields}));
            assert!(
                fault.starts_with("the default of the field `f` of R does not fit"),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_default_that_needs_itself_is_a_fault_and_does_not_loop() {
        let fields = json!([{"name": "next", "type": "R", "default": {}}]);

        let fault = bad_default(&json!({"type": "record", "name": "R", "fields": fields}));

        assert!(fault.contains("does not fit"), "{fault}");
    }

    #[test]
    fn defaults_that_double_at_each_step_are_a_fault() {
        let mut of = json!({"type": "record", "name": "R0", "fields": []});
        for step in 1..40 {
            let name = format!("R{}", step - 1);
            let fields = json!([
                {"name": "a", "type": of, "default": {}},
                {"name": "b", "type": name, "default": {}},
            ]);
            of = json!({"type": "record", "name": format!("R{step}"), "fields": fields});
        }

        assert!(bad_default(&of).contains("does not fit"));
    }

    #[test]
    fn references_are_parsed_before_the_text_and_each_once() {
        let place = source(
            &json!({"type": "enum", "name": "shop.Place", "symbols": ["A"]}),
            vec![],
        );
        let of = |name: &str, inner: &str| {
            let fields = json!([{"name": "of", "type": inner}]);
            json!({"type": "record", "name": name, "namespace": "shop", "fields": fields})
        };
        let customer = source(
            &of("Customer", "Place"),
            vec![reference("shop.Place", place.clone())],
        );
        let order = source(
            &json!({"type": "record", "name": "Order", "namespace": "shop", "fields": [
                {"name": "customer", "type": "Customer"}, {"name": "place", "type": "shop.Place"}
            ]}),
            vec![
                reference("shop.Customer", customer),
                reference("shop.Place", place),
            ],
        );

        let schema = Schema::of(&order).unwrap();

        assert_eq!(schema.name(), Some("shop.Order"));
    }

    #[test]
    fn of_two_versions_of_a_reference_the_first_holds() {
        let place = |symbol: &str| {
            let of = json!({"type": "enum", "name": "shop.Place", "symbols": [symbol]});
            reference("shop.Place", source(&of, vec![]))
        };
        let of = |name: &str, symbol: &str| {
            let fields = json!([{"name": "at", "type": "shop.Place"}]);
            let of = json!({"type": "record", "name": name, "namespace": "shop", "fields": fields});
            reference(&format!("shop.{name}"), source(&of, vec![place(symbol)]))
        };
        let order = source(
            &json!({"type": "record", "name": "Order", "namespace": "shop", "fields": [
                {"name": "from", "type": "From"}, {"name": "to", "type": "To"}
            ]}),
            vec![of("From", "A"), of("To", "B")],
        );

        let schema = Schema::of(&order).unwrap();

        let value = |at: &str| json!({"from": {"at": at}, "to": {"at": at}});
        assert!(to_vec(&schema, &value("A")).is_ok());
        assert!(to_vec(&schema, &value("B")).is_err());
    }

    #[test]
    fn a_fault_in_a_reference_names_the_reference() {
        let bad = source(&json!("shop.Nothing"), vec![]);

        let fault = Schema::of(&source(
            &json!("shop.Place"),
            vec![reference("shop.Place", bad)],
        ));

        let fault = fault.unwrap_err().0;
        assert!(
            fault.starts_with("reference `shop.Place`: no type `shop.Nothing`"),
            "{fault}"
        );
    }

    #[test]
    fn texts_that_are_too_long_or_too_deep_are_faults() {
        let long = format!("{}\"int\"", " ".repeat(AVRO_SCHEMA_BYTES_MAX));
        let mut deep = json!("int");
        for _ in 0..AVRO_SCHEMA_DEPTH_MAX {
            deep = json!({"type": "array", "items": deep});
        }

        assert!(Schema::parse(&long).unwrap_err().0.contains("bytes, found"));
        // serde_json's own bound is another one: 128.
        assert!(fault(&deep).contains("types inside each other"));
    }

    #[test]
    fn a_name_that_its_namespace_lacks_is_one_without_a_namespace() {
        let place = source(
            &json!({"type": "enum", "name": "Place", "symbols": ["A"]}),
            vec![],
        );
        let fields = json!([{"name": "at", "type": "Place"}]);
        let order =
            json!({"type": "record", "name": "Order", "namespace": "shop", "fields": fields});

        let schema = Schema::of(&source(&order, vec![reference("Place", place)]));

        assert!(schema.is_ok());
    }

    #[test]
    fn names_may_have_letters_of_any_language_as_with_java() {
        let schema = json!({"type": "record", "name": "Größe", "fields": [{"name": "naïve_1", "type": "int"}]});

        assert!(Schema::parse(&schema.to_string()).is_ok());
    }
}
