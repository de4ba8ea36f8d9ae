//! A handler given to `run`.

use lambda_msk::Record;

async fn ship(_: Record) {}

fn main() {
    let _ = lambda_msk::run(ship);
}
