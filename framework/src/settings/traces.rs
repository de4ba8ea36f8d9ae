//! The settings of traces. Called by `settings` and `builder`.

use crate::settings::{Settings, VariableReader, one_of};
use crate::trace::TracedRecords;
#[cfg(feature = "otel")]
use crate::traces::Traces;

impl Settings {
    pub(super) fn read_traces(&mut self, reader: &mut VariableReader<'_>) {
        reader.read("TRACES", &mut self.traces, read);
    }

    #[cfg(feature = "otel")]
    pub(crate) fn traces_by_code(&mut self, traces: Traces) {
        self.traces.by_code(traces.records);
        self.trace_form = traces;
    }

    /// What code and environment have set together.
    #[cfg(feature = "otel")]
    pub(crate) fn traces(&self) -> Traces {
        Traces {
            records: self.traces.value,
            ..self.trace_form
        }
    }
}

/// Without the feature `otel` there are no spans, and a variable that asks for some is a fault.
fn read(text: &str) -> Result<TracedRecords, String> {
    let allowed = [
        ("sampled", TracedRecords::Sampled),
        ("all", TracedRecords::All),
        ("failed", TracedRecords::Failed),
        ("none", TracedRecords::None),
    ];
    let records = one_of(text, &allowed)?;
    if cfg!(not(feature = "otel")) && records != TracedRecords::None {
        return Err(format!(
            "expected a build with lambda-msk's feature `otel` for `{text}`, found one without: add the feature, or set `none`"
        ));
    }
    Ok(records)
}
