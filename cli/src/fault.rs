//! An error that stops a command, in three lines: the fault, its place, and the cure.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::text::style::{BOLD, ERROR};

/// The exit code for everything that is not about the function: usage, files, builds.
pub(crate) const EXIT_FAULT: u8 = 2;
/// Stopped by Ctrl-C: 128 and the signal, as shells count.
const EXIT_INTERRUPTED: u8 = 130;

/// The most characters of one line of a fault: what a document holds may be a megabyte long.
const LINE_CHARS_MAX: usize = 400;

/// A command that cannot go on.
#[derive(Debug)]
pub(crate) struct Fault {
    what: String,
    at: Vec<String>,
    help: Option<String>,
    code: u8,
}

impl Fault {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            at: Vec::new(),
            help: None,
            code: EXIT_FAULT,
        }
    }

    /// An error, with its causes below it. A cause that stands in the line above it already is left out.
    pub(crate) fn from_error(error: &dyn Error) -> Self {
        let mut above = error.to_string();
        let mut fault = Self::new(&above);
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !above.contains(&text) {
                fault = fault.at(&text);
                above = text;
            }
            cause = error.source();
        }
        fault
    }

    pub(crate) fn at(mut self, at: impl Into<String>) -> Self {
        self.at.push(at.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Another exit code than [`EXIT_FAULT`].
    pub(crate) fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Stopped by Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Self::new("interrupted").code(EXIT_INTERRUPTED)
    }

    #[cfg(feature = "dev")]
    pub(crate) fn exit_code(&self) -> u8 {
        self.code
    }

    /// What a run that ends so has come to, in JSON.
    #[cfg(feature = "dev")]
    pub(crate) fn verdict(&self) -> &'static str {
        if self.code == EXIT_INTERRUPTED {
            "interrupted"
        } else {
            "error"
        }
    }

    /// What cannot be done, and why, on one line.
    pub(crate) fn first_line(&self) -> String {
        match self.at.first() {
            Some(at) => cut(&format!("{}: {at}", self.what)),
            None => cut(&self.what),
        }
    }

    /// Its text without colours.
    #[cfg(feature = "dev")]
    pub(crate) fn plain_text(&self) -> String {
        crate::text::plain::text(&self.text()).trim_end().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!("{ERROR}error{ERROR:#}{BOLD}: {}{BOLD:#}\n", cut(&self.what));
        for line in self.at.iter().flat_map(|at| at.lines()) {
            text += &format!("  {}\n", cut(line));
        }
        for (number, line) in self.help.iter().flat_map(|help| help.lines()).enumerate() {
            text += &if number == 0 {
                format!("  {BOLD}help{BOLD:#}: {line}\n")
            } else {
                format!("        {line}\n")
            };
        }
        text
    }

    /// Writes what does not end the run to standard error, with its cure.
    #[cfg(feature = "aws")]
    pub(crate) fn warn(&self) {
        warn(&self.first_line());
        for line in self.help.iter().flat_map(|help| help.lines()) {
            let _ = writeln!(anstream::stderr(), "  {BOLD}help{BOLD:#}: {line}");
        }
    }

    pub(crate) fn report(&self) -> ExitCode {
        // With standard error gone there is nobody left to tell.
        let _ = write!(anstream::stderr(), "{}", self.text());
        ExitCode::from(self.code)
    }
}

/// The text, or its beginning and its length.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// Writes text for people to standard output, with its colours if they are seen.
pub(crate) fn print(text: &str) -> Result<(), Fault> {
    write(&mut anstream::stdout().lock(), text.as_bytes())
}

/// Writes a document to standard output, byte for byte.
pub(crate) fn print_document(document: &[u8]) -> Result<(), Fault> {
    write(&mut io::stdout().lock(), document)
}

/// A reader that has gone (`| head`) is no fault of ours.
fn write(out: &mut impl Write, bytes: &[u8]) -> Result<(), Fault> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::new("cannot write to standard output").at(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// Writes a remark to standard error.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(
        anstream::stderr(),
        "{}warning{:#}: {}",
        crate::text::style::WARNING,
        crate::text::style::WARNING,
        cut(text)
    );
}

/// Writes a remark with its cure to standard error. Empty: the remark says all.
pub(crate) fn note(what: &str, help: &str) {
    let mut text = format!("{BOLD}note{BOLD:#}: {what}\n");
    for (number, line) in help.lines().enumerate() {
        let lead = if number == 0 { "  help: " } else { "        " };
        text += &format!("{lead}{line}\n");
    }
    let _ = write!(anstream::stderr(), "{text}");
}

/// This build lacks a feature, which this subcommand needs.
#[cfg_attr(
    all(
        feature = "aws",
        feature = "dynamodb",
        feature = "redis",
        feature = "postgres"
    ),
    allow(dead_code, reason = "this build lacks none")
)]
pub(crate) fn without(what: &str, feature: &str, subcommand: &str) -> Fault {
    Fault::new(format!("this cargo-msk was built without {what}")).help(format!(
        "install it with: cargo install --locked cargo-msk --features {feature}\n\
         in its repository: cargo run -p cargo-msk --features {feature} -- {subcommand} …"
    ))
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::Fault;

    #[derive(Debug)]
    struct Error(&'static str, Option<Box<Error>>);

    impl fmt::Display for Error {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Error {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|error| error as _)
        }
    }

    #[test]
    fn a_line_is_cut_where_it_would_quote_a_whole_document() {
        let long = "é".repeat(1_000_000);
        let fault = Fault::new(&long).at(format!("x{long}")).help("mend it");

        let text = fault.text();

        assert!(text.len() < 2_000, "{} bytes", text.len());
        assert_eq!(text.matches("… (200000").count(), 2, "{text}");
        assert!(text.ends_with("mend it\n"), "{text}");
    }

    #[test]
    fn a_cause_that_stands_above_is_not_said_twice() {
        let fetch = Error(
            "fetch error: Down (Local: down)",
            Some(Box::new(Error("Down (Local: down)", None))),
        );
        let error = Error("no broker answers", Some(Box::new(fetch)));

        let fault = Fault::from_error(&error);

        assert_eq!(fault.what, "no broker answers");
        assert_eq!(fault.at, ["fetch error: Down (Local: down)"]);
    }
}
