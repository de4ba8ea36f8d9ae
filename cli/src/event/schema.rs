//! Values by a schema, framed as serializers frame them. The schema is a file.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::fault::Fault;

/// Longest schema, and longest line of values.
#[cfg(feature = "schemas")]
const SCHEMA_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The flags that choose a schema.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Values by a schema")]
pub(crate) struct SchemaArgs {
    /// Write values in Avro by the schema in this file. They are made up, or read from the lines of --from.
    #[arg(long, value_name = "FILE.avsc", conflicts_with_all = ["protobuf", "json_schema", "value", "bytes"])]
    avro: Option<PathBuf>,
    /// Write values in Protobuf by the schema in this file.
    #[arg(long, value_name = "FILE.proto", requires = "message", conflicts_with_all = ["json_schema", "value", "bytes"])]
    protobuf: Option<PathBuf>,
    /// Full name of the Protobuf message: `shop.Payment`.
    #[arg(long, value_name = "NAME", requires = "protobuf")]
    message: Option<String>,
    /// Write values in JSON by the JSON Schema in this file.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["value", "bytes"])]
    json_schema: Option<PathBuf>,
    /// Choose what names the schema of each value.
    #[arg(long, value_enum, default_value_t = Framing::Confluent)]
    framing: Framing,
    /// Id of the schema: a number, or a UUID (of a schema version in Glue; Confluent's GUID in a header). Default: 1.
    #[arg(long, value_name = "ID")]
    schema_id: Option<String>,
}

/// What names the schema of each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framing {
    /// Confluent's frame: byte 0 and the id.
    Confluent,
    /// Glue's frame: byte 3, no compression, and the id.
    Glue,
    /// The header `__value_schema_id`.
    Header,
    /// Nothing: the value is the message alone.
    None,
}

/// A schema file and its kind.
enum Chosen<'a> {
    Avro(&'a Path),
    Protobuf(
        &'a Path,
        #[cfg_attr(
            not(feature = "schemas"),
            expect(dead_code, reason = "there is no encoder")
        )]
        &'a str,
    ),
    Json(&'a Path),
}

impl SchemaArgs {
    fn chosen(&self) -> Option<Chosen<'_>> {
        match (&self.avro, &self.protobuf, &self.message, &self.json_schema) {
            (Some(path), ..) => Some(Chosen::Avro(path)),
            (_, Some(path), Some(message), _) => Some(Chosen::Protobuf(path, message)),
            (.., Some(path)) => Some(Chosen::Json(path)),
            _ => None,
        }
    }

    /// The encoder of values. *None: values are not by a schema.*
    pub(crate) fn encoder(&self) -> Result<Option<Encoder>, Fault> {
        let Some(chosen) = self.chosen() else {
            if self.schema_id.is_some() || self.framing != Framing::Confluent {
                let help = "add --avro FILE, --protobuf FILE --message NAME or --json-schema FILE";
                return Err(Fault::new(
                    "expected a schema beside --framing and --schema-id, found none",
                )
                .help(help));
            }
            return Ok(None);
        };
        Encoder::of(&chosen, self.framing, self.schema_id.as_deref()).map(Some)
    }
}

#[cfg(not(feature = "schemas"))]
mod absent {
    use super::{Chosen, Framing};
    use crate::fault::Fault;

    /// There is none.
    #[derive(Debug)]
    pub(crate) enum Encoder {}

    impl Encoder {
        pub(super) fn of(chosen: &Chosen<'_>, _: Framing, _: Option<&str>) -> Result<Self, Fault> {
            let (Chosen::Avro(path) | Chosen::Protobuf(path, _) | Chosen::Json(path)) = chosen;
            Err(Fault::new("this cargo-msk was built without schemas")
                .at(path.display().to_string())
                .help("install it with them: cargo install --path cli --features schemas"))
        }

        /// The value, and the header that goes with it.
        pub(crate) fn made_up(&self, _: &mut fastrand::Rng) -> Result<super::Encoded, Fault> {
            match *self {}
        }

        pub(crate) fn line(&self, _: &str, _: usize) -> Result<super::Encoded, Fault> {
            match *self {}
        }

        pub(crate) fn poison(&self) -> super::Encoded {
            match *self {}
        }
    }
}

/// A value, and the header that names its schema.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) value: Vec<u8>,
    /// *None: the schema is named in the value, or nowhere.*
    pub(crate) header: Option<Vec<u8>>,
}

/// The header with the schema id of a value.
pub(crate) const HEADER: &str = "__value_schema_id";

