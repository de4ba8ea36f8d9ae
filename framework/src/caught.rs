//! Catches panics of code that is not the framework's. A handler, an extractor, a destination or a store may panic, also in a `drop`: its panic fails
//! its record or its partition, never the invocation. Used by every module that calls such code.
//!
//! Two kinds of panic cannot be caught, and Rust ends the process: a second panic while the first one unwinds (a destructor that panics because its handler does), and
//! any panic of a program that was built with `panic = "abort"`.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A panic that was caught. Its text is for its own author alone: Rust's may quote what the code was reading.
pub(crate) struct Panicked {
    /// *None: `panic_any` was given something else than text.*
    text: Option<String>,
}

impl Panicked {
    fn of(payload: Box<dyn Any + Send>) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        discard(payload);
        Self { text }
    }

    /// What `panic!` was given.
    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or("(no text)")
    }
}

/// Runs it.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(run)).map_err(Panicked::of)
}

/// Drops it.
pub(crate) fn discard<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // Its own drop might panic in turn, and so on without end.
        std::mem::forget(payload);
    }
}

/// A future that is polled, and dropped, above the net.
pub(crate) struct Caught<F>(Stage<F>);

enum Stage<F> {
    Running(F),
    /// As it was made.
    Panicked(Panicked),
    Ended,
}

impl<F: Future + Unpin> Caught<F> {
    /// The future that this makes.
    pub(crate) fn new(make: impl FnOnce() -> F) -> Self {
        Self(match caught(make) {
            Ok(run) => Stage::Running(run),
            Err(panicked) => Stage::Panicked(panicked),
        })
    }
}

impl<F: Future + Unpin> Future for Caught<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = match &mut self.0 {
            Stage::Running(run) => match caught(|| Pin::new(run).poll(context)) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(output)) => Some(Ok(output)),
                Err(panicked) => Some(Err(panicked)),
            },
            Stage::Panicked(_) | Stage::Ended => None,
        };
        match (ended, std::mem::replace(&mut self.0, Stage::Ended)) {
            (Some(ended), run) => {
                discard(run);
                Poll::Ready(ended)
            }
            (None, Stage::Panicked(panicked)) => Poll::Ready(Err(panicked)),
            // Polled again after its end, as no future should be.
            (None, _) => Poll::Pending,
        }
    }
}

impl<F> Drop for Caught<F> {
    fn drop(&mut self) {
        discard(std::mem::replace(&mut self.0, Stage::Ended));
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, pending, poll_fn, ready};
    use std::panic::{panic_any, resume_unwind};
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use futures_util::FutureExt;

    use super::{Caught, caught, discard};

    /// Panics when it is dropped, without a word on standard error.
    struct Bomb(Arc<AtomicUsize>);

    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
            resume_unwind(Box::new("a drop"));
        }
    }

    type BombRun = Pin<Box<dyn Future<Output = u32> + Send>>;

    fn with_a_bomb(bomb: Bomb, run: impl Future<Output = u32> + Send + 'static) -> BombRun {
        let mut run = Box::pin(run);
        // Not an `async` block, which would drop it within its last poll.
        Box::pin(poll_fn(move |context| {
            let _held = &bomb;
            run.as_mut().poll(context)
        }))
    }

    #[test]
    fn a_panic_of_a_future_is_told_whether_it_was_made_or_polled() {
        let made = Caught::new(|| -> BombRun { resume_unwind(Box::new("made")) });
        let polled = Caught::new(|| -> BombRun {
            Box::pin(poll_fn(|_| resume_unwind(Box::new("polled".to_owned()))))
        });

        for (run, text) in [(made, "made"), (polled, "polled")] {
            let Some(Err(panicked)) = run.now_or_never() else {
                panic!("it did not end with its panic");
            };
            assert_eq!(panicked.text(), text);
        }
    }

    #[test]
    fn a_future_whose_drop_panics_keeps_its_output() {
        let drops = Arc::new(AtomicUsize::new(0));
        let mut run = Caught::new(|| with_a_bomb(Bomb(Arc::clone(&drops)), ready(7)));

        let ended = (&mut run).now_or_never();

        assert!(matches!(ended, Some(Ok(7))));
        assert_eq!(drops.load(Ordering::Relaxed), 1, "dropped as it ended");
    }

    #[test]
    fn a_future_that_is_dropped_early_may_panic_then() {
        let drops = Arc::new(AtomicUsize::new(0));
        let run = Caught::new(|| with_a_bomb(Bomb(Arc::clone(&drops)), pending()));

        drop(run);

        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_a_panic_was_given_may_panic_as_it_is_dropped() {
        let drops = Arc::new(AtomicUsize::new(0));
        let bomb = Bomb(Arc::clone(&drops));

        let Err(panicked) = caught::<()>(|| resume_unwind(Box::new(bomb))) else {
            panic!("it was not caught");
        };

        assert_eq!(panicked.text(), "(no text)");
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_drop_that_panics_with_what_panics_when_dropped_ends() {
        struct Chain;
        impl Drop for Chain {
            fn drop(&mut self) {
                panic_any(Self);
            }
        }

        discard(Chain);
    }

    #[test]
    fn a_future_that_has_ended_does_not_end_twice() {
        let mut run = Caught::new(|| ready(7));

        let first = (&mut run).now_or_never();
        let second = (&mut run).now_or_never();

        assert!(matches!(first, Some(Ok(7))));
        assert!(second.is_none());
    }

    #[test]
    fn a_pending_future_stays_pending() {
        let mut run = Caught::new(|| poll_fn(|_| Poll::<u32>::Pending));

        assert!((&mut run).now_or_never().is_none());
    }
}
