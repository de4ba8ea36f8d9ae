//! Lines that are no wider than a terminal.

use std::io::IsTerminal;

use unicode_width::UnicodeWidthChar;

/// The columns that a character takes: two of many in Chinese, Japanese and Korean, none of one that stands above another.
fn width(char: char) -> usize {
    char.width().unwrap_or(0)
}

/// As much of a line as has room in so many columns. Escape sequences take no room, and none that is cut away leaves its colour on.
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
        } else if width(char) <= left {
            left -= width(char);
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
    let plain = anstream::adapter::strip_str(line).to_string();
    let all: usize = plain.chars().map(width).sum();
    if all <= columns || columns == 0 {
        return cut(line, columns);
    }
    let cut = cut(line, columns - 1);
    match cut.strip_suffix("\u{1b}[0m") {
        Some(text) => format!("{text}…\u{1b}[0m"),
        None => cut + "…",
    }
}

/// A foreign line, for a terminal: control characters are escaped but for tabs and colours, since they would drive it.
pub(crate) fn tamed(line: &str) -> String {
    let mut tamed = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(char) = rest.chars().next() {
        if let Some(after) = after_colour(rest) {
            tamed += &rest[..rest.len() - after.len()];
            rest = after;
            continue;
        }
        match char {
            '\t' => tamed.push(char),
            char if char.is_control() => tamed.extend(char.escape_default()),
            char => tamed.push(char),
        }
        rest = &rest[char.len_utf8()..];
    }
    tamed
}

/// What stands behind the colour with which the text begins. *None: it begins with something else.*
fn after_colour(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let digits = |char: char| char.is_ascii_digit() || char == ';' || char == ':';
    parameters.trim_start_matches(digits).strip_prefix('m')
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
    use super::{cut, cut_with_a_mark, tamed};

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
    fn wide_characters_take_two_columns_and_combining_ones_none() {
        assert_eq!(cut("注文は空です", 6), "注文は");
        // Half of a character cannot be shown.
        assert_eq!(cut("注文は空です", 5), "注文");
        assert_eq!(cut_with_a_mark("注文は空です", 12), "注文は空です");
        assert_eq!(cut_with_a_mark("注文は空です", 11), "注文は空で…");
        assert_eq!(cut_with_a_mark("e\u{301}e\u{301}", 2), "e\u{301}e\u{301}");
        assert_eq!(cut("a注b", 2), "a");
    }

    #[test]
    fn a_foreign_line_keeps_its_colours_and_drives_no_terminal() {
        let coloured = "\u{1b}[1;31mbad\u{1b}[0m\tthen \u{1b}[m";
        assert_eq!(tamed(coloured), coloured);
        assert_eq!(
            tamed("plain \u{1b}[2J\u{1b}[H\r\u{7}\u{9b}2J"),
            "plain \\u{1b}[2J\\u{1b}[H\\r\\u{7}\\u{9b}2J"
        );
        assert_eq!(tamed("\u{1b}[3"), "\\u{1b}[3");
        assert_eq!(tamed("\u{1b}]0;title\u{7}注"), "\\u{1b}]0;title\\u{7}注");
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
