//! The header of AWS X-Ray, `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`, as a span's context.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// *None: it names no span.*
pub(super) fn span_context(header: &str) -> Option<SpanContext> {
    let fields = || {
        header
            .split(';')
            .filter_map(|field| field.trim().split_once('='))
    };
    let field = |name: &str| {
        fields()
            .find(|(found, _)| *found == name)
            .map(|(_, text)| text)
    };
    let (time, random) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    let parent = field("Parent")?;
    let is_hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if !(is_hex(time, 8) && is_hex(random, 24) && is_hex(parent, 16)) {
        return None;
    }
    let trace_id = TraceId::from_hex(&format!("{time}{random}")).ok()?;
    let span_id = SpanId::from_hex(parent).ok()?;
    let flags = match field("Sampled") {
        Some("1") => TraceFlags::SAMPLED,
        _ => TraceFlags::NOT_SAMPLED,
    };
    let context = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::span_context;

    #[test]
    fn the_header_of_x_ray_names_a_span_and_whether_it_is_sampled() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        let sampled = span_context(&format!(
            "{root};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0"
        ));
        let not = span_context(&format!("{root};Parent=53995c3f42cd8ad8;Sampled=0"));

        let sampled = sampled.unwrap();
        assert_eq!(
            sampled.trace_id().to_string(),
            "5759e988bd862e3fe1be46a994272793"
        );
        assert_eq!(sampled.span_id().to_string(), "53995c3f42cd8ad8");
        assert!(sampled.is_sampled() && sampled.is_remote());
        assert!(!not.unwrap().is_sampled());
    }

    #[test]
    fn a_header_that_names_no_span_is_none() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        let refused = [
            String::new(),
            root.to_owned(),
            "Parent=53995c3f42cd8ad8".to_owned(),
            format!("{root};Parent=53995c3f42cd8ad"),
            format!("{root};Parent=0000000000000000"),
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8".to_owned(),
            "Root=1-5759e988-é862e3fe1be46a9942727;Parent=53995c3f42cd8ad8".to_owned(),
        ];

        for header in refused {
            assert_eq!(span_context(&header), None, "{header}");
        }
    }
}
