//! What a process of the function knows of the run: where its facts go, what each of its invocations was given, its way out. Shared by `work` and `function`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task_local;

use crate::fact::{EnvironmentId, Fact, InvocationId, RecordId, What};
use crate::ledger::item_id;
use crate::plan::Batches;
use crate::port::{Call, Port, Request};
use crate::process::{OwnTime, Process};
use crate::script::Script;

/// The facts of a run. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<Fact>>>);

impl Journal {
    pub(crate) fn write(&self, at_ms: u64, what: What) {
        let mut facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        facts.push(Fact { at_ms, what });
    }

    pub(crate) fn take(&self) -> Vec<Fact> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a process of the function knows of the run. Handlers, store and destination share it.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) environment: EnvironmentId,
    port: Port,
    time: OwnTime,
    journal: Journal,
    pub(crate) script: Arc<Script>,
    /// What each of its invocations was given, by place.
    given: Mutex<BTreeMap<InvocationId, Given>>,
    /// The next clone of the handlers' state panics.
    clone_panics: AtomicBool,
    /// Calls with several records, so far.
    calls: AtomicU64,
    pub(crate) batches: Option<Batches>,
}

type Given = BTreeMap<(i32, i64), RecordId>;

task_local! {
    /// The invocation that is being run: a process may be in several.
    pub(crate) static CURRENT: InvocationId;
}

impl Inside {
    pub(crate) fn of<T>(
        process: &Process<T>,
        environment: EnvironmentId,
        journal: &Journal,
        script: &Arc<Script>,
    ) -> Arc<Self> {
        Arc::new(Self {
            environment,
            port: process.port().clone(),
            time: process.time().clone(),
            journal: journal.clone(),
            script: Arc::clone(script),
            given: Mutex::default(),
            clone_panics: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            batches: script.batches(),
        })
    }

    /// The world's time.
    pub(crate) fn now_ms(&self) -> u64 {
        self.time.world_ms()
    }

    /// Asks the world, in the name of the invocation that is being run.
    pub(crate) fn ask(&self, request: Request) -> Call {
        self.port.call(self.now_ms(), current(), request)
    }

    /// The number of a call with several records.
    pub(crate) fn next_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// The next clone of the handlers' state panics, or does not.
    pub(crate) fn set_clone_panics(&self, panics: bool) {
        self.clone_panics.store(panics, Ordering::Relaxed);
    }

    /// Whether this clone of the handlers' state panics. The next one does not.
    pub(crate) fn clone_panics(&self) -> bool {
        self.clone_panics.swap(false, Ordering::Relaxed)
    }

    /// What a dead process does is seen by nobody.
    pub(crate) fn note(&self, what: What) {
        if !self.port.is_cut() {
            self.journal.write(self.now_ms(), what);
        }
    }

    /// What a ledger holds is known to the invocation from now on.
    pub(crate) fn told(&self, id: &str, invocation: InvocationId, call: u64) {
        if item_id(id, None).is_some() {
            self.note(What::Told { invocation, call });
        }
    }

    fn given(&self) -> MutexGuard<'_, BTreeMap<InvocationId, Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(
        &self,
        invocation: InvocationId,
        records: impl IntoIterator<Item = ((i32, i64), RecordId)>,
    ) {
        self.given()
            .insert(invocation, records.into_iter().collect());
    }

    pub(crate) fn leave(&self, invocation: InvocationId) {
        self.given().remove(&invocation);
    }

    pub(crate) fn record(&self, record: &lambda_msk::Record) -> RecordId {
        let at = (record.partition(), record.offset());
        self.given()[&current()][&at]
    }
}

/// The invocation that is being run.
pub(crate) fn current() -> InvocationId {
    CURRENT.get()
}
