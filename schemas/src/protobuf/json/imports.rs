//! A schema compiled with its imports, all from memory.

use std::collections::HashMap;

use prost_reflect::FileDescriptor;
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

use crate::id::{SchemaError, Source};
use crate::limits::SCHEMA_ERROR_CHARS_MAX;
use crate::protobuf::{descriptor, in_base64};

/// What Confluent's clients have built in, and so name as no reference.
const CONFLUENT: [(&str, &str); 2] = [
    (
        "confluent/meta.proto",
        include_str!("../confluent/meta.proto"),
    ),
    (
        "confluent/type/decimal.proto",
        include_str!("../confluent/decimal.proto"),
    ),
];

/// The compiled file of a schema.
pub(super) fn compiled(source: &Source) -> Result<FileDescriptor, SchemaError> {
    // Says what is wrong with the text itself, and that it is one of Protobuf.
    descriptor("schema.proto", source)?;
    let mut files = HashMap::new();
    gather(&mut files, source);
    let mut name = "schema.proto".to_owned();
    while files.contains_key(&name) {
        name.insert(0, '_');
    }
    files.insert(name.clone(), source);
    let files = files.into_iter();
    let files = files.map(|(name, source)| (name, source.text.to_string()));
    let mut chain = ChainFileResolver::new();
    chain.add(Memory(files.collect()));
    chain.add(GoogleFileResolver::new());
    let confluent = CONFLUENT.map(|(name, text)| (name.to_owned(), text.to_owned()));
    chain.add(Memory(confluent.into_iter().collect()));

    let mut compiler = Compiler::with_file_resolver(chain);
    compiler.include_imports(true);
    compiler.open_file(&name).map_err(|error| fault(&error))?;
    let pool = compiler.descriptor_pool();
    let file = pool.get_file_by_name(&name);
    file.ok_or_else(|| SchemaError("the Protobuf schema has no file".to_owned()))
}

/// Puts in what a schema refers to. The first of a name holds: each repeats its own references wherever it stands.
fn gather<'a>(files: &mut HashMap<String, &'a Source>, source: &'a Source) {
    for reference in &source.references {
        if files.contains_key(&reference.name) {
            continue;
        }
        files.insert(reference.name.clone(), &reference.source);
        gather(files, &reference.source);
    }
}

/// Files by the names that they are imported by.
struct Memory(HashMap<String, String>);

impl FileResolver for Memory {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let text = self.0.get(name);
        let text = text.ok_or_else(|| protox::Error::file_not_found(name))?;
        match in_base64(text) {
            Some(mut descriptor) => {
                descriptor.name = Some(name.to_owned());
                Ok(File::from_file_descriptor_proto(descriptor))
            }
            None => File::from_source(name, text),
        }
    }
}

fn fault(error: &protox::Error) -> SchemaError {
    let said: String = error
        .to_string()
        .chars()
        .take(SCHEMA_ERROR_CHARS_MAX)
        .collect();
    SchemaError(format!(
        "expected a Protobuf schema that compiles, found a fault: {said}"
    ))
}
