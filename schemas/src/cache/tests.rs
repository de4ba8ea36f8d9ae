//! The cache over a registry in memory, with time that stands still.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::time::{Instant, advance, timeout};

use super::{Cache, Known};
use crate::id::{Format, SchemaId, Source};
use crate::limits::{
    FETCH_MS_MAX, FETCHES_UNDER_WAY_MAX, NOT_FOUND_KEPT_MAX, NOT_FOUND_SECS, SCHEMAS_KEPT_MAX,
};
use crate::registry::{FetchError, Fetching, Registry};

const LIMIT: Duration = Duration::from_secs(2);

type Answer = Result<Source, FetchError>;

/// Answers by script, then with a schema.
#[derive(Clone, Debug, Default)]
struct Memory {
    script: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<SchemaId>>>,
}

#[derive(Debug)]
enum Reply {
    Now(Answer),
    When(oneshot::Receiver<Answer>),
    Never,
}

impl Memory {
    fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        let memory = Self::default();
        memory.script.lock().unwrap().extend(script);
        memory
    }

    fn cache(&self) -> Cache {
        Cache::new(Box::new(self.clone()))
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Registry for Memory {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(id);
            let reply = self.script.lock().unwrap().pop_front();
            match reply.unwrap_or_else(|| Reply::Now(schema())) {
                Reply::Now(answer) => answer,
                Reply::When(answer) => answer.await.unwrap(),
                Reply::Never => std::future::pending().await,
            }
        })
    }

    fn place(&self) -> &str {
        "memory"
    }
}

fn schema() -> Answer {
    Ok(Source::new(Format::Avro, "\"int\""))
}

fn id(number: usize) -> SchemaId {
    SchemaId::Number(u32::try_from(number).unwrap())
}

fn not_found() -> Reply {
    Reply::Now(Err(FetchError::NotFound(id(7))))
}

fn is_ready(known: &Known) -> bool {
    matches!(known, Known::Ready(_))
}

#[tokio::test]
async fn a_schema_is_asked_for_once_and_the_same_is_given_to_all() {
    let memory = Memory::default();
    let cache = memory.cache();

    assert!(cache.known(id(7)).is_none());
    let first = cache.get(id(7), LIMIT).await;
    let second = cache.get(id(7), LIMIT).await;

    let (Known::Ready(first), Known::Ready(second)) = (first, second) else {
        panic!("{cache:?}");
    };
    assert!(Arc::ptr_eq(&first, &second));
    assert!(is_ready(&cache.known(id(7)).unwrap()));
    assert_eq!(memory.asked(), 1);
}

