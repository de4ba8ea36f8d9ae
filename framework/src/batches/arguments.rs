//! The arguments of a batch handler: the `Batch` first, then what is one for the whole chunk.

use std::any::type_name;
use std::future::Future;

use crate::batches::Batch;
use crate::chunk::Chunk;
use crate::deadline::Deadline;
use crate::extract::{FromRecord, FromRef, RequestId, State};
use crate::partition::TopicPartition;
use crate::schemas::SchemaUse;

/// A type that a batch handler can take behind its [`Batch`]: there is one for the whole chunk. What each record has of its own is taken inside the batch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an argument of a batch handler",
    label = "cannot be taken from a chunk",
    note = "behind its `Batch<_>` a batch handler can take `State<T>`, `Deadline`, `RequestId`, `TopicPartition` and `Option<TopicPartition>`",
    note = "take what each record has of its own inside the batch: `Batch<(Key<String>, Json<Order>)>`",
    note = "for a type of your own, implement `FromChunk<S>`"
)]
pub trait FromChunk<S>: Sized {
    /// Reads the argument.
    fn from_chunk(chunk: &Chunk, state: &S) -> Self;

    /// Whether it needs a chunk of one partition: then `build` refuses it together with `.across_partitions()`. Default: no.
    fn needs_one_partition() -> bool {
        false
    }
}

impl<S, T: FromRef<S>> FromChunk<S> for State<T> {
    fn from_chunk(_: &Chunk, state: &S) -> Self {
        Self(T::from_ref(state))
    }
}

impl<S> FromChunk<S> for Deadline {
    fn from_chunk(chunk: &Chunk, _: &S) -> Self {
        chunk.deadline()
    }
}

impl<S> FromChunk<S> for RequestId {
    fn from_chunk(chunk: &Chunk, _: &S) -> Self {
        Self(chunk.request_id().to_owned())
    }
}

impl<S> FromChunk<S> for TopicPartition {
    fn from_chunk(chunk: &Chunk, _: &S) -> Self {
        let first = chunk.record(0);
        let first = first.map(|record| record.topic_partition().clone());
        first.expect("no chunk is empty")
    }

    fn needs_one_partition() -> bool {
        true
    }
}

/// *None: the chunk is of several partitions.*
impl<S> FromChunk<S> for Option<TopicPartition> {
    fn from_chunk(chunk: &Chunk, _: &S) -> Self {
        chunk.topic_partition().cloned()
    }
}

/// An `async fn` whose first argument is a [`Batch`], or a closure that returns a future; [`batch`](crate::batch) wraps it. Implemented for functions of up to eight arguments; do not implement it by hand.
///
/// What is said of [`Handler`](crate::handler::Handler)s holds for these too: a panic is a failure of the call, and a handler must not block its thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a batch handler",
    label = "not an async fn whose first argument is a `Batch`",
    note = "a batch handler is an `async fn`, or a closure that returns a future: `async fn store(orders: Batch<Json<Order>>, State(db): State<Db>) -> Result<Outcomes, Failure>`",
    note = "its first argument is the `Batch<_>`; up to 7 arguments may follow",
    note = "a handler of one record is added with `.topic(…)`"
)]
pub trait BatchHandler<Args>: Clone + Send + Sync + 'static {
    /// The future that a call returns.
    type Future: Future;

    /// Calls the handler.
    fn call(&self, args: Args) -> Self::Future;
}

/// The arguments of a batch handler.
#[doc(hidden)]
pub trait BatchArgs<S>: Sized {
    /// What is taken of each record.
    type Item: FromRecord<S> + Send + 'static;

    /// Takes the other arguments. `taken` is the type of the argument being taken: after a panic, it names the one that panicked.
    fn with(batch: Batch<Self::Item>, chunk: &Chunk, state: &S, taken: &mut &'static str) -> Self;

    /// What of a record its extractors read by a schema.
    fn schemas() -> SchemaUse {
        Self::Item::schemas()
    }

    /// The argument that needs a chunk of one partition. *None: there is none.*
    fn needs_one_partition() -> Option<&'static str>;
}

macro_rules! handlers {
    ($($($arg:ident)*;)*) => {$(
        #[allow(non_snake_case)]
        impl<F, Fut, Each, $($arg,)*> BatchHandler<(Batch<Each>, $($arg,)*)> for F
        where
            F: Fn(Batch<Each>, $($arg,)*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future,
        {
            type Future = Fut;

            fn call(&self, (batch, $($arg,)*): (Batch<Each>, $($arg,)*)) -> Fut {
                self(batch, $($arg,)*)
            }
        }

        #[allow(unused_variables)]
        impl<S, Each, $($arg: FromChunk<S>,)*> BatchArgs<S> for (Batch<Each>, $($arg,)*)
        where
            Each: FromRecord<S> + Send + 'static,
        {
            type Item = Each;

            fn with(
                batch: Batch<Each>,
                chunk: &Chunk,
                state: &S,
                taken: &mut &'static str,
            ) -> Self {
                (batch, $({
                    *taken = type_name::<$arg>();
                    $arg::from_chunk(chunk, state)
                },)*)
            }

            fn needs_one_partition() -> Option<&'static str> {
                $(if $arg::needs_one_partition() {
                    return Some(type_name::<$arg>());
                })*
                None
            }
        }
    )*};
}

handlers! { ; A; A B; A B C; A B C D; A B C D E; A B C D E G; A B C D E G H; }
