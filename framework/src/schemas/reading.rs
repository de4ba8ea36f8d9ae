//! How a route reads payloads by their schemas: the reader's schemas, what they make of each writer's, and whether JSON is validated. Set by `each(…)`, compiled by `builder`, read by `extract`.

use std::fmt;
use std::sync::Arc;

use msk_schemas::id::Format;

use crate::part::Part;
use crate::schemas::{Framing, SchemaUse, Typed};

/// What `each(…)` has set.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct ReadingOptions {
    /// The reader's schema of values, as text.
    pub(crate) value: Option<Arc<str>>,
    /// The reader's schema of keys, as text.
    pub(crate) key: Option<Arc<str>>,
    /// JSON values are validated.
    pub(crate) validate: bool,
}

/// How a route reads payloads.
pub(crate) struct Reading {
    #[cfg(feature = "avro")]
    pub(crate) value: Option<super::avro::Reader>,
    #[cfg(feature = "avro")]
    pub(crate) key: Option<super::avro::Reader>,
    pub(crate) validate: bool,
}

/// What is wrong with a method of `each(…)` or with an argument.
type Faults = Vec<(&'static str, String)>;

impl Reading {
    /// Compiles what was set, and holds it against what the handler's arguments need. *None: nothing was set.*
    pub(crate) fn of(
        options: &ReadingOptions,
        uses: SchemaUse,
        typed: &Typed,
    ) -> Result<Option<Self>, Faults> {
        let mut faults = Faults::new();
        if let Some((part, formats)) = uses.torn() {
            let [one, other] = formats.map(extractor);
            faults.push((
                "",
                format!(
                    "its handler reads the {part} as `{one}` and as `{other}`, and no record is both: expected one of them"
                ),
            ));
        }
        let value = uses.format(Part::Value);
        if let (true, Some(format @ (Format::Avro | Format::Protobuf))) = (options.validate, value)
        {
            let reason = format!(
                "expected a handler that takes the value as `Json<_>`, found `{}`",
                extractor(format)
            );
            faults.push((".validate(true)", reason));
        }
        for (part, text, method) in [
            (Part::Value, &options.value, ".reader_schema(…)"),
            (Part::Key, &options.key, ".key_reader_schema(…)"),
        ] {
            let is_avro = uses.format(part) == Some(Format::Avro);
            let is_named = typed.cache.is_some() && typed.framing != Framing::None;
            let is_json = typed.delivers_json();
            let needed = is_avro && !is_named && !is_json && !typed.is_refused;
            if text.is_some() && !is_avro {
                let mut reason = format!("expected a handler that takes the {part} as `Avro<_>`");
                let other = match part {
                    Part::Value => (Part::Key, ".key_reader_schema(…)"),
                    Part::Key => (Part::Value, ".reader_schema(…)"),
                };
                if uses.format(other.0) == Some(Format::Avro) {
                    reason += &format!(": the schema of its {} is `{}`", other.0, other.1);
                }
                faults.push((method, reason));
            } else if text.is_none() && needed {
                faults.push((
                    "",
                    format!(
                        "its handler reads the {part} as Avro, which takes a schema: set `LAMBDA_MSK_SCHEMA_REGISTRY` or `.schemas(…)` (and a framing other than `none`), or wrap the handler: `each(handler){method}`"
                    ),
                ));
            }
        }
        if options.validate && typed.framing == Framing::None && !typed.is_refused {
            let reason = "expected values that name their schemas: set LAMBDA_MSK_SCHEMA_FRAMING to what the producers write, other than `none`";
            faults.push((".validate(true)", reason.to_owned()));
        }
        if options.validate && typed.cache.is_none() && !typed.is_refused {
            let reason = "expected a schema registry, which has the schemas: set `LAMBDA_MSK_SCHEMA_REGISTRY` or `.schemas(…)`";
            faults.push((".validate(true)", reason.to_owned()));
        }
        let reading = Self::compile(options, &mut faults);
        match faults.is_empty() {
            true => Ok(reading),
            false => Err(faults),
        }
    }

    #[cfg_attr(
        not(feature = "avro"),
        expect(unused_variables, reason = "there are no reader's schemas")
    )]
    fn compile(options: &ReadingOptions, faults: &mut Faults) -> Option<Self> {
        #[cfg(feature = "avro")]
        let mut reader = |text: &Option<Arc<str>>, method| {
            super::avro::Reader::of(text.as_deref()?)
                .map_err(|reason| faults.push((method, reason)))
                .ok()
        };
        #[cfg(feature = "avro")]
        let (value, key) = (
            reader(&options.value, ".reader_schema(…)"),
            reader(&options.key, ".key_reader_schema(…)"),
        );
        let any = options.value.is_some() || options.key.is_some() || options.validate;
        any.then_some(Self {
            #[cfg(feature = "avro")]
            value,
            #[cfg(feature = "avro")]
            key,
            validate: options.validate,
        })
    }

    /// What it needs beside what the arguments need.
    pub(crate) fn uses(&self) -> SchemaUse {
        match self.validate {
            true => SchemaUse::VALIDATED,
            false => SchemaUse::NONE,
        }
    }
}

/// The argument that reads a format.
pub(crate) fn extractor(format: Format) -> &'static str {
    match format {
        Format::Avro => "Avro<_>",
        Format::Protobuf => "Protobuf<_>",
        _ => "Json<_>",
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("validate", &self.validate)
            .finish_non_exhaustive()
    }
}