#[tokio::test]
async fn ten_callers_at_once_share_one_request() {
    let (answer, reply) = oneshot::channel();
    let memory = Memory::new([Reply::When(reply)]);
    let cache = memory.cache();

    let mut callers = Box::pin(join_all((0..10).map(|_| cache.get(id(7), LIMIT))));
    assert!(callers.as_mut().now_or_never().is_none());
    answer.send(schema()).unwrap();
    let answers = callers.await;

    assert!(answers.iter().all(is_ready));
    assert_eq!(memory.asked(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_leaves_the_request_to_the_others() {
    let (answer, reply) = oneshot::channel();
    let memory = Memory::new([Reply::When(reply)]);
    let cache = Arc::new(memory.cache());
    let get = |cache: Arc<Cache>| async move { cache.get(id(7), LIMIT).await };

    // The first to come drives the request, until it is gone.
    let first = tokio::spawn(get(cache.clone()));
    tokio::task::yield_now().await;
    let second = tokio::spawn(get(cache));
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    answer.send(schema()).unwrap();

    assert!(is_ready(&second.await.unwrap()));
    assert_eq!(memory.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_all_have_left_is_gone_on_with_by_the_next_caller() {
    let (answer, reply) = oneshot::channel();
    let memory = Memory::new([Reply::When(reply)]);
    let cache = memory.cache();

    let first = cache.get(id(7), LIMIT).await;
    assert!(matches!(first, Known::Unavailable(_)), "{first:?}");
    answer.send(schema()).unwrap();
    // The process was frozen for longer than a request may take.
    advance(Duration::from_millis(FETCH_MS_MAX)).await;

    assert!(is_ready(&cache.get(id(7), LIMIT).await));
    assert_eq!(memory.asked(), 1);
}

#[tokio::test]
async fn a_cache_that_is_dropped_drops_its_requests() {
    let (answer, reply) = oneshot::channel();
    let memory = Memory::new([Reply::When(reply)]);
    let cache = memory.cache();
    assert!(cache.get(id(7), LIMIT).now_or_never().is_none());

    drop(cache);

    assert!(answer.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer_is_asked_only_so_often_at_once() {
    let memory = Memory::new((0..FETCHES_UNDER_WAY_MAX).map(|_| Reply::Never));
    let cache = memory.cache();
    let short = Duration::from_millis(1);

    for number in 0..FETCHES_UNDER_WAY_MAX {
        assert!(cache.within(id(number), short).await.is_none());
    }
    let known = cache.get(id(FETCHES_UNDER_WAY_MAX), LIMIT).await;

    let Known::Unavailable(text) = known else {
        panic!("{known:?}");
    };
    assert!(text.contains("64 requests under way"), "{text}");
    assert_eq!(memory.asked(), FETCHES_UNDER_WAY_MAX);
    tokio::time::sleep(Duration::from_millis(FETCH_MS_MAX)).await;
    let known = cache.get(id(FETCHES_UNDER_WAY_MAX), LIMIT).await;
    assert!(is_ready(&known), "{known:?}");
}

#[tokio::test]
async fn a_client_that_panics_is_an_outage_and_is_asked_again() {
    let (answer, reply) = oneshot::channel();
    let memory = Memory::new([Reply::When(reply)]);
    let cache = memory.cache();

    // The registry above unwraps it.
    drop(answer);
    let first = cache.get(id(7), LIMIT).await;

    assert!(matches!(first, Known::Unavailable(_)), "{first:?}");
    assert!(is_ready(&cache.get(id(7), LIMIT).await));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer_in_time_is_an_outage_that_names_it() {
    let memory = Memory::new([Reply::Never]);
    let cache = memory.cache();
    let start = Instant::now();

    let known = cache.get(id(7), LIMIT).await;

    let Known::Unavailable(text) = known else {
        panic!("{known:?}");
    };
    assert!(text.starts_with("the schema registry memory did not answer within 2000 ms: "));
    assert_eq!(start.elapsed(), LIMIT);
    assert!(cache.known(id(7)).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_caller_with_time_left_asks_again_when_an_old_request_ends() {
    let memory = Memory::new([Reply::Never]);
    let cache = memory.cache();
    let longest = Duration::from_millis(FETCH_MS_MAX);
    // Its caller has more time than a request may take, and no patience.
    let mut old = Box::pin(cache.get(id(7), longest * 2));
    assert!(old.as_mut().now_or_never().is_none());
    tokio::task::yield_now().await;
    advance(longest - LIMIT / 2).await;

    let known = cache.get(id(7), LIMIT).await;

    assert!(is_ready(&known));
    assert!(is_ready(&old.await));
    assert_eq!(memory.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn not_found_is_believed_for_its_time_and_then_asked_once() {
    let memory = Memory::new([not_found(), not_found()]);
    let cache = memory.cache();
    let believed = Duration::from_secs(NOT_FOUND_SECS);

    for _ in 0..3 {
        let known = cache.get(id(7), LIMIT).await;
        assert!(matches!(known, Known::NotFound), "{known:?}");
    }
    assert_eq!(memory.asked(), 1);
    advance(believed - Duration::from_millis(1)).await;
    assert!(matches!(cache.known(id(7)), Some(Known::NotFound)));
    advance(Duration::from_millis(1)).await;
    assert!(cache.known(id(7)).is_none());
    let known = cache.get(id(7), LIMIT).await;
    assert!(matches!(known, Known::NotFound), "{known:?}");
    assert_eq!(memory.asked(), 2);
    advance(believed).await;
    assert!(is_ready(&cache.get(id(7), LIMIT).await));
}

#[tokio::test]
async fn an_outage_is_not_kept() {
    let outage = FetchError::Unavailable("down".to_owned());
    let memory = Memory::new([Reply::Now(Err(outage))]);
    let cache = memory.cache();

    let first = cache.get(id(7), LIMIT).await;
    assert!(
        matches!(&first, Known::Unavailable(text) if &**text == "down"),
        "{first:?}"
    );
    assert!(cache.known(id(7)).is_none());
    assert!(is_ready(&cache.get(id(7), LIMIT).await));
}

#[tokio::test(start_paused = true)]
async fn a_schema_that_cannot_be_used_is_kept() {
    let circle = FetchError::Unusable("a circle".to_owned());
    let memory = Memory::new([Reply::Now(Err(circle))]);
    let cache = memory.cache();

    cache.get(id(7), LIMIT).await;
    advance(Duration::from_secs(NOT_FOUND_SECS * 1_000)).await;

    let known = cache.get(id(7), LIMIT).await;
    assert!(
        matches!(&known, Known::Unusable(text) if &**text == "a circle"),
        "{known:?}"
    );
    assert_eq!(memory.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_id_of_another_kind_of_registry_is_an_outage_until_the_registry_gave_a_schema() {
    let foreign = || Reply::Now(Err(FetchError::Foreign("it is Glue's".to_owned())));
    let memory = Memory::new([
        foreign(),
        not_found(),
        foreign(),
        Reply::Now(schema()),
        foreign(),
    ]);
    let cache = memory.cache();

    let first = cache.get(id(7), LIMIT).await;
    cache.get(id(8), LIMIT).await;
    let second = cache.get(id(7), LIMIT).await;
    cache.get(id(9), LIMIT).await;
    let third = cache.get(id(7), LIMIT).await;

    for known in [first, second] {
        assert!(matches!(known, Known::Unavailable(_)), "{known:?}");
    }
    assert!(
        matches!(&third, Known::Foreign(text) if &**text == "it is Glue's"),
        "{third:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reference_that_is_missing_is_believed_for_the_time_of_not_found() {
    let missing = FetchError::ReferenceNotFound("no Place".to_owned());
    let memory = Memory::new([Reply::Now(Err(missing))]);
    let cache = memory.cache();

    for _ in 0..2 {
        let known = cache.get(id(7), LIMIT).await;
        assert!(
            matches!(&known, Known::Unusable(text) if &**text == "no Place"),
            "{known:?}"
        );
    }
    assert_eq!(memory.asked(), 1);
    advance(Duration::from_secs(NOT_FOUND_SECS)).await;

    assert!(is_ready(&cache.get(id(7), LIMIT).await));
}

#[tokio::test]
async fn the_least_recently_used_schema_goes_first() {
    let memory = Memory::default();
    let cache = memory.cache();
    for number in 0..SCHEMAS_KEPT_MAX {
        cache.get(id(number), LIMIT).await;
    }

    cache.known(id(0)).unwrap();
    cache.get(id(SCHEMAS_KEPT_MAX), LIMIT).await;

    assert!(cache.known(id(0)).is_some());
    assert!(cache.known(id(1)).is_none());
    assert!(cache.known(id(2)).is_some());
    assert!(cache.known(id(SCHEMAS_KEPT_MAX)).is_some());
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_not_found_drive_no_schema_out_and_are_bounded_themselves() {
    let script = (0..=NOT_FOUND_KEPT_MAX).map(|_| not_found());
    let memory = Memory::new([Reply::Now(schema())].into_iter().chain(script));
    let cache = memory.cache();
    cache.get(id(0), LIMIT).await;

    for number in 1..=NOT_FOUND_KEPT_MAX + 1 {
        cache.get(id(number), LIMIT).await;
        advance(Duration::from_micros(1)).await;
    }

    assert!(cache.known(id(0)).is_some());
    assert!(cache.known(id(1)).is_none());
    assert!(cache.known(id(2)).is_some());
    assert!(cache.known(id(NOT_FOUND_KEPT_MAX + 1)).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_known_schema_costs_no_time_even_of_a_caller_that_has_none() {
    let cache = Memory::default().cache();
    cache.get(id(7), LIMIT).await;

    let known = timeout(Duration::ZERO, cache.get(id(7), Duration::ZERO)).await;

    assert!(is_ready(&known.unwrap()));
}
