//! One value of a payload at its node of the plan, before serde asks for it. Made by `access`, read by `deserializer`.

use serde::de::Error as _;
use serde::de::{Unexpected, Visitor};

use crate::avro::error::Error;
use crate::avro::input::Input;
use crate::avro::plan::{Branch, Decimal, Node, Plan};
use crate::avro::text;

/// A value that is not read yet.
pub(super) struct De<'a, 'de> {
    pub(super) nodes: &'de [Node],
    pub(super) node: &'de Node,
    pub(super) input: &'a mut Input<'de>,
    /// Containers around the value.
    pub(super) depth: usize,
    /// The branch of a union that is at hand. None: no union is around the value.
    pub(super) branch: Option<&'de Branch>,
}

impl<'a, 'de> De<'a, 'de> {
    #[inline]
    pub(super) fn new(plan: &'de Plan, input: &'a mut Input<'de>) -> Self {
        Self {
            nodes: &plan.nodes,
            node: &plan.nodes[plan.root],
            input,
            depth: 0,
            branch: None,
        }
    }

    /// Reads which branch of a union comes, if the value is one.
    #[inline]
    pub(super) fn settle(mut self) -> Result<Self, Error> {
        let branch = match self.node {
            Node::Union(branches) => {
                &branches[self.input.choice("branches of a union", branches.len())?]
            }
            Node::Branch(branch) => branch,
            _ => return Ok(self),
        };
        self.node = &self.nodes[branch.node];
        self.branch = Some(branch);
        Ok(self)
    }

    /// The bytes of a decimal.
    #[inline]
    pub(super) fn decimal(&mut self, decimal: Decimal) -> Result<&'de [u8], Error> {
        match decimal.size {
            Some(size) => self.input.take(size),
            None => self.input.bytes(),
        }
    }

    /// The number of a date or a time.
    #[inline]
    pub(super) fn time(&mut self, is_int: bool) -> Result<i64, Error> {
        if is_int {
            self.input.int().map(i64::from)
        } else {
            self.input.long()
        }
    }

    /// The symbol of an enum, as the reader has it.
    #[inline]
    pub(super) fn symbol(&mut self, symbols: &'de [Option<Box<str>>]) -> Result<&'de str, Error> {
        match &symbols[self.input.choice("symbols", symbols.len())?] {
            Some(symbol) => Ok(symbol),
            None => Err(Error::new(
                "expected a symbol of the reader's enum, found one that the enum lacks: give the enum a default",
            )),
        }
    }

    /// A number of a decimal without digits behind the point.
    pub(super) fn decimal_integer<V: Visitor<'de>>(
        mut self,
        decimal: Decimal,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let bytes = self.decimal(decimal)?;
        if decimal.scale > 0 {
            return Err(Error::invalid_type(
                Unexpected::Other("a decimal"),
                &visitor,
            ));
        }
        let Some(value) = text::unscaled(bytes) else {
            return Err(Error::invalid_value(Unexpected::Signed(0), &visitor));
        };
        match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => visitor.visit_i64(value),
            (_, Ok(value)) => visitor.visit_u64(value),
            _ => visitor.visit_i128(value),
        }
    }
}
