//! Sizes of the futures that each batch, lane and record is run with. A future that grows is moved, cleared and snapshotted with all that it holds; a bound that
//! is passed is a reason to look at the values that are held across an await.

#![allow(clippy::print_stdout, reason = "a test that says what it measured")]

use crate::consumer::Consumer;
use crate::delivery::Delivery;
use crate::handler::{Route, Try};
use crate::idempotency::{PartitionLedger, Recorder};
use crate::invocation::Invocation;
use crate::lane::Lanes;
use crate::process::attempt::First;
use crate::process::batch::BatchRun;
use crate::process::end::LaneEnd;
use crate::process::polled::Polled;
use crate::record::Record;

/// Of the future that a function returns, which is not called.
fn size<A, F>(_: impl Fn(A) -> F) -> usize {
    size_of::<F>()
}

/// The sizes are those of 64 bits; two compilers differ by some words.
#[test]
fn the_futures_of_a_batch_are_small() {
    type Run = &'static BatchRun<'static>;
    type Lane = (
        Run,
        &'static [u32],
        &'static mut Delivery,
        &'static mut LaneEnd,
    );
    type Tries = (
        Run,
        &'static Record,
        &'static Route,
        &'static mut Delivery,
        First<'static>,
    );
    let sizes = [
        (
            "an invocation",
            size(|(consumer, with): (&'static Consumer, Invocation)| consumer.invoke(with)),
            3_072,
        ),
        (
            "the lanes of a batch",
            size(|(run, lanes): (Run, &'static Lanes)| run.run_partitions(lanes)),
            1_152,
        ),
        (
            "a lane",
            size(|(run, lane, delivery, end): Lane| run.run_lane(lane, delivery, end)),
            3_072,
        ),
        (
            "the tries of a record",
            size(|(run, record, route, delivery, first): Tries| {
                run.run_record(record, (route, delivery), first, None)
            }),
            2_048,
        ),
        (
            "the opening of a ledger",
            size(|ledger: &'static PartitionLedger<'static>| ledger.open()),
            1_280,
        ),
        (
            "the keeping of a ledger",
            size(|ledger: &'static PartitionLedger<'static>| ledger.keep()),
            1_280,
        ),
        (
            "the recorder of claims",
            size_of::<Recorder<'static>>(),
            256,
        ),
        ("a run of a handler", size_of::<Try>(), 32),
        (
            "a run that is measured",
            size_of::<Polled<'static, Try>>(),
            80 + if cfg!(feature = "otel") { 8 } else { 0 },
        ),
    ];

    for (what, bytes, _) in sizes {
        println!("{what}: {bytes} bytes");
    }
    for (what, bytes, most) in sizes {
        assert!(
            bytes <= most,
            "{what}: {bytes} bytes, expected at most {most}"
        );
    }
}