#[cfg(not(feature = "schemas"))]
pub(crate) use self::absent::Encoder;
#[cfg(feature = "schemas")]
pub(crate) use self::encoder::Encoder;

#[cfg(feature = "schemas")]
mod encoder {
    use std::path::Path;

    use msk_schemas::avro;
    use msk_schemas::frame::write_message_indexes;
    use msk_schemas::id::{Format, Source};
    use msk_schemas::json_schema::{self, Validator};
    use msk_schemas::protobuf::File;
    use msk_schemas::protobuf::json::Dynamic;
    use serde_json::Value;

    use super::{Chosen, Encoded, Framing, SCHEMA_BYTES_MAX};
    use crate::fault::Fault;
    use crate::files::source;

    /// Values by one schema.
    #[derive(Debug)]
    pub(crate) struct Encoder {
        /// Before the value, or in the header.
        id: Vec<u8>,
        framing: Framing,
        codec: Codec,
        path: String,
    }

    #[derive(Debug)]
    enum Codec {
        Avro(avro::Schema),
        Protobuf {
            schema: Dynamic,
            message: String,
            /// The message's place in its file, as the framing has it.
            place: Vec<u8>,
        },
        Json {
            schema: Value,
            validator: Validator,
        },
    }

    impl Encoder {
        pub(super) fn of(
            chosen: &Chosen<'_>,
            framing: Framing,
            id: Option<&str>,
        ) -> Result<Self, Fault> {
            let (path, format) = match chosen {
                Chosen::Avro(path) => (path, Format::Avro),
                Chosen::Protobuf(path, _) => (path, Format::Protobuf),
                Chosen::Json(path) => (path, Format::Json),
            };
            let text = read(path)?;
            let path = path.display().to_string();
            let no_schema = |error: &dyn std::fmt::Display| {
                Fault::new(format!("expected a schema of {format} in {path}"))
                    .at(error.to_string())
                    .help("look at the place that is named; references to other files are not followed")
            };
            let source = Source::new(format, text.as_str());
            let codec = match chosen {
                Chosen::Avro(_) => {
                    Codec::Avro(avro::Schema::of(&source).map_err(|error| no_schema(&error))?)
                }
                Chosen::Protobuf(_, message) => {
                    let schema = Dynamic::of(&source).map_err(|error| no_schema(&error))?;
                    let file = File::of(&source).map_err(|error| no_schema(&error))?;
                    let Some(place) = place(&file, message, framing) else {
                        let names: Vec<&str> = schema.messages().collect();
                        return Err(Fault::new(format!(
                            "expected a message of {path}, found --message {message}"
                        ))
                        .help(format!(
                            "give the full name of one of these: {}",
                            names.join(", ")
                        )));
                    };
                    Codec::Protobuf {
                        schema,
                        message: (*message).to_owned(),
                        place,
                    }
                }
                Chosen::Json(_) => Codec::Json {
                    validator: Validator::of(&source).map_err(|error| no_schema(&error))?,
                    schema: serde_json::from_str(&text).map_err(|error| no_schema(&error))?,
                },
            };
            Ok(Self {
                id: id_bytes(framing, id)?,
                framing,
                codec,
                path,
            })
        }

        /// A value that is made up from the schema.
        pub(crate) fn made_up(&self, rng: &mut fastrand::Rng) -> Result<Encoded, Fault> {
            let random = &mut |below: u64| rng.u64(..below.max(1));
            let value = match &self.codec {
                Codec::Avro(schema) => avro::made_up(schema, random)
                    .map_err(|error| self.fault("a made-up value", &error))?,
                Codec::Protobuf {
                    schema, message, ..
                } => schema
                    .made_up(message, random)
                    .map_err(|error| self.fault("a made-up value", &error))?,
                Codec::Json { schema, .. } => json_schema::made_up(schema, random)
                    .map_err(|error| self.fault("a made-up value", &error))?,
            };
            self.encoded(&value, "a made-up value")
        }

        /// The value that a line of JSON has. `number`: of the record, from 0.
        pub(crate) fn line(&self, line: &str, number: usize) -> Result<Encoded, Fault> {
            let what = format!("the value of record {number}");
            let value = serde_json::from_str(line).map_err(|error| self.fault(&what, &error))?;
            let encoded = self.encoded(&value, &what)?;
            Ok(match self.codec {
                // As it was written, byte for byte.
                Codec::Json { .. } => self.framed(line.as_bytes().to_vec()),
                _ => encoded,
            })
        }

