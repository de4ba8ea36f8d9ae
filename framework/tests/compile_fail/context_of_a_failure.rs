//! anyhow's `context` on a failure: `into_error` is missing.

use anyhow::Context;
use lambda_msk::Failure;

fn helper() -> anyhow::Result<()> {
    Err::<(), _>(Failure::reject("unknown currency")).context("shipping")
}

fn main() {
    let _ = helper();
}
