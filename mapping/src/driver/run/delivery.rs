//! Records that were given up, on their way to the destination.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{sleep, timeout};

use crate::driver::causes::with_causes;
use crate::driver::destination::Destination;
use crate::limits::{DELIVER_ATTEMPTS_MAX, DELIVER_MS, LOOKUP_RETRY_MS};
use crate::machine::{Condition, DeliveryId, Discarded, Offsets};

/// What a destination said.
pub(super) struct Handed {
    pub(super) id: DeliveryId,
    pub(super) condition: Condition,
    pub(super) invoke_count: u32,
    pub(super) records: Vec<Offsets>,
    /// Err: why not, in the destination's words.
    pub(super) outcome: Result<(), String>,
}

/// Asks the destination, a few times.
pub(super) async fn deliver(
    destination: Option<Arc<dyn Destination>>,
    discarded: Discarded,
) -> Handed {
    let mut handed = Handed {
        id: discarded.id,
        condition: discarded.condition,
        invoke_count: discarded.invoke_count,
        records: offsets(&discarded),
        outcome: Err("there is no destination".to_owned()),
    };
    let Some(destination) = destination else {
        return handed;
    };
    for attempt in 1..=DELIVER_ATTEMPTS_MAX {
        // It is somebody else's code, and what it was given must not be held for ever.
        let sent = AssertUnwindSafe(async { destination.deliver(&discarded).await });
        let sent = timeout(Duration::from_millis(DELIVER_MS), sent.catch_unwind()).await;
        let sent = match sent {
            Ok(Ok(sent)) => sent.map_err(|why| with_causes(&why)),
            Ok(Err(_)) => Err("it panicked".to_owned()),
            Err(_) => Err(format!("no answer in {DELIVER_MS} ms")),
        };
        handed.outcome = sent.map_err(|why| format!("{}: {why}", destination.describe()));
        if handed.outcome.is_ok() || attempt == DELIVER_ATTEMPTS_MAX {
            break;
        }
        sleep(Duration::from_millis(LOOKUP_RETRY_MS)).await;
    }
    handed
}

/// Which records these are.
fn offsets(discarded: &Discarded) -> Vec<Offsets> {
    discarded
        .records
        .chunk_by(|one, next| one.partition == next.partition)
        .map(|part| Offsets {
            partition: part[0].partition.clone(),
            offsets: part.iter().map(|record| record.offset).collect(),
        })
        .collect()
}
