//! A member of a share group: one of the mapping's pollers in Queue mode. Keeps the locks of what it polled, and tells the
//! broker what became of it.
//!
//! librdkafka has no share groups; krafka has. It polls again only once all that it polled is settled, so records come in
//! rounds, each as large as all invocations of a poller.

mod begin;
mod limit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use krafka::admin::AdminClient;
use krafka::error::ErrorCode;
use krafka::share_consumer::{AcknowledgementMode, AcquireMode, ShareConsumer};
use krafka::{CloseOptions, ConsumerRecord, Kafka, KrafkaError};
use msk_kafka::{Cluster, Refusal, share_security};
use tokio::sync::mpsc::{Sender, UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

pub(in crate::driver) use self::begin::begin;
pub(in crate::driver) use self::limit::delivery_count_max;
use super::{Command, Handle, Happening};
use crate::driver::error::Error;
use crate::driver::message;
use crate::limits::{
    BATCH_SIZE_DEFAULT, CONNECT_MS, LEAVE_MS, POLLER_INVOCATIONS_MAX, PREFETCH_KIBIBYTES,
    SHARE_LOCK_MS, SHARE_POLL_MS, SHARE_RENEWALS, STATISTICS_MS,
};
use crate::machine::{Acknowledgement, Configuration, Offsets, PollerId};
use crate::record::{Record, TopicPartition};

struct ShareMember {
    id: PollerId,
    topic: Arc<str>,
    group: String,
    consumer: ShareConsumer,
    admin: AdminClient,
    /// The partitions that the mapping knows of.
    known: BTreeSet<i32>,
    /// Those of them that are to be polled.
    resumed: BTreeSet<i32>,
    /// What was polled last and is not settled yet: locked for us.
    locked: BTreeMap<(i32, i64), ConsumerRecord>,
    renew_at: Instant,
    /// Not before.
    poll_at: Instant,
    /// What the broker did not take of the acknowledgements.
    refusals: UnboundedReceiver<String>,
    happenings: Sender<(PollerId, Happening)>,
}

/// Joins the group, and starts a member of it.
pub(in crate::driver) async fn start(
    id: PollerId,
    cluster: &Cluster,
    configuration: &Configuration,
    group: &str,
    happenings: Sender<(PollerId, Happening)>,
) -> Result<Handle, Error> {
    let (refused, refusals) = unbounded_channel();
    let cannot_join = |error| cannot_join(cluster, error);
    let client = client(cluster).await?;
    let consumer = client
        .share_consumer(group)
        .acknowledgement_mode(AcknowledgementMode::Explicit)
        // What is fetched beyond the limit would be locked while it waits in the client.
        .acquire_mode(AcquireMode::RecordLimit)
        .max_poll_records(records_in_a_round(configuration))
        .fetch_max_bytes(i32::try_from(PREFETCH_KIBIBYTES * 1024).unwrap_or(i32::MAX))
        .fetch_max_wait(Duration::from_millis(SHARE_POLL_MS))
        .acknowledgement_commit_callback(move |said| {
            if let Err(error) = &said.result {
                let (topic, partition) = (&said.topic, said.partition);
                // Without a receiver the member has left.
                let _ = refused.send(format!(
                    "the broker did not accept the acknowledgement of {} ranges of {topic}-{partition}, and redelivers them: {error}",
                    said.offsets.len()
                ));
            }
        })
        .build()
        .await
        .map_err(cannot_join)?;
    let topic: Arc<str> = configuration.topic.as_str().into();
    consumer.subscribe([&*topic]).await.map_err(cannot_join)?;
    let (commands, commanded) = unbounded_channel();
    let member = ShareMember {
        id,
        topic,
        group: group.to_owned(),
        consumer,
        admin: client.admin(),
        known: BTreeSet::new(),
        resumed: BTreeSet::new(),
        locked: BTreeMap::new(),
        renew_at: Instant::now(),
        poll_at: Instant::now(),
        refusals,
        happenings,
    };
    Ok(Handle {
        commands,
        leaving: watch::Sender::new(false),
        task: tokio::spawn(member.run(commanded)),
    })
}

/// What comes next. Dropped and called again it loses nothing.
async fn poll(consumer: &ShareConsumer, at: Instant) -> krafka::Result<Vec<ConsumerRecord>> {
    sleep_until(at).await;
    consumer.poll(Duration::from_millis(SHARE_POLL_MS)).await
}

/// A client that is let in as the cluster's settings say.
async fn client(cluster: &Cluster) -> Result<Kafka, Error> {
    Kafka::builder(cluster.bootstrap())
        .client_id("cargo-msk")
        .connect_timeout(Duration::from_millis(CONNECT_MS))
        .security(share_security::auth(cluster)?)
        .connect()
        .await
        .map_err(|error| cannot_join(cluster, error))
}

fn cannot_join(cluster: &Cluster, error: KrafkaError) -> Error {
    let source = Box::new(error);
    match refusal(&source) {
        Some(refusal) => Error::Kafka(msk_kafka::Error::Refused {
            bootstrap: cluster.bootstrap().to_owned(),
            refusal,
            cure: cluster.cure(refusal),
            source,
        }),
        None => Error::Share { source },
    }
}

/// None: an error of another kind, which may pass by itself.
fn refusal(error: &KrafkaError) -> Option<Refusal> {
    match error {
        KrafkaError::Auth { .. } => Some(Refusal::Authentication),
        KrafkaError::Broker {
            code:
                ErrorCode::TopicAuthorizationFailed
                | ErrorCode::GroupAuthorizationFailed
                | ErrorCode::ClusterAuthorizationFailed,
            ..
        } => Some(Refusal::Authorization),
        _ => None,
    }
}

/// A batch for each invocation.
fn records_in_a_round(configuration: &Configuration) -> i32 {
    let batch = configuration
        .batch_size
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(BATCH_SIZE_DEFAULT);
    i32::try_from(batch.saturating_mul(POLLER_INVOCATIONS_MAX)).unwrap_or(i32::MAX)
}

impl ShareMember {
    async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        let mut looks = interval(Duration::from_millis(STATISTICS_MS));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let consumer = self.consumer.clone();
        loop {
            let polls =
                self.locked.is_empty() && (self.known.is_empty() || !self.resumed.is_empty());
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None | Some(Command::Leave(_)) => break,
                    Some(command) => self.obey(command).await,
                },
                Some(reason) = self.refusals.recv() => self.say(Happening::Trouble(reason)).await,
                () = sleep_until(self.renew_at), if !self.locked.is_empty() => self.renew().await,
                _ = looks.tick() => self.look().await,
                polled = poll(&consumer, self.poll_at), if polls => self.take(polled).await,
            }
        }
        self.leave().await;
    }

    async fn say(&self, happening: Happening) {
        // Nobody listens any more: the driver is gone, and we are about to be.
        let _ = self.happenings.send((self.id, happening)).await;
    }

    async fn check(&self, done: krafka::Result<()>) {
        let Err(error) = done else {
            return;
        };
        let reason = error.to_string();
        self.say(match refusal(&error) {
            Some(refusal) => Happening::Refused(refusal, reason),
            None => Happening::Trouble(reason),
        })
        .await;
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Acknowledge(records, with) => self.acknowledge(records, with).await,
            Command::Resume(partition) => {
                self.resumed.insert(partition.partition());
            }
            Command::Pause(partition) => {
                self.resumed.remove(&partition.partition());
            }
            // The broker keeps the positions.
            Command::Seek(..) | Command::Commit(..) | Command::Release(_) | Command::Leave(_) => {}
        }
    }

    async fn acknowledge(&mut self, records: Offsets, with: Acknowledgement) {
        let number = records.partition.partition();
        for offset in records.offsets {
            let Some(record) = self.locked.remove(&(number, offset)) else {
                continue;
            };
            let done = match with {
                Acknowledgement::Accept => self.consumer.ack(&record),
                Acknowledgement::Release => self.consumer.release(&record),
                Acknowledgement::Reject => self.consumer.reject(&record),
            };
            self.check(done).await;
        }
    }

    async fn take(&mut self, polled: krafka::Result<Vec<ConsumerRecord>>) {
        let mut polled = match polled {
            Ok(polled) => polled,
            Err(error) => {
                self.check(Err(error)).await;
                // It may come at once again.
                self.poll_at = Instant::now() + Duration::from_millis(SHARE_POLL_MS);
                return;
            }
        };
        // What comes again may stand behind what comes first, and an event has its offsets in order.
        polled.sort_by_key(|record| (record.partition, record.offset));
        self.meet(polled.iter().map(|record| record.partition).collect())
            .await;
        let records: Vec<Record> = polled
            .iter()
            .map(|record| message::shared(record, self.named(record.partition)))
            .collect();
        for record in polled {
            self.locked
                .insert((record.partition, record.offset), record);
        }
        self.plan_renewal();
        if !records.is_empty() {
            self.say(Happening::Acquired(records)).await;
        }
    }

    fn named(&self, number: i32) -> TopicPartition {
        TopicPartition::new(Arc::clone(&self.topic), number)
    }

    /// Tells the mapping of partitions that it does not know of.
    async fn meet(&mut self, numbers: BTreeSet<i32>) {
        let new: Vec<_> = numbers
            .difference(&self.known)
            .map(|number| (self.named(*number), None))
            .collect();
        self.known.extend(numbers);
        if !new.is_empty() {
            self.say(Happening::Assigned(new)).await;
        }
    }

    /// Which partitions there are to poll, and what of them the group has not settled.
    async fn look(&mut self) {
        let mut assignment = self.consumer.assignment();
        let assigned: BTreeSet<i32> = assignment
            .remove(&*self.topic)
            .unwrap_or_default()
            .into_iter()
            .collect();
        // What is locked stays ours, whoever polls the partition next.
        if self.locked.is_empty() {
            let gone: Vec<i32> = self.known.difference(&assigned).copied().collect();
            for number in &gone {
                self.known.remove(number);
                self.resumed.remove(number);
            }
            if !gone.is_empty() {
                let partitions = gone.iter().map(|number| self.named(*number)).collect();
                // Records are handed over by their locks: nobody waits.
                let lost = true;
                self.say(Happening::Revoked { partitions, lost }).await;
            }
        }
        self.meet(assigned).await;
        // Once for all members.
        if self.id == PollerId(0) {
            self.read_lags().await;
        }
    }

    async fn read_lags(&self) {
        let asked = self
            .admin
            .describe_share_group_offsets(self.group.as_str(), Default::default());
        let Ok(answer) = timeout(Duration::from_millis(CONNECT_MS), asked).await else {
            let reason = format!("the broker does not answer in {CONNECT_MS} ms");
            self.say(Happening::Trouble(reason)).await;
            return;
        };
        match answer {
            Ok(partitions) => {
                let lags = partitions.into_iter().filter_map(|(partition, found)| {
                    let ours = partition.topic == *self.topic;
                    let lag = found.ok()?.lag?;
                    ours.then(|| (self.named(partition.partition), lag))
                });
                self.say(Happening::Lags(lags.collect())).await;
            }
            Err(error) => self.check(Err(error)).await,
        }
    }

    fn plan_renewal(&mut self) {
        let lock = self.consumer.acquisition_lock_timeout();
        let lock = lock.unwrap_or(Duration::from_millis(SHARE_LOCK_MS));
        self.renew_at = Instant::now() + lock / SHARE_RENEWALS;
    }

    /// A function may take longer than a lock.
    async fn renew(&mut self) {
        self.plan_renewal();
        for record in self.locked.values() {
            let done = self.consumer.renew(record);
            self.check(done).await;
        }
    }

    /// What is still locked goes back to the group.
    async fn leave(mut self) {
        let limit = Duration::from_millis(LEAVE_MS);
        let closed = self
            .consumer
            .close_with(CloseOptions::new().timeout(limit))
            .await;
        self.check(closed).await;
        while let Ok(reason) = self.refusals.try_recv() {
            self.say(Happening::Trouble(reason)).await;
        }
        self.say(Happening::Left).await;
    }
}
