//! A closure whose argument has no type.

use lambda_msk::Consumer;

fn main() {
    let _ = Consumer::builder().topic("orders", async |record| {});
}
