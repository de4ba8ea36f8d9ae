//! What "at most once" needs of the other settings. Called by `builder`.

use crate::error::ConfigurationFault;
use crate::idempotency::{Guarantee, Idempotency, IdempotencyStore, WhenStoreFails};
use crate::settings::Settings;

impl Settings {
    /// Names each setting that would let a handler start twice for one key, if that was ruled out. `attempts` are those that routes have of their own.
    pub(crate) fn check_guarantee(
        &self,
        attempts: impl Iterator<Item = u32>,
        faults: &mut Vec<ConfigurationFault>,
    ) {
        if self.guarantee.value != Guarantee::AtMostOnce {
            return;
        }
        let durable = match &self.idempotency.value {
            Idempotency::Store(store) => store.is_durable(),
            Idempotency::Memory | Idempotency::None => false,
        };
        let most = attempts.fold(self.attempts.value, u32::max);
        let needs = [
            (
                self.per_record.value.is_some(),
                "keys from the records: set `.per_record(PerRecord::by_json([\"/order_id\"]))`".to_owned(),
            ),
            (
                durable,
                "a store that outlives the process: set `LAMBDA_MSK_IDEMPOTENCY=dynamodb://TABLE`, or `.idempotency(…)` with a durable store".to_owned(),
            ),
            (
                most == 1,
                format!("one attempt, found {most}: set `.attempts(1)` or `LAMBDA_MSK_ATTEMPTS=1`, and no `each(…).attempts(…)` above 1"),
            ),
            (
                self.when_store_fails.value == WhenStoreFails::Fail,
                "`WhenStoreFails::Fail`, so that no record runs without the store: set `.when_store_fails(…)` or `LAMBDA_MSK_WHEN_STORE_FAILS=fail`".to_owned(),
            ),
        ];
        for (_, need) in needs.into_iter().filter(|(met, _)| !met) {
            let place = ".guarantee(Guarantee::AtMostOnce)";
            faults.push(ConfigurationFault::new(place, format!("expected {need}")));
        }
    }
}
