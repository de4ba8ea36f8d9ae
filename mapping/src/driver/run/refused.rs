//! That the cluster refuses the client in the middle of a run: a right or a password that was taken away, a group that it may
//! not join. librdkafka goes on trying; a run that is to end by itself must not.

use std::time::Duration;

use msk_kafka::{Cluster, Error, Refusal};
use tokio::time::Instant;

use crate::driver::member::Happening;
use crate::driver::notice::Notice;
use crate::limits::REFUSED_MS;

/// What was refused last, and since when nothing else happened.
#[derive(Debug)]
pub(super) struct Refused {
    cluster: Cluster,
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    since: Instant,
    refusal: Refusal,
    reason: String,
}

impl Refused {
    pub(super) fn of(cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.clone(),
            last: None,
        }
    }

    /// A refusal begins it, and what only a member says that was let in ends it.
    pub(super) fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::Refused(refusal, reason) => {
                let since = self.last.as_ref().map(|last| last.since);
                self.last = Some(Last {
                    since: since.unwrap_or_else(Instant::now),
                    refusal: *refusal,
                    reason: reason.clone(),
                });
            }
            Happening::Assigned(_)
            | Happening::Polled(_)
            | Happening::AtEnd(..)
            | Happening::Sought(..) => self.last = None,
            // Who may commit may still not read.
            Happening::Committed(..) => {
                self.last
                    .take_if(|last| last.refusal != Refusal::Authorization);
            }
            #[cfg(feature = "share")]
            Happening::Acquired(_) => self.last = None,
            _ => {}
        }
    }

    /// One line that names what to check.
    pub(super) fn notice(&self, refusal: Refusal, reason: &str) -> Notice {
        let cure = self.cluster.cure(refusal);
        let reason = format!("the cluster refuses this client: {reason}; {cure}");
        Notice::Trouble { reason }
    }

    /// The end of a run that would wait for ever. While something is under way its commit may yet be taken.
    pub(super) fn for_good(&mut self, nothing_under_way: bool) -> Option<Error> {
        let last = self.last.as_mut()?;
        if !nothing_under_way {
            last.since = Instant::now();
        }
        if last.since.elapsed() < Duration::from_millis(REFUSED_MS) {
            return None;
        }
        let last = self.last.take()?;
        Some(Error::Refused {
            bootstrap: self.cluster.bootstrap().to_owned(),
            refusal: last.refusal,
            cure: self.cluster.cure(last.refusal),
            source: last.reason.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use msk_kafka::{Cluster, Error, Refusal};
    use tokio::time::advance;

    use super::Refused;
    use crate::driver::member::Happening;
    use crate::limits::REFUSED_MS;

    const BOUND: Duration = Duration::from_millis(REFUSED_MS);

    fn refused() -> Refused {
        let mut refused = Refused::of(&Cluster::new("b:9092"));
        refused.hear(&again());
        refused
    }

    fn again() -> Happening {
        Happening::Refused(Refusal::Authentication, "invalid credentials".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_ends_once_nothing_but_refusals_happened_for_so_long() {
        let mut refused = refused();

        advance(BOUND / 2).await;
        refused.hear(&again());
        let half_way = refused.for_good(true);
        advance(BOUND / 2).await;
        let at_the_bound = refused.for_good(true);

        assert!(half_way.is_none());
        let Some(Error::Refused {
            refusal, source, ..
        }) = at_the_bound
        else {
            panic!("it goes on");
        };
        assert_eq!(refusal, Refusal::Authentication);
        assert_eq!(source.to_string(), "invalid credentials");
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_that_is_taken_shows_that_it_has_passed() {
        let mut refused = refused();
        let partition = crate::record::TopicPartition::new("orders", 0);

        refused.hear(&Happening::Committed(partition, 1));
        advance(BOUND).await;

        assert!(refused.for_good(true).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_that_is_taken_says_nothing_of_the_right_to_read() {
        let mut refused = Refused::of(&Cluster::new("b:9092"));
        let partition = crate::record::TopicPartition::new("orders", 0);
        let denied = Happening::Refused(Refusal::Authorization, "denied".to_owned());

        refused.hear(&denied);
        refused.hear(&Happening::Committed(partition, 1));
        advance(BOUND).await;

        assert!(refused.for_good(true).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_an_invocation_does_not_count() {
        let mut refused = refused();

        advance(BOUND).await;
        let under_way = refused.for_good(false);
        let ended = refused.for_good(true);

        assert!(under_way.is_none() && ended.is_none());
    }
}
