//! What the Runtime API knows of one function: events that wait, run, have ended. Without I/O.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::invocation::FunctionError;
use crate::limits::{ENDED_KEPT_MAX, EXTENSION_EVENTS_MAX, EXTENSIONS_MAX};

/// What the function posted for one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Posted {
    Response(Bytes),
    Error(FunctionError),
}

/// An event that the function has not taken yet.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) body: Bytes,
    pub(crate) timeout: Duration,
    /// Told when the function takes the event: its time counts from then.
    pub(crate) taken: oneshot::Sender<Instant>,
    pub(crate) posted: oneshot::Sender<Posted>,
}

/// Why an answer is refused. The state stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No event had this id, or the function never took it, or it is long ago.
    Unknown,
    /// It was answered before.
    Answered,
    /// Its time was over, or its caller has gone.
    Stale,
}

/// How an event that is no longer running ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Answered,
    Stale,
}

#[derive(Debug)]
struct Extension {
    id: String,
    name: String,
    invoke: bool,
    events: VecDeque<Bytes>,
}

/// Why an extension is not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExtensionRefusal {
    TooMany,
    NameTaken,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    waiting: VecDeque<Waiting>,
    running: HashMap<String, oneshot::Sender<Posted>>,
    ended: VecDeque<(String, Ended)>,
    extensions: Vec<Extension>,
}

impl State {
    pub(crate) fn offer(&mut self, event: Waiting) {
        self.waiting.push_back(event);
    }

    /// The next event for the function, which runs from now on. `now` is told to the one who offered it.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(String, Bytes, Duration)> {
        loop {
            let event = self.waiting.pop_front()?;
            // Refused: the one who offered it has gone, and with it the reason to run it.
            if event.taken.send(now).is_ok() {
                self.running.insert(event.id.clone(), event.posted);
                return Some((event.id, event.body, event.timeout));
            }
        }
    }

    /// Whether an answer for this id would be taken.
    pub(crate) fn expects(&self, id: &str) -> Result<(), Refusal> {
        if self.running.contains_key(id) {
            return Ok(());
        }
        match self.ended.iter().find(|(ended, _)| ended == id) {
            Some((_, Ended::Answered)) => Err(Refusal::Answered),
            Some((_, Ended::Stale)) => Err(Refusal::Stale),
            None => Err(Refusal::Unknown),
        }
    }

    pub(crate) fn post(&mut self, id: &str, posted: Posted) -> Result<(), Refusal> {
        self.expects(id)?;
        let delivered = self
            .running
            .remove(id)
            .is_some_and(|sender| sender.send(posted).is_ok());
        self.remember(
            id,
            if delivered {
                Ended::Answered
            } else {
                Ended::Stale
            },
        );
        if delivered {
            Ok(())
        } else {
            Err(Refusal::Stale)
        }
    }

    /// No answer for this id counts any more.
    pub(crate) fn expire(&mut self, id: &str) {
        self.waiting.retain(|event| event.id != id);
        if self.running.remove(id).is_some() {
            self.remember(id, Ended::Stale);
        }
    }

    fn remember(&mut self, id: &str, how: Ended) {
        if self.ended.len() == ENDED_KEPT_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back((id.to_owned(), how));
    }

    pub(crate) fn register(
        &mut self,
        id: String,
        name: &str,
        invoke: bool,
    ) -> Result<(), ExtensionRefusal> {
        if self.extensions.len() == EXTENSIONS_MAX {
            return Err(ExtensionRefusal::TooMany);
        }
        if self
            .extensions
            .iter()
            .any(|extension| extension.name == name)
        {
            return Err(ExtensionRefusal::NameTaken);
        }
        self.extensions.push(Extension {
            id,
            name: name.to_owned(),
            invoke,
            events: VecDeque::new(),
        });
        Ok(())
    }

    pub(crate) fn has_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    /// Hands an `INVOKE` event to each extension that asked for those.
    pub(crate) fn tell_extensions(&mut self, event: &Bytes) {
        for extension in self
            .extensions
            .iter_mut()
            .filter(|extension| extension.invoke)
        {
            if extension.events.len() == EXTENSION_EVENTS_MAX {
                extension.events.pop_front();
            }
            extension.events.push_back(event.clone());
        }
    }

    /// The next event of an extension. Outer None: no extension has this id. Inner None: nothing to tell yet.
    pub(crate) fn extension_event(&mut self, id: &str) -> Option<Option<Bytes>> {
        let extension = self
            .extensions
            .iter_mut()
            .find(|extension| extension.id == id)?;
        Some(extension.events.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::{Posted, Refusal, State, Waiting};
    use crate::limits::ENDED_KEPT_MAX;

    fn offer(
        state: &mut State,
        id: &str,
    ) -> (oneshot::Receiver<Instant>, oneshot::Receiver<Posted>) {
        let (taken, taken_by) = oneshot::channel();
        let (posted, answer) = oneshot::channel();
        let timeout = Duration::from_secs(1);
        state.offer(Waiting {
            id: id.to_owned(),
            body: Bytes::new(),
            timeout,
            taken,
            posted,
        });
        (taken_by, answer)
    }

    fn response() -> Posted {
        Posted::Response(Bytes::from_static(b"{}"))
    }

    #[test]
    fn events_are_taken_in_order() {
        let mut state = State::default();
        let _a = offer(&mut state, "a");
        let _b = offer(&mut state, "b");

        let ids: Vec<String> = std::iter::from_fn(|| state.take(Instant::now()))
            .map(|(id, ..)| id)
            .collect();

        assert_eq!(ids, ["a", "b"]);
    }

    #[test]
    fn an_event_whose_caller_has_gone_is_not_handed_over() {
        let mut state = State::default();
        drop(offer(&mut state, "a"));

        assert!(state.take(Instant::now()).is_none());
    }

    #[test]
    fn an_answer_is_taken_once_and_only_for_an_event_that_was_taken() {
        let mut state = State::default();
        let (_taken, mut answer) = offer(&mut state, "a");

        assert_eq!(state.post("a", response()), Err(Refusal::Unknown));
        state.take(Instant::now()).unwrap();
        assert_eq!(state.post("b", response()), Err(Refusal::Unknown));
        assert_eq!(state.post("a", response()), Ok(()));
        assert_eq!(state.post("a", response()), Err(Refusal::Answered));
        assert_eq!(answer.try_recv(), Ok(response()));
    }

    #[test]
    fn an_answer_after_the_end_is_stale() {
        let mut state = State::default();
        let _caller = offer(&mut state, "a");
        state.take(Instant::now()).unwrap();

        state.expire("a");

        assert_eq!(state.post("a", response()), Err(Refusal::Stale));
    }

    #[test]
    fn what_has_ended_is_forgotten_oldest_first() {
        let mut state = State::default();
        for n in 0..=ENDED_KEPT_MAX {
            let id = n.to_string();
            let _caller = offer(&mut state, &id);
            state.take(Instant::now()).unwrap();
            state.expire(&id);
        }

        assert_eq!(state.expects("0"), Err(Refusal::Unknown));
        assert_eq!(state.expects("1"), Err(Refusal::Stale));
    }
}
