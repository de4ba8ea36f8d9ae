//! The hook between the last lane and the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lambda_msk::testing::{Event, Invoke, Sample};
use lambda_msk::{Consumer, Outcome};
use tokio::time::{Instant, sleep};

use crate::support::Lines;

const LATE: &str = "the flush hook was not done in time";

fn event() -> Event {
    Event::msk()
        .record(Sample::new("orders", 0).value("1"))
        .build()
}

async fn wait_a_second() {
    sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_hook_runs_after_the_last_lane_and_before_the_answer() {
    let flushed = Arc::new(AtomicU32::new(0));
    let (seen, count) = (Arc::clone(&flushed), Arc::clone(&flushed));
    let handler = move || {
        assert_eq!(seen.load(Ordering::Relaxed), 0);
        wait_a_second()
    };
    let hook = move || {
        let count = Arc::clone(&count);
        async move {
            sleep(Duration::from_millis(100)).await;
            count.fetch_add(1, Ordering::Relaxed);
        }
    };
    let consumer = Consumer::builder()
        .topic("orders", handler)
        .flush(hook)
        .build()
        .unwrap();

    let invoked = Invoke::new(event()).run(&consumer).await;

    assert_eq!(invoked.outcomes(), [Outcome::Done]);
    assert_eq!(flushed.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_is_dropped_after_half_of_the_margin_with_one_warning() {
    let lines = Lines::default();
    let _guard = lines.listen();
    let hook = std::future::pending;
    let consumer = Consumer::builder()
        .topic("orders", async || {})
        .flush(hook)
        .build()
        .unwrap();

    for invocation in [
        Invoke::new(event()),
        Invoke::new(event()).without_deadline(),
    ] {
        let began = Instant::now();
        let invoked = invocation.run(&consumer).await;

        assert_eq!(invoked.outcomes().len(), 1);
        let took = began.elapsed();
        assert!((250..255).contains(&took.as_millis()), "{took:?}");
    }
    assert_eq!(lines.of(LATE).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_leaves_a_quarter_of_the_margin_for_the_answer() {
    let hook = std::future::pending;
    let handler = || std::future::pending::<()>();
    let consumer = Consumer::builder()
        .topic("orders", handler)
        .flush(hook)
        .build()
        .unwrap();
    let began = Instant::now();

    let given = Duration::from_secs(10);
    let invoked = Invoke::new(event()).time_given(given).run(&consumer).await;

    assert_eq!(invoked.outcomes(), [Outcome::Failed]);
    assert!(
        began.elapsed() <= given - Duration::from_millis(125),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_hook_harms_nothing() {
    let lines = Lines::default();
    let _guard = lines.listen();
    for panics_late in [false, true] {
        let hook = move || {
            assert!(panics_late, "of the hook");
            async { panic!("of the hook's future") }
        };
        let consumer = Consumer::builder().topic("orders", async || {}).flush(hook);
        let consumer = consumer.build().unwrap();

        let invoked = Invoke::new(event()).run(&consumer).await;

        assert_eq!(invoked.outcomes(), [Outcome::Done]);
        assert!(invoked.response().is_ok());
    }
    assert_eq!(lines.of("the flush hook panicked").len(), 2);
    assert!(!lines.text().contains("of the hook"));
}

#[tokio::test(start_paused = true)]
async fn the_hook_runs_also_where_the_event_is_refused() {
    let flushed = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&flushed);
    let hook = move || {
        count.fetch_add(1, Ordering::Relaxed);
        async {}
    };
    let consumer = Consumer::builder()
        .topic("orders", async || {})
        .flush(hook)
        .build()
        .unwrap();

    let invoked = Invoke::new("no event").run(&consumer).await;

    assert!(invoked.response().is_err());
    assert_eq!(flushed.load(Ordering::Relaxed), 1);
}
