//! A destination that holds an `Rc` across an await.

use std::rc::Rc;

use lambda_msk::destination::{DeadLetter, Destination, SendError};

struct Local;

impl Destination for Local {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let held = Rc::new(letters.len());
        std::future::ready(()).await;
        drop(held);
        Vec::new()
    }

    fn describe(&self) -> String {
        String::new()
    }
}

fn main() {}
