//! The bytes of a value, read from front to back with bounds. Called by the decoder and by `skip`.

use crate::avro::error::Error;
use crate::limits::AVRO_ZERO_SIZE_ELEMENTS_MAX;

/// What is left of a payload.
#[derive(Debug)]
pub(super) struct Input<'de> {
    left: &'de [u8],
    /// How many more elements may have no bytes.
    zero_size_left: usize,
}

impl<'de> Input<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self {
            left: bytes,
            zero_size_left: AVRO_ZERO_SIZE_ELEMENTS_MAX,
        }
    }

    /// Bytes that are left.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.left.len()
    }

    /// Puts other bytes in place of these, which are given back: a default is read with the bounds of its payload.
    pub(super) fn swap(&mut self, bytes: &'de [u8]) -> &'de [u8] {
        std::mem::replace(&mut self.left, bytes)
    }

    pub(super) fn end(&self) -> Result<(), Error> {
        match self.left.len() {
            0 => Ok(()),
            more => Err(Error::new(format!(
                "expected the end, found {more} bytes more: the payload was written with another schema"
            ))),
        }
    }

    #[inline]
    pub(super) fn boolean(&mut self) -> Result<bool, Error> {
        match self.array::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Error::new(
                "expected a boolean, found a byte that is neither 0 nor 1",
            )),
        }
    }

    #[inline]
    pub(super) fn int(&mut self) -> Result<i32, Error> {
        if let [first, rest @ ..] = self.left
            && *first < 0x80
        {
            self.left = rest;
            return Ok(zigzag(u64::from(*first)) as i32);
        }
        self.long_int()
    }

    #[inline(never)]
    fn long_int(&mut self) -> Result<i32, Error> {
        let value = self.long_varint("an int", 5)?;
        i32::try_from(zigzag(value))
            .map_err(|_| Error::new("expected an int, found an integer out of its range"))
    }

    #[inline]
    pub(super) fn long(&mut self) -> Result<i64, Error> {
        match self.left {
            [first, rest @ ..] if *first < 0x80 => {
                self.left = rest;
                Ok(zigzag(u64::from(*first)))
            }
            [first, second, rest @ ..] if *second < 0x80 => {
                self.left = rest;
                Ok(zigzag(u64::from(*first & 0x7f) | u64::from(*second) << 7))
            }
            _ => self.long_varint("a long", 10).map(zigzag),
        }
    }

    #[inline]
    fn long_varint(&mut self, kind: &'static str, bytes_max: usize) -> Result<u64, Error> {
        let mut value = 0_u64;
        for (at, byte) in self.left.iter().take(bytes_max).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if at == 9 && bits > 1 {
                break;
            }
            value |= bits << (7 * at);
            if *byte < 0x80 {
                self.left = &self.left[at + 1..];
                return Ok(value);
            }
        }
        Err(bad_varint(kind, self.left.len() < bytes_max))
    }

    #[inline]
    pub(super) fn float(&mut self) -> Result<f32, Error> {
        self.array().map(f32::from_le_bytes)
    }

    #[inline]
    pub(super) fn double(&mut self) -> Result<f64, Error> {
        self.array().map(f64::from_le_bytes)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self.left.split_first_chunk::<N>() {
            Some((bytes, left)) => {
                self.left = left;
                Ok(*bytes)
            }
            None => Err(too_short(N, self.left.len())),
        }
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'de [u8], Error> {
        match self.left.split_at_checked(count) {
            Some((bytes, left)) => {
                self.left = left;
                Ok(bytes)
            }
            None => Err(too_short(count, self.left.len())),
        }
    }

    /// Bytes with their length before them.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'de [u8], Error> {
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => Err(Error::new("expected a length, found a negative one")),
        }
    }

    #[inline]
    pub(super) fn text(&mut self) -> Result<&'de str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(not_utf8)
    }

    /// The number of a branch or of a symbol.
    #[inline]
    pub(super) fn choice(&mut self, of: &'static str, count: usize) -> Result<usize, Error> {
        let number = self.long()?;
        match usize::try_from(number) {
            Ok(number) if number < count => Ok(number),
            _ => Err(Error::new(format!(
                "expected one of {count} {of}, found a number that has none"
            ))),
        }
    }

    #[inline]
    fn no_bytes(&mut self) -> Result<(), Error> {
        match self.zero_size_left.checked_sub(1) {
            Some(left) => {
                self.zero_size_left = left;
                Ok(())
            }
            None => Err(too_many()),
        }
    }
}

