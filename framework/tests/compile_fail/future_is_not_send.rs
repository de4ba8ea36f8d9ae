//! A handler that holds an `Rc` across an await.

use std::rc::Rc;

use lambda_msk::{Consumer, Record};

async fn ship(record: Record) {
    let held = Rc::new(record);
    std::future::ready(()).await;
    drop(held);
}


fn main() {
    let _ = Consumer::builder().topic("orders", ship);
}
