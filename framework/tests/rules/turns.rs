//! Turns: handlers that keep the processor busy do not hold up openings, progress and renewals, nor each other.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lambda_msk::builder::Builder;
use lambda_msk::idempotency::{
    Change, IdempotencyStore, Item, MemoryStore, PerRecord, StoreError, Swap, Swapped,
};
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{Consumer, FailureReporting, Json, ProcessingOrder, Record, State};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::join;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::{Instant, advance, sleep};

use crate::shared_store::{Meets, Shared, killed_after, millis, secs};
use crate::support::{Journal, letters};

/// Keeps the processor for so long: the paused clock goes on, and nothing else is polled meanwhile.
fn keep_busy(ms: u64) {
    assert!(advance(millis(ms)).now_or_never().is_none());
}

#[derive(Clone)]
struct Shop {
    store: Shared,
    journal: Journal,
    start: Instant,
    /// Until when the partition was held, as time went on. Milliseconds.
    held: Arc<std::sync::Mutex<Vec<(u64, u64)>>>,
}

impl Shop {
    fn new() -> Self {
        Self {
            store: Shared::default(),
            journal: Journal::default(),
            start: Instant::now(),
            held: Arc::default(),
        }
    }

    /// A process whose records keep the processor busy for as many milliseconds as their value says.
    fn busy(&self) -> Builder<Self> {
        self.process(
            async |record: Record, Json(ms): Json<u64>, State(shop): State<Self>| {
                shop.begins(&record);
                keep_busy(ms);
            },
        )
    }

    /// A process whose records wait a millisecond and then keep the processor busy, so often.
    fn busy_after_waits(&self, times: usize) -> Builder<Self> {
        let handler = move |record: Record, Json(ms): Json<u64>, State(shop): State<Self>| async move {
            shop.begins(&record);
            for _ in 0..times {
                sleep(millis(1)).await;
                keep_busy(ms);
            }
        };
        self.process(handler)
    }

    fn process<H, A>(&self, handler: H) -> Builder<Self>
    where
        H: lambda_msk::handler::Handler<
                A,
                Future: Future<Output: lambda_msk::handler::IntoOutcome> + Send + 'static,
            >,
        A: lambda_msk::handler::Args<Self> + Send + 'static,
    {
        Consumer::builder()
            .state(self.clone())
            .topic("orders", handler)
            .failure_reporting(FailureReporting::Partial)
            .idempotency(self.store.clone())
    }

    fn begins(&self, record: &Record) {
        let ms = self.start.elapsed().as_millis();
        self.journal.write(format!("{record} {ms}"));
    }

    /// When each record began, milliseconds from the start.
    fn began(&self) -> Vec<(String, u64)> {
        let lines = self.journal.lines().into_iter();
        let parts = lines.map(|line| {
            line.split_once(' ')
                .map(|(at, ms)| (at.to_owned(), ms.parse().unwrap()))
        });
        parts.map(Option::unwrap).collect()
    }

    /// The first time that a record of that name began.
    fn first(&self, record: &str) -> u64 {
        let began = self.began();
        began.iter().find(|(at, _)| at == record).unwrap().1
    }

    fn once_each(&self, count: usize) {
        let mut began: Vec<String> = self.began().into_iter().map(|(at, _)| at).collect();
        began.sort();
        began.dedup();
        assert_eq!((began.len(), self.began().len()), (count, count));
    }
}

/// As many partitions with as many records, each of which takes so long.
fn batch(partitions: i32, records: usize, ms: u64) -> Vec<Sample> {
    let values = (0..partitions).flat_map(|at| (0..records).map(move |_| at));
    values
        .map(|at| Sample::new("orders", at).value(ms.to_string()))
        .collect()
}

/// The store takes so long to answer for partition 9.
fn late(store: &Shared, time: Duration) {
    store.meets(move |id, _| match id.ends_with("/9") {
        true => Meets::Delay(time),
        false => Meets::Nothing,
    });
}

