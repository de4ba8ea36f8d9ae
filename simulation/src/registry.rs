//! The schema registry, at the other end of the wire. Given to the framework by `function`.

use std::sync::Arc;

use lambda_msk::schemas::{FetchError, Fetching, Registry, SchemaId};

use crate::fact::{InvocationId, SchemaAnswer, What};
use crate::inside::{Inside, current};
use crate::port::{Reply, Request};

/// The registry, as a process of the function sees it.
#[derive(Debug)]
pub(crate) struct RemoteRegistry(pub(crate) Arc<Inside>);

impl Registry for RemoteRegistry {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(async move {
            let SchemaId::Number(schema) = id else {
                return Err(FetchError::Unusable("the wires are crossed".to_owned()));
            };
            let inside = &*self.0;
            let mut waiting = Waiting {
                inside,
                invocation: current(),
                schema,
                answer: SchemaAnswer::Abandoned,
            };
            inside.note(What::SchemaAsked {
                invocation: waiting.invocation,
                schema,
            });
            let Reply::Fetch(answer) = inside.ask(Request::Fetch(schema)).await else {
                return Err(FetchError::Unusable("the wires are crossed".to_owned()));
            };
            waiting.answer = match &answer {
                Ok(_) => SchemaAnswer::Found,
                Err(FetchError::NotFound(_)) => SchemaAnswer::NotFound,
                Err(_) => SchemaAnswer::Unavailable,
            };
            answer
        })
    }

    fn place(&self) -> &str {
        "simulated:registry"
    }
}

/// Tells how a request ended, also if nobody waits for it any more.
struct Waiting<'a> {
    inside: &'a Inside,
    invocation: InvocationId,
    schema: u32,
    answer: SchemaAnswer,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.inside.note(What::SchemaAnswered {
            invocation: self.invocation,
            schema: self.schema,
            answer: self.answer,
        });
    }
}
