//! Lines that are no wider than a terminal.

use std::io::IsTerminal;

/// The first characters of a line. Escape sequences take no room, and none that is cut away leaves its colour on.
pub(crate) fn cut(line: &str, columns: usize) -> String {
    let mut text = String::new();
    let mut left = columns;
    let mut sequence = false;
    let mut coloured = false;
    for char in line.chars() {
        if char == '\u{1b}' {
            (sequence, coloured) = (true, true);
        }
        if sequence {
            text.push(char);
            // Colours end with an m.
            sequence = char != 'm';
        } else if left > 0 {
            left -= 1;
            text.push(char);
        } else {
            if coloured {
                text += "\u{1b}[0m";
            }
            break;
        }
    }
    text
}

/// The same with `…` as the last character of a line that was cut.
pub(crate) fn cut_with_a_mark(line: &str, columns: usize) -> String {
    let width = anstream::adapter::strip_str(line)
        .to_string()
        .chars()
        .count();
    if width <= columns || columns == 0 {
        return cut(line, columns);
    }
    let cut = cut(line, columns - 1);
    match cut.strip_suffix("\u{1b}[0m") {
        Some(text) => format!("{text}…\u{1b}[0m"),
        None => cut + "…",
    }
}

/// The width of the terminal that standard error is. *None: it is no terminal, and nothing is cut.*
pub(crate) fn columns_of_stderr() -> Option<usize> {
    let err = std::io::stderr();
    if !err.is_terminal() {
        return None;
    }
    terminal_size::terminal_size_of(err).map(|(columns, _)| columns.0.into())
}

/// The width of the terminal that standard output is. *None: it is no terminal, and nothing is cut.*
pub(crate) fn columns_of_stdout() -> Option<usize> {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return None;
    }
    terminal_size::terminal_size_of(out).map(|(columns, _)| columns.0.into())
}

#[cfg(test)]
mod tests {
    use super::{cut, cut_with_a_mark};

    #[test]
    fn no_line_is_wider_than_the_terminal_and_none_leaves_a_colour_on() {
        assert_eq!(cut("small-0  12345", 9), "small-0  ");
        assert_eq!(
            cut("\u{1b}[31msmall-0\u{1b}[0m 1", 5),
            "\u{1b}[31msmall\u{1b}[0m"
        );
        assert_eq!(cut("\u{1b}[31mab\u{1b}[0m", 2), "\u{1b}[31mab\u{1b}[0m");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn a_line_that_was_cut_ends_with_a_mark() {
        assert_eq!(cut_with_a_mark("abc", 3), "abc");
        assert_eq!(cut_with_a_mark("abcd", 3), "ab…");
        assert_eq!(
            cut_with_a_mark("\u{1b}[31mabcd\u{1b}[0m", 3),
            "\u{1b}[31mab…\u{1b}[0m"
        );
        assert_eq!(cut_with_a_mark("abcd", 0), "");
    }
}
