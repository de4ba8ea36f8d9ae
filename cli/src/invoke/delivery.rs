//! One delivery with its reading: all that is shown of it.

use msk_mapping::response::{
    self, FailureReporting, NotAnEvent, Read as Reading, Verdict as Answered,
};
use msk_mapping::{Ending, Report};

use super::answer::{self, ShownAnswer};
use super::explain::{self, Problem};
use super::heard::Heard;
use crate::function::measured::Topic;
use crate::verdict::Verdict;

/// One delivery with its reading: all that is shown.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) number: u32,
    pub(super) times: u32,
    pub(super) report: Report,
    /// None: the event is not Kafka's, so there is nothing to commit.
    pub(super) read: Option<Reading>,
    /// The event is of another source, which the function may accept: its response is its own affair.
    pub(super) of_another_source: bool,
    /// None: the function did not answer with a response.
    pub(super) answer: Option<ShownAnswer>,
    pub(super) problem: Option<Problem>,
    /// What the function said of its records meanwhile.
    pub(super) heard: Heard,
}

impl Delivery {
    pub(super) fn new(
        number: u32,
        times: u32,
        report: Report,
        event: &Result<response::Event, NotAnEvent>,
        reporting: FailureReporting,
        heard: Heard,
    ) -> Self {
        let read = event.as_ref().ok().map(|event| match &report.ending {
            Ending::Response(body) => Reading::response(event, body, reporting),
            _ => Reading::error(event),
        });
        let answer = answer::answer(&report.ending, read.as_ref(), reporting);
        let problem = explain::problem(
            &report,
            read.as_ref(),
            event.as_ref().err().map(explain::not_kafka).as_deref(),
        );
        let of_another_source = matches!(event, Err(NotAnEvent::Source { .. }));
        Self {
            number,
            times,
            report,
            read,
            of_another_source,
            answer,
            problem,
            heard,
        }
    }

    /// Of the records of a topic, over the duration of the invocation. None: it took no time.
    pub(super) fn records_per_second(&self, measured: &Topic) -> Option<f64> {
        let over = self.report.duration;
        (!over.is_zero()).then(|| measured.records() / over.as_secs_f64())
    }

    pub(super) fn verdict(&self) -> Verdict {
        let answered = match &self.read {
            Some(read) if loses(read.verdict()) => Verdict::SomeLost,
            Some(read) if read.all_done() && !explain::is_empty(read) => Verdict::AllDone,
            None if self.of_another_source && matches!(self.report.ending, Ending::Response(_)) => {
                Verdict::AllDone
            }
            // An answer to an event without records has done none.
            _ => Verdict::NotDone,
        };
        answered.max(self.heard.verdict())
    }
}

/// Whether Lambda commits records that the function lists as not done.
fn loses(answered: &Answered) -> bool {
    matches!(
        answered,
        Answered::FailuresIgnored { .. } | Answered::FailuresMisplaced { .. }
    )
}
