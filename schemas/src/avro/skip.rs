//! Passing over a value that nobody asks for. Called by the decoder.

use crate::avro::error::Error;
use crate::avro::input::{Blocks, Input};
use crate::avro::plan::{From, Node};
use crate::limits::AVRO_VALUE_DEPTH_MAX;

/// Passes over the value of a node. `depth` is how many containers are around it.
pub(super) fn skip(
    nodes: &[Node],
    node: &Node,
    input: &mut Input<'_>,
    depth: usize,
) -> Result<(), Error> {
    match node {
        Node::Null => {}
        Node::Boolean => {
            input.boolean()?;
        }
        Node::Int | Node::IntAsFloat | Node::IntAsDouble | Node::Time { is_int: true, .. } => {
            input.int()?;
        }
        Node::Long | Node::LongAsFloat | Node::LongAsDouble | Node::Time { .. } => {
            input.long()?;
        }
        Node::Float | Node::FloatAsDouble => {
            input.float()?;
        }
        Node::Double => {
            input.double()?;
        }
        Node::Bytes | Node::Text => {
            input.bytes()?;
        }
        Node::Fixed(size) => {
            input.take(*size)?;
        }
        Node::Uuid => {
            input.take(16)?;
        }
        Node::Duration => {
            input.take(12)?;
        }
        Node::Decimal(decimal) => match decimal.size {
            Some(size) => {
                input.take(size)?;
            }
            None => {
                input.bytes()?;
            }
        },
        Node::Enum(symbols) => {
            input.choice("symbols", symbols.len())?;
        }
        Node::Union(branches) => {
            let branch = &branches[input.choice("branches of a union", branches.len())?];
            skip(nodes, &nodes[branch.node], input, depth)?;
        }
        Node::Branch(branch) => skip(nodes, &nodes[branch.node], input, depth)?,
        Node::Refuse(reason) => return Err(Error::new(reason.to_string())),
        Node::Array(_) | Node::Map(_) | Node::Record(_) => {
            skip_container(nodes, node, input, depth)?;
        }
    }
    Ok(())
}

fn skip_container(
    nodes: &[Node],
    node: &Node,
    input: &mut Input<'_>,
    depth: usize,
) -> Result<(), Error> {
    let depth = deeper(depth)?;
    let mut blocks = Blocks::new();
    match node {
        Node::Array(item) => {
            while blocks.skip_next(input)? {
                skip(nodes, &nodes[*item], input, depth)?;
            }
        }
        Node::Map(value) => {
            while blocks.skip_next(input)? {
                input.bytes()?;
                skip(nodes, &nodes[*value], input, depth).map_err(Error::at_key)?;
            }
        }
        Node::Record(record) => {
            for step in &record.steps {
                if !matches!(step.from, From::Default(_)) {
                    skip(nodes, &nodes[step.node], input, depth)
                        .map_err(|error| error.in_field(&step.name))?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// One more container around a value.
#[inline]
pub(super) fn deeper(depth: usize) -> Result<usize, Error> {
    if depth < AVRO_VALUE_DEPTH_MAX {
        Ok(depth + 1)
    } else {
        Err(too_deep())
    }
}

#[cold]
fn too_deep() -> Error {
    Error::new(format!(
        "expected at most {AVRO_VALUE_DEPTH_MAX} records, arrays and maps inside each other, found more"
    ))
}