#[tokio::test(start_paused = true)]
async fn a_partition_whose_store_answers_later_begins_as_soon_as_it_has_answered() {
    for ms in [2, 10, 40] {
        let shop = Shop::new();
        late(&shop.store, millis(15));
        let mut samples = batch(4, 100, ms);
        samples.push(Sample::new("orders", 9).value("1"));

        let consumer = shop.busy().build().unwrap();
        Invoke::new(Event::msk().records(samples))
            .time_given(secs(840))
            .run(&consumer)
            .await;

        // A turn and a record later, and once more until its lane has its own.
        let began = shop.first("orders-9@0");
        assert!(
            began <= 15 + 2 * (5 + ms) + 4 * ms,
            "{ms} ms each: after {began} ms"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_so_behind_many_lanes_that_wake_at_once() {
    let shop = Shop::new();
    late(&shop.store, millis(15));
    let mut samples = batch(8, 8, 40);
    samples.push(Sample::new("orders", 9).value("1"));

    let consumer = shop.busy_after_waits(3).order(ProcessingOrder::Unordered);
    let consumer = consumer.concurrency(100).build().unwrap();
    Invoke::new(Event::msk().records(samples))
        .time_given(secs(840))
        .run(&consumer)
        .await;

    // Once each of the others has had a turn.
    let began = shop.first("orders-9@0");
    assert!(began <= 64 * 41, "after {began} ms");
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_whatever_handlers_do_and_nobody_takes_it_over() {
    let shop = Shop::new();
    shop.store.meets(|_, _| Meets::Delay(millis(5)));
    let event = || Invoke::new(Event::msk().records(batch(1, 600, 40))).time_given(secs(120));
    let (one, other) = (shop.busy().build().unwrap(), shop.busy().build().unwrap());

    // A task of its own, as another process would be: it is polled whenever the first one yields.
    let other = tokio::spawn(async move {
        sleep(millis(10)).await;
        event().run(&other).await
    });
    let first = event().run(&one).await;
    let second = other.await.unwrap();

    assert_eq!(letters(&first), "D".repeat(600));
    assert_eq!(letters(&second), "S".repeat(600));
    shop.once_each(600);
}

#[tokio::test(start_paused = true)]
async fn at_no_time_is_a_lease_over_while_many_handlers_go_on_one_after_the_other() {
    let shop = Shop::new();
    let given = secs(6);
    // How long a partition that nobody renewed is held, with that time given.
    let lease_ms = 2_000;
    let handler = async move |record: Record, State(shop): State<Shop>| {
        sleep(millis(1)).await;
        shop.begins(&record);
        keep_busy(40);
        let items = shop.store.items().now_or_never().unwrap();
        let held_until_ms = items[0].1.as_ref().unwrap().held_until_ms;
        let since_ms = u64::try_from(shop.start.elapsed().as_millis()).unwrap();
        shop.held.lock().unwrap().push((since_ms, held_until_ms));
    };
    let consumer = shop
        .process(handler)
        .order(ProcessingOrder::Key)
        .concurrency(100);
    let consumer = consumer.build().unwrap();
    let samples = (0..100).map(|key| Sample::new("orders", 0).key(key.to_string()).value("1"));
    let event = Event::msk().records(samples.collect::<Vec<_>>());

    let invoked = Invoke::new(event).time_given(given).run(&consumer).await;

    assert_eq!(letters(&invoked), "D".repeat(100));
    let held = shop.held.lock().unwrap().clone();
    let (_, first_ms) = held[0];
    for (since_ms, until_ms) in &held {
        // It was taken at the start.
        let over_ms = until_ms - first_ms + lease_ms;
        assert!(
            *since_ms < over_ms,
            "after {since_ms} ms, and it was held for {over_ms}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn claims_are_renewed_whatever_handlers_do_and_nobody_takes_them_over() {
    let shop = Shop::new();
    // A round of all lanes lasts longer than a lease.
    let samples: Vec<Sample> = (0..400)
        .map(|key| {
            Sample::new("orders", key % 3)
                .key(key.to_string())
                .value("30")
        })
        .collect();
    let event = || Invoke::new(Event::msk().records(samples.clone())).time_given(secs(120));
    let process = || {
        let process = shop
            .busy_after_waits(3)
            .order(ProcessingOrder::Key)
            .concurrency(400);
        process.per_record(PerRecord::by_key()).build().unwrap()
    };
    let (one, other) = (process(), process());

    let (first, second) = join!(event().run(&one), async {
        sleep(millis(1)).await;
        event().run(&other).await
    });

    assert_eq!(letters(&first), "D".repeat(400));
    assert_eq!(letters(&second), "S".repeat(400));
    shop.once_each(400);
}

#[tokio::test(start_paused = true)]
async fn progress_is_written_whatever_handlers_do() {
    let shop = Shop::new();
    let event = || Event::msk().records(batch(2, 300, 10));
    let (one, other) = (shop.busy().build().unwrap(), shop.busy().build().unwrap());

    killed_after(secs(2), invoke(&one, event())).await;
    let before = shop.began().len();
    let next = invoke(&other, event()).await;

    let skipped = letters(&next).matches('S').count();
    // What was done in the last quarter of a second, and a turn.
    assert!(skipped + 30 >= before, "{skipped} of {before}");
}

#[tokio::test(start_paused = true)]
async fn lanes_that_never_wait_move_alike() {
    for ms in [0, 1, 10] {
        let shop = Shop::new();
        let event = Event::msk().records(batch(9, 400, ms));
        let consumer = shop.busy().build().unwrap();
        Invoke::new(event)
            .time_given(secs(840))
            .run(&consumer)
            .await;

        // Half of all have begun: as many of each lane, but for what one of them has in its turn.
        let began = shop.began();
        let half = began[..began.len() / 2].iter();
        let mut counts = [0_usize; 9];
        for (record, _) in half {
            let partition: usize = record["orders-".len().."orders-".len() + 1]
                .parse()
                .unwrap();
            counts[partition] += 1;
        }
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(most - least <= 128, "{ms} ms each: {counts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_for_its_turn_starts_nothing_if_the_lease_is_over_by_then() {
    let shop = Shop::new();
    let start = shop.start;
    // It is renewed late, and then not again: lanes wait for that, and then for their turns, most of them for longer than it lasts.
    shop.store.meets(move |_, swap| {
        let is_put = swap.is_some_and(|swap| matches!(swap.change, Change::Put(_)));
        let in_between = (millis(9_400)..millis(12_000)).contains(&start.elapsed());
        match is_put && !in_between {
            true => Meets::Failure,
            false => Meets::Nothing,
        }
    });
    let samples = (0..1_000).map(|key| Sample::new("orders", 0).key(key.to_string()).value("40"));
    let event = Event::msk().records(samples.collect::<Vec<_>>());

    let consumer = shop.busy().order(ProcessingOrder::Key).concurrency(1_000);
    let consumer = consumer.build().unwrap();
    Invoke::new(event).time_given(secs(60)).run(&consumer).await;

    let began = shop.began();
    let last = began.iter().map(|(_, ms)| *ms).max().unwrap();
    // It lasts ten seconds from then, of which the last is nobody's.
    assert!((18_000..21_000).contains(&last), "{last}");
    // One each 40 ms until then, of a thousand.
    assert!(began.len() <= 21_000 / 40, "{}", began.len());
}

/// A store behind a real connection: each call asks the other side first.
struct Remote {
    table: MemoryStore,
    connection: Mutex<TcpStream>,
}

impl Remote {
    async fn ask(&self) -> Result<(), StoreError> {
        let answered: io::Result<()> = async {
            let mut connection = self.connection.lock().await;
            connection.write_all(b"?").await?;
            let mut answer = [0];
            connection.read_exact(&mut answer).await?;
            Ok(())
        }
        .await;
        answered.map_err(StoreError::permanent)
    }
}

impl IdempotencyStore for Remote {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        self.ask().await?;
        self.table.read(id).await
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        // Partition 0 is there at once: its records are to run meanwhile.
        if !swap.id.ends_with("/0") {
            self.ask().await?;
        }
        self.table.swap(swap).await
    }

    fn describe(&self) -> String {
        "remote:table".to_owned()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "what a handler must not do is what this is about"
)]
async fn an_answer_from_the_network_is_seen_while_handlers_block_the_thread() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // In a thread of its own, which answers at once.
    let server = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let listener = listener.into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        let (mut connection, _) = listener.accept().unwrap();
        connection.set_nonblocking(false).unwrap();
        let mut byte = [0];
        while connection.read_exact(&mut byte).is_ok() {
            connection.write_all(b"!").unwrap();
        }
    });
    let connection = Mutex::new(TcpStream::connect(address).await.unwrap());
    let store = Arc::new(Remote {
        table: MemoryStore::new(),
        connection,
    });
    let journal = Journal::default();
    let handler = async |record: Record, State(journal): State<Journal>| {
        journal.start(&record);
        std::thread::sleep(Duration::from_millis(2));
    };
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic("orders", handler);
    let consumer = consumer.idempotency(store).build().unwrap();
    let mut samples = batch(1, 200, 0);
    samples.push(Sample::new("orders", 1).value("0"));

    let invoked = invoke(&consumer, Event::msk().records(samples)).await;
    drop(consumer);
    server.join().unwrap();

    assert_eq!(letters(&invoked), "D".repeat(201));
    let began = journal
        .lines()
        .iter()
        .position(|line| line == "+orders-1@0");
    // The loopback answers within microseconds; a loaded machine within some of these.
    assert!(began.unwrap() < 100, "{began:?}");
}
