//! The records of the topic are written to files on S3, as lines of JSON.
//!
//! `FILES_S3=s3://BUCKET/PREFIX` names the place, `TOPIC` the topic; `BULK_RECORDS` and `BULK_BYTES` limit a file.

mod endpoint;
mod file;
mod settings;
mod store;

use lambda_msk::builder::Builder;
use lambda_msk::error::ConfigurationFault;
use lambda_msk::{Batch, Consumer, Failure, Record, State, batch};

pub use crate::file::{File, files};
pub use crate::settings::Place;
use crate::settings::Settings;
pub use crate::store::{LINES_SHA256, Store};

/// The topic, unless `TOPIC` names another: template.yaml sets it to the topic that the mapping reads.
const TOPIC: &str = "orders";

/// The consumer, with its bucket and its topic from the environment.
///
/// The region may be that of a profile, whose file is read. Nothing is connected here: a bucket that is down does not keep the function from starting.
pub async fn consumer() -> Builder<Store> {
    let (settings, mut faults) = Settings::read(TOPIC, |name| std::env::var_os(name));
    let region = match settings.region.clone() {
        Some(region) => Some(region),
        None => store::region_of_profile().await,
    };
    if region.is_none() {
        faults.push(settings::no_region());
    }
    let store = Store::new(settings.place.clone(), region);
    consumer_of(&settings, store, faults)
}

/// A call is given records of one partition. Halves of it would be files of other names, so it is not halved: nothing that fails here is a record's fault.
fn consumer_of(
    settings: &Settings,
    store: Store,
    faults: Vec<ConfigurationFault>,
) -> Builder<Store> {
    let write = batch(write)
        .records(settings.records)
        .bytes(settings.bytes)
        .bisect(false);
    Consumer::builder()
        .state(store)
        .route(&*settings.topic, write)
        .faults(faults)
}

/// Writes the records of a call: a file for each day. If one of the files cannot be written, all are written again, under the same names.
async fn write(records: Batch<Record>, State(store): State<Store>) -> Result<(), Failure> {
    store.write(files(records.iter())?).await
}

#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
