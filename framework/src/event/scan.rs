//! JSON and nothing of Kafka: a cursor over the bytes that accepts exactly RFC 8259, never recurses, and knows its position.

use super::digits::eight_digits;
use super::error::{self, EventError};
use super::plain::plain_until;
use super::text::Text;
use crate::limits::EVENT_JSON_DEPTH_MAX;
use crate::record::Span;

pub(super) type Scan<T> = Result<T, Box<EventError>>;

// The kinds of open containers are kept in the bits of one number.
const _: () = assert!(EVENT_JSON_DEPTH_MAX <= u128::BITS as usize);

/// What a JSON number is to us: events hold no fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Integer(i64),
    /// A whole number beyond 64 bits.
    Huge,
    /// With a fraction or an exponent.
    Fraction,
}

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    name_at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            name_at: 0,
        }
    }

    /// The position of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The position of the name that `member` gave last.
    pub(super) fn name_at(&self) -> usize {
        self.name_at
    }

    /// Goes back to where the cursor was before.
    pub(super) fn rewind(&mut self, at: usize) {
        self.at = at;
    }

    /// The next byte, whatever it is. *None: there is none.*
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over the same bytes as stand there in the document. *None: others stand here, and the cursor has not moved.*
    #[inline]
    pub(super) fn step_over(&mut self, same: Span) -> Option<()> {
        let same = same.of(self.bytes);
        let here = self.bytes.get(self.at..self.at + same.len())?;
        (here == same).then(|| self.at += same.len())
    }

    /// The bytes from `start` to the cursor.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// All of the document.
    pub(super) fn document(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn bytes_left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next byte that is not white space; the cursor stands on it.
    #[inline]
    pub(super) fn token(&mut self) -> Scan<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(self.truncated()),
            }
        }
    }

    /// Steps over the byte that `token` saw.
    #[inline]
    pub(super) fn step(&mut self) {
        self.at += 1;
    }

    /// The document is over: only white space is left.
    pub(super) fn end(&mut self) -> Scan<()> {
        match self.token() {
            Ok(_) => {
                Err(self.not_json("expected the end of the JSON document, found more after it"))
            }
            Err(_) => Ok(()),
        }
    }

    /// The next name of the object that the cursor is in, then stands on its value; or None, and the object is left behind.
    #[inline]
    pub(super) fn member(&mut self, first: bool) -> Scan<Option<Text<'a>>> {
        match self.token()? {
            b'}' => {
                self.step();
                return Ok(None);
            }
            b',' if !first => self.step(),
            b'"' if first => {}
            _ => return Err(self.not_json("expected `,` or `}`")),
        }
        let name = self.name()?;
        Ok(Some(name))
    }

    /// Whether the array that the cursor is in has one more element: the cursor stands on it, or has left the array behind.
    #[inline]
    pub(super) fn element(&mut self, first: bool) -> Scan<bool> {
        match self.token()? {
            b']' => {
                self.step();
                return Ok(false);
            }
            b',' if !first => {
                self.step();
                self.token()?;
            }
            _ if first => {}
            _ => return Err(self.not_json("expected `,` or `]`")),
        }
        Ok(true)
    }

    #[inline]
    fn name(&mut self) -> Scan<Text<'a>> {
        if self.token()? != b'"' {
            return Err(self.not_json("expected a quoted field name"));
        }
        self.name_at = self.at;
        let name = self.string()?;
        if self.token()? != b':' {
            return Err(self.not_json("expected `:` after the field name"));
        }
        self.step();
        self.token()?;
        Ok(name)
    }

    /// The string whose opening quote the cursor stands on.
    #[inline]
    pub(super) fn string(&mut self) -> Scan<Text<'a>> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        let mut high = 0;
        loop {
            at = plain_until(self.bytes, at, &mut high);
            self.at = at;
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape()?;
                }
                Some(_) => {
                    return Err(self.not_json("found a control character in a string: escape it"));
                }
                None => return Err(self.truncated()),
            }
        }
        let raw = &self.bytes[start..at];
        self.at = at + 1;
        if high >= 0x80
            && let Err(fault) = std::str::from_utf8(raw)
        {
            let message = "expected JSON in UTF-8 (RFC 8259, section 8.1), found other bytes";
            return Err(EventError::at(
                error::NOT_UTF8,
                start + fault.valid_up_to(),
                message,
            ));
        }
        Ok(Text { raw, escaped })
    }

    /// The bytes up to the next quote, if the cursor stands on one: a guess at a string without escapes, checked by whoever decodes it. The cursor then stands behind it.
    #[inline]
    pub(super) fn guess_string(&mut self) -> Option<&'a [u8]> {
        let inside = &self.bytes[self.at + 1..];
        let len = memchr::memchr(b'"', inside)?;
        self.at += len + 2;
        Some(&inside[..len])
    }

    /// Checks the escape that the cursor stands on and says where it ends.
    #[cold]
    fn escape(&mut self) -> Scan<usize> {
        let escape = &self.bytes[self.at..];
        match escape.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(self.at + 2),
            Some(b'u') => {
                for place in 2..6 {
                    match escape.get(place) {
                        Some(digit) if digit.is_ascii_hexdigit() => {}
                        Some(_) => {
                            return Err(self.not_json("expected four hex digits after `\\u`"));
                        }
                        None => return Err(self.truncated()),
                    }
                }
                Ok(self.at + 6)
            }
            Some(_) => Err(self.not_json("expected an escape that JSON allows after `\\`")),
            None => Err(self.truncated()),
        }
    }

    /// The number that the cursor stands on.
    #[inline]
    pub(super) fn number(&mut self) -> Scan<Number> {
        let negative = self.bytes[self.at] == b'-';
        self.at += usize::from(negative);
        let first = self.at;
        let mut few = 0_u64;
        // Twice eight digits cannot overflow.
        for _ in 0..2 {
            let Some(eight) = self.bytes[self.at..].first_chunk().and_then(eight_digits) else {
                break;
            };
            few = few * 100_000_000 + eight;
            self.at += 8;
        }
        let mut magnitude = Some(few);
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            magnitude = magnitude
                .and_then(|value| value.checked_mul(10))
                .and_then(|value| value.checked_add(u64::from(digit - b'0')));
            self.at += 1;
        }
        match self.at - first {
            0 => return Err(self.expected("expected a digit in a number")),
            1 => {}
            _ if self.bytes[first] == b'0' => {
                self.at = first;
                return Err(self.not_json("expected a number without a leading 0"));
            }
            _ => {}
        }
        if matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) {
            return self.fraction();
        }
        let value = magnitude.and_then(|magnitude| match negative {
            true => 0_i64.checked_sub_unsigned(magnitude),
            false => i64::try_from(magnitude).ok(),
        });
        Ok(value.map_or(Number::Huge, Number::Integer))
    }

    fn fraction(&mut self) -> Scan<Number> {
        if self.bytes[self.at] == b'.' {
            self.step();
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.step();
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.step();
            }
            self.digits()?;
        }
        Ok(Number::Fraction)
    }

    fn digits(&mut self) -> Scan<()> {
        let first = self.at;
        while matches!(self.bytes.get(self.at), Some(b'0'..=b'9')) {
            self.step();
        }
        match self.at == first {
            true => Err(self.expected("expected a digit in a number")),
            false => Ok(()),
        }
    }

    /// A byte of a header, as `-61` or `195`, with the comma or bracket behind it. None: not in that plain form, so read it as any number; the cursor has not moved.
    #[inline]
    pub(super) fn plain_byte(&mut self) -> Option<i16> {
        let rest = &self.bytes[self.at..];
        let (negative, digits) = match rest {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let digit = |at: usize| {
            let value = digits.get(at)?.wrapping_sub(b'0');
            (value < 10).then_some(i16::from(value))
        };
        let mut value = digit(0)?;
        let mut len = 1;
        if value != 0 {
            while len < 3
                && let Some(next) = digit(len)
            {
                value = value * 10 + next;
                len += 1;
            }
        }
        match digits.get(len) {
            Some(b',' | b']') => {
                self.at += len + usize::from(negative);
                Some(if negative { -value } else { value })
            }
            _ => None,
        }
    }

    /// Steps over `word`, of which the cursor stands on the first letter.
    pub(super) fn word(&mut self, word: &'static str) -> Scan<()> {
        for letter in word.bytes() {
            if self.bytes.get(self.at) != Some(&letter) {
                return Err(self.expected("expected `true`, `false` or `null`"));
            }
            self.step();
        }
        Ok(())
    }

    /// Steps over the value that the cursor stands on, whatever it is. `depth`: how many containers are open around it.
    pub(super) fn skip_value(&mut self, depth: usize) -> Scan<()> {
        let mut open = 0_usize;
        // The lowest bit is the innermost container: 1 an object, 0 an array.
        let mut kinds = 0_u128;
        loop {
            match self.token()? {
                b'"' => drop(self.string()?),
                bracket @ (b'{' | b'[') => {
                    if depth + open >= EVENT_JSON_DEPTH_MAX {
                        return Err(self.too_deep());
                    }
                    let is_object = bracket == b'{';
                    self.step();
                    // `}` and `]` stand two places behind `{` and `[`.
                    if self.token()? == bracket + 2 {
                        self.step();
                    } else {
                        open += 1;
                        kinds = kinds << 1 | u128::from(is_object);
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                b'-' | b'0'..=b'9' => drop(self.number()?),
                _ => return Err(self.no_value()),
            }
            // A value is behind us: close what ends here, or go on to the next.
            loop {
                if open == 0 {
                    return Ok(());
                }
                let is_object = kinds & 1 == 1;
                let more = if is_object {
                    self.member(false)?.is_some()
                } else {
                    self.element(false)?
                };
                if more {
                    break;
                }
                open -= 1;
                kinds >>= 1;
            }
        }
    }

    /// What stands at the cursor, in words for a message.
    pub(super) fn kind(&self) -> &'static str {
        match self.bytes.get(self.at) {
            Some(b'"') => "a string",
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ => "no JSON value",
        }
    }

    /// Neither a string nor a number, word or container starts here.
    #[cold]
    pub(super) fn no_value(&self) -> Box<EventError> {
        self.not_json("expected a JSON value")
    }

    #[cold]
    fn too_deep(&self) -> Box<EventError> {
        EventError::at(
            error::TOO_DEEP,
            self.at,
            format!(
                "expected JSON of at most {EVENT_JSON_DEPTH_MAX} levels, found more; a Kafka event has 7"
            ),
        )
    }

    #[cold]
    fn not_json(&self, what: &'static str) -> Box<EventError> {
        EventError::at(
            error::NOT_JSON,
            self.at,
            format!("the body is not JSON: {what}"),
        )
    }

    /// Something else stands here, or nothing.
    #[cold]
    fn expected(&self, what: &'static str) -> Box<EventError> {
        match self.at < self.bytes.len() {
            true => self.not_json(what),
            false => self.truncated(),
        }
    }

    #[cold]
    fn truncated(&self) -> Box<EventError> {
        let message = "the body ends in the middle of the JSON document: the end is missing, so send the whole document";
        EventError::at(error::TRUNCATED, self.bytes.len(), message)
    }
}