#[inline]
fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cold]
fn bad_varint(kind: &'static str, is_short: bool) -> Error {
    Error::new(if is_short {
        format!("expected {kind}, found the end of the payload")
    } else {
        format!("expected {kind}, found a number of too many bytes")
    })
}

#[cold]
fn too_short(wanted: usize, left: usize) -> Error {
    Error::new(format!(
        "expected {wanted} bytes, found the end of the payload after {left}"
    ))
}

#[cold]
fn not_utf8(_: std::str::Utf8Error) -> Error {
    Error::new("expected a string, found bytes that are not UTF-8")
}

#[cold]
fn too_many() -> Error {
    Error::new(format!(
        "expected elements with bytes, found more than {AVRO_ZERO_SIZE_ELEMENTS_MAX} without"
    ))
}

/// The blocks of an array or a map.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Elements of the block that were not begun.
    count: usize,
    /// The block says its size: so many bytes are left behind it.
    left_behind: Option<usize>,
    /// Bytes that were left when the last element began. None: none has begun.
    began: Option<usize>,
    is_done: bool,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self {
            count: 0,
            left_behind: None,
            began: None,
            is_done: false,
        }
    }

    /// Whether one more element comes. The caller reads it before it asks again.
    #[inline]
    pub(super) fn next(&mut self, input: &mut Input<'_>) -> Result<bool, Error> {
        if self.began == Some(input.left()) {
            input.no_bytes()?;
        }
        if self.count == 0 && !self.block(input, false)? {
            return Ok(false);
        }
        self.count -= 1;
        self.began = Some(input.left());
        Ok(true)
    }

    /// Goes to the next block that has elements. `jump` passes over those that say their size.
    fn block(&mut self, input: &mut Input<'_>, jump: bool) -> Result<bool, Error> {
        if self.is_done {
            return Ok(false);
        }
        loop {
            if self
                .left_behind
                .take()
                .is_some_and(|left| left != input.left())
            {
                return Err(Error::new(
                    "expected a block as long as it says, found another length",
                ));
            }
            let count = input.long()?;
            if count == 0 {
                self.is_done = true;
                self.began = None;
                return Ok(false);
            }
            if count < 0 {
                let size = usize::try_from(input.long()?).ok();
                let left = size.and_then(|size| input.left().checked_sub(size));
                let Some(left) = left else {
                    return Err(Error::new(
                        "expected a block, found the end of the payload before its end",
                    ));
                };
                if jump {
                    input.take(input.left() - left)?;
                    continue;
                }
                self.left_behind = Some(left);
            }
            let most = input.left().saturating_add(input.zero_size_left);
            return match usize::try_from(count.unsigned_abs()) {
                Ok(count) if count <= most => {
                    self.count = count;
                    Ok(true)
                }
                _ => Err(Error::new(
                    "expected a block, found one with more elements than bytes are left",
                )),
            };
        }
    }

    /// As `next`, and blocks that say their size are passed over.
    pub(super) fn skip_next(&mut self, input: &mut Input<'_>) -> Result<bool, Error> {
        if self.began == Some(input.left()) {
            input.no_bytes()?;
        }
        if self.count == 0 && !self.block(input, true)? {
            return Ok(false);
        }
        self.count -= 1;
        self.began = Some(input.left());
        Ok(true)
    }

    /// How many elements to make room for: not more than bytes are left.
    pub(super) fn room(&self, input: &Input<'_>) -> usize {
        self.count.min(input.left())
    }
}
