//! A handler given to `run`, as `main` does it.

use lambda_msk::Record;

async fn ship(_: Record) {}

async fn lambda() -> Result<(), lambda_msk::Error> {
    lambda_msk::run(ship).await
}

fn main() {
    let _ = lambda();
}
