//! A state that cannot be cloned.

use lambda_msk::{Consumer, State};

struct Api;

async fn ship(_: State<Api>) {}


fn main() {
    let _ = Consumer::builder().state(Api).topic("orders", ship);
}
