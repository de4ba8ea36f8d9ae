//! What is asked before records are written to a topic.

use std::io::{self, BufRead, IsTerminal, Write};

use tokio::sync::mpsc::UnboundedReceiver;

use super::plan::Plan;
use crate::dlq::aside::aside;
use crate::dlq::list;
use crate::fault::{Fault, warn};

/// # Errors
///
/// The answer is no, none came before Ctrl-C, or nobody is there to give one.
pub(super) async fn ask(plan: &Plan, interrupts: &mut UnboundedReceiver<()>) -> Result<(), Fault> {
    let help = "give --yes to write without being asked";
    if !io::stdin().is_terminal() {
        return Err(Fault::new(
            "nothing was written: expected a terminal for the question, found none",
        )
        .help(help));
    }
    warn(
        "every consumer group of the topic reads these copies, also those that have done the records",
    );
    let letters = list::count(plan.letters(), "letter");
    let _ = write!(
        anstream::stderr(),
        "\nWrite the records of {letters}? [y/N] "
    );
    let _ = anstream::stderr().flush();
    let line = || {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    };
    if answered(line, interrupts).await? {
        Ok(())
    } else {
        Err(Fault::new("nothing was written").help(help))
    }
}

/// Whether the answer is yes. Letters of a queue stay invisible for others while it is awaited.
async fn answered(
    line: impl FnOnce() -> io::Result<String> + Send + 'static,
    interrupts: &mut UnboundedReceiver<()>,
) -> Result<bool, Fault> {
    let answer = tokio::select! {
        answer = aside(line) => answer?,
        Some(()) = interrupts.recv() => return Err(Fault::interrupted()),
    };
    let answer = answer.map_err(|error| {
        Fault::new("cannot read the answer")
            .at(error.to_string())
            .help("give --yes to write without being asked")
    })?;
    let answer = answer.trim().to_ascii_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::mpsc::unbounded_channel;

    use super::answered;

    #[tokio::test]
    async fn ctrl_c_ends_the_question_while_nobody_answers() {
        let (_open, nobody) = mpsc::channel::<String>();
        let (sender, mut interrupts) = unbounded_channel();
        sender.send(()).unwrap();

        let line = move || Ok(nobody.recv().unwrap_or_default());
        let answer = answered(line, &mut interrupts).await;

        assert!(answer.unwrap_err().text().contains("interrupted"));
    }

    #[tokio::test]
    async fn only_y_and_yes_mean_yes() {
        let (_sender, mut interrupts) = unbounded_channel();
        for (line, yes) in [
            ("y\n", true),
            (" YES\n", true),
            ("\n", false),
            ("no", false),
        ] {
            let answer = answered(move || Ok(line.to_owned()), &mut interrupts).await;

            assert_eq!(answer.ok(), Some(yes), "{line:?}");
        }
    }
}
