//! The one way out of a simulated process: calls go to the world, which answers when and as it likes. Used by what the function is built from.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use lambda_msk::idempotency::{Item, StoreError, Swap, Swapped};
use lambda_msk::schemas::{FetchError, Source};

use crate::fact::{InvocationId, RecordId};

/// What a process asks of the world.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Read(Arc<str>),
    Swap(Swap),
    Send(Vec<Letter>),
    /// The schema of that id.
    Fetch(u32),
}

/// A dead letter.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) record: RecordId,
    /// The event that feeds it back.
    pub(crate) payload: Arc<str>,
}

/// What the world answers.
#[derive(Debug)]
pub(crate) enum Reply {
    Read(Result<Option<Item>, StoreError>),
    Swap(Result<Swapped, StoreError>),
    /// For each letter: whether it is confirmed.
    Send(Vec<bool>),
    Fetch(Result<Source, FetchError>),
}

/// A call that the world has not seen yet.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) call: u64,
    /// When it was made, by the world's clock: the process may be further by now, if something in it holds the processor.
    pub(crate) at_ms: u64,
    /// Whose call it is.
    pub(crate) invocation: InvocationId,
    pub(crate) request: Request,
}

/// A process's side of the wire. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Port(Arc<Mutex<PortState>>);

#[derive(Debug, Default)]
struct PortState {
    cut: bool,
    calls: u64,
    asked: Vec<Asked>,
    waiting: BTreeMap<u64, Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    reply: Option<Reply>,
    waker: Option<Waker>,
}

impl Port {
    /// Asks, with the first poll at the latest: what is dropped afterwards is on its way all the same.
    pub(crate) fn call(&self, at_ms: u64, invocation: InvocationId, request: Request) -> Call {
        let mut state = self.lock();
        state.calls += 1;
        let call = state.calls;
        if !state.cut {
            state.asked.push(Asked {
                call,
                at_ms,
                invocation,
                request,
            });
            state.waiting.insert(call, Slot::default());
        }
        drop(state);
        Call {
            port: self.clone(),
            call,
        }
    }

    /// Nothing goes out any more: the process is dead, though its futures are not dropped yet.
    pub(crate) fn cut(&self) {
        let mut state = self.lock();
        state.cut = true;
        state.asked.clear();
        state.waiting.clear();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.lock().cut
    }

    pub(crate) fn has_asked(&self) -> bool {
        !self.lock().asked.is_empty()
    }

    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.lock().asked)
    }

    /// Brings the world's answer; nobody may wait for it any more.
    pub(crate) fn reply(&self, call: u64, reply: Reply) {
        let mut state = self.lock();
        let Some(slot) = state.waiting.get_mut(&call) else {
            return;
        };
        slot.reply = Some(reply);
        let waker = slot.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, PortState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits for its answer.
#[derive(Debug)]
pub(crate) struct Call {
    port: Port,
    call: u64,
}

impl Call {
    /// Its number, in its process.
    pub(crate) fn number(&self) -> u64 {
        self.call
    }
}

impl Future for Call {
    type Output = Reply;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let mut state = self.port.lock();
        let Some(slot) = state.waiting.get_mut(&self.call) else {
            return Poll::Pending;
        };
        match slot.reply.take() {
            Some(reply) => Poll::Ready(reply),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.port.lock().waiting.remove(&self.call);
    }
}
