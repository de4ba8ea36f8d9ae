//! Columns of text, for what commands show people.

use std::fmt::Write;

use anstyle::Style;

use crate::text::style::DIM;

/// Columns of text: aligned to the left.
const LISTS: [&str; 4] = ["REDELIVERED", "OUTCOME", "CODE", "WHY"];
/// Most characters of a reason that are shown: it may be long, and may quote anything.
const SHOWN_CHARS_MAX: usize = 200;

/// A foreign text on one line, cut.
pub(crate) fn shown(text: &str) -> String {
    one_row(text, SHOWN_CHARS_MAX)
}

/// A text on one line, cut after so many characters. Control characters are escaped: they would drive the terminal.
pub(crate) fn one_row(text: &str, chars_max: usize) -> String {
    let mut row = String::new();
    for char in text.chars().take(chars_max) {
        if char.is_control() {
            row.extend(char.escape_default());
        } else {
            row.push(char);
        }
    }
    if text.chars().nth(chars_max).is_some() {
        row.push('…');
    }
    row
}

/// Columns as wide as their widest cell. Names and lists are aligned to the left, numbers to the right.
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

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_text_of_somebody_else_is_cut_and_cannot_drive_the_terminal() {
        assert_eq!(shown("a\n\x1b[31mb"), "a\\n\\u{1b}[31mb");
        assert_eq!(shown(&"é".repeat(201)), format!("{}…", "é".repeat(200)));
    }
}
