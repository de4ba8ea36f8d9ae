//! What a run tells that reads nothing of a topic with records: the same of both kinds of groups. Called by `ends` and `queue_start`.

use msk_mapping::driver::Unread;
use msk_mapping::machine::StartingPosition;

use super::echo::Echoed;

/// Makes runs of groups of these names, from where they are told to begin, over a topic of so many records.
pub(crate) async fn assert_told<R: Future<Output = Echoed>>(
    run: impl Fn(StartingPosition, &'static str) -> R,
    records: usize,
) {
    let later = 4_102_444_800_000; // 2100

    let latest = run(StartingPosition::Latest, "latest").await;
    let after = run(StartingPosition::AtTimestamp(later), "after").await;
    let all = run(StartingPosition::TrimHorizon, "all").await;
    let again = run(StartingPosition::TrimHorizon, "all").await;

    assert_eq!(latest.status.unread, Some(Unread::Latest));
    let millis = later;
    assert_eq!(after.status.unread, Some(Unread::AfterTheLast { millis }));
    assert_eq!((all.status.unread, all.records().len()), (None, records));
    assert_eq!(again.status.unread, Some(Unread::Committed));
}
