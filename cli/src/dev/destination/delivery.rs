//! One delivery to a service in AWS: how long it may take, and its failure in the driver's terms.

use std::error::Error;
use std::time::Duration;

use msk_destinations::send::Patience;
use msk_mapping::driver::Undelivered;
use msk_mapping::limits::DELIVER_MS;

/// The failure of a delivery.
pub(super) fn undelivered(error: impl Error + Send + Sync + 'static) -> Undelivered {
    Undelivered(Box::new(error))
}

/// Time that one delivery may take. The driver tries several times, and gives each try this long.
pub(super) fn patience() -> Patience {
    Patience {
        without_success: Duration::from_millis(DELIVER_MS / 2),
        end: None,
    }
}
