//! What a redrive has come to, while it runs and at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};

use super::left::Left;
use super::plan::Plan;
use super::to::To;
use crate::dlq::list::count;
use crate::dlq::source::Found;
use crate::text::columns::{Table, shown};
use crate::text::style::{BAD, BOLD, GOOD};

/// So many letters that stay are named.
const NAMED_MAX: usize = 20;

/// The counts of a run.
#[derive(Debug)]
pub(crate) struct Report {
    letters: usize,
    settled: usize,
    left: BTreeMap<usize, Left>,
    interrupted: bool,
    shows: bool,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            letters: 0,
            settled: 0,
            left: BTreeMap::new(),
            interrupted: false,
            shows: std::io::stderr().is_terminal(),
        }
    }

    /// So many letters more, and all that stay now.
    pub(crate) fn goes_on(&mut self, letters: usize, left: BTreeMap<usize, Left>) {
        self.letters += letters;
        self.left = left;
    }

    pub(crate) fn number_settled(&self) -> usize {
        self.settled
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    pub(crate) fn left(&self) -> &BTreeMap<usize, Left> {
        &self.left
    }

    /// How many letters are left of so many that may be tried.
    pub(crate) fn rest_of(&self, max: u32) -> u32 {
        max.saturating_sub(u32::try_from(self.letters).unwrap_or(u32::MAX))
    }

    /// What stays, and what is no letter. All others are gone, or nobody asked for them.
    pub(crate) fn keep(&mut self, found: Vec<Found>) -> Vec<Found> {
        let mut left = std::mem::take(&mut self.left);
        let mut kept = Vec::new();
        for (at, found) in found.into_iter().enumerate() {
            let why = left.remove(&at);
            if why.is_some() || found.letter.is_err() {
                self.left.extend(why.map(|why| (kept.len(), why)));
                kept.push(found);
            }
        }
        kept
    }

    pub(crate) fn settled(&mut self) {
        self.settled += 1;
    }

    /// The first reason counts.
    pub(crate) fn leave(&mut self, letter: usize, left: Left) {
        self.left.entry(letter).or_insert(left);
    }

    pub(crate) fn interrupted(&mut self) {
        self.interrupted = true;
    }

    pub(crate) fn all_settled(&self) -> bool {
        self.settled == self.letters && self.left.is_empty()
    }

    /// One line on a terminal, written over.
    pub(crate) fn progress(&self) {
        if !self.shows {
            return;
        }
        const WIDTH: usize = 24;
        let full = WIDTH * self.settled / self.letters.max(1);
        let _ = write!(
            std::io::stderr(),
            "\r[{}{}] {}/{} settled, {} left ",
            "#".repeat(full),
            " ".repeat(WIDTH - full),
            self.settled,
            self.letters,
            self.left.len()
        );
    }

    pub(crate) fn progress_ends(&self) {
        if self.shows {
            let _ = writeln!(std::io::stderr());
        }
    }

    pub(crate) fn text(&self, found: &[Found]) -> String {
        let style = if self.all_settled() { GOOD } else { BOLD };
        let not_settled = self.letters - self.settled;
        let only_left = self.left.len();
        let before = if self.interrupted {
            ", ended before the rest"
        } else {
            ""
        };
        let stay = only_left.max(not_settled);
        let mut text = format!(
            "{style}{} settled{style:#}, {stay} left{before}\n",
            count(self.settled, "letter")
        );
        for (at, left) in self.left.iter().take(NAMED_MAX) {
            if let Ok(letter) = &found[*at].letter {
                text += &format!(
                    "  {BAD}left{BAD:#}  {}  {}  {}\n",
                    letter.id,
                    shown(&letter.place()),
                    left.text()
                );
            }
        }
        if only_left > NAMED_MAX {
            text += &format!("  and {} more\n", only_left - NAMED_MAX);
        }
        text
    }
}

/// What would happen.
pub(crate) fn dry_run(to: &To, found: &[Found], plan: &Plan) -> String {
    let mut table = Table::new(["ID", "RECORD", "REDRIVE", "CODE", "OUTCOME"], 0);
    let mut rows: Vec<(usize, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    for item in &plan.items {
        if seen.insert(item.letter) {
            rows.push((item.letter, format!("goes to {}", to.text())));
        }
    }
    for (letter, left) in &plan.left {
        rows.push((*letter, format!("stays: {}", left.text())));
    }
    for (at, outcome) in &rows {
        let Ok(letter) = &found[*at].letter else {
            continue;
        };
        let row = [
            letter.id.clone(),
            shown(&letter.place()),
            letter.redrives.saturating_add(1).to_string(),
            shown(&letter.code),
            outcome.clone(),
        ];
        table.push(row, anstyle::Style::new());
    }
    let mut text = if rows.is_empty() {
        String::new()
    } else {
        table.text() + "\n"
    };
    text += &format!(
        "{BOLD}{} would be redriven{BOLD:#}, {} would stay; nothing was changed\n",
        count(plan.letters(), "letter"),
        plan.left.len() + plan.unasked
    );
    text
}
