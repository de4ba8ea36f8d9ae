//! Powertools for AWS Lambda (Python) in a process of its own, on a table. What can be asked stands in `services/powertools/records.py`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::table::Table;

const PROGRAM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/services/powertools/records.py"
);

pub(crate) struct Powertools {
    child: Child,
    /// *None: it is to end.*
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    table: String,
}

impl Powertools {
    pub(crate) fn start(table: &Table) -> Self {
        let python = std::env::var_os("POWERTOOLS_PYTHON").expect("run by tests/services/run");
        let mut command = Command::new(python);
        command
            .arg(PROGRAM)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (asks, answers) = (child.stdin.take(), child.stdout.take().unwrap());
        Self {
            child,
            asks,
            answers: BufReader::new(answers),
            table: table.name.clone(),
        }
    }

    /// Asks it to do something on the table, and waits for its answer.
    pub(crate) fn ask(&mut self, mut request: Value) -> Value {
        request["table"] = Value::from(&*self.table);
        let asks = self.asks.as_mut().unwrap();
        writeln!(asks, "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Powertools {
    /// It ends with its input.
    fn drop(&mut self) {
        self.asks = None;
        let _ = self.child.wait();
    }
}
