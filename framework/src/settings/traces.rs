//! The settings of traces. Called by `settings` and `builder`.

use crate::settings::{Settings, VariableReader};

impl Settings {
    /// Without the feature `otel` there are no spans, and a variable that asks for some is a fault.
    pub(super) fn read_traces(&mut self, reader: &mut VariableReader<'_>) {
        reader.read("TRACES", &mut self.traces, read);
    }
}

#[cfg(feature = "otel")]
mod with {
    use crate::settings::{Settings, one_of};
    use crate::traces::{TracedRecords, Traces};

    /// As the environment names them.
    pub(crate) type Records = TracedRecords;

    pub(super) fn read(text: &str) -> Result<TracedRecords, String> {
        let allowed = [
            ("sampled", TracedRecords::Sampled),
            ("all", TracedRecords::All),
            ("failed", TracedRecords::Failed),
            ("none", TracedRecords::None),
        ];
        one_of(text, &allowed)
    }

    impl Settings {
        pub(crate) fn traces_by_code(&mut self, traces: Traces) {
            self.traces.by_code(traces.records);
            self.trace_form = Traces {
                records: TracedRecords::default(),
                ..traces
            };
        }

        /// What code and environment have set together.
        pub(crate) fn traces(&self) -> Traces {
            Traces {
                records: self.traces.value,
                ..self.trace_form
            }
        }
    }
}

#[cfg(not(feature = "otel"))]
mod with {
    use crate::settings::one_of;

    /// Of which records there are spans.
    #[derive(Clone, Copy, Debug, Default)]
    pub(crate) enum Records {
        #[default]
        None,
    }

    pub(super) fn read(text: &str) -> Result<Records, String> {
        let asks = |asked: &&str| *asked == text;
        if ["sampled", "all", "failed"].iter().any(|name| asks(&name)) {
            return Err(format!(
                "expected a build with lambda-msk's feature `otel` for `{text}`, found one without: add the feature, or set `none`"
            ));
        }
        let allowed = [("none", Records::None)];
        one_of(text, &allowed)
    }
}

pub(crate) use self::with::Records;
use self::with::read;
