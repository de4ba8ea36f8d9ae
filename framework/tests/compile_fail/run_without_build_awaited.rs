//! A builder given to `run`, as `main` does it.

use lambda_msk::{Consumer, Record};

async fn ship(_: Record) {}

async fn lambda() -> Result<(), lambda_msk::Error> {
    lambda_msk::run(Consumer::builder().topic("orders", ship)).await
}

fn main() {
    let _ = lambda();
}
