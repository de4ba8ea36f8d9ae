//! A boxed error that cannot cross threads.

use std::error::Error;

use lambda_msk::{Consumer, Record};

async fn ship(_: Record) -> Result<(), Box<dyn Error>> {
    Ok(())
}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
