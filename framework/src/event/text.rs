//! A JSON string as it stands in the body, and how it becomes text or bytes.

use std::borrow::Cow;

/// The inside of a JSON string. The cursor has checked it: UTF-8, no control characters, well-formed escapes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) raw: &'a [u8],
    pub(super) escaped: bool,
}

/// Half of a UTF-16 pair, written as an escape: JSON allows it, Unicode has no such character.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoneSurrogate;

impl<'a> Text<'a> {
    /// Whether the string says `other`. Compared without unescaping where there is nothing to unescape.
    #[inline]
    pub(super) fn is(self, other: &[u8]) -> bool {
        if self.escaped {
            self.unescaped().is_ok_and(|text| text.as_bytes() == other)
        } else {
            self.raw == other
        }
    }

    pub(super) fn unescaped(self) -> Result<Cow<'a, str>, LoneSurrogate> {
        if !self.escaped {
            return Ok(Cow::Borrowed(utf8(self.raw)));
        }
        let mut bytes = Vec::with_capacity(self.raw.len());
        self.append_to(&mut bytes)?;
        Ok(Cow::Owned(utf8(&bytes).to_owned()))
    }

    /// Appends the text in UTF-8. On an error a part of it may have been appended.
    pub(super) fn append_to(self, out: &mut Vec<u8>) -> Result<(), LoneSurrogate> {
        let mut rest = self.raw;
        if !self.escaped {
            out.extend_from_slice(rest);
            return Ok(());
        }
        while let Some(at) = memchr::memchr(b'\\', rest) {
            out.extend_from_slice(&rest[..at]);
            let plain = match rest[at + 1] {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => {
                    let (character, len) = unicode(&rest[at..])?;
                    let mut buffer = [0; 4];
                    out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                    rest = &rest[at + len..];
                    continue;
                }
                itself => char::from(itself),
            };
            out.push(plain as u8);
            rest = &rest[at + 2..];
        }
        out.extend_from_slice(rest);
        Ok(())
    }
}

fn utf8(checked: &[u8]) -> &str {
    std::str::from_utf8(checked).expect("the cursor checks each string")
}

/// The character of a `\uXXXX` or `\uXXXX\uXXXX` that `bytes` starts with, and how many bytes that is.
fn unicode(bytes: &[u8]) -> Result<(char, usize), LoneSurrogate> {
    let unit = |at: usize| {
        let digits = bytes.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let units = [unit(0), unit(6)];
    let mut characters = char::decode_utf16(units.into_iter().map_while(|unit| unit));
    match characters.next() {
        Some(Ok(character)) => Ok((character, character.len_utf16() * 6)),
        _ => Err(LoneSurrogate),
    }
}

#[cfg(test)]
mod tests {
    use super::{LoneSurrogate, Text};

    fn unescaped(raw: &str) -> Result<String, LoneSurrogate> {
        let text = Text {
            raw: raw.as_bytes(),
            escaped: true,
        };
        text.unescaped().map(std::borrow::Cow::into_owned)
    }

    #[test]
    fn each_escape_becomes_its_character() {
        assert_eq!(
            unescaped(r#"a\"\\\/\b\f\n\r\tz"#).as_deref(),
            Ok("a\"\\/\u{8}\u{c}\n\r\tz")
        );
        assert_eq!(
            unescaped(r"\u006frders-\u00E9\ud83d\ude00!").as_deref(),
            Ok("orders-é😀!")
        );
    }

    #[test]
    fn half_a_surrogate_pair_is_not_text() {
        for raw in [
            r"\ud83d",
            r"\ude00",
            r"\ud83dx",
            r"\ud83d\n",
            r"\ud83d\u0041",
            r"\ude00\ud83d",
        ] {
            assert_eq!(unescaped(raw), Err(LoneSurrogate), "{raw}");
        }
    }

    #[test]
    fn a_string_is_compared_by_what_it_says() {
        let escaped = Text {
            raw: br"t\u006fpic",
            escaped: true,
        };
        assert!(escaped.is(b"topic"));
        assert!(!escaped.is(br"t\u006fpic"));
    }
}
