//! Digits of a number, eight at once: offsets and timestamps have that many in each record. Called by `scan`.

/// The number that eight digits make, read at once. *None: they are not all digits.*
#[inline]
pub(super) fn eight_digits(text: &[u8; 8]) -> Option<u64> {
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    const SIXES: u64 = u64::from_ne_bytes([6; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0xF0; 8]);
    let word = u64::from_le_bytes(*text);
    // Only a digit has the high half of `0`, and still has it six further on.
    if word & HIGH != ZEROS || word.wrapping_add(SIXES) & HIGH != ZEROS {
        return None;
    }
    let digits = word - ZEROS;
    // Neighbours are joined: ones to tens, tens to thousands, then the two halves.
    let pairs = (digits * 10 + (digits >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::eight_digits;

    #[test]
    fn eight_digits_are_read_as_one_by_one() {
        for number in [0, 1, 9, 10, 12_345_678, 99_999_999, 80_000_001, 10_203_040] {
            let text = format!("{number:08}");

            assert_eq!(
                eight_digits(text.as_bytes().try_into().unwrap()),
                Some(number)
            );
        }
    }

    #[test]
    fn what_is_no_digit_in_any_place_is_told() {
        for place in 0..8 {
            for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
                let mut text = *b"12345678";
                text[place] = byte;

                assert_eq!(eight_digits(&text), None, "{byte} in place {place}");
            }
        }
    }
}
