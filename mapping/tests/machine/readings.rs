//! The defaults of what AWS leaves open.

use msk_mapping::machine::Readings;

#[test]
fn the_default_readings_are_those_that_their_documentation_names() {
    insta::assert_debug_snapshot!(Readings::default(), @r#"
    Readings {
        again: OnlyListed,
        throttles: Free,
        attempts: PerBatch,
        progress: Keeps,
        rebalance: StartsAnew,
        bisecting: Free,
        partial_answer: SplitsAtReturned,
        halves: InSequence,
        exhausted: Listed,
        age: PerRecord,
        next_batch: Waits,
        window: FromArrival,
        nulls: Absent,
        protobuf_indexes: Kept,
    }
    "#);
}
