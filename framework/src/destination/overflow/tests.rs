//! Letters that the first destination has no room for.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Overflow, WithOverflow};
use crate::destination::fixture::letters;
use crate::destination::http_stub::{Reply, Stub, outcomes};
use crate::destination::s3::tests::{destination, taken};
use crate::destination::{BoxDestination, DeadLetter, Destination, MemoryDestination, SendError};
use crate::limits::SEND_MS_MAX;

/// Has room for no payload at the first offset.
#[derive(Clone, Default)]
struct Small(MemoryDestination);

impl Destination for Small {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let mut results = Vec::new();
        for letter in letters {
            if letter.record().offset() == 15 && letter.overflow().is_none() {
                results.push(Err(SendError::no_room("expected less")));
            } else {
                results.extend(self.0.send(std::slice::from_ref(letter)).await);
            }
        }
        results
    }

    fn describe(&self) -> String {
        "small".to_owned()
    }
}

fn with(small: &Small, stub: &Stub) -> WithOverflow {
    WithOverflow {
        first: BoxDestination::new(small.clone()),
        overflow: Overflow::to(destination(stub)),
    }
}

#[tokio::test(start_paused = true)]
async fn a_letter_without_room_goes_to_the_bucket_and_a_pointer_takes_its_place() {
    let (small, stub) = (Small::default(), Stub::new(|_, _| taken()));
    let letters = letters(2);

    let results = with(&small, &stub).send(&letters).await;

    assert_eq!(outcomes(results), ["confirmed"; 2]);
    assert_eq!(stub.came().len(), 1);
    assert!(stub.came()[0].body.contains(&letters[0].envelope()));
    let sent = small.0.letters();
    assert_eq!(sent[0].envelope(), letters[1].envelope());
    let pointer: Value = serde_json::from_str(&sent[1].envelope()).unwrap();
    assert_eq!(
        pointer["overflow"],
        "s3://given-up/desk/orders/0/15-1545084650987.json"
    );
    assert!(pointer.get("payload").is_none());
    assert_eq!(pointer["failure"]["code"], "reject.json");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_the_overflow_does_not_take_is_not_confirmed_nor_pointed_at() {
    let refused = |_: usize, _: &_| {
        let body = "<Error><Code>AccessDenied</Code></Error>".to_owned();
        Reply::Says(403, Vec::new(), body)
    };
    let (small, stub) = (Small::default(), Stub::new(refused));

    let results = outcomes(with(&small, &stub).send(&letters(2)).await);

    assert!(results[0].contains("`s3:PutObject`"), "{}", results[0]);
    assert_eq!(results[1], "confirmed");
    assert_eq!(small.0.letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_bucket_is_left_after_one_longest_wait_for_all_large_letters() {
    let (small, stub) = (Small::default(), Stub::new(|_, _| Reply::Silence));
    let mut large = letters(1);
    large.extend(letters(1));
    large.extend(letters(1));
    let start = Instant::now();

    let results = outcomes(with(&small, &stub).send(&large).await);

    assert!(
        results.iter().all(|result| result != "confirmed"),
        "{results:?}"
    );
    let longest = Duration::from_millis(SEND_MS_MAX);
    assert!(
        start.elapsed() < longest + Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}
