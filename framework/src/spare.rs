//! Buffers of events that are over, kept for the next: fresh memory costs a page fault every four kilobytes. Given back where an event's last record is dropped; taken by `event`.

use std::fmt;
use std::mem::size_of;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::SPARE_BYTES_MAX;

/// A buffer that was made for much more than this part of what the last event needed is not kept.
const USED_PART_MIN: usize = 4;

/// A place for one buffer between two events. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Shelf<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Shelf<T> {
    /// An empty buffer: the one that lies here, or a new one. It comes back when it is dropped.
    pub(crate) fn take(&self) -> Kept<T> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Kept {
            buffer: std::mem::take(&mut *place),
            shelf: Some(self.clone()),
        }
    }
}

/// A buffer, and where it goes when nobody needs it any more.
pub(crate) struct Kept<T> {
    buffer: Vec<T>,
    /// *None: it is freed.*
    shelf: Option<Shelf<T>>,
}

impl<T> From<Vec<T>> for Kept<T> {
    fn from(buffer: Vec<T>) -> Self {
        Self {
            buffer,
            shelf: None,
        }
    }
}

impl<T> Deref for Kept<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.buffer
    }
}

impl<T> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.buffer
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        let Some(Shelf(place)) = &self.shelf else {
            return;
        };
        let (used, room) = (self.buffer.len(), self.buffer.capacity());
        let is_large = room * size_of::<T>() > SPARE_BYTES_MAX;
        if is_large || used < room / USED_PART_MIN {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two that come back, the larger one serves more events.
        if place.capacity() < buffer.capacity() {
            *place = buffer;
        }
    }
}

impl<T> fmt::Debug for Kept<T> {
    /// Its size only: it may hold payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("len", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Shelf;
    use crate::limits::SPARE_BYTES_MAX;

    #[test]
    fn a_buffer_comes_back_empty() {
        let shelf = Shelf::<u8>::default();
        let mut buffer = shelf.take();
        buffer.extend([7; 1_000]);
        let room = buffer.capacity();

        drop(buffer);
        let again = shelf.take();

        assert!(again.is_empty());
        assert_eq!(again.capacity(), room);
    }

    #[test]
    fn a_buffer_that_was_hardly_used_is_freed() {
        let shelf = Shelf::<u8>::default();
        let mut buffer = shelf.take();
        buffer.reserve(1_000_000);
        buffer.extend([7; 1_000]);

        drop(buffer);

        assert_eq!(shelf.take().capacity(), 0);
    }

    #[test]
    fn a_buffer_beyond_the_bound_is_freed() {
        let shelf = Shelf::<u8>::default();
        let mut buffer = shelf.take();
        buffer.resize(SPARE_BYTES_MAX + 1, 7);

        drop(buffer);

        assert_eq!(shelf.take().capacity(), 0);
    }

    #[test]
    fn of_two_that_come_back_the_larger_one_is_kept() {
        let shelf = Shelf::<u8>::default();
        let (mut large, mut small) = (shelf.take(), shelf.take());
        large.resize(4_000, 7);
        small.resize(1_000, 7);

        drop(large);
        drop(small);

        assert!(shelf.take().capacity() >= 4_000);
    }
}
