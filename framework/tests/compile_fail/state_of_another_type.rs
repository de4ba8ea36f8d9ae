//! A handler that asks for a part which the state does not give, and one given before the state.

use lambda_msk::{Consumer, State, each};

#[derive(Clone)]
struct Api;

#[derive(Clone)]
struct App {
    api: Api,
}

async fn ship(_: State<Api>) {}

fn main() {
    let _ = Consumer::builder()
        .state(App { api: Api })
        .topic("orders", each(ship).attempts(2));
    let _ = Consumer::builder()
        .topic("orders", ship)
        .state(App { api: Api });
}
