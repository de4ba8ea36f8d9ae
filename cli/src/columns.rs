//! Columns of text, for what commands show people.

use std::fmt::Write;

use anstyle::Style;

use crate::style::DIM;

/// Columns of text: they stand to the left.
const LISTS: [&str; 3] = ["SENT AGAIN", "CODE", "WHY"];

/// Columns as wide as their widest cell. Names and lists stand to the left, numbers to the right.
pub(crate) struct Table<const N: usize> {
    rows: Vec<([String; N], Style)>,
    indent: usize,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(head: [&str; N], indent: usize) -> Self {
        Self {
            rows: vec![(head.map(str::to_owned), DIM)],
            indent,
        }
    }

    pub(crate) fn push(&mut self, row: [String; N], style: Style) {
        self.rows.push((row, style));
    }

    pub(crate) fn text(&self) -> String {
        let width = |column: usize| {
            self.rows
                .iter()
                .map(|(row, _)| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        let mut text = String::new();
        for (row, style) in &self.rows {
            let mut line = "  ".repeat(self.indent);
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                let _ = match column {
                    0 => write!(line, "{cell:<width$}"),
                    _ if LISTS.contains(&self.rows[0].0[column].as_str()) => {
                        write!(line, "  {cell:<width$}")
                    }
                    _ => write!(line, "  {cell:>width$}"),
                };
            }
            let _ = writeln!(text, "{style}{}{style:#}", line.trim_end());
        }
        text
    }
}
