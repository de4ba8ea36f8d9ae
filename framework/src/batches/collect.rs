//! The arguments of a chunk while they are taken, record by record, with erased types: what `process` has of a batch handler. Made by `handler`.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::batches::Batch;
use crate::batches::arguments::{BatchArgs, BatchHandler};
use crate::caught::{Panicked, caught, discard};
use crate::chunk::Chunk;
use crate::delivery::{Delivery, HandlerRun};
use crate::extract::{FromRecord, NotTaken};
use crate::failure::{Rejection, cut};
use crate::outcomes::IntoOutcomes;

/// What is set of a batch handler, and how its arguments are taken.
pub(crate) struct ChunkRoute {
    pub(crate) collector: Collector,
    pub(crate) records: usize,
    /// Of keys and values.
    pub(crate) bytes: usize,
    pub(crate) is_across: bool,
    pub(crate) bisects: bool,
    /// *None: half of what is left.*
    pub(crate) timeout: Option<Duration>,
    /// The argument that needs a chunk of one partition. *None: there is none.*
    pub(crate) needs_one_partition: Option<&'static str>,
}

impl fmt::Debug for ChunkRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkRoute")
            .field("records", &self.records)
            .field("bytes", &self.bytes)
            .field("is_across", &self.is_across)
            .finish_non_exhaustive()
    }
}

/// Begins a collection.
pub(crate) type Collector = Box<dyn Fn() -> Box<dyn Collect> + Send + Sync>;

/// Arguments of the records of one call.
pub(crate) trait Collect: Send {
    /// Takes one more record's.
    fn take(&mut self, delivery: &Delivery) -> Result<(), NotTaken>;

    /// Leaves out those whose place does not fit.
    fn retain(&mut self, fits: &dyn Fn(usize) -> bool);

    /// The run of the handler with what was taken.
    fn run(self: Box<Self>, chunk: Arc<Chunk>) -> Result<HandlerRun, NotTaken>;
}

/// A collection. Its arguments are the user's, also as they are dropped.
///
/// The mutex is never locked: with it, a chunk may be shared while others are asked for.
pub(crate) struct Collection(Mutex<Option<Box<dyn Collect>>>);

impl Collection {
    pub(crate) fn of(route: &ChunkRoute) -> Self {
        Self(Mutex::new(Some((route.collector)())))
    }

    pub(crate) fn take(&mut self, delivery: &Delivery) -> Result<(), NotTaken> {
        self.items().take(delivery)
    }

    /// Leaves out those whose place does not fit. *Err: the drop of one has panicked, and all are to be taken anew.*
    pub(crate) fn retain(&mut self, fits: impl Fn(usize) -> bool) -> Result<(), Panicked> {
        let items = self.items();
        caught(|| items.retain(&fits))
    }

    pub(crate) fn run(mut self, chunk: Arc<Chunk>) -> Result<HandlerRun, NotTaken> {
        let items = self.slot().take().expect("it is there until it runs");
        items.run(chunk)
    }

    fn items(&mut self) -> &mut dyn Collect {
        let items = self.slot().as_deref_mut();
        items.expect("it is there until it runs")
    }

    fn slot(&mut self) -> &mut Option<Box<dyn Collect>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Collection {
    fn drop(&mut self) {
        discard(self.slot().take());
    }
}

/// The arguments of one handler.
pub(crate) struct Collected<H, A: BatchArgs<S>, S> {
    handler: Arc<H>,
    state: Arc<S>,
    items: Vec<A::Item>,
}

/// What begins collections for a handler.
pub(crate) fn collector<H, A, S>(handler: H, state: Arc<S>) -> Collector
where
    H: BatchHandler<A, Future: Future<Output: IntoOutcomes> + Send + 'static>,
    A: BatchArgs<S> + Send + 'static,
    S: Send + Sync + 'static,
{
    let handler = Arc::new(handler);
    Box::new(move || {
        Box::new(Collected::<H, A, S> {
            handler: Arc::clone(&handler),
            state: Arc::clone(&state),
            items: Vec::new(),
        })
    })
}

impl<H, A, S> Collect for Collected<H, A, S>
where
    H: BatchHandler<A, Future: Future<Output: IntoOutcomes> + Send + 'static>,
    A: BatchArgs<S> + Send + 'static,
    S: Send + Sync + 'static,
{
    fn take(&mut self, delivery: &Delivery) -> Result<(), NotTaken> {
        match caught(|| A::Item::from_record(delivery, &self.state).map_err(Into::into)) {
            Ok(Ok(item)) => self.items.push(item),
            // An extractor of the user's own may say as much as it likes.
            Ok(Err::<_, Rejection>(rejection)) => {
                let message = cut(rejection.message);
                return Err(NotTaken::Rejected(Rejection {
                    message,
                    ..rejection
                }));
            }
            Err(_) => return Err(NotTaken::Panicked(type_name::<A::Item>())),
        }
        Ok(())
    }

    fn retain(&mut self, fits: &dyn Fn(usize) -> bool) {
        let mut at = 0;
        self.items.retain(|_| {
            at += 1;
            fits(at - 1)
        });
    }

    fn run(self: Box<Self>, chunk: Arc<Chunk>) -> Result<HandlerRun, NotTaken> {
        let Self {
            handler,
            state,
            items,
        } = *self;
        let mut taken = type_name::<A>();
        let args = caught(|| {
            let batch = Batch::new(items, Arc::clone(&chunk));
            A::with(batch, &chunk, &state, &mut taken)
        });
        let args = args.map_err(|_| NotTaken::Panicked(taken))?;
        // The handler is called by the first poll: what it does before its first await is part of the run.
        Ok(Box::pin(async move {
            let said = handler.call(args).await.into_outcomes()?;
            chunk.say(said);
            Ok(())
        }))
    }
}
