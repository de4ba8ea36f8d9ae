//! `--produce-format`: how the lines of a file become values. Read by `produce`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::ValueEnum;

use crate::fault::Fault;
use crate::files::document::{self, Foreign};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines of JSON.
    Json,
    /// Lines of text, as they are.
    Text,
    /// A Kafka event, as Lambda sends it.
    Event,
    /// Lines of bytes in hexadecimal digits.
    Hex,
    /// Lines of bytes in base64.
    Base64,
}

impl Format {
    /// A value a line. Lines without a character are left out.
    pub(super) fn values(self, name: &str, bytes: &[u8]) -> Result<Vec<Bytes>, Fault> {
        if let (true, Some(Foreign { what, help })) =
            (self == Self::Json, document::encoding(bytes))
        {
            return Err(Fault::new(format!("{name} {what}")).help(help));
        }
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        let mut values = Vec::new();
        for (index, line) in lines {
            let line = match self {
                // White space is text too, but for the end of a line of Windows'.
                Self::Text => line.strip_suffix(b"\r").unwrap_or(line),
                _ => line.trim_ascii(),
            };
            if line.is_empty() {
                continue;
            }
            let value = match self {
                Self::Json | Self::Event => match document::foreign(line) {
                    None => Some(Bytes::copy_from_slice(line)),
                    Some(foreign) => return Err(no_json(name, bytes, index, &foreign)),
                },
                Self::Text => Some(Bytes::copy_from_slice(line)),
                Self::Hex => hex(line),
                Self::Base64 => STANDARD.decode(line).ok().map(Bytes::from),
            };
            values.push(value.ok_or_else(|| self.unread(name, index))?);
        }
        Ok(values)
    }

    fn unread(self, name: &str, index: usize) -> Fault {
        let (form, cure) = match self {
            Self::Hex => (
                "hexadecimal",
                "each line has two hexadecimal digits a byte, with or without spaces: 7b 22 61",
            ),
            _ => (
                "base64",
                "each line is base64 of the standard alphabet, with its padding: eyJhIjoxfQ==",
            ),
        };
        Fault::new(format!("line {} of {name} is not {form}", index + 1)).help(cure)
    }
}

/// Two digits a byte; white space between them is passed over.
fn hex(line: &[u8]) -> Option<Bytes> {
    let digits = line.iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Vec<u32> = digits
        .map(|byte| char::from(*byte).to_digit(16))
        .collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>().map(Bytes::from)
}

fn no_json(name: &str, bytes: &[u8], index: usize, line: &Foreign) -> Fault {
    let fault = Fault::new(format!("line {} of {name} is not JSON", index + 1));
    if document::foreign(bytes).is_none() {
        return fault
            .at(format!("{name} is one JSON document of several lines"))
            .help("write one JSON value a line, the value of one record: jq -c . FILE writes it on one line");
    }
    fault.at(format!("the line {}", line.what)).help(
        "write one JSON value a line, the value of one record; or give one Kafka event, such as those in events/.\n\
         For values that are not JSON give --produce-format text, hex or base64",
    )
}

/// A file that was said to be an event, and is none.
pub(super) fn no_event(name: &str, bytes: &[u8]) -> Fault {
    match document::foreign(bytes) {
        Some(Foreign { what, help }) => Fault::new(format!("{name} {what}")).help(help),
        None => Fault::new(format!(
            "expected a Kafka event in {name}, found other JSON"
        ))
        .help("an event has an eventSource and its records, such as those in events/"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::records;
    use super::Format;

    /// The values that a file's text comes to.
    fn values(format: Option<Format>, bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let records = records("r.ndjson", bytes, format, &["orders".to_owned()]);
        let records = records.map_err(|fault| fault.text())?;
        let value = |record: Result<super::super::Wanted, super::super::LeftOut>| {
            record.unwrap().value.unwrap_or_default().to_vec()
        };
        Ok(records.into_iter().map(value).collect())
    }

    #[test]
    fn a_line_becomes_a_value_by_its_format() {
        for (format, text, expected) in [
            (
                Format::Text,
                &b"hello world \r\n\n  a;b\n"[..],
                vec![&b"hello world "[..], b"  a;b"],
            ),
            (Format::Text, b"M\xFCller\n", vec![b"M\xFCller"]),
            (
                Format::Hex,
                b"00 00 00 00 2a 7B7d\nff\n",
                vec![b"\0\0\0\0\x2A{}", b"\xFF"],
            ),
            (Format::Base64, b"AAAAACo=\r\n", vec![b"\0\0\0\0\x2A"]),
            (
                Format::Json,
                b" {\"a\":1}\n[2]\n",
                vec![b"{\"a\":1}", b"[2]"],
            ),
        ] {
            let expected: Vec<Vec<u8>> = expected.into_iter().map(<[u8]>::to_vec).collect();
            assert_eq!(values(Some(format), text), Ok(expected), "{format:?}");
        }
    }

    #[test]
    fn a_line_that_has_another_format_is_named_without_its_bytes() {
        for (format, text, said) in [
            (
                Format::Hex,
                &b"00\n0\n"[..],
                "line 2 of r.ndjson is not hexadecimal",
            ),
            (
                Format::Hex,
                b"4111xx",
                "line 1 of r.ndjson is not hexadecimal",
            ),
            (Format::Base64, b"4111*", "line 1 of r.ndjson is not base64"),
            (
                Format::Json,
                b"{}\nplain 4111\n",
                "--produce-format text, hex or base64",
            ),
            (Format::Json, b"// a 4111\n", "the line has a comment"),
            (
                Format::Json,
                b"\xEF\xBB\xBF{}\n",
                "r.ndjson begins with a byte order mark",
            ),
            (
                Format::Json,
                b"\xFF\xFE{\0}\0",
                "r.ndjson is text in UTF-16",
            ),
            (
                Format::Json,
                b"{\n  \"a\": 4111\n}\n",
                "r.ndjson is one JSON document of several lines",
            ),
            (
                Format::Event,
                b"{}\n{}\n",
                "r.ndjson has 2 JSON documents, one a line",
            ),
            (
                Format::Event,
                b"{\"a\":4111}",
                "expected a Kafka event in r.ndjson, found other JSON",
            ),
        ] {
            let fault = values(Some(format), text).unwrap_err();
            assert!(fault.contains(said) && !fault.contains("4111"), "{fault}");
        }
    }

    #[test]
    fn without_a_format_an_event_is_one_and_else_lines_are_json() {
        let event = br#"{"eventSource":"aws:kafka","records":{"orders-0":[{"topic":"orders","partition":0,"value":"YQ=="}]}}"#;

        assert_eq!(values(None, event), Ok(vec![b"a".to_vec()]));
        assert_eq!(values(Some(Format::Event), event), Ok(vec![b"a".to_vec()]));
        assert_eq!(values(Some(Format::Json), event), Ok(vec![event.to_vec()]));
        assert_eq!(
            values(None, b"1\n2\n"),
            Ok(vec![b"1".to_vec(), b"2".to_vec()])
        );
        assert!(values(None, b"plain").is_err());
    }
}
