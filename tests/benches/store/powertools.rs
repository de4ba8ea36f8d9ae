//! Powertools for AWS Lambda (Python) in a process of its own, on the same table.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::json;

use crate::Cost;
use crate::batch::Batch;
use crate::capacity::Used;
use crate::table::Table;

const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/services/powertools/records.py"
);

/// As long as no claim of a bench lasts.
const LEFT_MS: u64 = 600_000;

pub(crate) struct Powertools {
    child: Child,
    /// *None: it is to end.*
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    table: String,
}

#[derive(Deserialize)]
struct Answer {
    milliseconds: f64,
    requests: u64,
    write_units: f64,
    refused: u64,
}

impl Powertools {
    pub(crate) fn start(table: &Table) -> Self {
        let python = std::env::var_os("POWERTOOLS_PYTHON").expect("run by tests/services/run");
        let mut child = Command::new(python)
            .arg(PROGRAM)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let asks = child.stdin.take();
        let answers = child.stdout.take().expect("it is piped");
        Self {
            child,
            asks,
            answers: BufReader::new(answers),
            table: table.name.clone(),
        }
    }

    /// Each order through its idempotent function, by its id.
    pub(crate) fn run(&mut self, batch: &Batch) -> Cost {
        let asked = json!({
            "table": self.table,
            "prefix": "powertools",
            "key": "order_id",
            "left_ms": LEFT_MS,
            "payloads": batch.values(),
        });
        let asks = self.asks.as_mut().expect("it is piped");
        writeln!(asks, "{asked}").expect("it reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        let answer: Answer = serde_json::from_str(&line).expect("it answers as it says");
        Cost {
            used: Used {
                requests: answer.requests,
                write_units: answer.write_units,
                refused: answer.refused,
            },
            milliseconds: answer.milliseconds,
        }
    }
}

impl Drop for Powertools {
    /// It ends with its input.
    fn drop(&mut self) {
        self.asks = None;
        let _ = self.child.wait();
    }
}
