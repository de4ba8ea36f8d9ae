//! `State<T>`: the state given to the consumer's builder.

use std::convert::Infallible;

use crate::delivery::Delivery;
use crate::extract::FromRecord;

/// The consumer's state, or a part of it. It is cloned for each attempt, so put costly parts into an `Arc`.
///
/// Set by [`Builder::state`](crate::builder::Builder::state), before the topics whose handlers take it.
///
/// # Example
///
/// ```
/// use lambda_msk::{Consumer, Failure, State};
///
/// #[derive(Clone)]
/// struct Inventory;
///
/// async fn ship(State(inventory): State<Inventory>) -> Result<(), Failure> {
/// #   let _ = inventory;
///     Ok(())
/// }
///
/// let consumer = Consumer::builder().state(Inventory).topic("orders", ship).build();
/// # consumer.unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct State<T>(pub T);

/// A part of a larger state.
#[diagnostic::on_unimplemented(
    message = "no `{Self}` can be taken from the consumer's state `{T}`",
    label = "a handler takes `State<{Self}>`",
    note = "set it before the topic: `Consumer::builder().state(value).topic(…)`",
    note = "a state is cloned for each attempt: put a value without `Clone` into an `Arc`, as in `.state(Arc::new(value))` and `State<Arc<{Self}>>`",
    note = "to take a part of a larger state, implement `FromRef<{T}> for {Self}`"
)]
pub trait FromRef<T> {
    /// Returns the part, usually a clone.
    fn from_ref(state: &T) -> Self;
}

// Else rustc says that `T` is not `Clone`, and suggests to derive it.
#[diagnostic::do_not_recommend]
impl<T: Clone> FromRef<T> for T {
    fn from_ref(state: &T) -> T {
        state.clone()
    }
}

impl<S, T: FromRef<S>> FromRecord<S> for State<T> {
    type Rejection = Infallible;

    fn from_record(_: &Delivery, state: &S) -> Result<Self, Infallible> {
        Ok(Self(T::from_ref(state)))
    }
}