        /// A value that nobody can read by the schema.
        pub(crate) fn poison(&self) -> Encoded {
            self.framed(vec![0xFF; 11])
        }

        fn encoded(&self, value: &Value, what: &str) -> Result<Encoded, Fault> {
            let bytes = match &self.codec {
                Codec::Avro(schema) => {
                    avro::to_vec(schema, value).map_err(|error| self.fault(what, &error))?
                }
                Codec::Protobuf {
                    schema,
                    message,
                    place,
                } => {
                    let bytes = schema.from_json(message, value);
                    let bytes = bytes.map_err(|error| self.fault(what, &error))?;
                    match self.framing {
                        Framing::Header | Framing::None => bytes,
                        Framing::Confluent | Framing::Glue => [place, &bytes[..]].concat(),
                    }
                }
                Codec::Json { validator, .. } => {
                    validator
                        .check(value)
                        .map_err(|error| self.fault(what, &error))?;
                    value.to_string().into_bytes()
                }
            };
            Ok(self.framed(bytes))
        }

        fn framed(&self, bytes: Vec<u8>) -> Encoded {
            match self.framing {
                Framing::Confluent | Framing::Glue => Encoded {
                    value: [&self.id[..], &bytes].concat(),
                    header: None,
                },
                Framing::Header => {
                    let place = match &self.codec {
                        Codec::Protobuf { place, .. } => &place[..],
                        Codec::Avro(_) | Codec::Json { .. } => &[],
                    };
                    Encoded {
                        value: bytes,
                        header: Some([&self.id[..], place].concat()),
                    }
                }
                Framing::None => Encoded {
                    value: bytes,
                    header: None,
                },
            }
        }

        fn fault(&self, what: &str, error: &dyn std::fmt::Display) -> Fault {
            Fault::new(format!("expected {what} to fit the schema {}", self.path))
                .at(error.to_string())
                .help("give values that fit with --from FILE.ndjson, one JSON value a line")
        }
    }

    /// *None: the file has no such message.*
    fn place(file: &File, message: &str, framing: Framing) -> Option<Vec<u8>> {
        let indexes = file.indexes_of(message)?;
        if framing != Framing::Glue {
            return Some(write_message_indexes(indexes));
        }
        let place = file.order_of(message)?;
        Some(varint(place))
    }

    fn varint(mut number: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    }

    /// The id as the framing writes it.
    fn id_bytes(framing: Framing, id: Option<&str>) -> Result<Vec<u8>, Fault> {
        let found = |expected: &str| {
            let found = id.unwrap_or("none");
            Fault::new(format!("expected {expected}, found --schema-id {found}"))
        };
        let uuid = id.and_then(uuid);
        let number = id.unwrap_or("1").parse::<u32>().ok();
        match (framing, number, uuid) {
            (Framing::None, ..) if id.is_some() => Err(Fault::new(
                "expected no --schema-id with --framing none, found one",
            )
            .help("without a frame nothing names the schema")),
            (Framing::None, ..) => Ok(Vec::new()),
            (Framing::Glue, _, Some(uuid)) => Ok([&[3, 0][..], &uuid].concat()),
            (Framing::Glue, ..) => Err(found("the UUID of a schema version for --framing glue")
                .help("aws glue get-schema-version shows it as SchemaVersionId")),
            (Framing::Header, _, Some(uuid)) => Ok([&[1][..], &uuid].concat()),
            (Framing::Confluent | Framing::Header, Some(number), _) => {
                Ok([&[0][..], &number.to_be_bytes()].concat())
            }
            (Framing::Confluent | Framing::Header, None, _) => Err(found("a number")
                .help("the id that the registry gave when the schema was registered")),
        }
    }

    fn uuid(text: &str) -> Option<[u8; 16]> {
        let is_uuid = text.len() == 36
            && [8, 13, 18, 23]
                .iter()
                .all(|at| text.as_bytes()[*at] == b'-');
        let digits: String = text.split('-').collect();
        if !is_uuid || digits.len() != 32 || !digits.is_ascii() {
            return None;
        }
        let mut bytes = [0; 16];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(bytes)
    }

    fn read(path: &Path) -> Result<String, Fault> {
        let name = source::name(path);
        let unread = |error: String| {
            Fault::new(format!("cannot read {name}"))
                .at(error)
                .help("give the file of a schema")
        };
        let bytes =
            source::read(path, SCHEMA_BYTES_MAX).map_err(|error| unread(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| unread(error.to_string()))
    }
}
