//! A log line as one JSON object: the event's fields, then those of the spans around it, each name once. Used by `logging`.

use std::fmt::{self, Debug};

use serde::Serializer;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::current;

/// `lambda_runtime`'s span calls it so; the framework's own lines have it under this name.
const RENAMED: (&str, &str) = ("requestId", "request_id");

/// Lines for Lambda's tools and for Logs Insights.
#[derive(Debug)]
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let metadata = event.metadata();
        let mut line = Line::default();
        line.add("timestamp", timestamp.into());
        line.add("level", metadata.level().as_str().into());
        event.record(&mut line);
        line.add("target", metadata.target().into());
        current::read(|current| {
            line.add("topic", (&*current.partition.topic).into());
            line.add("partition", current.partition.partition.into());
            line.add("offset", current.offset.into());
            line.add("attempt", current.attempt.into());
            if current.records > 1 {
                line.add("records", current.records.into());
            }
        });
        if let Some(request) = current::request_here() {
            line.add(RENAMED.1, (&*request).into());
        }
        // From the innermost one outwards: it knows best.
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>();
            let fields = fields.map(|fields| serde_json::from_str::<Map<String, Value>>(fields));
            for (name, value) in fields.and_then(Result::ok).into_iter().flatten() {
                line.add(&name, value);
            }
        }
        let text = line.to_json().map_err(|_| fmt::Error)?;
        writeln!(writer, "{text}")
    }
}

/// The fields of a line, in their order.
#[derive(Default)]
struct Line(Vec<(String, Value)>);

impl Line {
    /// The first of a name counts.
    fn add(&mut self, name: &str, value: Value) {
        let name = match name == RENAMED.0 {
            true => RENAMED.1,
            false => name.strip_prefix("r#").unwrap_or(name),
        };
        if self.0.iter().all(|(known, _)| known != name) {
            self.0.push((name.to_owned(), value));
        }
    }

    fn to_json(&self) -> serde_json::Result<String> {
        let mut json = Vec::new();
        let fields = self.0.iter().map(|(name, value)| (name, value));
        serde_json::Serializer::new(&mut json).collect_map(fields)?;
        // `serde_json` writes UTF-8.
        Ok(String::from_utf8_lossy(&json).into_owned())
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field.name(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::{info, info_span};
    use tracing_subscriber::fmt::format::JsonFields;

    use super::JsonLines;
    use crate::current::{Current, in_the_name_of};
    use crate::partition::TopicPartition;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said(log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = written.0.lock().unwrap().clone();
        let line = String::from_utf8(bytes).unwrap();
        let (time, rest) = line.split_once(r#","level""#).unwrap();
        assert!(time.starts_with(r#"{"timestamp":"20"#), "{line}");
        format!(r#"{{"level"{rest}"#)
    }

    #[test]
    fn the_fields_of_a_line_and_of_its_spans_each_stand_once() {
        let line = said(|| {
            let _outer = info_span!("invoke", requestId = "r-1", xrayTraceId = "x").entered();
            let _inner = info_span!("process", topic = "orders", offset = 7).entered();
            info!(
                request_id = "r-1",
                offset = 8_i64,
                target = "t",
                "it \"is\""
            );
        });

        let target = r#""target":"t","topic":"orders","xrayTraceId":"x"}"#;
        let fields = r#"{"level":"INFO","message":"it \"is\"","request_id":"r-1","offset":8,"#;
        assert_eq!(line, format!("{fields}{target}\n"));
    }

    #[test]
    fn a_line_has_the_record_in_whose_name_it_is_said() {
        let current = |offset| Current {
            partition: TopicPartition::new("orders", 3),
            offset,
            attempt: 2,
            records: 1,
        };
        let line = |log: fn()| -> serde_json::Value {
            serde_json::from_str(&said(|| in_the_name_of(current(7), log))).unwrap()
        };

        let of_record = line(|| info!("its record's"));
        let own = line(|| info!(offset = 1_i64, "a handler's own offset stands"));
        let of_none: serde_json::Value = serde_json::from_str(&said(|| {
            in_the_name_of(current(8), || ());
            info!("of no record");
        }))
        .unwrap();

        assert_eq!(of_record["topic"], "orders");
        assert_eq!(of_record["partition"], 3);
        assert_eq!(of_record["offset"], 7);
        assert_eq!(of_record["attempt"], 2);
        assert_eq!(own["offset"], 1);
        assert_eq!(of_none.get("topic"), None);
    }

    #[test]
    fn a_line_without_a_request_id_has_that_of_the_runtimes_span() {
        let line = said(|| {
            let _outer = info_span!("invoke", requestId = "r-1").entered();
            info!(ratio = 0.5, done = true, problem = ?Some(1), "a handler's own");
        });

        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["request_id"], "r-1");
        assert_eq!(json["ratio"], 0.5);
        assert_eq!(json["done"], true);
        assert_eq!(json["problem"], "Some(1)");
        assert_eq!(line.matches("r-1").count(), 1);
    }
}
