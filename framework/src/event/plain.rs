//! The plain run at the start of a string: up to the first byte that JSON gives a meaning.

/// Bytes that are looked at in one step once a string is long.
const STRIDE: usize = 64;

/// The position, from `at` on, of the first quote, backslash or control character, or the end. Ors all bytes before it into `high`.
#[inline]
pub(super) fn plain_until(bytes: &[u8], mut at: usize, high: &mut u8) -> usize {
    let mut words = 0;
    let mut high_word = 0;
    while let Some((word, _)) = bytes[at..].split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        let stops = stops(word);
        if stops != 0 {
            let plain = stops.trailing_zeros() / 8;
            // `plain` is below 8, so the shift is below 64.
            high_word |= word & ((1 << (plain * 8)) - 1);
            *high |= fold(high_word);
            return at + plain as usize;
        }
        high_word |= word;
        at += 8;
        words += 1;
        if words == STRIDE / 8 {
            at = strides(bytes, at, high);
        }
    }
    *high |= fold(high_word);
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            break;
        }
        *high |= byte;
        at += 1;
    }
    at
}

/// Goes on by whole strides without a stop. Written so that the compiler turns it into vector instructions.
fn strides(bytes: &[u8], mut at: usize, high: &mut u8) -> usize {
    for stride in bytes[at..].as_chunks::<STRIDE>().0 {
        let mut stops = false;
        let mut any = 0;
        for &byte in stride {
            stops |= (byte < 0x20) | (byte == b'"') | (byte == b'\\');
            any |= byte;
        }
        if stops {
            break;
        }
        *high |= any;
        at += STRIDE;
    }
    at
}

/// The high bit of each byte that ends a plain run. Bits above the lowest one set may be wrong: a borrow runs upward.
#[inline]
fn stops(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64)))
        & (ONES * 0x80)
}

#[inline]
fn fold(word: u64) -> u8 {
    word.to_le_bytes()
        .into_iter()
        .fold(0, |all, byte| all | byte)
}
