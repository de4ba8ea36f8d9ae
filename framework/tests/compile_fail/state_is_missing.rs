//! A handler with state in a consumer that was given none.

use lambda_msk::{Consumer, State};

#[derive(Clone)]
struct Api;

async fn ship(_: State<Api>) {}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
