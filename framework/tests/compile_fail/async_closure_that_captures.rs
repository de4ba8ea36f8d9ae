//! An async closure lends what it captured to its future.

use lambda_msk::{Consumer, Record};

fn main() {
    let name = String::new();
    let _ = Consumer::builder().topic("orders", async move |_: Record| {
        let _ = name.len();
    });
}
