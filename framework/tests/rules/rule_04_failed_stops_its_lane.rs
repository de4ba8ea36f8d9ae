//! Failed stops its lane: later records of the lane are Unreached; other lanes go on.

use lambda_msk::testing::{Event, EventBuilder, Sample, invoke};
use lambda_msk::{Consumer, Failure, Json, ProcessingOrder};

use crate::support::{letters, orders};

async fn ship(Json(order): Json<u64>) -> Result<(), Failure> {
    if order == 0 {
        return Err(Failure::retry("inventory is down"));
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn later_records_of_the_lane_are_unreached_and_other_lanes_go_on() {
    let consumer = Consumer::builder().topic("orders", ship).build().unwrap();

    let invoked = invoke(
        &consumer,
        orders([(0, "1"), (0, "0"), (0, "1"), (0, "1"), (1, "1"), (1, "1")]),
    )
    .await;

    assert_eq!(letters(&invoked), "DFUUDD");
    assert_eq!(invoked.record("orders", 0, 2).attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn in_key_order_only_the_same_key_stops() {
    let consumer = Consumer::builder()
        .topic("orders", ship)
        .order(ProcessingOrder::Key)
        .build()
        .unwrap();
    let event = [("x", "0"), ("y", "1"), ("x", "1"), ("y", "1")]
        .into_iter()
        .map(|(key, value)| Sample::new("orders", 0).key(key).value(value))
        .fold(Event::msk(), EventBuilder::record);

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "FDUD");
}

#[tokio::test(start_paused = true)]
async fn unordered_records_do_not_stop_each_other() {
    let consumer = Consumer::builder()
        .topic("orders", ship)
        .order(ProcessingOrder::Unordered)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "0"), (0, "1"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "FDD");
}
