//! A collector: it keeps the spans that it is sent.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
pub(crate) use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::http::{Answer, serve};

#[derive(Clone, Default)]
pub(crate) struct Collector {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    endpoint: String,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let mut collector = Self::default();
        let requests = Arc::clone(&collector.requests);
        let address = serve(move |request| {
            assert_eq!(request.path, "/v1/traces");
            let request = ExportTraceServiceRequest::decode(&*request.body).unwrap();
            requests.lock().unwrap().push(request);
            Answer::of("200 OK")
        });
        collector.endpoint = format!("http://{address}");
        collector
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    pub(crate) fn named(&self, name: &str) -> Vec<Span> {
        let mut spans = self.spans();
        spans.retain(|span| span.name == name);
        spans
    }

    /// Of the spans' resource.
    pub(crate) fn service(&self) -> String {
        let requests = self.requests.lock().unwrap();
        let resource = requests[0].resource_spans[0].resource.clone().unwrap();
        find(&resource.attributes, "service.name")
    }
}

pub(crate) fn attribute(span: &Span, name: &str) -> String {
    find(&span.attributes, name)
}

/// *Empty: there is none.*
fn find(attributes: &[KeyValue], name: &str) -> String {
    let mut found = attributes.iter().filter(|attribute| attribute.key == name);
    let value = found.next().and_then(|attribute| attribute.value.clone());
    assert!(found.next().is_none(), "{name} is there twice");
    match value {
        Some(AnyValue {
            value: Some(Value::StringValue(text)),
        }) => text,
        Some(AnyValue {
            value: Some(Value::IntValue(number)),
        }) => number.to_string(),
        Some(AnyValue {
            value: Some(Value::BoolValue(yes)),
        }) => yes.to_string(),
        other => {
            assert!(other.is_none(), "{other:?}");
            String::new()
        }
    }
}

pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
