//! A failure through `?` where an error is asked for: `into_error` is missing.

use lambda_msk::Failure;

fn helper() -> anyhow::Result<()> {
    Err(Failure::reject("unknown currency"))?
}

fn main() {
    let _ = helper();
}
